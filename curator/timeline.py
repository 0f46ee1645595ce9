"""The timeline of an episode: its events and verdicts, the clip and the frame on show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from curator.cuts import Edge
from curator.outline import EpisodeOutline
from data.clip import Clip, Verdict
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import draw_verdict

SIDE_PADDING = 14.0
GRAB_DISTANCE = 7.0
"""How near to an edge of the clip the pointer grabs it, in design units."""
ZOOM_FACTOR = 1.5
SHORTEST_RANGE = 8 * FRAMES_PER_SECOND
"""Fewest frames that the timeline shows: the longest clip and some of what is around it."""


@dataclass(frozen=True)
class FrameRange:
    """The part of an episode that a timeline shows: frames ``first`` to ``last``."""

    first: int
    last: int

    def zoomed(self, steps: int, around: int, frame_count: int) -> FrameRange:
        """Return a range shorter by ``steps`` (longer, below 0), with the frame ``around`` at the same place in it."""
        length = max(1, self.last - self.first)
        wanted = round(min(max(length / ZOOM_FACTOR**steps, SHORTEST_RANGE), frame_count))
        share = (min(max(around, self.first), self.last) - self.first) / length
        first = min(max(0, round(around - share * wanted)), max(0, frame_count - wanted))
        return FrameRange(first, min(frame_count, first + wanted))

    def showing(self, start: int, stop: int, frame_count: int) -> FrameRange:
        """Return a range of this length, or the whole of a shorter episode, that has the frames in it.

        An empty range becomes the whole episode. The range stays where it is if the frames are in it.
        """
        length = self.last - self.first
        if length <= 0 or length >= frame_count:
            return FrameRange(0, frame_count)
        if self.first <= start and stop <= self.last <= frame_count:
            return self
        first = min(max(0, (start + stop) // 2 - length // 2), frame_count - length)
        return FrameRange(first, first + length)


@dataclass(frozen=True)
class TimelineScale:
    """Conversion between frames and positions."""

    box: Box
    visible: FrameRange

    @property
    def line(self) -> Box:
        """The part of the box that the visible frames fill from end to end."""
        return self.box.without_left(SIDE_PADDING).without_right(SIDE_PADDING)

    def x_of(self, frame: float) -> float:
        length = max(1, self.visible.last - self.visible.first)
        return self.line.x + self.line.width * (frame - self.visible.first) / length

    def frame_at(self, x: float) -> int:
        """Return the frame at a position, one of the visible ones."""
        share = (x - self.line.x) / max(1.0, self.line.width)
        length = self.visible.last - self.visible.first
        return self.visible.first + round(min(1.0, max(0.0, share)) * length + 1e-6)

    def edge_at(self, x: float, clip: Clip) -> Edge | None:
        """Return the edge of the clip that can be grabbed at a position."""
        left, right = self.x_of(clip.start), self.x_of(clip.stop)
        if x < (left + right) / 2:
            return "start" if abs(x - left) <= GRAB_DISTANCE else None
        return "stop" if abs(x - right) <= GRAB_DISTANCE else None


def draw_timeline(
    canvas: Canvas,
    scale: TimelineScale,
    outline: EpisodeOutline,
    clip: Clip,
    frame: int,
    verdicts: Iterable[Verdict],
    cut_from: int | None = None,
    cut_to: int | None = None,
    pointer: tuple[float, float] = (-1.0, -1.0),
) -> None:
    """Draw an episode's timeline. ``cut_from`` and ``cut_to``: the marked ends of a cut."""
    box, visible = scale.box, scale.visible
    canvas.fill(box, PANEL, radius=6)
    upper, base = box.y + 6, box.bottom - 20
    _draw_clip(canvas, scale, clip, upper, base, pointer)

    for verdict in verdicts:
        if verdict.clip.start < visible.last and verdict.clip.stop > visible.first:
            _draw_band(canvas, scale, verdict, upper + 1)
    canvas.line((scale.line.x, base), (scale.line.right, base), LINE)
    most = max((abs(points) for _, points in outline.rewards), default=1.0)
    for row, points in outline.rewards:
        if visible.first <= row + 1 <= visible.last:
            x, height = scale.x_of(row + 1), 5 + 11 * abs(points) / most
            canvas.line((x, base - height), (x, base), WHITE if points > 0 else QUIET, 2)
    for row in outline.deaths:
        if visible.first <= row + 1 <= visible.last:
            x, y = scale.x_of(row + 1), base - 8
            canvas.line((x - 4, y - 4), (x + 4, y + 4), ORANGE, 2)
            canvas.line((x - 4, y + 4), (x + 4, y - 4), ORANGE, 2)
    for marker in outline.markers:
        if visible.first <= marker <= visible.last:
            x = scale.x_of(marker)
            canvas.polygon([(x - 5, upper + 12), (x + 5, upper + 12), (x, upper + 19)], OLIVE)
    for name, at in (("I", cut_from), ("O", cut_to)):
        if at is not None and visible.first <= at <= visible.last:
            x = scale.x_of(at)
            canvas.line((x, upper - 2), (x, base + 2), GREEN, 2)
            canvas.text(name, (x + 3, upper - 3), SMALL, GREEN, bold=True)
    if visible.first <= frame <= visible.last:
        x = scale.x_of(frame)
        canvas.line((x, upper - 4), (x, base + 3), TEXT, 2)
        canvas.circle((x, upper - 2), 3, TEXT)
    _draw_captions(canvas, scale, outline, frame, base + 2)


def _draw_clip(
    canvas: Canvas, scale: TimelineScale, clip: Clip, upper: float, base: float, pointer: tuple[float, float]
) -> None:
    """Draw the clip's span with a grip at each edge."""
    line = scale.line
    left, right = max(line.x, scale.x_of(clip.start)), min(line.right, scale.x_of(clip.stop))
    if right < line.x or left > line.right:
        return
    span = Box(left, upper - 2, max(3.0, right - left), base - upper + 4)
    canvas.fill(span, LINE, radius=3)
    canvas.outline(span, OLIVE, radius=3)
    grabbed = scale.edge_at(pointer[0], clip) if scale.box.contains(*pointer) else None
    for edge, at in (("start", scale.x_of(clip.start)), ("stop", scale.x_of(clip.stop))):
        if line.x - 1 <= at <= line.right + 1:
            width = 6.0 if grabbed == edge else 4.0
            canvas.fill(Box(at - width / 2, span.y + 4, width, span.height - 8), OLIVE, radius=2)
    if grabbed is not None:
        end = "start" if grabbed == "start" else "end"
        canvas.hint(scale.box, f"Drag to move the clip's {end}")


def _draw_band(canvas: Canvas, scale: TimelineScale, verdict: Verdict, y: float) -> None:
    """Draw a verdict's span: good above, bad below, skip as an outline, so that colour is not the only sign."""
    left = max(scale.line.x, scale.x_of(verdict.clip.start))
    right = min(scale.line.right, scale.x_of(verdict.clip.stop))
    width = max(2.0, right - left - 1)
    if verdict.verdict == "good":
        canvas.fill(Box(left, y, width, 5), GREEN)
    elif verdict.verdict == "bad":
        canvas.fill(Box(left, y + 6, width, 5), ORANGE)
    else:
        canvas.outline(Box(left, y + 3, width, 5), QUIET)
    if width >= 16:
        draw_verdict(canvas, verdict.verdict, (left + width / 2 - 6, y - 0.5), 12)


def _draw_captions(canvas: Canvas, scale: TimelineScale, outline: EpisodeOutline, frame: int, y: float) -> None:
    box, visible = scale.box, scale.visible
    canvas.text(frame_clock(visible.first), (box.x + SIDE_PADDING, y), SMALL, QUIET, mono=True)
    canvas.text(frame_clock(visible.last), (box.right - SIDE_PADDING, y), SMALL, QUIET, mono=True, align="right")
    legend = [
        words
        for words, events in (
            ("bars: points", outline.rewards),
            ("crosses: lives lost", outline.deaths),
            ("triangles: markers", outline.markers),
        )
        if events
    ]
    text = "   ".join([f"{frame_clock(frame)}, frame {frame} of {outline.frame_count}", *legend])
    canvas.text(text, (box.centre[0], y), SMALL, QUIET, align="centre", max_width=box.width - 140)
