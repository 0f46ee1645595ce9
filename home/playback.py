"""Where the playing back of an episode stands: running, paused, stepped, at some speed. Pure."""

from __future__ import annotations

from data.episode import FRAMES_PER_SECOND

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Playback:
    """Goes from frame 0 to frame T once; then it stands at the end until it is begun again or moved."""

    def __init__(self, frame_count: int) -> None:
        """``frame_count``: T, the last frame."""
        self.frame_count = frame_count
        self.paused = False
        self._speed = SPEEDS.index(1.0)
        self._position = 0.0

    @property
    def speed(self) -> float:
        """1 is the game's own speed."""
        return SPEEDS[self._speed]

    @property
    def frame(self) -> int:
        """The frame to show, 0 to T."""
        return int(self._position)

    @property
    def is_at_end(self) -> bool:
        return self.frame >= self.frame_count

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        if not self.paused:
            self._position = min(self._position + seconds * FRAMES_PER_SECOND * self.speed, float(self.frame_count))

    def toggle(self) -> None:
        """Pause or go on; at the end: begin again."""
        if self.is_at_end:
            self._position, self.paused = 0.0, False
        else:
            self.paused = not self.paused

    def step(self, frames: int) -> None:
        """Pause, and move by so many frames."""
        self.seek(self.frame + frames)
        self.paused = True

    def seek(self, frame: int) -> None:
        """Go to a frame; what runs, runs on from there."""
        self._position = float(min(max(frame, 0), self.frame_count))

    def change_speed(self, by: int) -> None:
        self._speed = min(max(self._speed + by, 0), len(SPEEDS) - 1)
