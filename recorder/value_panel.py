"""The column beside a watched game: the agent's observation, and what it expects of each action."""

from __future__ import annotations

import numpy as np

from recorder.agent_values import INTERVAL_PROBABILITY, Expected
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LINE, PANEL, QUIET, SMALL, TEXT, Colour

WIDTH = 200.0
MARGIN = 12.0
HEADING, LEGEND = 24.0, 22.0
ROW_HEIGHT, LEAST_ROW = 30.0, 22.0
COMFORTABLE_ROW = 26.0
"""Height of a row below which the pictures are drawn smaller."""
BAR_HEIGHT, BAND_HEIGHT, END_HEIGHT = 4.0, 1.5, 5.0
BAND_BELOW = 4.0
"""From the lower edge of a bar to the middle of its band."""
GAP = 4.0

VALUES_HINT = "The bar is the Q-value of an action: the return, the discounted sum of rewards, that the agent expects."
INTERVAL_HINT = (
    f" The line below it reaches from the 10% to the 90% quantile: in {INTERVAL_PROBABILITY:.0%} of cases the agent "
    "expects a return in between."
)


class ValuePanel:
    """Draws the column. Its scale never narrows, so that bars can be compared from one moment to the next."""

    def __init__(self) -> None:
        self._low, self._high = 0.0, 0.0

    def draw(self, canvas: Canvas, box: Box, expected: Expected, chosen: str, colour: Colour) -> None:
        """``chosen``: the action that is marked, in ``colour``."""
        canvas.fill(box, PANEL)
        canvas.line((box.right, box.y), (box.right, box.bottom), LINE)
        inner = box.inset(MARGIN)
        canvas.text("Observation", (inner.x, inner.y), SMALL, QUIET)
        below = HEADING + (LEGEND if expected.interval is not None else 0.0) + 4
        across = 2
        while across < 4 and self._row_height(inner, expected, across, below) < COMFORTABLE_ROW:
            across += 2
        used = _draw_stack(canvas, inner.without_top(HEADING), expected.observation, across)
        canvas.hint(inner.top_part(HEADING + used), "What the agent sees: its last observations, the oldest first")
        rest = inner.without_top(HEADING + used + 2 * GRID)
        canvas.text("Q-values", (rest.x, rest.y), SMALL, QUIET)
        hint = VALUES_HINT + (INTERVAL_HINT if expected.interval is not None else "")
        canvas.hint(rest, hint)
        if expected.interval is not None:
            self._draw_legend(canvas, rest.without_top(HEADING))
        self._draw_values(
            canvas, rest.without_top(below), expected, chosen, colour, self._row_height(inner, expected, across, below)
        )

    @staticmethod
    def _row_height(inner: Box, expected: Expected, across: int, below: float) -> float:
        used = HEADING + _stack_height(inner.width, len(expected.observation), across) + 2 * GRID + below
        return min(ROW_HEIGHT, (inner.height - used) / len(expected.values))

    @staticmethod
    def _draw_legend(canvas: Canvas, box: Box) -> None:
        canvas.fill(Box(box.x, box.y + 8, 16, BAR_HEIGHT), QUIET, radius=2)
        _draw_band(canvas, box.x + 4, box.x + 28, box.y + 8 + BAR_HEIGHT + BAND_BELOW, QUIET)
        canvas.text(f"mean, {INTERVAL_PROBABILITY:.0%} interval", (box.x + 40, box.y), SMALL, QUIET)

    def _draw_values(
        self, canvas: Canvas, box: Box, expected: Expected, chosen: str, colour: Colour, row_height: float
    ) -> None:
        values, interval = expected.values, expected.interval
        of_scale = values if interval is None else np.concatenate([values, interval.ravel()])
        self._low, self._high = min(self._low, float(of_scale.min())), max(self._high, float(of_scale.max()))
        width = max(1e-9, self._high - self._low)
        for row, (name, value) in enumerate(zip(expected.action_meanings, values, strict=True)):
            y = box.y + row * row_height
            is_chosen = name == chosen
            shade = colour if is_chosen else QUIET
            if is_chosen:
                middle = y + canvas.measure(name, SMALL)[1] / 2
                canvas.polygon([(box.x - 9, middle - 4), (box.x - 9, middle + 4), (box.x - 3, middle)], shade)
            canvas.text(name, (box.x, y), SMALL, shade, max_width=box.width - 52)
            strong = TEXT if is_chosen else QUIET
            canvas.text(f"{value:.2f}", (box.right, y), SMALL, strong, mono=True, align="right")
            if row_height < LEAST_ROW:
                continue
            bar = Box(box.x, y + row_height - 11, box.width, BAR_HEIGHT)
            canvas.bar(bar, (value - self._low) / width, shade)
            if interval is not None:
                left, right = (bar.x + bar.width * float(end - self._low) / width for end in interval[row])
                _draw_band(canvas, left, right, bar.bottom + BAND_BELOW, shade)


def _draw_band(canvas: Canvas, left: float, right: float, y: float, colour: Colour) -> None:
    canvas.fill(Box(left, y - BAND_HEIGHT / 2, max(1.0, right - left), BAND_HEIGHT), colour)
    for end in (left, right):
        canvas.fill(Box(end - 0.75, y - END_HEIGHT / 2, 1.5, END_HEIGHT), colour)


def _stack_height(width: float, count: int, across: int) -> float:
    side = (width - (across - 1) * GAP) / across
    return -(-count // across) * (side + GAP)


def _draw_stack(canvas: Canvas, box: Box, stack: np.ndarray, across: int) -> float:
    """Draw the stacked frames in rows of ``across``, oldest first; return the height used. stack: (S, H, W) uint8."""
    side = (box.width - (across - 1) * GAP) / across
    for number, picture in enumerate(stack):
        row, column = divmod(number, across)
        place = Box(box.x + column * (side + GAP), box.y + row * (side + GAP), side, side)
        canvas.picture_rgb(np.repeat(picture[:, :, None], 3, axis=2), place, integer_scale=False)
    return _stack_height(box.width, len(stack), across)
