"""The layout, buttons, keys and drawing of the library window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.durations import clock
from data.game_names import display_name
from home.action_bar import margin
from home.library_controller import LibraryController
from home.library_rows import FILTERS, EpisodeRow
from screen.canvas import Canvas
from screen.fields import FIELD_HEIGHT, Choice
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button, button_row, draw_progress

ROW_HEIGHT = 30.0

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
"""For each column: what it sorts by, heading, share of the width, and whether it is aligned at the right."""

KEYS = [
    ("↑ ↓", "Select an episode"),
    ("PgUp PgDn", "A page up, down"),
    ("Enter", "Play it back"),
    ("Space", "Mark or unmark it"),
    ("A", "Mark or unmark all"),
    ("Del", "Delete the marked or the selected episode"),
    ("U", "Undo the last deletion"),
    ("V", "Verify the marked or the selected episode"),
    ("L", "Add the marked or the selected episode to a training"),
    ("/", "Search: words, or >300 for scores"),
    ("G B P", "Only one game, demonstrator, player"),
    ("X", "Only the best scores"),
    ("C", "Clear the filters"),
    ("O", "Sort by the next column"),
    ("I", "Reverse the order"),
    ("T", "Switch to the trash or back"),
    ("F11", "Full screen"),
    ("Esc", "Stop verifying, or back"),
]
TRASH_KEYS = [
    *(row for row in KEYS[: KEYS.index(("A", "Mark or unmark all")) + 1]),
    ("R", "Restore the marked or the selected episode"),
    ("E", "Empty the trash"),
    *(row for row in KEYS if row[0] in ("V", "/", "G B P", "X", "C", "O", "I", "T", "F11", "Esc")),
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
    side = margin(window)
    inner = Box(window.x + side, window.y + 40, window.width - 2 * side, window.height - 40 - 24)
    bar = Box(inner.x, inner.y + 56, inner.width, FIELD_HEIGHT)
    search, *filters = bar.columns(1 + len(FILTERS), gap=8)
    buttons = inner.bottom_part(32)
    state = Box(inner.x, buttons.y - 44, inner.width, 32)
    heads = Box(inner.x, bar.bottom + 12, inner.width, 28)
    rows = Box(inner.x, heads.bottom, inner.width, state.y - 8 - heads.bottom)
    return LibraryLayout(inner.top_part(40), search, tuple(filters), tuple(column_boxes(heads)), rows, state, buttons)


def column_boxes(row: Box) -> list[Box]:
    """Return the cells of a row, between its mark and the scroll bar."""
    inner = row.without_left(28).without_right(20)
    left, cells = inner.x, []
    for _, _, share, _ in COLUMNS:
        cells.append(Box(left, row.y, inner.width * share, row.height))
        left += inner.width * share
    return cells


def library_buttons(
    layout: LibraryLayout, in_trash: bool, can_undo: bool, has_rows: bool, runs: int = 0
) -> dict[str, Button]:
    """Return the buttons, by the key that does the same. runs: number of runs in the trash."""
    labels: list[tuple[str, str, str, bool]] = [
        ("return", "Play", "Enter", has_rows),
        ("space", "Mark", "Space", has_rows),
        ("r", "Restore", "R", has_rows) if in_trash else ("delete", "Delete", "Del", has_rows),
        *([("e", "Empty", "E", has_rows or bool(runs))] if in_trash else []),
        ("v", "Verify", "V", has_rows),
        *([] if in_trash else [("l", "To training", "L", has_rows)]),
        ("t", "Library" if in_trash else "Trash", "T", True),
        ("f1", "All keys", "F1", True),
        ("escape", "Back", "Esc", True),
        # Last, and only where there is something to undo, so that the others have room and keep their places.
        *([("u", "Undo", "U", True)] if can_undo and not in_trash else []),
    ]
    boxes = button_row(layout.buttons, [(label, cap) for _, label, cap, _ in labels])
    return {
        name: Button(box, label, cap, ORANGE if name == "e" else None, enabled)
        for box, (name, label, cap, enabled) in zip(boxes, labels, strict=True)
    }


FILTER_KEYS = {"game": "G", "demonstrator": "B", "player": "P", "best": "X"}


def draw_library(
    canvas: Canvas,
    layout: LibraryLayout,
    library: LibraryController,
    buttons: dict[str, Button],
    pointer: tuple[float, float],
    searching: bool,
) -> None:
    canvas.fill(canvas.box, GROUND)
    title = canvas.text("Trash" if library.in_trash else "Library", (layout.title.x, layout.title.y), LARGE, bold=True)
    height = canvas.measure("X", MEDIUM)[1]
    at = (title.right + 24, title.bottom - height - 5)
    canvas.text(library.summary, at, MEDIUM, QUIET, max_width=layout.title.right - at[0] - 200)
    if library.trash_count and not library.in_trash:
        in_trash = f"{library.trash_count:,} in the trash"
        canvas.text(in_trash, (layout.title.right, at[1] + 3), SMALL, QUIET, align="right")
    elif library.is_read_only:
        canvas.text("read-only", (layout.title.right, at[1] + 3), SMALL, OLIVE, align="right")
    library.search.draw(canvas, layout.search, searching, "Search, or >300", key="/")
    for name, box in zip(FILTERS, layout.filters, strict=True):
        choice = library.filters[name]
        shown = Choice([display_name(value) for value in choice.values], choice.at) if name == "game" else choice
        shown.draw(canvas, box, active=choice.at != 0, key=FILTER_KEYS[name], hover=box.contains(*pointer))
    _draw_headings(canvas, layout, library, pointer)
    for number, box in library.list.rows():
        _draw_row(canvas, box, library, library.rows[number], number == library.list.chosen, box.contains(*pointer))
    library.list.draw_bar(canvas)
    if library.is_loaded and not library.rows:
        _draw_nothing(canvas, layout.rows, library)
    _draw_state(canvas, layout.state, library)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*pointer))


def _draw_headings(
    canvas: Canvas, layout: LibraryLayout, library: LibraryController, pointer: tuple[float, float]
) -> None:
    for (by, head, _, at_right), box in zip(COLUMNS, layout.heads, strict=True):
        sorts = by == library.order.by and by != ""
        colour = OLIVE if sorts else TEXT if by and box.contains(*pointer) else QUIET
        shown = canvas.text(
            head, (box.right if at_right else box.x, box.y + 4), SMALL, colour, align="right" if at_right else "left"
        )
        if sorts:
            x, y = (shown.x - 10 if at_right else shown.right + 10), shown.centre[1]
            tip = 4 if library.order.descending else -4
            canvas.polygon([(x - 4, y - tip / 2), (x + 4, y - tip / 2), (x, y + tip)], OLIVE)
    line = layout.heads[0].bottom - 1
    canvas.line((layout.rows.x, line), (layout.rows.right, line), LINE)


def _draw_row(canvas: Canvas, box: Box, library: LibraryController, row: EpisodeRow, chosen: bool, hover: bool) -> None:
    if chosen or hover:
        canvas.fill(box, PANEL, radius=6)
    if chosen:
        canvas.fill(Box(box.x, box.y + 5, 3, box.height - 10), OLIVE)
    y = box.centre[1] - canvas.measure("X", SMALL)[1] / 2
    mark = Box(box.x + 9, box.centre[1] - 6, 12, 12)
    if row.episode_id in library.marked:
        canvas.fill(mark, OLIVE, radius=3)
    elif chosen or hover:
        canvas.outline(mark, QUIET, radius=3)
    # With or without a scroll bar, cells are below their headings.
    cells = column_boxes(Box(box.x, box.y, library.list.box.width, box.height))
    if row.problem:
        canvas.text(row.episode_id, (cells[0].x, y), SMALL, ORANGE, max_width=cells[2].right - cells[0].x - 8)
        problem = row.problem.removeprefix(f"{Path(row.path).name} ")  # the name is beside it
        canvas.text(problem, (cells[3].x, y), SMALL, ORANGE, max_width=box.right - cells[3].x)
        return
    answer = library.answers.get(row.episode_id)
    verified = "" if answer is None else "yes" if answer.ok else "failed"
    length = clock(int(row.seconds))
    verdicts = f"{row.good} / {row.bad}" if row.good or row.bad else ""
    values = (
        (row.created[:16].replace("T", " "), QUIET, True),
        (display_name(row.game), TEXT, False),
        (row.demonstrator, TEXT, False),
        (row.player, TEXT, False),
        (f"{row.score:g}", WHITE, True),
        (length, QUIET, True),
        (verdicts, TEXT, True),
        (verified, GREEN if verified == "yes" else ORANGE, False),
    )
    for (value, colour, mono), cell, (_, _, _, at_right) in zip(values, cells, COLUMNS, strict=True):
        at = (cell.right if at_right else cell.x, y)
        room = cell.width - 12
        canvas.text(value, at, SMALL, colour, mono=mono, align="right" if at_right else "left", max_width=room)


def _draw_nothing(canvas: Canvas, box: Box, library: LibraryController) -> None:
    if library.all_rows:
        words = "No episode matches. Press C to clear the filters."
    elif library.in_trash:
        runs = library.trash_words if library.trashed_runs else ""
        words = f"No episodes. The trash contains {runs}." if runs else "The trash is empty."
    else:
        words = "No episodes yet. Press Esc, then P to play one."
    canvas.text(words, (box.x + 28, box.y + 24), MEDIUM)


def _draw_state(canvas: Canvas, box: Box, library: LibraryController) -> None:
    if library.verifying is not None:
        work, rows = library.verifying.work, library.verifying.rows
        doing = "Verifying; Esc stops"
        if len(rows) > 1:
            doing = f"Verifying {library.verifying.now + 1:,} of {len(rows):,}; Esc stops"
        draw_progress(canvas, box, doing, work.done_parts, work.total_parts, work.seconds)
    elif library.adding is not None:
        y = box.centre[1] - canvas.measure("X", SMALL)[1] / 2
        canvas.text("Adding to the training …", (box.x, y), SMALL, QUIET, max_width=box.width)
    elif library.message:
        y = box.centre[1] - canvas.measure("X", SMALL)[1] / 2
        canvas.text(library.message, (box.x, y), SMALL, ORANGE if library.is_trouble else GREEN, max_width=box.width)
