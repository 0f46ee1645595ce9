"""Widgets that windows share: buttons, the list of keys, verdict badges, messages and progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from data.durations import clock
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, Colour

VERDICT_COLOURS: dict[str, Colour] = {"good": GREEN, "bad": ORANGE, "skip": QUIET}


@dataclass(frozen=True)
class Button:
    """A button that shows the key which does the same."""

    box: Box
    label: str
    key: str
    """The label of the key cap, such as "P" or "Esc"; empty for none."""
    colour: Colour | None = None
    enabled: bool = True

    def contains(self, x: float, y: float) -> bool:
        return self.enabled and self.box.contains(x, y)

    def draw(self, canvas: Canvas, hover: bool = False) -> None:
        box = self.box
        canvas.fill(box, LINE if hover and self.enabled else PANEL, radius=6)
        canvas.outline(box, self.colour if self.colour and self.enabled else LINE, radius=6)
        text_colour = (self.colour or TEXT) if self.enabled else QUIET
        cap_width = canvas.key_cap_width(self.key) + GRID if self.key else 0.0
        room = box.width - 2 * 12 - cap_width
        height = canvas.measure(self.label, SMALL)[1]
        canvas.text(self.label, (box.x + 12, box.centre[1] - height / 2), SMALL, text_colour, max_width=room)
        if self.key:
            canvas.key_cap(self.key, (box.right - 12 - cap_width + GRID, box.centre[1] - KEY_CAP_HEIGHT / 2))


def button_row(box: Box, labels: Sequence[tuple[str, str]], gap: float = 8, most: float = 160) -> list[Box]:
    """Return boxes for buttons (label, key) side by side, as wide as the text needs and no wider than ``most``."""
    needs = [34 + 8 * len(label) + (22 + 8.4 * len(key) if key else 0) for label, key in labels]
    stretch = (box.width - gap * (len(labels) - 1)) / sum(needs)
    boxes, left = [], box.x
    for need in needs:
        width = min(need * stretch, max(most, need))
        boxes.append(Box(left, box.y, width, box.height))
        left += width + gap
    return boxes


def draw_verdict(canvas: Canvas, verdict: str, at: tuple[float, float], size: float = 20) -> Box:
    """Draw a verdict's badge; ``at`` is its top left corner. Returns its box.

    good: a green circle with G; bad: an orange diamond with B; skip: a gray square with S.
    """
    box = Box(at[0], at[1], size, size)
    x, y = box.centre
    colour = VERDICT_COLOURS[verdict]
    if verdict == "good":
        canvas.circle((x, y), size / 2, colour)
    elif verdict == "bad":
        reach = size * 0.58
        canvas.polygon([(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y)], colour)
    else:
        canvas.fill(box.inset(size * 0.06), colour, radius=size * 0.12)
    letter = verdict[0].upper()
    text_size = max(8, round(size * 0.6))
    height = canvas.measure(letter, text_size, bold=True)[1]
    canvas.text(letter, (x, y - height / 2), text_size, GROUND, bold=True, align="centre")
    return box


def _key_list_panel(window: Box, rows: int) -> tuple[Box, int, int]:
    """Return the panel of a list of keys, its number of columns, and the rows in each."""
    columns = 1 if rows <= 10 else 2
    per_column = math.ceil(rows / columns)
    return window.middle(440 * columns + 64, per_column * 36 + 64 + 96), columns, per_column


def key_list_bottom(window: Box, rows: int) -> Box:
    """Return the lowest line of a list of so many keys, for a window that puts a button there."""
    return _key_list_panel(window, rows)[0].inset(32).bottom_part(KEY_CAP_HEIGHT)


def draw_key_list(canvas: Canvas, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Draw the list of keys over everything else; ``rows`` are (keys, what they do), keys separated by spaces."""
    canvas.shade(canvas.box, 190)
    panel, columns, per_column = _key_list_panel(canvas.box, len(rows))
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    inner = panel.inset(32)
    canvas.text(title, (inner.x, inner.y), LARGE)
    row_height = min(36.0, (inner.height - 96) / per_column)
    for column_number, column in enumerate(inner.without_top(64).columns(columns, gap=24)):
        for row_number, (keys, meaning) in enumerate(rows[column_number * per_column :][:per_column]):
            y = column.y + row_number * row_height
            x = column.x
            for key in keys.split(" "):
                x = canvas.key_cap(key, (x, y)).right + 6
            left = max(x + 6, column.x + 144)
            height = canvas.measure(meaning, SMALL)[1]
            canvas.text(meaning, (left, y + (KEY_CAP_HEIGHT - height) / 2), SMALL, max_width=column.right - left)
    close = canvas.key_cap("F1", (inner.x, inner.bottom - KEY_CAP_HEIGHT), OLIVE)
    height = canvas.measure("closes this list", SMALL)[1]
    at = (close.right + GRID, close.y + (KEY_CAP_HEIGHT - height) / 2)
    canvas.text("closes this list", at, SMALL, QUIET)


def message_buttons(canvas: Canvas, labels: Sequence[tuple[str, str, Colour | None]]) -> list[Button]:
    """Return buttons (label, key, colour) where ``draw_message`` draws them."""
    panel = _message_panel(canvas)
    row = panel.inset(32).bottom_part(44)
    return [
        Button(box, label, key, colour)
        for box, (label, key, colour) in zip(row.columns(len(labels), 16), labels, strict=True)
    ]


def _message_panel(canvas: Canvas) -> Box:
    return canvas.box.middle(560, 248)


def draw_message(
    canvas: Canvas, title: str, text: str, buttons: Sequence[Button], pointer: tuple[float, float] = (-1, -1)
) -> None:
    """Draw a centred panel with a title, a text and buttons (made by ``message_buttons``)."""
    canvas.shade(canvas.box, 150)
    panel = _message_panel(canvas)
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    inner = panel.inset(32)
    canvas.text(title, (inner.x, inner.y - 8), LARGE, max_width=inner.width)
    canvas.paragraph(text, inner.without_top(48), MEDIUM, QUIET)
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))


def draw_progress(canvas: Canvas, box: Box, doing: str, done: float, total: float, seconds: float) -> None:
    """Draw the progress of long work: what it is, a bar, a percentage, and the time left.

    done and total: parts; ``total`` 0 while it is unknown. seconds: how long the work has run.
    """
    share = done / total if total else 0.0
    words = f"{share:.0%}" if total else ""
    if share and seconds > 1:
        words += f"   {clock(seconds * (1 - share) / share)} left"
    height = canvas.measure("X", SMALL)[1]
    top = box.centre[1] - height - 3
    right = canvas.text(words, (box.right, top), SMALL, QUIET, mono=True, align="right").x if words else box.right
    canvas.text(doing, (box.x, top), SMALL, max_width=right - box.x - GRID)
    canvas.bar(Box(box.x, box.centre[1] + 5, box.width, 6), share, GREEN)
