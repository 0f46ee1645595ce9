"""Where the playing back of an episode stands: running, paused, stepped, at some speed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.replay_file import ReplayFile
from screen.frame_position import FramePosition

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Playback(FramePosition):
    """Goes from frame 0 to frame T once; then it stands at the end until it is begun again or moved."""

    def __init__(self, frame_count: int) -> None:
        """``frame_count``: T, the last frame."""
        super().__init__(frame_count, SPEEDS)

    @property
    def is_at_end(self) -> bool:
        return self.frame >= self.frame_count

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        if not self.paused:
            self._position = min(self._position + seconds * self.frames_per_second, float(self.frame_count))

    def toggle(self) -> None:
        """Pause or go on; at the end: begin again."""
        if self.is_at_end:
            self._position, self.paused = 0.0, False
        else:
            self.paused = not self.paused


@dataclass(frozen=True)
class EpisodeColumns:
    """What an episode's file says frame by frame; row t leads from frame t to frame t + 1.

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


def columns_of(replay: ReplayFile) -> EpisodeColumns:
    """Everything that playing back shows beside the pictures."""
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
