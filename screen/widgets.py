"""Widgets that windows share: buttons, the list of keys, verdict badges, messages and progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from data.durations import clock
from screen import fonts
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, Colour

MARGIN, LEAST_MARGIN = 12.0, 6.0
"""Between a button's edge and its caption."""

VERDICT_COLOURS: dict[str, Colour] = {"good": GREEN, "bad": ORANGE, "skip": QUIET}


@dataclass(frozen=True)
class Button:
    """A button that shows the key which does the same."""

    box: Box
    label: str
    key: str
    """The label of the key cap, such as "P" or "Esc"; "" for none."""
    colour: Colour | None = None
    enabled: bool = True
    hint: str = ""
    """Text of its tooltip. A caption that does not fit is its own tooltip."""

    def contains(self, x: float, y: float) -> bool:
        return self.enabled and self.box.contains(x, y)

    def draw(self, canvas: Canvas, hover: bool = False) -> None:
        box = self.box
        canvas.fill(box, LINE if hover and self.enabled else PANEL, radius=6)
        canvas.outline(box, self.colour if self.colour and self.enabled else LINE, radius=6)
        text_colour = (self.colour or TEXT) if self.enabled else QUIET
        cap_width = canvas.key_cap_width(self.key) + GRID if self.key else 0.0
        width, height = canvas.measure(self.label, SMALL)
        # In a tight row the margins shrink before the caption does.
        margin = min(MARGIN, max(LEAST_MARGIN, (box.width - cap_width - width) / 2))
        room = box.width - 2 * margin - cap_width
        canvas.text(self.label, (box.x + margin, box.centre[1] - height / 2), SMALL, text_colour, max_width=room)
        if self.key:
            at = (box.right - margin - cap_width + GRID, box.centre[1] - KEY_CAP_HEIGHT / 2)
            canvas.key_cap(self.key, at, text_colour=TEXT if self.enabled else QUIET)
        if self.hint or width > room:
            canvas.hint(box, self.hint or self.label)


def _button_need(label: str, key: str, margin: float) -> float:
    """Return the width of a button whose caption is not cut, at any scale of the window."""
    text = 1.05 * fonts.measured(label, SMALL, False, False)[0]
    return 2 * margin + text + (GRID + max(KEY_CAP_HEIGHT, 14 + 1.05 * _mono_width(key)) if key else 0.0)


def _mono_width(key: str) -> float:
    return fonts.measured(key, SMALL, True, False)[0]


def fits_in_row(box: Box, labels: Sequence[tuple[str, str]], gap: float = 4) -> bool:
    """Return whether buttons (label, key) have room side by side without cutting a caption."""
    return sum(_button_need(label, key, LEAST_MARGIN) + gap for label, key in labels) - gap <= box.width


def button_row(box: Box, labels: Sequence[tuple[str, str]], gap: float = 8, most: float = 160) -> list[Box]:
    """Return boxes for buttons (label, key) side by side, as wide as their captions need and no wider than ``most``.

    In a tight row their margins and gaps shrink; only then are captions cut.
    """
    needs = [_button_need(label, key, MARGIN) for label, key in labels]
    if sum(needs) + gap * (len(labels) - 1) > box.width:
        needs, gap = [_button_need(label, key, LEAST_MARGIN) for label, key in labels], min(gap, 4.0)
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


KEY_ROW = 36.0
LEAST_KEY_ROW = 26.0
KEYS_WIDTH = 144.0
"""Of the key caps in a list of keys; what they do is to the right of them."""


def _key_list_panel(window: Box, rows: int) -> tuple[Box, int, int]:
    """Return the panel of a list of keys, its number of columns, and the rows in each."""
    columns = 1 if rows <= 10 else 2
    per_column = math.ceil(rows / columns)
    return window.middle(480 * columns + 64, per_column * KEY_ROW + 64 + 96), columns, per_column


def key_list_bottom(window: Box, rows: int) -> Box:
    """Return the lowest line of a list of this many keys, for a window that puts a button there."""
    return _key_list_panel(window, rows)[0].inset(32).bottom_part(KEY_CAP_HEIGHT)


def draw_key_list(canvas: Canvas, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Draw the list of keys over everything else; ``rows`` are (keys, what they do), keys separated by spaces.

    Nothing is cut: a long meaning has two lines, and rows are closer together where there are many.
    """
    canvas.shade(canvas.box, 190)
    panel, columns, per_column = _key_list_panel(canvas.box, len(rows))
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    inner = panel.inset(32)
    canvas.text(title, (inner.x, inner.y - 8), LARGE)
    body = inner.without_top(48).without_bottom(40)
    row_height = max(LEAST_KEY_ROW, min(KEY_ROW, body.height / per_column))
    for column_number, column in enumerate(body.columns(columns, gap=24)):
        for row_number, (keys, meaning) in enumerate(rows[column_number * per_column :][:per_column]):
            _draw_key_row(canvas, column, column.y + row_number * row_height, keys.split(" "), meaning)
    close = canvas.key_cap("F1", (inner.x, inner.bottom - KEY_CAP_HEIGHT), OLIVE)
    height = canvas.measure("closes this list", SMALL)[1]
    at = (close.right + GRID, close.y + (KEY_CAP_HEIGHT - height) / 2)
    canvas.text("closes this list", at, SMALL, QUIET)


def _draw_key_row(canvas: Canvas, column: Box, y: float, keys: Sequence[str], meaning: str) -> None:
    gap = 6.0
    caps = sum(canvas.key_cap_width(key) + gap for key in keys)
    if caps > KEYS_WIDTH:
        gap = 3.0
    x = column.x
    for key in keys:
        x = canvas.key_cap(key, (x, y)).right + gap
    left = max(x + 4, column.x + KEYS_WIDTH)
    lines = canvas.lines(meaning, column.right - left, SMALL)
    height = canvas.measure(meaning, SMALL)[1]
    spacing = height - 4  # two lines are as high as a row
    top = y + (KEY_CAP_HEIGHT - height) / 2 - (len(lines) - 1) * spacing / 2
    for number, line in enumerate(lines):
        canvas.text(line, (left, top + number * spacing), SMALL, max_width=column.right - left)


TOOLTIP_WIDTH = 360.0


def draw_tooltip(canvas: Canvas, text: str, pointer: tuple[float, float]) -> None:
    """Draw a tooltip below the pointer, or above it at the window's lower edge."""
    lines = canvas.lines(text, TOOLTIP_WIDTH, SMALL)
    width = max(canvas.measure(line, SMALL)[0] for line in lines) + 2 * GRID
    height = len(lines) * 20.0 + GRID
    x = max(canvas.box.x, min(pointer[0], canvas.box.right - width - 4))
    y = pointer[1] + 20 if pointer[1] + 20 + height <= canvas.box.bottom else pointer[1] - height - GRID
    panel = Box(x, y, width, height)
    canvas.fill(panel, LINE, radius=4)
    canvas.outline(panel, QUIET, radius=4)
    canvas.paragraph(text, Box(x + GRID, y + 3, TOOLTIP_WIDTH, height), SMALL)


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
