"""Charts: curves over steps, with readable axes at every size. Each is drawn once for each change and cached."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
import pygame

from screen.canvas import Canvas, Point
from screen.layout import Box
from screen.theme import GROUND, LINE, PANEL, QUIET, SMALL, TEXT, Colour

PADDING = 12.0
TITLE_HEIGHT = 28.0
X_LABEL_HEIGHT = 20.0
MOST_POINTS = 240
"""A curve with more points is thinned: more could not be distinguished."""

Style = Literal["line", "dots", "whiskers"]


@dataclass(frozen=True)
class Series:
    """One curve. Points whose value is not finite are left out."""

    xs: np.ndarray
    """(N,) ascending."""
    ys: np.ndarray
    """(N,)"""
    colour: Colour
    style: Style = "line"
    lows: np.ndarray | None = None
    """(N,) lower ends of whiskers, with ``highs``."""
    highs: np.ndarray | None = None
    name: str = ""
    """Its name beside the values under the pointer; a curve without a name has none."""


@dataclass(frozen=True)
class ChartFacts:
    """What a chart shows."""

    title: str
    newest: str = ""
    """The newest value as text, at the top right."""
    series: tuple[Series, ...] = ()
    lowest: float | None = None
    """The vertical axis starts here or lower; None: at the lowest value."""
    highest: float | None = None
    """The vertical axis ends here or higher."""
    hint: str = ""
    """Shown while there is nothing to draw."""
    colour: Colour = TEXT
    """Of ``newest``."""


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` (2 or more) round numbers in [low, high], 1, 2 or 5 times a power of ten apart."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [number * step for number in range(first, last + 1)]
    return [low]


def step_ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers for an axis of steps, which are whole numbers."""
    return [tick for tick in nice_ticks(low, high, most) if tick == round(tick)]


def short_number(value: float) -> str:
    """Return a number as an axis shows it: 0.05, 250, 20k, 1.5M."""
    size = abs(value)
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if size >= unit * (1 if letter == "M" else 10):
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}" if size < 1000 else f"{value:,.0f}"


def thinned(xs: np.ndarray, ys: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``most`` points of a curve, each the mean of equally many neighbours; NaN are left out."""
    good = np.isfinite(ys)
    xs, ys = xs[good].astype(np.float64), ys[good].astype(np.float64)
    if len(xs) <= most:
        return xs, ys
    edges = np.linspace(0, len(xs), most + 1).astype(np.int64)
    counts = np.diff(edges)
    return np.add.reduceat(xs, edges[:-1]) / counts, np.add.reduceat(ys, edges[:-1]) / counts


def value_range(facts: ChartFacts) -> tuple[float, float]:
    """Return the ends of the vertical axis, with a margin where the values alone decide."""
    found = [part for s in facts.series for part in (s.ys, s.lows, s.highs) if part is not None]
    values = np.concatenate([part.astype(np.float64) for part in found]) if found else np.zeros(0)
    values = values[np.isfinite(values)]
    low = float(values.min()) if len(values) else 0.0
    high = float(values.max()) if len(values) else 1.0
    margin = 0.08 * (high - low)
    low, high = low - margin, high + margin
    if facts.lowest is not None:
        low = facts.lowest if low >= facts.lowest - margin else low
    if facts.highest is not None:
        high = facts.highest if high <= facts.highest + margin else high
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def step_range(charts: Sequence[ChartFacts]) -> tuple[float, float]:
    """Return the ends of the common horizontal axis of several charts."""
    ends = [float(end) for facts in charts for s in facts.series if len(s.xs) for end in (s.xs[0], s.xs[-1])]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    return (low, high) if high > low else (low, low + 1.0)


@dataclass
class Chart:
    """A chart that draws its picture again only when what it shows, or its size, has changed."""

    _key: object = field(default=None, repr=False)
    _picture: pygame.Surface | None = field(default=None, repr=False)

    def draw(
        self,
        canvas: Canvas,
        box: Box,
        facts: ChartFacts,
        steps: tuple[float, float],
        pointer: Point = (-1.0, -1.0),
    ) -> None:
        """``steps``: ends of the horizontal axis; below 0 is pretraining. Under ``pointer`` the values are shown."""
        left, top = round(box.x * canvas.scale), round(box.y * canvas.scale)
        size = round(box.right * canvas.scale) - left, round(box.bottom * canvas.scale) - top
        if size[0] <= 0 or size[1] <= 0:
            return
        key = (size, canvas.scale, steps, _contents(facts))
        if self._picture is None or key != self._key:
            self._picture = pygame.Surface(size)
            self._picture.fill(GROUND)
            _draw(Canvas(self._picture, canvas.scale), facts, steps)
            self._key = key
        canvas.surface.blit(self._picture, (left, top))
        place = _place(canvas, box, facts, steps)
        if place is not None and place.plot.contains(*pointer):
            _draw_values(canvas, facts, place, pointer[0])


def values_at(facts: ChartFacts, step: float) -> tuple[float, list[str]] | None:
    """Return the step with values that is nearest to ``step``, and those values as text; None if there are none."""
    named = [(s, np.isfinite(s.ys)) for s in facts.series if s.name]
    steps = [float(x) for s, known in named for x in s.xs[known]]
    if not steps:
        return None
    nearest = min(steps, key=lambda x: abs(x - step))
    found = []
    for series, known in named:
        xs, at = series.xs[known], 0
        if series.style == "line" and len(xs) and xs[0] <= nearest <= xs[-1]:
            at = int(np.abs(xs - nearest).argmin())
        elif nearest in xs:
            at = int(np.flatnonzero(xs == nearest)[0])
        else:
            continue
        text = f"{series.name} {short_number(float(series.ys[known][at]))}"
        if series.lows is not None and series.highs is not None:
            low, high = (short_number(float(ends[known][at])) for ends in (series.lows, series.highs))
            text += f" ({low} to {high})"
        found.append(text)
    return nearest, found


def _draw_values(canvas: Canvas, facts: ChartFacts, place: _Place, pointer_x: float) -> None:
    """Draw a line at the pointer's step and the values there."""
    low, high = place.steps
    found = values_at(facts, low + (pointer_x - place.plot.x) / place.plot.width * (high - low))
    if found is None:
        return
    step, values = found
    x = place.x(step)
    canvas.line((x, place.plot.y), (x, place.plot.bottom), QUIET)
    lines = [f"step {step:,.0f}" if step >= 0 else f"update {step - low:,.0f}", *values]
    width = max(canvas.measure(line, SMALL)[0] for line in lines) + 16
    left = x + 8 if x + 8 + width <= place.plot.right else x - 8 - width
    panel = Box(left, place.plot.y, width, 20.0 * len(lines) + 8)
    canvas.fill(panel, LINE, radius=4)
    for number, line in enumerate(lines):
        canvas.text(line, (panel.x + 8, panel.y + 3 + 20 * number), SMALL, QUIET if number == 0 else TEXT)


def _contents(shown: object) -> Hashable:
    """Return everything that a chart's facts hold, as a value that can be compared."""
    if isinstance(shown, np.ndarray):
        return shown.dtype.str, shown.tobytes()
    if isinstance(shown, tuple):
        return tuple(_contents(part) for part in shown)
    if isinstance(shown, ChartFacts | Series):
        return tuple(_contents(getattr(shown, part.name)) for part in fields(shown))
    assert isinstance(shown, Hashable)
    return shown


def _draw(canvas: Canvas, facts: ChartFacts, steps: tuple[float, float]) -> None:
    canvas.fill(canvas.box, PANEL, radius=8)
    inner = canvas.box.inset(PADDING)
    newest = canvas.text(facts.newest, (inner.right, inner.y - 2), SMALL, facts.colour, mono=True, align="right")
    canvas.text(facts.title, (inner.x, inner.y - 2), SMALL, QUIET, max_width=max(0.0, newest.x - inner.x - 8))
    body = inner.without_top(TITLE_HEIGHT)
    if not any(np.isfinite(s.ys).any() for s in facts.series):
        height = canvas.measure(facts.hint, SMALL)[1]
        canvas.text(facts.hint, (body.centre[0], body.centre[1] - height), SMALL, QUIET, align="centre")
        return
    place = _place(canvas, canvas.box, facts, steps)
    assert place is not None
    plot, (low, high) = place.plot, place.values
    ticks = _ticks(body, low, high)
    if steps[0] < 0.0:
        # Pretraining is before the first step.
        before = plot.left_part(place.x(min(0.0, steps[1])) - plot.x)
        canvas.fill(before, GROUND)
        if before.width > 96:
            canvas.text("pretraining", (before.right - 8, before.bottom - 24), SMALL, QUIET, align="right")
    for tick in ticks:
        label = short_number(tick)
        y = place.y(tick)
        canvas.line((plot.x, y), (plot.right, y), LINE)
        height = canvas.measure(label, SMALL, mono=True)[1]
        canvas.text(label, (plot.x - 8, y - height / 2), SMALL, QUIET, mono=True, align="right")
    _draw_steps(canvas, plot, place, steps)
    for series in facts.series:
        _draw_series(canvas, series, place)


def _ticks(body: Box, low: float, high: float) -> list[float]:
    return nice_ticks(low, high, max(2, int(body.height // 44) + 1))


def _place(canvas: Canvas, box: Box, facts: ChartFacts, steps: tuple[float, float]) -> _Place | None:
    """Return where a chart in this box has its plot; None while there is nothing to draw."""
    if not any(np.isfinite(s.ys).any() for s in facts.series):
        return None
    body = box.inset(PADDING).without_top(TITLE_HEIGHT)
    low, high = value_range(facts)
    labels = [short_number(tick) for tick in _ticks(body, low, high)]
    wide = max((canvas.measure(label, SMALL, mono=True)[0] for label in labels), default=0.0)
    plot = body.without_left(wide + 8).without_bottom(X_LABEL_HEIGHT)
    return _Place(plot, steps, (low, high))


def _draw_steps(canvas: Canvas, plot: Box, place: _Place, steps: tuple[float, float]) -> None:
    """Draw the labels of the horizontal axis that do not overlap."""
    free_from = float("-inf")
    for tick in step_ticks(*steps, max(2, int(plot.width // 72))):
        label = short_number(tick)
        wide = canvas.measure(label, SMALL, mono=True)[0]
        x = min(place.x(tick), plot.right - wide / 2)
        if x - wide / 2 >= free_from:
            canvas.text(label, (x, plot.bottom + 4), SMALL, QUIET, mono=True, align="centre")
            free_from = x + wide / 2 + 12


@dataclass(frozen=True)
class _Place:
    """Maps steps and values to places in the plot."""

    plot: Box
    steps: tuple[float, float]
    values: tuple[float, float]

    def x(self, step: float) -> float:
        return self.plot.x + (step - self.steps[0]) / (self.steps[1] - self.steps[0]) * self.plot.width

    def y(self, value: float) -> float:
        share = (value - self.values[0]) / (self.values[1] - self.values[0])
        return self.plot.bottom - min(1.0, max(0.0, share)) * self.plot.height


def _draw_series(canvas: Canvas, series: Series, place: _Place) -> None:
    if series.style == "whiskers" and series.lows is not None and series.highs is not None:
        for x, y, low, high in zip(series.xs, series.ys, series.lows, series.highs, strict=True):
            at = place.x(float(x))
            canvas.line((at, place.y(float(low))), (at, place.y(float(high))), series.colour, 2)
            canvas.circle((at, place.y(float(y))), 4, series.colour)
        return
    if series.style == "dots":
        for x, y in list(zip(series.xs.tolist(), series.ys.tolist(), strict=True))[
            :: len(series.xs) // MOST_POINTS + 1
        ]:
            canvas.circle((place.x(x), place.y(y)), 1.5, series.colour)
        return
    xs, ys = thinned(series.xs, series.ys)
    points = [(place.x(x), place.y(y)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
    if len(points) == 1:
        canvas.circle(points[0], 2, series.colour)
    else:
        draw_curve(canvas, points, series.colour)


def draw_curve(canvas: Canvas, points: Sequence[Point], colour: Colour, width: float = 1.75) -> None:
    """Draw a line through points with smooth edges, which pygame's own thick lines lack."""
    half = width / 2
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = math.hypot(x1 - x0, y1 - y0)
        if length == 0.0:
            continue
        across, down = -(y1 - y0) / length * half, (x1 - x0) / length * half
        along = ((x1 - x0) / length * half / 2, (y1 - y0) / length * half / 2)
        canvas.polygon(
            [
                (x0 + across - along[0], y0 + down - along[1]),
                (x1 + across + along[0], y1 + down + along[1]),
                (x1 - across + along[0], y1 - down + along[1]),
                (x0 - across - along[0], y0 - down - along[1]),
            ],
            colour,
        )
