"""Import play recorded elsewhere: simulate its actions, compare everything that the input states, then publish.

Readers (``data.actions_file``, ``data.minari_import``, ``data.demo_pickle``) turn an input into ``ForeignPlay``;
``import_play`` does the rest, in the same way for all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.counted import counted
from data.decision_labels import CLOSEST, LONGEST, labels_of, mixed_decisions
from data.episode import FrameState, demonstrator_index
from data.errors import AnswerIsNo, CoachError
from data.foreign_play import ForeignPlay, SimulatedStep, confirming_columns, contradictions, difference_at_start
from data.library import Library
from data.replay_file import ReplayFile
from data.replay_writer import ReplayWriter
from data.simulation import Emulator

MOST_NOOPS = 30
"""Largest number of no-op frames tried before the first action (Mnih et al. 2015, "Evaluation procedure")."""
MOST_SKIPPED = 60
"""Largest number of no-ops at the start of the input that are left out on trial."""
PROGRESS_FRAMES = 600

OnProgress = Callable[[int, int], None]
"""Called with the number of simulated steps and their total."""


@dataclass(frozen=True)
class ImportOptions:
    """Options of an import. They must agree with what the input states."""

    game: str | None = None
    player: str = ""
    demonstrator: str | None = None
    keep_anyway: bool = False
    """Publish even if the emulator contradicts the input."""
    until_mismatch: bool = False
    """Publish what precedes the first contradiction, as truncated."""
    label_by: str = LONGEST
    """One of LABELS_BY: how the action of a decision with several actions is chosen."""


@dataclass(frozen=True)
class Imported:
    """The result for one episode."""

    path: Path
    is_new: bool
    """False if the library already had the same play."""
    proved_by: tuple[str, ...]
    """Which columns of the input were reproduced; empty if it has none that could differ."""
    differences: tuple[str, ...] = ()
    """What the emulator contradicts (only with ``keep_anyway`` and ``until_mismatch``), a sentence each."""
    unused_steps: int = 0
    """Steps after the end of the game, or after the first contradiction, that were not imported."""
    skipped_noops: int = 0
    """No-ops at the start of the input without which it is reproduced."""
    noop_start: int = 0
    """No-op frames before the first step."""
    mixed_decisions: int = 0
    """Decisions with several actions; only counted if labels are chosen by their effect."""
    changed_labels: int = 0
    """Of these, those whose label is not the action held longest."""

    def note(self) -> dict[str, Any]:
        """Return what the replay file says about its import, as plain values."""
        values = asdict(self)
        del values["path"], values["is_new"], values["noop_start"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def sentences(self) -> list[str]:
        """Return sentences about what was not reproduced or could not be confirmed."""
        found = [] if self.is_new else ["The library already has this episode."]
        if not self.proved_by:
            found.append("Nothing in the input could confirm its actions: it has no points, lives, RAM or pictures.")
        found += [f"Not reproduced: {difference}" for difference in self.differences]
        if self.skipped_noops:
            found.append(f"The first {self.skipped_noops} no-ops were left out: without them it is reproduced.")
        if self.unused_steps:
            found.append(f"{self.unused_steps:,} steps at the end were not imported.")
        if self.changed_labels:
            found.append(
                f"{self.changed_labels:,} of {self.mixed_decisions:,} decisions with several actions are labelled with "
                "an action other than the one held longest, because its effect is closer to what was recorded."
            )
        return found


@dataclass(frozen=True)
class _Start:
    noops: int
    skipped: int


class _Contradicted(Exception):
    """The emulator contradicts the input; the message is a sentence that says where."""


def import_play(
    library: Library, play: ForeignPlay, options: ImportOptions, on_progress: OnProgress | None = None
) -> list[Imported]:
    """Simulate a play and publish its episodes; one result for each.

    An episode ends where the emulator's game ends; steps after it are counted, not kept. Raises AnswerIsNo at the
    first step that the emulator contradicts, unless ``keep_anyway`` or ``until_mismatch``; CoachError for an input
    that is inconsistent or contradicts the options. Both say which episodes of the input were published before.
    """
    play = replace(play, game=_agreed(play, options), player=options.player or play.player)
    if options.demonstrator is not None:
        play = replace(play, kind=options.demonstrator)
    waiting = _episodes(play)
    done: list[Imported] = []
    before = 0
    while waiting:
        part = waiting.pop(0)
        report = None if on_progress is None else _shifted(on_progress, before, len(play))
        try:
            result, used = _import_one(library, part, options, report)
        except CoachError as error:
            raise after_import(error, [result.path for result in done]) from error
        done.append(result)
        if used < len(part) and not result.differences and _is_another_game(part, used):
            waiting.insert(0, part.part(used, len(part), len(done) + 1))
            before += used
        else:
            before += len(part)
    if on_progress is not None:
        on_progress(len(play), len(play))
    return done


def after_import(error: CoachError, paths: Sequence[Path]) -> CoachError:
    """Return the same error, which also says what was imported before it."""
    if not paths:
        return error
    many = counted(len(paths), "episode was", "episodes were")
    return type(error)(f"{error} Before that, {many} imported: {', '.join(path.stem for path in paths)}.")


def _agreed(play: ForeignPlay, options: ImportOptions) -> str:
    if play.game is None and options.game is None:
        raise CoachError(f"{play.source} does not name its game; name it with --game.")
    if play.game is not None and options.game not in (None, play.game):
        raise CoachError(f"{play.source} says that its game is {play.game}, not {options.game}.")
    return str(play.game or options.game)


def _shifted(on_progress: OnProgress, before: int, total: int) -> OnProgress:
    return lambda done, _: on_progress(before + done, total)


def _episodes(play: ForeignPlay) -> list[ForeignPlay]:
    """Split where the input says that an episode ends."""
    if not len(play):
        raise CoachError(f"{play.source} has no actions.")
    if play.ends is None:
        return [play]
    stops = [int(step) + 1 for step in np.flatnonzero(play.ends)]
    if not stops or stops[-1] != len(play):
        stops.append(len(play))
    if len(stops) == 1:
        return [play]
    starts = [0, *stops[:-1]]
    return [play.part(start, stop, number) for number, (start, stop) in enumerate(zip(starts, stops, strict=True), 1)]


def _import_one(
    library: Library, play: ForeignPlay, options: ImportOptions, on_progress: OnProgress | None
) -> tuple[Imported, int]:
    """Return the result, and how many steps of the play it took."""
    emulator = _emulator(play)
    start = _Start(play.noop_candidates[0], 0)
    try:
        return _published(library, play, options, start, on_progress)
    except _Contradicted as contradicted:
        cause = contradicted
    other = _other_start(play, emulator)
    if other is not None:
        return _published(library, play, options, other, on_progress)
    if options.keep_anyway or options.until_mismatch:
        with contextlib.suppress(_Contradicted):  # at the very start, so that nothing precedes it
            return _published(library, play, options, start, on_progress, accept=True)
    raise AnswerIsNo(
        f"{play.source} is not reproduced in {play.game}: {cause} No file was written (--until-mismatch keeps what "
        "precedes the difference, --keep-anyway everything)."
    )


def _emulator(play: ForeignPlay) -> Emulator:
    assert play.game is not None
    emulator = Emulator(play.game, play.settings, play.action_meanings)
    known = len(emulator.action_meanings)
    unknown = np.flatnonzero(play.actions >= known)
    if len(unknown):
        step = int(unknown[0])
        hint = (
            " (--actions full reads them as indices of all 18)" if known < 18 and play.action_meanings is None else ""
        )
        raise CoachError(
            f"{play.source} has action {play.actions[step]} at step {step}, but {play.game} has {known} actions, "
            f"0 to {known - 1}{hint}."
        )
    return emulator


def _starting(emulator: Emulator, noops: int) -> Emulator:
    """Bring the emulator to the start of an episode with this many no-op frames."""
    emulator.settings = replace(emulator.settings, noop_start=noops)
    emulator.reset()
    return emulator


def _steps(emulator: Emulator, play: ForeignPlay, skipped: int) -> Iterator[tuple[int, SimulatedStep]]:
    """Simulate the play from where the emulator is; (step of the input, what happened). Ends with the game."""
    for step in range(skipped, len(play)):
        frames: list[FrameState] = []
        lives = emulator.lives
        is_last = False
        for _ in range(play.held_for):
            frames.append(emulator.step(int(play.actions[step])))
            is_last = frames[-1].game_over or (play.ends_at_life_loss and frames[-1].lives < lives)
            if is_last:
                break
        yield step, SimulatedStep(frames, sum(frame.reward for frame in frames), is_last)
        if is_last:
            return


def _other_start(play: ForeignPlay, emulator: Emulator) -> _Start | None:
    """Find a start from which everything that the input states is reproduced."""
    if not confirming_columns(play):
        return None
    noop = emulator.action_meanings.index("NOOP") if "NOOP" in emulator.action_meanings else None
    acting = np.flatnonzero(play.actions != noop)
    leading = int(acting[0]) if len(acting) else len(play)
    tried = [_Start(noops, 0) for noops in play.noop_candidates[1:]]
    tried += [_Start(play.noop_candidates[0], skipped) for skipped in range(1, min(leading, MOST_SKIPPED) + 1)]
    tried += [_Start(noops, 0) for noops in range(MOST_NOOPS + 1) if noops not in play.noop_candidates]
    for start in tried:
        _starting(emulator, start.noops)
        if start.skipped == 0 and difference_at_start(play, emulator) is not None:
            continue
        steps = _steps(emulator, play, start.skipped)
        if all(
            next(contradictions(play, step, simulated, emulator.palette), None) is None for step, simulated in steps
        ):
            return start
    return None


def _published(
    library: Library,
    play: ForeignPlay,
    options: ImportOptions,
    start: _Start,
    on_progress: OnProgress | None,
    accept: bool = False,
) -> tuple[Imported, int]:
    """Simulate and publish from this start; return the result and the steps used.

    Raises _Contradicted at the first contradiction, unless it is accepted.
    """
    emulator = _starting(_emulator(play), start.noops)
    kinds = play.demonstrator
    if kinds is None or options.demonstrator is not None:
        kinds = np.full(len(play), demonstrator_index(play.kind), np.uint8)
    differences: dict[str, str] = {}
    first = difference_at_start(play, emulator) if not start.skipped else None
    if first is not None:
        if not accept or options.until_mismatch:
            raise _Contradicted(first)
        differences["start"] = first
    writer = library.begin_episode(emulator.origin(play.player), play.kind, emulator.state())
    used = start.skipped
    ended_by = "truncated"
    markers = set(play.markers)
    if 0 in markers:
        writer.mark()
    try:
        for step, simulated in _steps(emulator, play, start.skipped):
            for column, sentence in contradictions(play, step, simulated, emulator.palette):
                if not accept:
                    raise _Contradicted(sentence)
                differences.setdefault(column, sentence)
            if differences and options.until_mismatch:
                break
            for frame in simulated.frames:
                writer.append(int(play.actions[step]), int(kinds[step]), frame)
                if writer.frame_count in markers:
                    writer.mark()
            used = step + 1
            ended_by = "game_over" if simulated.frames[-1].game_over else "truncated"
            if on_progress is not None and step % PROGRESS_FRAMES == 0:
                on_progress(step + 1, len(play))
        if ended_by == "truncated" and play.ended_by == "abandoned" and used == len(play):
            ended_by = "abandoned"
        result = Imported(
            path=writer.path,
            is_new=True,
            proved_by=(
                *(name for name in confirming_columns(play) if name not in differences),
                *_proved_end(play, used, ended_by),
            ),
            differences=tuple(differences.values()),
            unused_steps=0 if ended_by == "game_over" and _is_another_game(play, used) else len(play) - used,
            skipped_noops=start.skipped,
            noop_start=start.noops,
        )
        same = _already_here(library, emulator, writer, ended_by)
        if same is not None:
            return replace(result, path=same, is_new=False), used
        labels = None
        if options.label_by == CLOSEST:
            result, labels = _closest_labels(result, emulator, start.noops, writer.actions, ended_by, on_progress)
        path = writer.publish(ended_by, emulator.palette, imported=result.note(), decision_actions=labels)
        return replace(result, path=path), used
    finally:
        writer.discard()


def _closest_labels(
    result: Imported,
    emulator: Emulator,
    noops: int,
    actions: bytes,
    ended_by: str,
    on_progress: OnProgress | None,
) -> tuple[Imported, np.ndarray | None]:
    """Choose the labels of mixed decisions by their effect; None if no label differs from the action held longest."""
    again = Emulator(emulator.game, replace(emulator.settings, noop_start=noops), emulator.action_meanings)
    executed = np.frombuffer(actions, np.uint8)
    mixed = mixed_decisions(again, executed, ended_by == "game_over", on_progress)
    changed = sum(decision.closest != decision.longest for decision in mixed)
    result = replace(result, mixed_decisions=len(mixed), changed_labels=changed)
    return result, labels_of(executed, mixed) if changed else None


def _proved_end(play: ForeignPlay, used: int, ended_by: str) -> tuple[str, ...]:
    """Return ("ends",) if the game was over exactly where the input says that the episode ends."""
    return ("ends",) if play.ends is not None and ended_by == "game_over" and bool(play.ends[used - 1]) else ()


def _is_another_game(play: ForeignPlay, used: int) -> bool:
    """Whether what follows the end of the game looks like another one, which starts with a reset."""
    return play.ends is None and play.rewards is not None and bool(play.rewards[used:].any())


def _already_here(library: Library, emulator: Emulator, writer: ReplayWriter, ended_by: str) -> Path | None:
    """Find a replay file with the same play: the same origin and actions, so the same frames, points and RAM."""
    for summary in library.episodes(emulator.game):
        if (summary.frame_count, summary.ended_by) != (writer.frame_count, ended_by):
            continue
        with ReplayFile(Path(summary.path)) as replay:
            is_same = (
                replay.origin.settings == emulator.settings
                and replay.origin.action_meanings == emulator.action_meanings
                and replay.actions.tobytes() == writer.actions
                and replay.demonstrator.tobytes() == writer.demonstrators
            )
        if is_same:
            return Path(summary.path)
    return None
