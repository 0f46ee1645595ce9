"""The state of the library window without a window: rows, filters, marks, trash, undo and verification."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from data.checked_files import FileAnswers
from data.counted import counted
from data.durations import clock
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from data.quarantine import Quarantine
from data.simulation import ale_version
from data.trash import Moved, Trash
from data.verification import Verification
from home.library_rows import BEST, FILTERS, SORTS, EpisodeRow, Filter, Order, filtered, rows_of, sorted_rows, values_of
from home.training_chooser import TrainingChooser, Trainings
from screen.background import Background
from screen.fields import Choice, TextField
from screen.list_view import ListView

ALL = {"game": "all games", "demonstrator": "anybody", "player": "all players"}

VERIFIED = f"verified-{ale_version()}"
"""Name of the saved results of verification, which hold for one version of the emulator."""
Places = tuple[list[EpisodeRow], list[EpisodeRow]]
"""The rows of the library and of its trash."""


def read_rows(library: Library) -> Places:
    """Return all episodes of a library and of its trash. The first time takes long."""
    labels = LabelDatabase.open_existing(library.labels)
    verdicts = []
    if labels is not None:
        with labels:
            verdicts = labels.verdicts()
    trash = Trash(library)
    return (
        rows_of(library.episodes(), library.broken(), verdicts),
        rows_of(trash.episodes(), trash.broken(), verdicts),
    )


class LibraryController:
    """What the keys and buttons of the library window do."""

    def __init__(
        self,
        library: Library,
        answers: MutableMapping[str, Verification],
        game: str = "",
        trainings: Trainings | None = None,
    ) -> None:
        """``answers``: results of verification by episode id; the caller keeps them while the window is closed.

        trainings: to which episodes can be added; None: that is not offered.
        """
        self.library = library
        self.answers = answers
        self.list = ListView()
        self.search = TextField(most=80)
        self.order = Order()
        self.marked: set[str] = set()
        self.in_trash = False
        self.message, self.is_trouble = "", False
        self.is_read_only = library.is_read_only
        self.filters = {name: Choice([all_of]) for name, all_of in ALL.items()} | {"best": Choice(list(BEST))}
        self.rows: list[EpisodeRow] = []
        """The rows that the filters leave, in order."""
        self.verifying: Verifying | None = None
        self._first_game = game
        self._places: Places = ([], [])
        self._undo: list[tuple[str, ...]] = []
        self._moving: tuple[Background[Moved], bool] | None = None
        self._removing: Background[int] | None = None
        self.trainings = trainings
        self.adding: Background[str] | None = None
        self._loading: Background[Places] | None = Background(lambda _: read_rows(library), "read the library")
        self.is_loaded = False

    # What the window shows

    @property
    def can_undo(self) -> bool:
        return bool(self._undo) and self._moving is None

    @property
    def all_rows(self) -> list[EpisodeRow]:
        """The rows of the library or of the trash, before filters."""
        return self._places[self.in_trash]

    @property
    def trash_count(self) -> int:
        return len(self._places[1])

    @property
    def trashed_runs(self) -> int:
        """Number of runs in the trash, which are not listed."""
        return len(Trash(self.library).run_names()) if self.in_trash else 0

    @property
    def trash_words(self) -> str:
        """What is in the trash, as text."""
        episodes, runs = len(self._places[1]), self.trashed_runs
        parts = [counted(episodes, "episode")] if episodes or not runs else []
        if runs:
            parts.append(counted(runs, "run"))
        return " and ".join(parts)

    @property
    def chosen(self) -> EpisodeRow | None:
        return self.rows[self.list.chosen] if self.list.chosen < len(self.rows) else None

    @property
    def filter(self) -> Filter:
        names = {name: ("" if self.filters[name].at == 0 else self.filters[name].value) for name in ALL}
        return Filter(**names, best=self.filters["best"].value, text=self.search.text)

    @property
    def summary(self) -> str:
        """How many episodes are shown."""
        if not self.is_loaded:
            return "Reading the library …"
        shown, in_all = len(self.rows), len(self.all_rows)
        number = f"{shown:,} of {in_all:,}" if shown != in_all else f"{in_all:,}"
        marked = f", {len(self.marked):,} marked" if self.marked else ""
        what = "episode" if number == "1" else "episodes"
        return f"{number} {what}, {clock(sum(int(row.seconds) for row in self.rows))}{marked}"

    @property
    def title(self) -> str:
        """For the window's title: library or trash, and the number of episodes."""
        place = "trash" if self.in_trash else "library"
        return f"{place}, {counted(len(self.rows), 'episode')}" if self.is_loaded else place

    def arrange(self) -> None:
        """Filter and sort again; the selected episode stays selected if it is still shown."""
        before = self.chosen
        self.rows = sorted_rows(filtered(self.all_rows, self.filter), self.order)
        if before is not None:
            place = next((n for n, row in enumerate(self.rows) if row.episode_id == before.episode_id), None)
            self.list.chosen = min(self.list.chosen, max(0, len(self.rows) - 1)) if place is None else place
        self.marked &= {row.episode_id for row in self.rows}

    def _offer_values(self) -> None:
        """Let the filters offer the values that occur."""
        for name, all_of in ALL.items():
            now = self.filters[name].value if self.filters[name].at else ""
            values = values_of(self.all_rows, name)
            if now and now not in values:  # All of its episodes were deleted; the filter stays.
                values.append(now)
            choice = Choice([all_of, *values])
            choice.at = choice.values.index(now) if now else 0
            self.filters[name] = choice

    # What the user does

    def step_filter(self, name: str, by: int = 1) -> None:
        self.filters[name].step(by)
        self.arrange()

    def clear_filters(self) -> None:
        self._first_game = ""  # also while the library is still being read
        for name in FILTERS:
            self.filters[name].at = 0
        self.search.set("")
        self.arrange()

    def sort_by(self, by: str) -> None:
        self.order = self.order.then(by)
        self.arrange()

    def sort_by_next(self) -> None:
        names = list(SORTS)
        self.order = Order(names[(names.index(self.order.by) + 1) % len(names)])
        self.arrange()

    def reverse(self) -> None:
        self.order = replace(self.order, reversed=not self.order.reversed)
        self.arrange()

    def mark(self) -> None:
        """Mark or unmark the selected row, and select the next."""
        if self.chosen is not None:
            self.marked ^= {self.chosen.episode_id}
            self.list.press("down")

    def mark_all(self) -> None:
        everything = {row.episode_id for row in self.rows}
        self.marked = set() if self.marked == everything else everything

    def targets(self) -> list[EpisodeRow]:
        """Return the marked rows or, if there are none, the selected one."""
        if self.marked:
            return [row for row in self.rows if row.episode_id in self.marked]
        return [] if self.chosen is None else [self.chosen]

    def switch(self) -> None:
        """Switch between the library and the trash."""
        self.in_trash = not self.in_trash
        self.marked.clear()
        self.list.chosen = 0
        for name in FILTERS:
            self.filters[name].at = 0
        self._offer_values()
        self.clear_filters()

    def delete(self, rows: list[EpisodeRow] | None = None) -> None:
        """Move episodes to the trash: these rows or, without any, the targets."""
        if not self.in_trash:
            ids = [row.episode_id for row in (self.targets() if rows is None else rows)]
            self._move(ids, Trash(self.library).discard, into_trash=True)

    def restore(self) -> None:
        """Move the targets from the trash back to the library."""
        if self.in_trash:
            self._move([row.episode_id for row in self.targets()], Trash(self.library).restore, into_trash=False)

    def undo(self) -> None:
        """Restore the episodes that were deleted last."""
        if self.can_undo:
            self._move(list(self._undo.pop()), Trash(self.library).restore, into_trash=False)

    def _move(self, ids: list[str], work: Callable[[list[str]], Moved], into_trash: bool) -> None:
        if self._refuses():
            return
        if ids and self._moving is None:
            self._moving = Background(lambda _: work(ids), "move episodes"), into_trash

    def _refuses(self) -> bool:
        """Return whether the library is read-only, and show a message if it is."""
        if self.is_read_only:
            self._say("This library is read-only: nothing in it can be deleted, restored or changed.", True)
        return self.is_read_only

    def empty_trash(self) -> None:
        """Permanently remove everything in the trash, including what the filters hide."""
        ids = [] if self._refuses() else [row.episode_id for row in self._places[1]]
        runs = self.trashed_runs
        if (ids or runs) and self._removing is None and not self.is_read_only:

            def remove(on_progress: Callable[[int, int], None]) -> int:
                trash = Trash(self.library)
                return trash.remove_runs() + trash.remove(ids, on_progress)

            self._removing = Background(remove, "empty the trash")

    def choose_training(self) -> TrainingChooser | None:
        """Add the targets to the only training of their game; return the panel that asks where there are several."""
        rows = [] if self.in_trash or self.adding is not None or self._refuses() else self.targets()
        if not rows or self.trainings is None:
            return None
        damaged, games = next((row.problem for row in rows if row.problem), ""), {row.game for row in rows}
        if damaged or len(games) > 1:
            self._say(damaged or "The marked episodes are of several games; mark those of one.", True)
            return None
        (game,) = games
        runs = self.trainings.of_game(game)
        if not runs:
            self._say(f"There is no training of {display_name(game)} yet. Press Esc, then T to start one.", True)
        elif len(runs) > 1:
            return TrainingChooser(f"Add {counted(len(rows), 'episode')} to", runs)
        else:
            self.add_to(runs[0].name)
        return None

    def add_to(self, run: str) -> None:
        """Add the targets to a run's training."""
        trainings, paths = self.trainings, [Path(row.path) for row in self.targets()]
        if trainings is not None and paths:
            self.message = ""
            self.adding = Background(lambda _: trainings.add(run, paths), f"add to {run}")

    def verify(self) -> None:
        rows = self.targets()
        if rows and self.verifying is None:
            self.verifying = Verifying(rows, self.answers)
            self.message = ""

    def stop_verifying(self) -> None:
        if self.verifying is not None:
            self.verifying.work.stop()

    def count_verdicts(self, episode_id: str) -> None:
        """Count an episode's verdicts again, after it was judged."""
        labels = LabelDatabase.open_existing(self.library.labels)
        if labels is None:
            return
        with labels:
            given = [verdict.verdict for verdict in labels.verdicts(episode_id=episode_id)]
        good, bad = given.count("good"), given.count("bad")
        for rows in self._places:
            rows[:] = [replace(row, good=good, bad=bad) if row.episode_id == episode_id else row for row in rows]
        self.arrange()

    # Background work

    @property
    def is_busy(self) -> bool:
        """Whether background work is running, whose result ``poll`` collects."""
        working = self._loading, self._moving, self._removing, self.verifying, self.adding
        return any(work is not None for work in working)

    def poll(self) -> None:
        """Take over the results of finished background work; call this often."""
        if self._loading is not None and self._loading.is_done:
            loading, self._loading = self._loading, None
            self._say(loading.problem, True)
            self._places = loading.result or ([], [])
            self.is_loaded = True
            self._recall_answers()
            self._offer_values()
            if self._first_game in self.filters["game"].values:
                self.filters["game"].at = self.filters["game"].values.index(self._first_game)
            self.arrange()
        if self._moving is not None and self._moving[0].is_done:
            (moving, into_trash), self._moving = self._moving, None
            self._apply_move(moving.result or Moved((), moving.problem), into_trash)
        if self._removing is not None and self._removing.is_done:
            removing, self._removing = self._removing, None
            self._say(removing.problem or "The trash is empty.", bool(removing.problem))
            self._undo.clear()
            self._loading = Background(lambda _: read_rows(self.library), "read the library")
        if self.adding is not None and self.adding.is_done:
            adding, self.adding = self.adding, None
            self.marked.clear()
            self._say(adding.problem or adding.result or "", bool(adding.problem))
        if self.verifying is not None and self.verifying.work.is_done:
            verifying, self.verifying = self.verifying, None
            failed = any(
                not self.answers[row.episode_id].ok for row in verifying.rows if row.episode_id in self.answers
            )
            self._save_answers(verifying.rows)
            self._say(verifying.summary(), failed)

    def _recall_answers(self) -> None:
        """Load the results of earlier verifications, also by other windows, of files that have not changed since."""
        saved = FileAnswers(VERIFIED)
        for row in (row for rows in self._places for row in rows):
            known = saved.get(Path(row.path))
            if isinstance(known, dict):
                with contextlib.suppress(TypeError):  # saved by a version with other fields
                    self.answers.setdefault(row.episode_id, Verification(**{**known, "path": Path(row.path)}))

    def _save_answers(self, rows: Sequence[EpisodeRow]) -> None:
        saved = FileAnswers(VERIFIED)
        for row in rows:
            if row.episode_id in self.answers:
                answer = self.answers[row.episode_id]
                saved.set(Path(row.path), {**asdict(answer), "path": answer.path.name})
        saved.save()

    def _apply_move(self, moved: Moved, into_trash: bool) -> None:
        ids = set(moved.episode_ids)
        source, target = self._places[not into_trash], self._places[into_trash]
        folder = Trash(self.library).folder if into_trash else self.library.replays
        going = [replace(row, path=str(folder / Path(row.path).name)) for row in source if row.episode_id in ids]
        source[:] = [row for row in source if row.episode_id not in ids]
        target[:] = [row for row in target if row.episode_id not in ids] + going
        if into_trash and ids:
            self._undo.append(moved.episode_ids)
        elif ids:
            self._undo = [left for one in self._undo if (left := tuple(i for i in one if i not in ids))]
        self.marked -= ids
        self._offer_values()
        self.arrange()
        number = counted(len(ids), "episode")
        said = f"{number} moved to the trash. Press U to undo." if into_trash else f"{number} restored."
        self._say(moved.problem or said, bool(moved.problem))

    def _say(self, message: str, is_trouble: bool) -> None:
        if message:
            self.message, self.is_trouble = message, is_trouble

    def close(self) -> None:
        """Stop verification, and wait until episodes have been moved, removed or added."""
        self.stop_verifying()
        for work in (self._moving[0] if self._moving else None, self._removing, self.adding):
            if work is not None:
                work.join()


class Verifying:
    """Verifies episodes one after another, in a sandboxed child process.

    Each result is put into ``answers`` at once, so that stopping keeps what was done.
    """

    def __init__(self, rows: Sequence[EpisodeRow], answers: MutableMapping[str, Verification]) -> None:
        self.rows = tuple(rows)
        self.now = 0
        """Index of the row that is being verified."""
        self._answers = answers
        self.work: Background[None] = Background(self._verify, "verify episodes")

    def _verify(self, on_progress: Callable[[int, int], None]) -> None:
        total = sum(row.frame_count + 1 for row in self.rows)
        before = 0
        with Quarantine() as quarantine:
            for number, row in enumerate(self.rows):
                self.now = number
                on_progress(before, total)
                answer = quarantine.verify(Path(row.path), partial(self._on_frames, on_progress, before, total))
                self._answers[row.episode_id] = answer
                before += row.frame_count + 1

    @staticmethod
    def _on_frames(on_progress: Callable[[int, int], None], before: int, total: int, frames: int, _: int) -> None:
        on_progress(before + frames, total)

    def summary(self) -> str:
        """Return the result in a sentence."""
        answers = [self._answers[row.episode_id] for row in self.rows if row.episode_id in self._answers]
        if not answers:
            return self.work.problem or "Nothing was verified."
        failed = [answer for answer in answers if not answer.ok]
        if len(answers) == 1:
            return f"{'Failed' if failed else 'Verified'}: {answers[0].sentence}"
        counts = f"{len(answers) - len(failed)} of {len(answers)} verified"
        rest = f", {len(self.rows) - len(answers)} not checked" if len(answers) < len(self.rows) else ""
        return f"{counts}{rest}." + (f" {failed[0].path.name}: {failed[0].sentence}" if failed else "")
