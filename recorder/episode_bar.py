"""The bar of a whole episode below the game: its points, lives lost and markers, and the frame that is shown."""

from __future__ import annotations

import numpy as np

from data.durations import frame_clock
from recorder.take import Take
from screen.canvas import Canvas
from screen.episode_curves import draw_points, draw_values
from screen.layout import Box
from screen.theme import GRID, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, WHITE

TIME_WIDTH = 56.0
"""Room for the time at each end."""
HEIGHT = 40.0


class EpisodeBar:
    """Draws the bar, and returns the frame at a position."""

    def __init__(self) -> None:
        self._track = Box(0, 0, 0, 0)
        self._frames = 0
        self._span = 0

    def frame_at(self, x: float, y: float) -> int | None:
        """Return the frame at a position on the bar as it was last drawn; None outside it."""
        reach = Box(self._track.x - GRID, self._track.y - 4, self._track.width + 2 * GRID, self._track.height + 8)
        return self.nearest_frame(x) if self._frames and reach.contains(x, y) else None

    def nearest_frame(self, x: float) -> int:
        """Return the frame below or nearest to ``x``."""
        share = (x - self._track.x) / max(1.0, self._track.width)
        return min(round(min(1.0, max(0.0, share)) * self._span), self._frames)

    def hide(self) -> None:
        """Note that the bar is not drawn, so that no position is on it."""
        self._frames = 0

    def draw(self, canvas: Canvas, box: Box, take: Take) -> None:
        """Draw the bar with the time at both ends."""
        height = canvas.measure("0", SMALL, mono=True)[1]
        y = box.centre[1] - height / 2
        canvas.text(frame_clock(take.frame), (box.x, y), SMALL, WHITE, mono=True)
        canvas.text(frame_clock(take.recorded_frames), (box.right, y), SMALL, QUIET, mono=True, align="right")
        self.draw_track(canvas, box.without_left(TIME_WIDTH).without_right(TIME_WIDTH), take, take.recorded_frames)

    def draw_track(self, canvas: Canvas, track: Box, take: Take, span: int, values: np.ndarray | None = None) -> None:
        """Draw the bar alone. span: the frames that its width stands for. values: (D,), one for each decision."""
        self._track, self._span = track, span
        self._frames = frames = take.recorded_frames
        canvas.fill(track, PANEL, radius=4)
        if not frames:
            canvas.outline(track, LINE, radius=4)
            return

        def x(frame: float) -> float:
            return track.x + frame / span * track.width

        curves = track.without_top(4).without_bottom(4)
        draw_points(canvas, curves, np.asarray(take.scores, np.float64), span)
        if values is not None:
            draw_values(canvas, curves, values, take.emulator.settings.frame_skip, span)
        lives = np.asarray(take.lives, np.int64)
        for frame in np.flatnonzero(np.diff(lives) < 0) + 1:
            canvas.fill(Box(x(int(frame)) - 1.5, track.bottom - 12, 3, 12), ORANGE)
        for marker in take.markers:
            at = x(marker)
            canvas.polygon([(at - 5, track.y), (at + 5, track.y), (at, track.y + 8)], OLIVE)
        now = x(take.frame)
        if take.frame < frames:
            canvas.shade(Box(now, track.y, x(frames) - now, track.height), 150)
        canvas.outline(track, LINE, radius=4)
        canvas.fill(Box(now - 1.5, track.y - 4, 3, track.height + 8), WHITE, radius=1)
