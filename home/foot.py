"""The foot of a window: what can be done now, as buttons with their keys; and where list, main part and foot stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, MEDIUM, QUIET, SMALL, Colour
from screen.widgets import Button, button_row

LIST_WIDTH = 264.0
HEAD, FOOT, STATE = 56.0, 56.0, 32.0
"""Heights: from a heading to what stands below it, the buttons with what is under them, the sentence above them."""


def margin(window: Box) -> float:
    """As wide as in every other window; half as wide where room is short."""
    return 48.0 if window.width >= 1200 else 24.0


def head_top(window: Box) -> float:
    """Where a heading begins."""
    return window.y + (40.0 if window.height >= 720 else 16.0)


@dataclass(frozen=True)
class Action:
    """A button of the foot: what it says, its key, and what it does."""

    label: str
    cap: str
    key: str
    act: Callable[[], None]
    colour: Colour | None = None
    enabled: bool = True


def areas(window: Box) -> tuple[Box, Box, Box]:
    """The list, the main part and the row of buttons."""
    side, top = margin(window), head_top(window) + HEAD
    body = Box(window.x + side, top, window.width - 2 * side, window.bottom - FOOT - STATE - GRID - top)
    buttons = Box(body.x, window.bottom - FOOT, body.width, 32)
    return body.left_part(LIST_WIDTH), body.without_left(LIST_WIDTH + 2 * GRID), buttons


def form_width(main: Box) -> float:
    """How much of the main part a form takes; the rest is for what it comes to."""
    return max(440.0, main.width * 0.52)


def foot_buttons(actions: Sequence[Action], window: Box) -> list[Button]:
    """The foot's buttons, one for each action."""
    boxes = button_row(areas(window)[2], [(action.label, action.cap) for action in actions])
    return [
        Button(box, action.label, action.cap, action.colour, action.enabled)
        for box, action in zip(boxes, actions, strict=True)
    ]


def draw_head(canvas: Canvas, title: str, about: str) -> None:
    shown = canvas.text(title, (margin(canvas.box), head_top(canvas.box)), LARGE, bold=True)
    height = canvas.measure("X", MEDIUM)[1]
    canvas.text(about, (shown.right + 24, shown.bottom - height - 5), MEDIUM, QUIET)


def draw_foot(
    canvas: Canvas, buttons: Sequence[Button], pointer: tuple[float, float], message: str, colour: Colour
) -> None:
    """The buttons, and one sentence above them."""
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))
    row = areas(canvas.box)[2]
    height = canvas.measure("X", SMALL)[1]
    canvas.text(message, (row.x, row.y - STATE / 2 - GRID / 2 - height / 2), SMALL, colour, max_width=row.width)
