"""Importing play recorded elsewhere: simulate its actions, compare everything that the input states, then publish.

Readers (``data.actions_file``, ``data.minari_import``, ``data.demo_pickle``) turn an input into ``ForeignPlay``;
``import_play`` does the rest, in the same way for all of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.counted import counted
from data.episode import EmulatorSettings, FrameState, demonstrator_index
from data.errors import AnswerIsNo, CoachError
from data.library import Library
from data.observations import Observations
from data.replay_file import ReplayFile
from data.replay_writer import ReplayWriter
from data.simulation import Emulator

MOST_NOOPS = 30
"""Most no-op frames tried before the first action (Mnih et al. 2015, "Evaluation procedure")."""
MOST_SKIPPED = 60
"""Most leading no-ops of the input that are tried to be left out."""
PROGRESS_FRAMES = 600

OnProgress = Callable[[int, int], None]
"""Called with steps simulated and steps in all."""


@dataclass(frozen=True)
class ForeignPlay:
    """What an input states about the play of one game, step by step; None where it states nothing.

    S is the number of steps. ``ends`` may mark several episodes, each of which starts with a reset.
    """

    source: str
    """What messages call it, such as "actions.npz" or "episode 3 of atari/pong-v0"."""
    actions: np.ndarray
    """(S,) uint8, indices into the action set."""
    game: str | None = None
    settings: EmulatorSettings = field(default_factory=lambda: EmulatorSettings(frame_skip=1))
    action_meanings: tuple[str, ...] | None = None
    """What the actions are indices of; None: the action set of ``settings``."""
    held_for: int = 1
    """Frames for which each action is held, unless the game ends before."""
    rewards: np.ndarray | None = None
    """(S,) float32 points, summed over the frames of a step."""
    reward_range: tuple[float, float] | None = None
    """To which the points of each step were clipped."""
    lives: np.ndarray | None = None
    """(S,) after each step."""
    ram: np.ndarray | None = None
    """(S, 128) uint8 after each step."""
    first_ram: np.ndarray | None = None
    """(128,) uint8 before the first step."""
    observations: Observations | None = None
    """Pictures, S + 1 of them."""
    terminations: np.ndarray | None = None
    """(S,) bool: the game is over after this step."""
    ends: np.ndarray | None = None
    """(S,) bool: the episode ends with this step, for whatever reason; the next step starts a new one."""
    ends_at_life_loss: bool = False
    """Whether a lost life ends an episode, at the frame in which it is lost."""
    noop_candidates: tuple[int, ...] = (0,)
    """How many no-op frames may have been executed before the first step, the most likely first."""
    demonstrator: np.ndarray | None = None
    """(S,) uint8, indices of DEMONSTRATOR_KINDS."""
    markers: tuple[int, ...] = ()
    """Frames that the player marked."""
    player: str = ""
    ended_by: str | None = None
    """How the input says that it ended, where it says so in our terms."""
    kind: str = "imported"

    def __len__(self) -> int:
        return len(self.actions)

    def part(self, start: int, stop: int, number: int | None) -> ForeignPlay:
        """Steps ``start`` to ``stop`` - 1 as a play of its own; ``number``: which episode it is, for messages."""
        rows = slice(start, stop)
        columns: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in ("actions", "rewards", "lives", "ram", "terminations", "ends", "demonstrator")
        }
        if start:
            columns |= {"first_ram": None, "markers": ()}
        if self.observations is not None:
            columns["observations"] = self.observations.part(start, stop)
        source = self.source if number is None else f"{self.source}, episode {number}"
        return replace(self, source=source, **columns)


@dataclass(frozen=True)
class ImportOptions:
    """What the person who imports says; it must agree with what the input states."""

    game: str | None = None
    player: str = ""
    demonstrator: str | None = None
    keep_anyway: bool = False
    """Publish even if the emulator contradicts the input."""
    until_mismatch: bool = False
    """Publish what precedes the first contradiction, as truncated."""


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

    def note(self) -> dict[str, Any]:
        """Return what the replay file says about its import, as plain values."""
        values = asdict(self)
        del values["path"], values["is_new"], values["noop_start"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def sentences(self) -> list[str]:
        """Return what a person should know about it; nothing for an episode that was reproduced whole."""
        said = [] if self.is_new else ["The library already has this episode."]
        if not self.proved_by:
            said.append("Nothing in the input could confirm its actions: it has no points, lives, RAM or pictures.")
        said += [f"Not reproduced: {difference}" for difference in self.differences]
        if self.skipped_noops:
            said.append(f"The first {self.skipped_noops} no-ops were left out: without them it is reproduced.")
        if self.unused_steps:
            said.append(f"{self.unused_steps:,} steps at the end were not imported.")
        return said


@dataclass(frozen=True)
class _Start:
    noops: int
    skipped: int


@dataclass(frozen=True)
class _Step:
    """One simulated step: its frames, and whether it was cut short by the end of the game or of a life."""

    frames: list[FrameState]
    reward: float
    is_last: bool


class _Contradicted(Exception):
    """The emulator contradicts the input; the message is a sentence that says where."""


def import_play(
    library: Library, play: ForeignPlay, options: ImportOptions, on_progress: OnProgress | None = None
) -> list[Imported]:
    """Simulate a play and publish its episodes; one result for each.

    An episode ends where the emulator's game ends; steps after it are counted, not kept. Raises AnswerIsNo at the
    first step that the emulator contradicts, unless ``keep_anyway`` or ``until_mismatch``; CoachError for an input
    that contradicts itself or the options. Both say which episodes of the input were published before.
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


def _steps(emulator: Emulator, play: ForeignPlay, skipped: int) -> Iterator[tuple[int, _Step]]:
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
        yield step, _Step(frames, sum(frame.reward for frame in frames), is_last)
        if is_last:
            return


def _contradictions(play: ForeignPlay, step: int, simulated: _Step, palette: np.ndarray) -> Iterator[tuple[str, str]]:
    """Yield (column, sentence) for each statement of the input about this step that the emulator contradicts."""
    after = simulated.frames[-1]
    if play.rewards is not None:
        reward = simulated.reward if play.reward_range is None else float(np.clip(simulated.reward, *play.reward_range))
        if np.float32(reward) != play.rewards[step]:
            said = f"{play.rewards[step]:g} in the input and {reward:g} in the emulator"
            yield "rewards", f"the points of step {step} are {said}."
    if play.lives is not None and int(play.lives[step]) != after.lives:
        yield (
            "lives",
            f"the lives after step {step} are {int(play.lives[step])} in the input and {after.lives} in the emulator.",
        )
    if play.ram is not None and not np.array_equal(play.ram[step], after.ram):
        byte = int(np.flatnonzero(play.ram[step] != after.ram)[0])
        yield (
            "ram",
            f"byte {byte} of the RAM after step {step} is {play.ram[step, byte]} in the input and {after.ram[byte]} in "
            "the emulator.",
        )
    if play.terminations is not None and bool(play.terminations[step]) != simulated.is_last:
        ended, not_ended = ("is", "is not") if play.terminations[step] else ("is not", "is")
        yield "terminations", f"after step {step} the game {ended} over in the input and {not_ended} in the emulator."
    if play.ends is not None and simulated.is_last and not play.ends[step]:
        yield "ends", f"after step {step} the game is over in the emulator, and the episode goes on in the input."
    if play.observations is not None and len(simulated.frames) == play.held_for:
        difference = play.observations.difference(step + 1, [frame.screen for frame in simulated.frames], palette)
        if difference is not None:
            yield "observations", f"the picture after step {step} {difference}."


def _differs_at_start(play: ForeignPlay, emulator: Emulator) -> str | None:
    state = emulator.state()
    if play.first_ram is not None and not np.array_equal(play.first_ram, state.ram):
        return "the RAM before the first step differs."
    if play.observations is not None:
        difference = play.observations.difference(0, [state.screen], emulator.palette)
        if difference is not None:
            return f"the picture before the first step {difference}."
    return None


def _other_start(play: ForeignPlay, emulator: Emulator) -> _Start | None:
    """Find a start from which everything that the input states is reproduced."""
    if not _telling(play):
        return None
    noop = emulator.action_meanings.index("NOOP") if "NOOP" in emulator.action_meanings else None
    acting = np.flatnonzero(play.actions != noop)
    leading = int(acting[0]) if len(acting) else len(play)
    tried = [_Start(noops, 0) for noops in play.noop_candidates[1:]]
    tried += [_Start(play.noop_candidates[0], skipped) for skipped in range(1, min(leading, MOST_SKIPPED) + 1)]
    tried += [_Start(noops, 0) for noops in range(MOST_NOOPS + 1) if noops not in play.noop_candidates]
    for start in tried:
        _starting(emulator, start.noops)
        if start.skipped == 0 and _differs_at_start(play, emulator) is not None:
            continue
        steps = _steps(emulator, play, start.skipped)
        if all(
            next(_contradictions(play, step, simulated, emulator.palette), None) is None for step, simulated in steps
        ):
            return start
    return None


def _telling(play: ForeignPlay) -> tuple[str, ...]:
    """Return the columns of the input that could contradict wrong actions."""
    found = []
    if play.rewards is not None and play.rewards.any():
        found.append("rewards")
    if play.lives is not None and len(np.unique(play.lives)) > 1:
        found.append("lives")
    if play.ram is not None:
        found.append("ram")
    if play.observations is not None:
        found.append("observations")
    if play.terminations is not None and play.terminations.any():
        found.append("terminations")
    return tuple(found)


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
    first = _differs_at_start(play, emulator) if not start.skipped else None
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
            for column, sentence in _contradictions(play, step, simulated, emulator.palette):
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
                *(name for name in _telling(play) if name not in differences),
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
        path = writer.publish(ended_by, emulator.palette, imported=result.note())
        return replace(result, path=path), used
    finally:
        writer.discard()


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
