"""Actions files (.npz): a list of actions from elsewhere, turned into a whole replay file by simulating it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.episode import EmulatorSettings, demonstrator_index
from data.errors import AnswerIsNo, CoachError
from data.library import Library
from data.replay_format import MAX_FILE_FRAMES
from data.simulation import Emulator

PROGRESS_FRAMES = 600
FROM_ELSEWHERE = EmulatorSettings(frame_skip=1)
"""Start at the reset, an action at every frame, nothing by chance."""


@dataclass(frozen=True)
class ActionsFile:
    """What an actions file holds."""

    actions: np.ndarray
    """(T,) uint8."""
    rewards: np.ndarray | None
    """(T,) float32 points, to be checked."""
    demonstrator: np.ndarray | None
    """(T,) uint8, in files that ``coach export --to npz`` wrote."""
    settings: EmulatorSettings
    action_meanings: tuple[str, ...] | None
    """What the actions are indices of; None: the game's minimal action set."""


def read_actions_file(path: Path) -> ActionsFile:
    """Read a file without ever unpickling; raises CoachError for anything that is no list of actions.

    Arrays: ``actions`` (T,) integers, one a frame; optionally ``rewards`` (T,) points. Files that Replay Coach itself
    exported also hold ``settings`` (JSON text) and ``action_meanings`` (texts), which are then obeyed.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise ValueError("it is a single array")
            _refuse_floods(path, arrays)
            names = set(arrays.files)
            if "actions" not in names:
                raise CoachError(f"{path} holds no array `actions`; it holds {', '.join(sorted(names)) or 'nothing'}.")
            actions = _column(path, "actions", arrays["actions"])
            rewards = _column(path, "rewards", arrays["rewards"]) if "rewards" in names else None
            demonstrator = _column(path, "demonstrator", arrays["demonstrator"]) if "demonstrator" in names else None
            settings = EmulatorSettings.from_json(str(arrays["settings"])) if "settings" in names else FROM_ELSEWHERE
            meanings = tuple(map(str, arrays["action_meanings"].tolist())) if "action_meanings" in names else None
    except OSError as error:
        raise CoachError(f"The actions file {path} cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CoachError(f"{path} is not an actions file: it must be an .npz with an array `actions`.") from error
    if not len(actions):
        raise CoachError(f"{path} holds no actions.")
    if actions.dtype.kind not in "iu" or actions.min() < 0 or actions.max() > 255:
        raise CoachError(f"The actions in {path} must be whole numbers from 0 to 255.")
    for name, column in (("rewards", rewards), ("demonstrator", demonstrator)):
        if column is not None and len(column) != len(actions):
            raise CoachError(f"{path} contradicts itself: {len(actions)} actions but {len(column)} {name}.")
    return ActionsFile(
        actions=actions.astype(np.uint8),
        rewards=None if rewards is None else rewards.astype(np.float32),
        demonstrator=None if demonstrator is None else demonstrator.astype(np.uint8),
        settings=settings,
        action_meanings=meanings,
    )


def _refuse_floods(path: Path, arrays: np.lib.npyio.NpzFile) -> None:
    """A small archive may unpack to more than there is memory: what is read is bounded before it is unpacked."""
    wanted = ("actions", "rewards", "demonstrator", "settings", "action_meanings")
    for entry in arrays.zip.infolist() if arrays.zip is not None else ():
        if entry.filename.removesuffix(".npy") in wanted and entry.file_size > 8 * MAX_FILE_FRAMES + 4096:
            raise CoachError(f"{path} holds more {entry.filename} than an episode may have ({MAX_FILE_FRAMES} frames).")


def _column(path: Path, name: str, column: np.ndarray) -> np.ndarray:
    if column.ndim != 1 or column.dtype.kind not in "iuf" or len(column) > MAX_FILE_FRAMES:
        raise CoachError(f"{path} must hold `{name}` as one row of at most {MAX_FILE_FRAMES} numbers.")
    return column


def rebuild(
    library: Library,
    game: str,
    path: Path,
    player: str = "",
    demonstrator: str = "imported",
    keep_anyway: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate the actions in ``path`` and publish the episode; returns the replay file.

    Every reward is compared with the file's, where it has any. Raises AnswerIsNo, and leaves no file, at the first
    frame that differs, unless ``keep_anyway``; CoachError for a file or a game that cannot be used. on_progress:
    frames simulated and frames in all.
    """
    wanted = read_actions_file(path)
    emulator = Emulator(game, wanted.settings, wanted.action_meanings)
    known = len(emulator.action_meanings)
    if wanted.actions.max() >= known:
        frame = int(np.argmax(wanted.actions >= known))
        raise CoachError(
            f"{path} asks for action {wanted.actions[frame]} at frame {frame}, but {game} has {known} actions "
            f"(0 to {known - 1})."
        )
    kind = demonstrator_index(demonstrator)
    total = len(wanted.actions)
    writer = library.begin_episode(emulator.origin(player), demonstrator, emulator.state())
    try:
        for row, action in enumerate(wanted.actions.tolist()):
            state = emulator.step(action)
            if wanted.rewards is not None and not keep_anyway and wanted.rewards[row] != np.float32(state.reward):
                raise AnswerIsNo(
                    f"{path} does not replay in {game}: the reward at frame {row} is {wanted.rewards[row]:g} in the "
                    f"file and {state.reward:g} in the emulator. No file was made (--keep-anyway makes one)."
                )
            writer.append(action, kind, state)
            if on_progress is not None and (row % PROGRESS_FRAMES == 0 or row == total - 1):
                on_progress(row + 1, total)
        return writer.publish("game_over" if emulator.game_over else "truncated", emulator.palette)
    finally:
        writer.discard()
