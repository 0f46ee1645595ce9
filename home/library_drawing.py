"""How the library's window looks."""

from __future__ import annotations

from pathlib import Path

from data.game_picture import display_name
from home.library_desk import LibraryDesk
from home.library_layout import COLUMNS, FILTERS, LibraryLayout, column_boxes
from home.library_rows import EpisodeRow
from screen.canvas import Canvas
from screen.fields import Choice
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button, draw_progress

FILTER_KEYS = {"game": "G", "demonstrator": "B", "player": "P", "best": "X"}


def draw_library(
    canvas: Canvas,
    layout: LibraryLayout,
    desk: LibraryDesk,
    buttons: dict[str, Button],
    pointer: tuple[float, float],
    searching: bool,
) -> None:
    canvas.fill(canvas.box, GROUND)
    title = canvas.text("Trash" if desk.in_trash else "Library", (layout.title.x, layout.title.y), LARGE, bold=True)
    height = canvas.measure("X", MEDIUM)[1]
    at = (title.right + 24, title.bottom - height - 5)
    canvas.text(desk.summary, at, MEDIUM, QUIET, max_width=layout.title.right - at[0] - 200)
    if desk.trash_count and not desk.in_trash:
        waste = f"{desk.trash_count:,} in the trash"
        canvas.text(waste, (layout.title.right, at[1] + 3), SMALL, QUIET, align="right")
    desk.search.draw(canvas, layout.search, searching, "Search, or >300", key="/")
    for name, box in zip(FILTERS, layout.filters, strict=True):
        choice = desk.filters[name]
        shown = Choice([display_name(value) for value in choice.values], choice.at) if name == "game" else choice
        shown.draw(canvas, box, active=choice.at != 0, key=FILTER_KEYS[name], hover=box.contains(*pointer))
    _draw_heads(canvas, layout, desk, pointer)
    for number, box in desk.list.rows():
        _draw_row(canvas, box, desk, desk.rows[number], number == desk.list.chosen, box.contains(*pointer))
    desk.list.draw_bar(canvas)
    if desk.is_loaded and not desk.rows:
        _draw_nothing(canvas, layout.rows, desk)
    _draw_state(canvas, layout.state, desk)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*pointer))


def _draw_heads(canvas: Canvas, layout: LibraryLayout, desk: LibraryDesk, pointer: tuple[float, float]) -> None:
    for (by, head, _, at_right), box in zip(COLUMNS, layout.heads, strict=True):
        sorts = by == desk.order.by and by != ""
        colour = OLIVE if sorts else TEXT if by and box.contains(*pointer) else QUIET
        shown = canvas.text(
            head, (box.right if at_right else box.x, box.y + 4), SMALL, colour, align="right" if at_right else "left"
        )
        if sorts:
            x, y = (shown.x - 10 if at_right else shown.right + 10), shown.centre[1]
            tip = 4 if desk.order.falls else -4
            canvas.polygon([(x - 4, y - tip / 2), (x + 4, y - tip / 2), (x, y + tip)], OLIVE)
    line = layout.heads[0].bottom - 1
    canvas.line((layout.rows.x, line), (layout.rows.right, line), LINE)


def _draw_row(canvas: Canvas, box: Box, desk: LibraryDesk, row: EpisodeRow, chosen: bool, hover: bool) -> None:
    if chosen or hover:
        canvas.fill(box, PANEL, radius=6)
    if chosen:
        canvas.fill(Box(box.x, box.y + 5, 3, box.height - 10), OLIVE)
    y = box.centre[1] - canvas.measure("X", SMALL)[1] / 2
    mark = Box(box.x + 9, box.centre[1] - 6, 12, 12)
    if row.episode_id in desk.marked:
        canvas.fill(mark, OLIVE, radius=3)
    elif chosen or hover:
        canvas.outline(mark, QUIET, radius=3)
    # The bar may be there or not: columns stand under their heads all the same.
    cells = column_boxes(Box(box.x, box.y, desk.list.box.width, box.height))
    if row.problem:
        canvas.text(row.episode_id, (cells[0].x, y), SMALL, ORANGE, max_width=cells[2].right - cells[0].x - 8)
        problem = row.problem.removeprefix(f"{Path(row.path).name} ")  # the name stands beside it
        canvas.text(problem, (cells[3].x, y), SMALL, ORANGE, max_width=box.right - cells[3].x)
        return
    answer = desk.answers.get(row.episode_id)
    verified = "" if answer is None else "true" if answer.ok else "false"
    length = f"{int(row.seconds) // 60}:{int(row.seconds) % 60:02}"
    verdicts = f"{row.good} / {row.bad}" if row.good or row.bad else ""
    values = (
        (row.created[:16].replace("T", " "), QUIET, True),
        (display_name(row.game), TEXT, False),
        (row.demonstrator, TEXT, False),
        (row.player, TEXT, False),
        (f"{row.score:g}", WHITE, True),
        (length, QUIET, True),
        (verdicts, TEXT, True),
        (verified, GREEN if verified == "true" else ORANGE, False),
    )
    for (value, colour, mono), cell, (_, _, _, at_right) in zip(values, cells, COLUMNS, strict=True):
        at = (cell.right if at_right else cell.x, y)
        room = cell.width - 12
        canvas.text(value, at, SMALL, colour, mono=mono, align="right" if at_right else "left", max_width=room)


def _draw_nothing(canvas: Canvas, box: Box, desk: LibraryDesk) -> None:
    if desk.all_rows:
        words = "No episode fits. Press C for no filter."
    elif desk.in_trash:
        words = "Nothing was thrown away."
    else:
        words = "No episodes yet. Press Esc, then P to play one."
    canvas.text(words, (box.x + 28, box.y + 24), MEDIUM)


def _draw_state(canvas: Canvas, box: Box, desk: LibraryDesk) -> None:
    if desk.verifying is not None:
        work, rows = desk.verifying.work, desk.verifying.rows
        doing = "Verifying; Esc stops"
        if len(rows) > 1:
            doing = f"Verifying {desk.verifying.now + 1:,} of {len(rows):,}; Esc stops"
        draw_progress(canvas, box, doing, work.done_parts, work.total_parts, work.seconds)
    elif desk.message:
        y = box.centre[1] - canvas.measure("X", SMALL)[1] / 2
        canvas.text(desk.message, (box.x, y), SMALL, ORANGE if desk.is_trouble else GREEN, max_width=box.width)
