"""What is drawn over the curator's window, or before it: the note's field, and the wait for the first clip."""

from __future__ import annotations

from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL


def draw_note_field(canvas: Canvas, text: str) -> None:
    """The field in which a note is written, over everything else."""
    canvas.shade(canvas.box, 150)
    panel = canvas.box.middle(560, 168)
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    inner = panel.inset(24)
    canvas.text("A note on this clip", (inner.x, inner.y - 6), MEDIUM)
    field = Box(inner.x, inner.y + 32, inner.width, 40)
    canvas.fill(field, GROUND, radius=4)
    canvas.outline(field, OLIVE, radius=4)
    shown = text
    while shown and canvas.measure(shown + "_", MEDIUM)[0] > field.width - 20:
        shown = shown[1:]
    end = canvas.text(shown, (field.x + 10, field.y + 7), MEDIUM).right if shown else field.x + 10
    canvas.line((end + 2, field.y + 8), (end + 2, field.bottom - 8), OLIVE, 2)
    y = inner.bottom - KEY_CAP_HEIGHT
    x = inner.x
    for key, meaning in (("Enter", "keeps it with your verdict"), ("Esc", "forgets it")):
        x = canvas.key_cap(key, (x, y)).right + GRID
        height = canvas.measure(meaning, SMALL)[1]
        x = canvas.text(meaning, (x, y + (KEY_CAP_HEIGHT - height) / 2), SMALL, QUIET).right + 20


def draw_loading(canvas: Canvas, doing: str, done: int, total: int) -> None:
    """While something takes a moment before the first clip."""
    canvas.fill(canvas.box, GROUND)
    room = canvas.box.middle(480, 80)
    canvas.text(doing, (room.x, room.y), MEDIUM)
    canvas.bar(Box(room.x, room.y + 36, room.width, 8), done / max(1, total), GREEN)
    canvas.text(f"{done} of {total}", (room.x, room.y + 52), SMALL, QUIET, mono=True)
