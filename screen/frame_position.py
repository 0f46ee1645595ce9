"""The position in an episode that is played back: its frame, its speed, and whether it is paused. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from data.episode import FRAMES_PER_SECOND


class FramePosition:
    """A position among the frames 0 to T that moves at one of several speeds."""

    def __init__(self, frame_count: int, speeds: Sequence[float]) -> None:
        """``frame_count``: T, the last frame; ``speeds``: ascending, and including 1, the game's own speed."""
        self.frame_count = frame_count
        self.paused = False
        self._speeds = tuple(speeds)
        self._speed = self._speeds.index(1.0)
        self._position = 0.0

    @property
    def speed(self) -> float:
        """1 is the game's own speed."""
        return self._speeds[self._speed]

    @property
    def frame(self) -> int:
        """The frame to show, 0 to T."""
        return int(self._position)

    @property
    def frames_per_second(self) -> float:
        """The frame rate at the present speed."""
        return FRAMES_PER_SECOND * self.speed

    def change_speed(self, by: int) -> None:
        """Go this many speeds up (or, below 0, down), within their range."""
        self._speed = min(max(self._speed + by, 0), len(self._speeds) - 1)

    def seek(self, frame: int) -> None:
        """Go to a frame, or to the nearer end; playback continues from there."""
        self._position = float(min(max(frame, 0), self.frame_count))

    def step(self, frames: int) -> None:
        """Pause, and move by this many frames."""
        self.seek(self.frame + frames)
        self.paused = True
