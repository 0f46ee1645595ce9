"""Verify a replay file: simulate it again and compare every action, reward, life, frame and RAM byte."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.episode import FrameState
from data.errors import CoachError
from data.replay_file import ReplayFile
from data.replay_format import (
    ATTRIBUTES_CHECK,
    CHUNK_FRAMES,
    attributes_digest,
    choice_checks,
    column_digest,
    digest_of,
)
from data.simulation import Emulator, ale_version, rom_md5

OnFrames = Callable[[int, int], None]
"""Called from time to time with the number of frames checked and the total."""


@dataclass(frozen=True)
class Verification:
    """The result of verifying one file."""

    path: Path
    ok: bool
    kind: str
    """The first difference: rom, emulator, action, demonstrator, reward, lives, frame, ram, palette, markers, ending,
    score, digest, checks, attributes, or structure (not a complete replay file). "" if nothing differs."""
    frame: int | None
    """Row of the first difference in the column of that kind (row t of actions, rewards and demonstrator leads from
    frame t to frame t + 1); None if it has no row."""
    sentence: str
    frames_checked: int
    seconds: float


@dataclass(frozen=True)
class _Difference:
    kind: str
    frame: int | None
    sentence: str


def verify(path: Path, on_frames: OnFrames | None = None) -> Verification:
    """Verify one file in this process; ``data.quarantine`` does so in a child process. Never raises for its content.

    A file of another ROM fails without a simulation. A file of another emulator version is compared anyway.
    """
    began = time.perf_counter()
    checked = 0
    note = ""
    try:
        with ReplayFile(path) as replay:
            try:
                difference = _envelope_difference(replay)
                if difference is None:
                    note = _version_note(replay)
                    difference, checked = _first_difference(replay, on_frames)
                if difference is not None and note:
                    difference = replace(difference, kind="emulator", sentence=f"{note}, and {difference.sentence}")
            except CoachError as error:
                difference = _Difference("structure", None, str(error))
    except CoachError as error:
        difference = _Difference("structure", None, str(error))
    seconds = time.perf_counter() - began
    if difference is None:
        sentence = f"{note}; all {checked} frames are equal anyway" if note else f"all {checked} frames match"
        return Verification(path, True, "", None, sentence + ".", checked, seconds)
    return Verification(path, False, difference.kind, difference.frame, difference.sentence, checked, seconds)


def _version_note(replay: ReplayFile) -> str:
    recorded = replay.origin.ale_version
    return "" if recorded == ale_version() else f"recorded with ale-py {recorded}, checked with {ale_version()}"


def _envelope_difference(replay: ReplayFile) -> _Difference | None:
    """Compare what needs no simulation: the ROM and the attributes."""
    origin = replay.origin
    here = rom_md5(origin.game)
    if origin.rom_md5 != here:
        return _Difference(
            "rom", None, f"recorded with another ROM of {origin.game} (MD5 {origin.rom_md5}, here {here})."
        )
    stored = replay.attributes.get(ATTRIBUTES_CHECK)
    if stored is None or stored == attributes_digest(replay.attributes):
        return None
    changed = "its attributes were changed after it was published"
    if _version_note(replay):
        return _Difference("emulator", None, f"{_version_note(replay)}, and {changed}.")
    difference = _sum_difference(replay)
    if difference is not None:
        return replace(difference, sentence=f"{changed}: {difference.sentence}")
    return _Difference("attributes", None, f"{changed}.")


def _first_difference(replay: ReplayFile, on_frames: OnFrames | None) -> tuple[_Difference | None, int]:
    """Return the difference at the lowest frame, or one that has no frame; and how many frames were compared."""
    choice = _choice_difference(replay)
    limit = replay.frame_count if choice is None or choice.frame is None else choice.frame
    emulator = Emulator(replay.origin.game, replay.origin.settings, replay.origin.action_meanings)
    if emulator.screen_shape != replay.screen_shape:
        shapes = f"{replay.screen_shape}, the game's {emulator.screen_shape}"
        return _Difference("frame", 0, f"its pictures have the shape {shapes}."), 0
    difference, checked = _simulated_difference(replay, emulator, limit, on_frames)
    return difference or choice or _remaining_difference(replay, emulator), checked


def _choice_difference(replay: ReplayFile) -> _Difference | None:
    """Return the first action or demonstrator that does not match the check stored with it."""
    if replay.choice_checks is None:
        return None
    wrong = np.flatnonzero(replay.choice_checks != choice_checks(replay.actions, replay.demonstrator))
    if not len(wrong):
        return None
    row = int(wrong[0])
    if _digest(replay) != replay.digest:
        return _Difference("action", row, f"the action at frame {row} was changed.")
    if _column_altered(replay, "demonstrator"):
        return _Difference("demonstrator", row, f"who chose the action at frame {row} was changed.")
    return _Difference("checks", row, f"the check stored for frame {row} was changed.")


def _digest(replay: ReplayFile) -> str:
    blocks = (replay.ram(at, at + CHUNK_FRAMES) for at in range(0, replay.frame_count + 1, CHUNK_FRAMES))
    return digest_of(replay.actions, replay.rewards, blocks)


def _column_altered(replay: ReplayFile, name: str) -> bool:
    return name in replay.column_checks and replay.column_checks[name] != column_digest(getattr(replay, name))


def _simulated_difference(
    replay: ReplayFile, emulator: Emulator, limit: int, on_frames: OnFrames | None
) -> tuple[_Difference | None, int]:
    """Compare frames 0 to ``limit`` with the emulator's."""
    state = emulator.state()
    before: Any = None
    for first in range(0, limit + 1, CHUNK_FRAMES):
        stop = min(first + CHUNK_FRAMES, limit + 1)
        screens, rams = replay.frames(first, stop), replay.ram(first, stop)
        for frame in range(first, stop):
            if frame:
                if replay.choice_checks is None:
                    before = emulator.snapshot()
                state = emulator.step(int(replay.actions[frame - 1]))
            kinds = _differing(replay, frame, state, screens[frame - first], rams[frame - first])
            if not kinds:
                continue
            if before is not None:
                emulator.restore(before)
                if _another_action_explains(replay, emulator, frame, screens[frame - first], rams[frame - first]):
                    return _Difference("action", frame - 1, f"the action at frame {frame - 1} was changed."), frame
            return _described(replay, kinds[0], frame, state, rams[frame - first]), frame
        if on_frames is not None:
            on_frames(stop, limit + 1)
    return None, limit + 1


def _differing(replay: ReplayFile, frame: int, state: FrameState, screen: np.ndarray, ram: np.ndarray) -> list[str]:
    """Return which of the recorded reward, lives, frame and RAM differ from ``state``."""
    pairs = {
        "reward": not frame or replay.rewards[frame - 1] == np.float32(state.reward),
        "lives": replay.lives[frame] == state.lives,
        "frame": np.array_equal(screen, state.screen),
        "ram": np.array_equal(ram, state.ram),
    }
    return [kind for kind, equal in pairs.items() if not equal]


def _another_action_explains(
    replay: ReplayFile, emulator: Emulator, frame: int, screen: np.ndarray, ram: np.ndarray
) -> bool:
    before = emulator.snapshot()
    for action in range(len(emulator.action_meanings)):
        emulator.restore(before)
        if not _differing(replay, frame, emulator.step(action), screen, ram):
            return True
    return False


def _described(replay: ReplayFile, kind: str, frame: int, state: FrameState, ram: np.ndarray) -> _Difference:
    if kind == "reward":
        recorded = replay.rewards[frame - 1]
        return _Difference(
            kind,
            frame - 1,
            f"the reward at frame {frame - 1} is {recorded:g} in the file and {state.reward:g} in the emulator.",
        )
    if kind == "lives":
        lives = f"{replay.lives[frame]} in the file and {state.lives} in the emulator"
        return _Difference(kind, frame, f"the lives at frame {frame} are {lives}.")
    if kind == "ram":
        byte = int(np.flatnonzero(ram != state.ram)[0])
        values = f"{ram[byte]} in the file and {state.ram[byte]} in the emulator"
        return _Difference(kind, frame, f"RAM byte {byte} at frame {frame} is {values}.")
    return _Difference(kind, frame, f"the picture of frame {frame} is not what the emulator shows.")


def _remaining_difference(replay: ReplayFile, emulator: Emulator) -> _Difference | None:
    """Compare what belongs to no single frame, after all frames were found equal."""
    known = emulator.palette.any(axis=1)
    if _column_altered(replay, "palette") or (emulator.palette != replay.palette)[known].any():
        return _Difference("palette", None, "a colour of its palette differs from the emulator's.")
    for name, what in (
        ("demonstrator", "who chose its actions was changed."),
        ("markers", "its markers were changed."),
        ("decision_actions", "the labels of its decisions were changed."),
    ):
        if _column_altered(replay, name):
            return _Difference(name, None, what)
    if replay.ended_by == "game_over" and not emulator.game_over:
        return _Difference(
            "ending", replay.frame_count, "it ends by game over, but in the emulator the game continues."
        )
    return _sum_difference(replay)


def _sum_difference(replay: ReplayFile) -> _Difference | None:
    """Compare the score and the digest with the columns."""
    if replay.score != float(replay.rewards.sum(dtype=np.float64)):
        return _Difference("score", None, "its score is not the sum of its rewards.")
    if _digest(replay) != replay.digest:
        return _Difference("digest", None, "its digest does not match its actions, rewards and RAM.")
    return None
