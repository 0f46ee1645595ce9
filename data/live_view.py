"""The live view of a training: the newest picture of the agent's game in a small file, written only on request.

A viewer touches ``live.watched`` in the run's folder every second or two (``request_pictures``). While that file is
fresh, the training writes ``live.picture`` at most fifteen times a second: the frame and the agent's Q-values. Without
a viewer, the cost to the training is two checks of the file's time a second.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data.files import write_atomic
from data.simulation import Emulator

CHECK_SECONDS = 0.5
"""Time between two checks whether anybody watches."""
FRESH_SECONDS = 5.0
"""After this long without a request, the viewer is considered closed."""
PICTURE_SECONDS = 1 / 15
LARGEST_SIDE = 1000


def _no_values() -> np.ndarray:
    return np.zeros(0, np.float32)


@dataclass(frozen=True)
class LivePicture:
    """One moment of the agent's game."""

    frame: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    actions: tuple[str, ...] = ()
    values: np.ndarray = field(default_factory=_no_values)
    """(A,) float32: the agent's Q-value of each action."""
    score: float = 0.0
    """Points of this episode so far."""
    evaluating: bool = False
    """Whether it is an evaluation, from which the agent does not learn."""


class LiveView:
    """Writes the live pictures of one training."""

    def __init__(self, run_folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = run_folder
        self._clock = clock
        self._next_check = self._next_picture = float("-inf")
        self._watched = False

    def is_due(self) -> bool:
        """Return whether a viewer is open and the next picture is due."""
        now = self._clock()
        if now >= self._next_check:
            self._next_check = now + CHECK_SECONDS
            self._watched = _is_fresh(self._folder / "live.watched")
        if not self._watched or now < self._next_picture:
            return False
        self._next_picture = now + PICTURE_SECONDS
        return True

    def write(self, emulator: Emulator, values: np.ndarray, score: float, evaluating: bool) -> None:
        """Write the picture of this moment. values: (A,) float32. Errors of the disk are ignored."""
        frame = emulator.screen()
        about = {
            "shape": frame.shape,
            "actions": emulator.action_meanings,
            "values": [float(value) for value in values],
            "score": score,
            "evaluating": evaluating,
        }
        content = json.dumps(about).encode() + b"\n" + emulator.palette.tobytes() + frame.tobytes()
        with contextlib.suppress(OSError):
            write_atomic(self._folder / "live.picture", content, durable=False)


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < FRESH_SECONDS
    except OSError:
        return False


def request_pictures(run_folder: Path) -> None:
    """Request pictures from the training. A viewer repeats this every second or two."""
    with contextlib.suppress(OSError):
        (run_folder / "live.watched").touch()


def picture_time(run_folder: Path) -> float | None:
    """Return when the newest picture was written (seconds since the epoch), or None if there is none."""
    try:
        return (run_folder / "live.picture").stat().st_mtime
    except OSError:
        return None


def read_picture(run_folder: Path) -> LivePicture | None:
    """Return the newest picture, or None if there is no complete one."""
    try:
        content = (run_folder / "live.picture").read_bytes()
        head, _, body = content.partition(b"\n")
        about = json.loads(head)
        height, width = map(int, about["shape"])
        actions, values = tuple(map(str, about["actions"])), np.array(about["values"], np.float32)
        score, evaluating = float(about["score"]), bool(about["evaluating"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_valid = 0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE and values.shape == (len(actions),)
    if not is_valid or len(body) != 256 * 3 + height * width:
        return None
    palette = np.frombuffer(body[: 256 * 3], np.uint8).reshape(256, 3)
    frame = np.frombuffer(body[256 * 3 :], np.uint8).reshape(height, width)
    return LivePicture(frame, palette, actions, values, score, evaluating)
