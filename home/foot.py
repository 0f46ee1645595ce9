"""The foot of a window: what can be done now, as buttons with their keys; and where list, main part and foot stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, QUIET, SMALL, Colour
from screen.widgets import Button

MARGIN = 24.0
LIST_WIDTH = 264.0


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
    """The list, the main part and the foot."""
    body = Box(window.x + MARGIN, window.y + 64, window.width - 2 * MARGIN, window.height - 64 - 64)
    return body.left_part(LIST_WIDTH), body.without_left(LIST_WIDTH + 2 * GRID), window.bottom_part(56)


def form_width(main: Box) -> float:
    """How much of the main part a form takes; the rest is for what it comes to."""
    return max(440.0, main.width * 0.52)


def foot_buttons(actions: Sequence[Action], window: Box) -> list[Button]:
    """The foot's buttons, one for each action."""
    foot = areas(window)[2].inset(MARGIN - GRID)
    x, made = window.x + MARGIN, []
    for action in actions:
        width = 68.0 + 8.4 * len(action.label) + 6 * len(action.cap)
        made.append(Button(Box(x, foot.y - 12, width, 36), action.label, action.cap, action.colour, action.enabled))
        x += width + GRID
    return made


def draw_head(canvas: Canvas, title: str, about: str) -> None:
    shown = canvas.text(title, (MARGIN, 14), LARGE, bold=True)
    canvas.text(about, (shown.right + 2 * GRID, 28), SMALL, QUIET)
    words = canvas.text("all keys", (canvas.box.right - MARGIN, 28), SMALL, QUIET, align="right")
    canvas.key_cap("F1", (words.x - GRID - canvas.key_cap_width("F1"), 25))


def draw_foot(
    canvas: Canvas, buttons: Sequence[Button], pointer: tuple[float, float], message: str, colour: Colour
) -> None:
    """The buttons, and one sentence beside them."""
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))
    x = buttons[-1].box.right + 2 * GRID
    top = buttons[-1].box.centre[1] - canvas.measure("X", SMALL)[1] / 2
    canvas.text(message, (x, top), SMALL, colour, max_width=canvas.box.right - MARGIN - x)
