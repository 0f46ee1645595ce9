"""Where things stand in the library's window, and its buttons."""

from __future__ import annotations

from dataclasses import dataclass

from screen.fields import FIELD_HEIGHT
from screen.layout import Box
from screen.theme import ORANGE
from screen.widgets import Button, button_row

MARGIN = 48.0
ROW_HEIGHT = 30.0
FILTERS = ("game", "demonstrator", "player", "best")

COLUMNS: tuple[tuple[str, str, float, bool], ...] = (
    ("recorded", "Recorded", 0.19, False),
    ("game", "Game", 0.16, False),
    ("by", "By", 0.11, False),
    ("player", "Player", 0.15, False),
    ("score", "Score", 0.1, True),
    ("length", "Length", 0.09, True),
    ("verdicts", "Good / bad", 0.11, True),
    ("", "Verified", 0.09, True),
)
"""Of each column: what it sorts by, its head, its share of the width, and whether it ends at the right."""

KEYS = [
    ("↑ ↓", "Choose an episode"),
    ("PgUp PgDn", "A page up, down"),
    ("Enter", "Play it back"),
    ("Space", "Mark it, or not"),
    ("A", "Mark all on show, or none"),
    ("Del", "Throw away: what is marked, or the chosen"),
    ("U", "Take the last throwing away back"),
    ("V", "Verify: what is marked, or the chosen"),
    ("/", "Search: words, or >300 for scores"),
    ("G B P", "Only one game, demonstrator, player"),
    ("X", "Only the best scores"),
    ("C", "No filter"),
    ("O", "Sort by the next column"),
    ("I", "Sort the other way round"),
    ("T", "To the trash, and back"),
    ("F11", "Full screen"),
    ("Esc", "Stop verifying; else back"),
]


@dataclass(frozen=True)
class LibraryLayout:
    """Boxes in design units."""

    title: Box
    search: Box
    filters: tuple[Box, ...]
    """In the order of FILTERS."""
    heads: tuple[Box, ...]
    """In the order of COLUMNS."""
    rows: Box
    state: Box
    buttons: Box


def library_layout(window: Box) -> LibraryLayout:
    inner = Box(window.x + MARGIN, window.y + 40, window.width - 2 * MARGIN, window.height - 40 - 24)
    bar = Box(inner.x, inner.y + 56, inner.width, FIELD_HEIGHT)
    search, *filters = bar.columns(1 + len(FILTERS), gap=8)
    buttons = inner.bottom_part(32)
    state = Box(inner.x, buttons.y - 44, inner.width, 32)
    heads = Box(inner.x, bar.bottom + 12, inner.width, 28)
    rows = Box(inner.x, heads.bottom, inner.width, state.y - 8 - heads.bottom)
    return LibraryLayout(inner.top_part(40), search, tuple(filters), tuple(column_boxes(heads)), rows, state, buttons)


def column_boxes(row: Box) -> list[Box]:
    """The cells of a row, right of the place of its mark and left of the bar."""
    inner = row.without_left(28).without_right(20)
    left, cells = inner.x, []
    for _, _, share, _ in COLUMNS:
        cells.append(Box(left, row.y, inner.width * share, row.height))
        left += inner.width * share
    return cells


def library_buttons(layout: LibraryLayout, in_trash: bool, can_undo: bool, has_rows: bool) -> dict[str, Button]:
    """The buttons at the foot, by the key that does the same."""
    labels: list[tuple[str, str, str, bool]] = [
        ("return", "Play", "Enter", has_rows),
        ("space", "Mark", "Space", has_rows),
        ("r", "Restore", "R", has_rows) if in_trash else ("delete", "Delete", "Del", has_rows),
        ("e", "Empty", "E", has_rows) if in_trash else ("u", "Undo", "U", can_undo),
        ("v", "Verify", "V", has_rows),
        ("t", "Library" if in_trash else "Trash", "T", True),
        ("f1", "All keys", "F1", True),
        ("escape", "Back", "Esc", True),
    ]
    boxes = button_row(layout.buttons, [(label, cap) for _, label, cap, _ in labels])
    return {
        name: Button(box, label, cap, ORANGE if name == "e" else None, enabled)
        for box, (name, label, cap, enabled) in zip(boxes, labels, strict=True)
    }
