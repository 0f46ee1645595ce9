"""What happens in the library's window: rows, filters, marks, the trash, undo and verifying. Knows no window."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from data.durations import rounded_duration
from data.label_database import LabelDatabase
from data.library import Library
from data.proof import Verification
from data.quarantine import Quarantine
from data.trash import Moved, Trash
from home.library_rows import BEST, FILTERS, SORTS, EpisodeRow, Filter, Order, arranged, kept, rows_of, values_of
from screen.background import Background
from screen.fields import Choice, TextField
from screen.list_view import ListView

ALL = {"game": "all games", "demonstrator": "anybody", "player": "all players"}

Places = tuple[list[EpisodeRow], list[EpisodeRow]]
"""The rows of the library and those of its trash."""


def read_rows(library: Library) -> Places:
    """All episodes of a library and of its trash; may take a while the first time."""
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
    """Everything that a key or a button of the library's window does."""

    def __init__(self, library: Library, answers: MutableMapping[str, Verification], game: str = "") -> None:
        """``answers``: what verifying found, by episode; kept by the caller from one visit to the next."""
        self.library = library
        self.answers = answers
        self.list = ListView()
        self.search = TextField(most=80)
        self.order = Order()
        self.marked: set[str] = set()
        self.in_trash = False
        self.message, self.is_trouble = "", False
        self.filters = {name: Choice([all_of]) for name, all_of in ALL.items()} | {"best": Choice(list(BEST))}
        self.rows: list[EpisodeRow] = []
        """What is on show, in order."""
        self.verifying: Verifying | None = None
        self._first_game = game
        self._places: Places = ([], [])
        self._undo: list[tuple[str, ...]] = []
        self._moving: tuple[Background[Moved], bool] | None = None
        self._removing: Background[int] | None = None
        self._loading: Background[Places] | None = Background(lambda _: read_rows(library), "read the library")
        self.is_loaded = False

    # What is on show.

    @property
    def can_undo(self) -> bool:
        return bool(self._undo) and self._moving is None

    @property
    def all_rows(self) -> list[EpisodeRow]:
        """The rows of the place on show, before any filter."""
        return self._places[self.in_trash]

    @property
    def trash_count(self) -> int:
        return len(self._places[1])

    @property
    def chosen(self) -> EpisodeRow | None:
        return self.rows[self.list.chosen] if self.list.chosen < len(self.rows) else None

    @property
    def filter(self) -> Filter:
        names = {name: ("" if self.filters[name].at == 0 else self.filters[name].value) for name in ALL}
        return Filter(**names, best=self.filters["best"].value, text=self.search.text)

    @property
    def summary(self) -> str:
        """How much is on show."""
        if not self.is_loaded:
            return "Looking through the library …"
        shown, in_all = len(self.rows), len(self.all_rows)
        number = f"{shown:,} of {in_all:,}" if shown != in_all else f"{in_all:,}"
        marked = f", {len(self.marked):,} marked" if self.marked else ""
        what = "episode" if number == "1" else "episodes"
        return f"{number} {what}, {rounded_duration(sum(row.seconds for row in self.rows))}{marked}"

    @property
    def title(self) -> str:
        """For the window's title: where we are, and how much is on show."""
        place = "trash" if self.in_trash else "library"
        number = len(self.rows)
        return f"{place}, {number:,} {'episode' if number == 1 else 'episodes'}" if self.is_loaded else place

    def arrange(self) -> None:
        """Filter and sort anew; the chosen episode stays chosen where it is still on show."""
        before = self.chosen
        self.rows = arranged(kept(self.all_rows, self.filter), self.order)
        if before is not None:
            place = next((n for n, row in enumerate(self.rows) if row.episode_id == before.episode_id), None)
            self.list.chosen = min(self.list.chosen, max(0, len(self.rows) - 1)) if place is None else place
        self.marked &= {row.episode_id for row in self.rows}

    def _offer_values(self) -> None:
        """The filters offer what there is."""
        for name, all_of in ALL.items():
            now = self.filters[name].value if self.filters[name].at else ""
            values = values_of(self.all_rows, name)
            if now and now not in values:  # All of it was thrown away: nothing else must come into view by that.
                values.append(now)
            choice = Choice([all_of, *values])
            choice.at = choice.values.index(now) if now else 0
            self.filters[name] = choice

    # What a person does.

    def step_filter(self, name: str, by: int = 1) -> None:
        self.filters[name].step(by)
        self.arrange()

    def clear_filters(self) -> None:
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

    def turn(self) -> None:
        self.order = replace(self.order, turned=not self.order.turned)
        self.arrange()

    def mark(self) -> None:
        """Mark the chosen row, or not, and go to the next."""
        if self.chosen is not None:
            self.marked ^= {self.chosen.episode_id}
            self.list.press("down")

    def mark_all(self) -> None:
        everything = {row.episode_id for row in self.rows}
        self.marked = set() if self.marked == everything else everything

    def meant(self) -> list[EpisodeRow]:
        """The marked rows, or else the chosen one."""
        if self.marked:
            return [row for row in self.rows if row.episode_id in self.marked]
        return [] if self.chosen is None else [self.chosen]

    def switch(self) -> None:
        """To the trash, or back to the library."""
        self.in_trash = not self.in_trash
        self.marked.clear()
        self.list.chosen = 0
        for name in FILTERS:
            self.filters[name].at = 0
        self._offer_values()
        self.clear_filters()

    def throw_away(self, rows: list[EpisodeRow] | None = None) -> None:
        """Into the trash: the rows, or else what is meant."""
        if not self.in_trash:
            ids = [row.episode_id for row in (self.meant() if rows is None else rows)]
            self._move(ids, Trash(self.library).throw_away, into_trash=True)

    def restore(self) -> None:
        """Out of the trash: what is meant."""
        if self.in_trash:
            self._move([row.episode_id for row in self.meant()], Trash(self.library).restore, into_trash=False)

    def undo(self) -> None:
        """Bring back what was thrown away last."""
        if self.can_undo:
            self._move(list(self._undo.pop()), Trash(self.library).restore, into_trash=False)

    def _move(self, ids: list[str], work: Callable[[list[str]], Moved], into_trash: bool) -> None:
        if ids and self._moving is None:
            self._moving = Background(lambda _: work(ids), "move episodes"), into_trash

    def empty_trash(self) -> None:
        """Remove for ever what lies in the trash, whatever the filter shows of it."""
        ids = [row.episode_id for row in self._places[1]]
        if ids and self._removing is None:
            self._removing = Background(lambda tell: Trash(self.library).remove(ids, tell), "empty the trash")

    def verify(self) -> None:
        rows = self.meant()
        if rows and self.verifying is None:
            self.verifying = Verifying(rows, self.answers)
            self.message = ""

    def stop_verifying(self) -> None:
        if self.verifying is not None:
            self.verifying.work.stop()

    # What goes on meanwhile.

    def see_what_is_done(self) -> None:
        """To be called often: takes over what the background has finished."""
        if self._loading is not None and self._loading.is_done:
            loading, self._loading = self._loading, None
            self._say(loading.problem, True)
            self._places = loading.result or ([], [])
            self.is_loaded = True
            self._offer_values()
            if self._first_game in self.filters["game"].values:
                self.filters["game"].at = self.filters["game"].values.index(self._first_game)
            self.arrange()
        if self._moving is not None and self._moving[0].is_done:
            (moving, into_trash), self._moving = self._moving, None
            self._take_over(moving.result or Moved((), moving.problem), into_trash)
        if self._removing is not None and self._removing.is_done:
            removing, self._removing = self._removing, None
            self._say(removing.problem or "The trash is empty.", bool(removing.problem))
            self._undo.clear()
            self._loading = Background(lambda _: read_rows(self.library), "read the library")
        if self.verifying is not None and self.verifying.work.is_done:
            verifying, self.verifying = self.verifying, None
            wrong = any(not self.answers[row.episode_id].ok for row in verifying.rows if row.episode_id in self.answers)
            self._say(verifying.sentence(), wrong)

    def _take_over(self, moved: Moved, into_trash: bool) -> None:
        ids = set(moved.episode_ids)
        source, target = self._places[not into_trash], self._places[into_trash]
        folder = Trash(self.library).folder if into_trash else self.library.replays
        going = [replace(row, path=str(folder / f"{row.episode_id}.h5")) for row in source if row.episode_id in ids]
        source[:] = [row for row in source if row.episode_id not in ids]
        target[:] = [row for row in target if row.episode_id not in ids] + going
        if into_trash and ids:
            self._undo.append(moved.episode_ids)
        elif ids:
            self._undo = [left for one in self._undo if (left := tuple(i for i in one if i not in ids))]
        self.marked -= ids
        self._offer_values()
        self.arrange()
        number = "1 episode" if len(ids) == 1 else f"{len(ids):,} episodes"
        said = f"{number} thrown away; U brings back." if into_trash else f"{number} restored."
        self._say(moved.problem or said, bool(moved.problem))

    def _say(self, message: str, is_trouble: bool) -> None:
        if message:
            self.message, self.is_trouble = message, is_trouble

    def close(self) -> None:
        """Ask what goes on in the background to end; what moves or is removed ends by itself."""
        self.stop_verifying()
        for work in (self._moving[0] if self._moving else None, self._removing):
            if work is not None:
                work.join()


class Verifying:
    """Each answer is put into ``answers`` as soon as it is known, so that stopping keeps what was done."""

    def __init__(self, rows: Sequence[EpisodeRow], answers: MutableMapping[str, Verification]) -> None:
        self.rows = tuple(rows)
        self.now = 0
        """Which of the rows is being verified."""

        self._answers = answers
        self.work: Background[None] = Background(self._verify, "verify episodes")

    def _verify(self, tell: Callable[[int, int], None]) -> None:
        total = sum(row.frame_count + 1 for row in self.rows)
        before = 0
        with Quarantine() as quarantine:
            for number, row in enumerate(self.rows):
                self.now = number
                tell(before, total)
                answer = quarantine.verify(Path(row.path), partial(self._tell_frames, tell, before, total))
                self._answers[row.episode_id] = answer
                before += row.frame_count + 1

    @staticmethod
    def _tell_frames(tell: Callable[[int, int], None], before: int, total: int, frames: int, _: int) -> None:
        tell(before + frames, total)

    def sentence(self) -> str:
        """What came of it."""
        answers = [self._answers[row.episode_id] for row in self.rows if row.episode_id in self._answers]
        if not answers:
            return self.work.problem or "Nothing was verified."
        wrong = [answer for answer in answers if not answer.ok]
        if len(answers) == 1:
            verdict = "true" if not wrong else "not true"
            return f"The episode is {verdict}: {answers[0].sentence}"
        said = f"{len(answers) - len(wrong)} of {len(answers)} episodes are true"
        rest = "" if len(answers) == len(self.rows) else f"; {len(self.rows) - len(answers)} were not looked at"
        return f"{said}{rest}." + (f" {wrong[0].path.name}: {wrong[0].sentence}" if wrong else "")
