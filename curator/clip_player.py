"""The position in an episode while a clip loops, or is paused, stepped or scrubbed. Pure."""

from __future__ import annotations

from data.clip import Clip
from screen.frame_position import FramePosition

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
HOLD_SECONDS = 0.35
"""How long the last frame is shown before the loop starts again."""


class ClipPlayer(FramePosition):
    """Plays the frames ``clip.start`` to ``clip.stop`` in a loop.

    The frame ``clip.stop`` is shown although it is not one of the clip's rows: it is the result of the last row.
    Speed and loop stay as they are from clip to clip.
    """

    def __init__(self) -> None:
        super().__init__(1, SPEEDS)
        self.looping = True
        self._clip = Clip("", 0, 1)
        self._held = 0.0

    @property
    def inside(self) -> bool:
        """Whether the frame on show belongs to the clip."""
        return self._clip.start <= self.frame <= self._clip.stop

    @property
    def is_moving(self) -> bool:
        """Whether the frame on show changes as time passes."""
        return not self.paused and (self.looping or self._position < self._clip.stop)

    def show(self, clip: Clip, frame_count: int) -> None:
        """Start a clip of an episode with ``frame_count`` rows; a pause ends."""
        self._clip, self.frame_count = clip, frame_count
        self.paused = False
        self.restart()

    def restart(self) -> None:
        self._position, self._held = float(self._clip.start), 0.0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self.paused:
            return
        if not self.inside:
            self.restart()
        end = float(min(self._clip.stop, self.frame_count))
        self._position += seconds * self.frames_per_second
        if self._position < end:
            return
        self._held += (self._position - end) / self.frames_per_second
        self._position = end
        if self.looping and self._held >= HOLD_SECONDS:
            self.restart()

    def toggle_pause(self) -> None:
        """Pause or resume. A clip that does not loop starts again when it is resumed after its end."""
        if not self.paused and not self.looping and self._position >= self._clip.stop:
            self.restart()
            return
        self.paused = not self.paused

    def seek(self, frame: int) -> None:
        """Pause at a frame of the episode, inside the clip or not."""
        super().seek(frame)
        self.paused, self._held = True, 0.0
