"""What an episode window plays: the position in the episode, and the columns of its replay file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.replay_file import ReplayFile
from screen.frame_position import FramePosition

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Playback(FramePosition):
    """Plays frame 0 to frame T once, and stays at the end until it is restarted or moved."""

    def __init__(self, frame_count: int) -> None:
        """``frame_count``: T, the last frame."""
        super().__init__(frame_count, SPEEDS)

    @property
    def is_at_end(self) -> bool:
        return self.frame >= self.frame_count

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if not self.paused:
            self._position = min(self._position + seconds * self.frames_per_second, float(self.frame_count))

    def toggle(self) -> None:
        """Pause or resume; at the end, start again."""
        if self.is_at_end:
            self._position, self.paused = 0.0, False
        else:
            self.paused = not self.paused


@dataclass(frozen=True)
class EpisodeColumns:
    """The columns of an episode's replay file; row t leads from frame t to frame t + 1.

    scores: (T + 1,) float64, points up to each frame; lives: (T + 1,) uint8; actions, demonstrators: (T,) uint8.
    """

    scores: np.ndarray
    lives: np.ndarray
    actions: np.ndarray
    demonstrators: np.ndarray
    action_meanings: tuple[str, ...]
    reward_rows: tuple[int, ...]
    death_rows: tuple[int, ...]
    markers: tuple[int, ...]
    palette: np.ndarray
    """(256, 3) uint8."""


@dataclass(frozen=True)
class ValueCurve:
    """What the agent that played an episode expects at each of its decisions."""

    run: str
    step: int
    """Own steps of the weights."""
    values: np.ndarray
    """(D,) float32, the greatest Q-value before each decision."""
    frame_skip: int

    def at(self, frame: int) -> float | None:
        """Return the value of the decision that holds a frame; None for an episode without decisions."""
        return float(self.values[min(frame // self.frame_skip, len(self.values) - 1)]) if len(self.values) else None


ReadValues = Callable[[Path, Callable[[int, int], None]], ValueCurve | None]
"""Computes the values of a replay file, which takes seconds, and reports its progress; None where no run played."""


def columns_of(replay: ReplayFile) -> EpisodeColumns:
    """Return everything that is shown beside the pictures."""
    scores = np.concatenate([[0.0], np.cumsum(replay.rewards, dtype=np.float64)])
    lives = replay.lives
    return EpisodeColumns(
        scores,
        lives,
        replay.actions,
        replay.demonstrator,
        tuple(replay.origin.action_meanings),
        tuple(np.flatnonzero(replay.rewards).tolist()),
        tuple(np.flatnonzero(np.diff(lives.astype(np.int16)) < 0).tolist()),
        tuple(replay.markers.tolist()),
        replay.palette,
    )
