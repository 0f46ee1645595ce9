"""The action bar at the bottom of a window, and the boxes of a window with a list, a main part and an action bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, MEDIUM, QUIET, SMALL, Colour
from screen.widgets import Button, button_row, fits_in_row

LIST_WIDTH = 264.0
HEADING_HEIGHT, BAR_HEIGHT, MESSAGE_HEIGHT = 56.0, 56.0, 32.0
"""Of the heading, of the buttons with the margin below them, and of the line of text above them."""


def margin(window: Box) -> float:
    """Return the width of the side margins: half as wide in a narrow window."""
    return 48.0 if window.width >= 1200 else 24.0


def heading_top(window: Box) -> float:
    """Return the y at which a heading starts."""
    return window.y + (40.0 if window.height >= 720 else 16.0)


@dataclass(frozen=True)
class Action:
    """A button of the action bar: its label, its key and what it does."""

    label: str
    cap: str
    key: str
    act: Callable[[], None]
    colour: Colour | None = None
    enabled: bool = True


def areas(window: Box) -> tuple[Box, Box, Box]:
    """Return the boxes of the list, the main part and the row of buttons."""
    side, top = margin(window), heading_top(window) + HEADING_HEIGHT
    body = Box(window.x + side, top, window.width - 2 * side, window.bottom - BAR_HEIGHT - MESSAGE_HEIGHT - GRID - top)
    buttons = Box(body.x, window.bottom - BAR_HEIGHT, body.width, 32)
    return body.left_part(LIST_WIDTH), body.without_left(LIST_WIDTH + 2 * GRID), buttons


def form_width(main: Box) -> float:
    """Return how much of the main part a form takes; the rest shows the result of its settings."""
    return max(440.0, main.width * 0.52)


def fitting_actions(actions: Sequence[Action], window: Box) -> list[Action]:
    """Return the actions that have a button: in a bar too narrow for all, only those that are possible now."""
    fits = fits_in_row(areas(window)[2], [(action.label, action.cap) for action in actions])
    return [action for action in actions if fits or action.enabled]


def action_buttons(actions: Sequence[Action], window: Box) -> list[Button]:
    """Return the buttons of the action bar, one for each action."""
    boxes = button_row(areas(window)[2], [(action.label, action.cap) for action in actions])
    return [
        Button(box, action.label, action.cap, action.colour, action.enabled)
        for box, action in zip(boxes, actions, strict=True)
    ]


def draw_heading(canvas: Canvas, title: str, about: str) -> None:
    shown = canvas.text(title, (margin(canvas.box), heading_top(canvas.box)), LARGE, bold=True)
    height = canvas.measure("X", MEDIUM)[1]
    canvas.text(about, (shown.right + 24, shown.bottom - height - 5), MEDIUM, QUIET)


def draw_action_bar(
    canvas: Canvas, buttons: Sequence[Button], pointer: tuple[float, float], message: str, colour: Colour
) -> None:
    """Draw the buttons, and one line of text above them."""
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))
    row = areas(canvas.box)[2]
    height = canvas.measure("X", SMALL)[1]
    canvas.text(
        message, (row.x, row.y - MESSAGE_HEIGHT / 2 - GRID / 2 - height / 2), SMALL, colour, max_width=row.width
    )
