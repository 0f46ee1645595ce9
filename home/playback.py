"""Where the playing back of an episode stands: running, paused, stepped, at some speed. Pure."""

from __future__ import annotations

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
