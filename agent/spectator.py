"""The agent's game for whoever looks on: its newest picture in one small file, written only while somebody looks.

A looker-on touches ``live.watched`` in the run's folder now and then (``ask_for_pictures``). While that file is fresh,
the training writes ``live.picture`` at most fifteen times a second: the frame, and what the agent expects of each
action. A training that nobody looks at pays for two glances a second at a file's time.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.simulation import Emulator

GLANCE_SECONDS = 0.5
"""Time between two looks whether anybody watches."""
FRESH_SECONDS = 5.0
"""A looker-on who has not asked for so long has gone."""
PICTURE_SECONDS = 1 / 15
LARGEST_SIDE = 1000


@dataclass(frozen=True)
class LivePicture:
    """One moment of the agent's game."""

    frame: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    actions: tuple[str, ...]
    values: np.ndarray
    """(A,) float32: what the agent expects of each action."""
    score: float
    """Points of this episode so far."""
    evaluating: bool
    """It is an episode of an evaluation, from which the agent does not learn."""


class Spectator:
    """Writes the pictures of one training."""

    def __init__(self, run_folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = run_folder
        self._clock = clock
        self._next_glance = self._next_picture = float("-inf")
        self._watched = False

    def is_due(self) -> bool:
        """Whether somebody looks on and has not seen a picture for a while."""
        now = self._clock()
        if now >= self._next_glance:
            self._next_glance = now + GLANCE_SECONDS
            self._watched = _is_fresh(self._folder / "live.watched")
        if not self._watched or now < self._next_picture:
            return False
        self._next_picture = now + PICTURE_SECONDS
        return True

    def show(self, emulator: Emulator, values: np.ndarray, score: float, evaluating: bool) -> None:
        """Write the picture of this moment; a disk that refuses it costs the looker-on alone. values: (A,) float32."""
        frame = emulator.screen()
        about = {
            "shape": frame.shape,
            "actions": emulator.action_meanings,
            "values": [float(value) for value in values],
            "score": score,
            "evaluating": evaluating,
        }
        content = json.dumps(about).encode() + b"\n" + emulator.palette.tobytes() + frame.tobytes()
        partial = self._folder / "live.picture.part"
        with contextlib.suppress(OSError):
            partial.write_bytes(content)
            os.replace(partial, self._folder / "live.picture")


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < FRESH_SECONDS
    except OSError:
        return False


def ask_for_pictures(run_folder: Path) -> None:
    """Say that somebody looks on; to be said again every second or two."""
    with contextlib.suppress(OSError):
        (run_folder / "live.watched").touch()


def read_picture(run_folder: Path) -> LivePicture | None:
    """The newest picture, or None where there is none that is whole."""
    try:
        content = (run_folder / "live.picture").read_bytes()
        head, _, body = content.partition(b"\n")
        about = json.loads(head)
        height, width = map(int, about["shape"])
        actions, values = tuple(map(str, about["actions"])), np.array(about["values"], np.float32)
        score, evaluating = float(about["score"]), bool(about["evaluating"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sane = 0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE and values.shape == (len(actions),)
    if not sane or len(body) != 256 * 3 + height * width:
        return None
    palette = np.frombuffer(body[: 256 * 3], np.uint8).reshape(256, 3)
    frame = np.frombuffer(body[256 * 3 :], np.uint8).reshape(height, width)
    return LivePicture(frame, palette, actions, values, score, evaluating)
