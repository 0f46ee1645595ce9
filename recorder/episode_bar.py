"""The bar of a whole episode below the paused game: its points, lives lost and markers, and the frame that is shown."""

from __future__ import annotations

import numpy as np

from data.durations import frame_clock
from recorder.take import Take
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, WHITE

TIME_WIDTH = 56.0
"""Room for the time at each end."""
HEIGHT = 40.0


class EpisodeBar:
    """Draws the bar, and returns the frame at a position."""

    def __init__(self) -> None:
        self._track = Box(0, 0, 0, 0)
        self._frames = 0

    def frame_at(self, x: float, y: float) -> int | None:
        """Return the frame at a position on the bar as it was last drawn; None outside it."""
        reach = Box(self._track.x - GRID, self._track.y - 4, self._track.width + 2 * GRID, self._track.height + 8)
        return self.nearest_frame(x) if self._frames and reach.contains(x, y) else None

    def nearest_frame(self, x: float) -> int:
        """Return the frame below or nearest to ``x``."""
        share = (x - self._track.x) / max(1.0, self._track.width)
        return round(min(1.0, max(0.0, share)) * self._frames)

    def hide(self) -> None:
        """Note that the bar is not drawn, so that no position is on it."""
        self._frames = 0

    def draw(self, canvas: Canvas, box: Box, take: Take) -> None:
        self._track = box.without_left(TIME_WIDTH).without_right(TIME_WIDTH)
        self._frames = frames = take.recorded_frames
        track = self._track
        canvas.fill(track, PANEL, radius=4)
        height = canvas.measure("0", SMALL, mono=True)[1]
        y = box.centre[1] - height / 2
        canvas.text(frame_clock(take.frame), (box.x, y), SMALL, WHITE, mono=True)
        canvas.text(frame_clock(frames), (box.right, y), SMALL, QUIET, mono=True, align="right")
        if not frames:
            return

        def x(frame: float) -> float:
            return track.x + frame / frames * track.width

        self._draw_points(canvas, track, np.asarray(take.scores, np.float64))
        lives = np.asarray(take.lives, np.int64)
        for frame in np.flatnonzero(np.diff(lives) < 0) + 1:
            canvas.fill(Box(x(int(frame)) - 1.5, track.bottom - 12, 3, 12), ORANGE)
        for marker in take.markers:
            at = x(marker)
            canvas.polygon([(at - 5, track.y), (at + 5, track.y), (at, track.y + 8)], OLIVE)
        now = x(take.frame)
        if take.frame < frames:
            canvas.shade(Box(now, track.y, track.right - now, track.height), 150)
        canvas.outline(track, LINE, radius=4)
        canvas.fill(Box(now - 1.5, track.y - 4, 3, track.height + 8), WHITE, radius=1)

    @staticmethod
    def _draw_points(canvas: Canvas, track: Box, scores: np.ndarray) -> None:
        """Draw the score as steps. scores: (T + 1,)."""
        low, high = min(0.0, float(scores.min())), max(0.0, float(scores.max()))
        if high == low:
            return
        changes = np.concatenate([[0], np.flatnonzero(np.diff(scores)) + 1, [len(scores) - 1]])
        places = track.inset(4)
        at = places.x + changes / (len(scores) - 1) * places.width
        up = places.bottom - (scores[changes] - low) / (high - low) * places.height
        points = [(float(at[0]), float(up[0]))]
        for n in range(1, len(changes)):
            points += [(float(at[n]), float(up[n - 1])), (float(at[n]), float(up[n]))]
        canvas.polyline(points, GREEN, 2)
