"""The timeline of an episode: its events and verdicts, the clip and the frame on show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curator.outline import EpisodeOutline
from data.clip import Clip, Verdict
from data.durations import frame_clock
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import draw_verdict

SIDE_PADDING = 14.0


@dataclass(frozen=True)
class TimelineScale:
    """Conversion between frames and positions."""

    box: Box
    frame_count: int

    @property
    def line(self) -> Box:
        """The part of the box that the episode fills from end to end."""
        return self.box.without_left(SIDE_PADDING).without_right(SIDE_PADDING)

    def x_of(self, frame: float) -> float:
        return self.line.x + self.line.width * frame / max(1, self.frame_count)

    def frame_at(self, x: float) -> int:
        """Return the frame at a position, 0 to T."""
        share = (x - self.line.x) / max(1.0, self.line.width)
        return round(min(1.0, max(0.0, share)) * self.frame_count)


def draw_timeline(
    canvas: Canvas,
    box: Box,
    outline: EpisodeOutline,
    clip: Clip,
    frame: int,
    verdicts: Iterable[Verdict],
    cut_from: int | None = None,
    cut_to: int | None = None,
) -> None:
    """Draw an episode's timeline. ``cut_from`` and ``cut_to``: the marked ends of a cut."""
    scale = TimelineScale(box, outline.frame_count)
    canvas.fill(box, PANEL, radius=6)
    upper, lower = box.y + 6, box.bottom - 20
    left, right = scale.x_of(clip.start), scale.x_of(clip.stop)
    span = Box(left, upper - 2, max(3.0, right - left), lower - upper + 4)
    canvas.fill(span, LINE, radius=3)
    canvas.outline(span, OLIVE, radius=3)

    for verdict in verdicts:
        _draw_band(canvas, scale, verdict, upper + 1)
    base = lower
    canvas.line((scale.line.x, base), (scale.line.right, base), LINE)
    most = max((abs(points) for _, points in outline.rewards), default=1.0)
    for row, points in outline.rewards:
        x, height = scale.x_of(row + 1), 5 + 11 * abs(points) / most
        canvas.line((x, base - height), (x, base), WHITE if points > 0 else QUIET, 2)
    for row in outline.deaths:
        x, y = scale.x_of(row + 1), base - 8
        canvas.line((x - 4, y - 4), (x + 4, y + 4), ORANGE, 2)
        canvas.line((x - 4, y + 4), (x + 4, y - 4), ORANGE, 2)
    for marker in outline.markers:
        x = scale.x_of(marker)
        canvas.polygon([(x - 5, upper + 12), (x + 5, upper + 12), (x, upper + 19)], OLIVE)
    for name, at in (("I", cut_from), ("O", cut_to)):
        if at is not None:
            x = scale.x_of(at)
            canvas.line((x, upper - 2), (x, base + 2), GREEN, 2)
            canvas.text(name, (x + 3, upper - 3), SMALL, GREEN, bold=True)
    x = scale.x_of(frame)
    canvas.line((x, upper - 4), (x, base + 3), TEXT, 2)
    canvas.circle((x, upper - 2), 3, TEXT)
    _draw_captions(canvas, box, outline, frame, base + 2)


def _draw_band(canvas: Canvas, scale: TimelineScale, verdict: Verdict, y: float) -> None:
    """Draw a verdict's span: good above, bad below, skip as an outline, so that colour is not the only sign."""
    left, right = scale.x_of(verdict.clip.start), scale.x_of(verdict.clip.stop)
    width = max(2.0, right - left - 1)
    if verdict.verdict == "good":
        canvas.fill(Box(left, y, width, 5), GREEN)
    elif verdict.verdict == "bad":
        canvas.fill(Box(left, y + 6, width, 5), ORANGE)
    else:
        canvas.outline(Box(left, y + 3, width, 5), QUIET)
    if width >= 16:
        draw_verdict(canvas, verdict.verdict, (left + width / 2 - 6, y - 0.5), 12)


def _draw_captions(canvas: Canvas, box: Box, outline: EpisodeOutline, frame: int, y: float) -> None:
    canvas.text("0:00", (box.x + SIDE_PADDING, y), SMALL, QUIET, mono=True)
    canvas.text(frame_clock(outline.frame_count), (box.right - SIDE_PADDING, y), SMALL, QUIET, mono=True, align="right")
    legend = []
    if outline.rewards:
        legend.append("bars: points")
    if outline.deaths:
        legend.append("crosses: lives lost")
    if outline.markers:
        legend.append("triangles: marked by the player")
    now = f"{frame_clock(frame)}, frame {frame} of {outline.frame_count}"
    text = "   ".join([now, *legend])
    canvas.text(text, (box.centre[0], y), SMALL, QUIET, align="centre", max_width=box.width - 140)
