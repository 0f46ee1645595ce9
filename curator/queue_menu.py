"""The list of queues that opens over the curator's window: what each shows, and how many clips wait in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from curator.queued_clips import QueuedClip
from curator.queues import WaitingQueue, queue_kind, queue_title
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL, TEXT

ROW_HEIGHT = 44.0
WIDTH = 800.0


class Queues(Protocol):
    """The queues that the curator can choose from (see ``QueueSource``)."""

    def names(self, current: str) -> list[str]: ...

    def why_not(self, name: str) -> str: ...

    def count(self, name: str) -> int | None: ...

    def build(self, name: str) -> list[QueuedClip] | None: ...

    def following(self, done: str) -> WaitingQueue | None: ...


@dataclass(frozen=True)
class QueueRow:
    """One queue in the list."""

    queue: str
    why_not: str = ""
    """Why it cannot be chosen; empty where it can."""
    count: int | None = None
    """Clips that wait; None while they are not counted, or cannot be."""
    counted: bool = False


@dataclass(frozen=True)
class QueueMenu:
    """The rows of the list and the selected one."""

    rows: tuple[QueueRow, ...]
    chosen: int

    @classmethod
    def of(cls, queues: Sequence[str], current: str, why_not: Callable[[str], str]) -> QueueMenu:
        """Return the list of these queues with the current one selected."""
        return cls(tuple(QueueRow(queue, why_not(queue)) for queue in queues), list(queues).index(current))

    def moved(self, key: str) -> QueueMenu:
        """Return the list with another row selected by an arrow key, Home or End."""
        last = len(self.rows) - 1
        to = {"up": self.chosen - 1, "down": self.chosen + 1, "home": 0, "end": last}.get(key, self.chosen)
        return replace(self, chosen=min(max(to, 0), last))

    def count_next(self, count: Callable[[str], int | None]) -> QueueMenu:
        """Return the list with one more queue counted, so that a large library does not delay its opening."""
        rows = list(self.rows)
        for place, row in enumerate(rows):
            if not row.counted:
                rows[place] = replace(row, count=None if row.why_not else count(row.queue), counted=True)
                break
        return replace(self, rows=tuple(rows))

    @property
    def all_counted(self) -> bool:
        return all(row.counted for row in self.rows)


def queue_menu_panel(window: Box, rows: int) -> Box:
    """Return the panel of the list."""
    return window.middle(WIDTH, 72 + rows * ROW_HEIGHT + 56)


def queue_menu_rows(window: Box, rows: int) -> list[Box]:
    """Return the boxes of the rows."""
    body = queue_menu_panel(window, rows).inset(GRID * 2).without_top(52)
    return [Box(body.x, body.y + place * ROW_HEIGHT, body.width, ROW_HEIGHT - 4) for place in range(rows)]


def draw_queue_menu(canvas: Canvas, menu: QueueMenu, pointer: tuple[float, float]) -> None:
    """Draw the list over everything else."""
    canvas.shade(canvas.box, 190)
    panel = queue_menu_panel(canvas.box, len(menu.rows))
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    canvas.text("Choose a queue", (panel.x + 28, panel.y + 12), LARGE)
    for place, (box, row) in enumerate(zip(queue_menu_rows(canvas.box, len(menu.rows)), menu.rows, strict=True)):
        _draw_row(canvas, box, row, place, place == menu.chosen, box.contains(*pointer))
    x, y = panel.x + 28, panel.bottom - 16 - KEY_CAP_HEIGHT
    for keys, meaning in ((("↑", "↓"), "select"), (("Enter",), "open"), (("Esc",), "close")):
        for key in keys:
            x = canvas.key_cap(key, (x, y)).right + 4
        height = canvas.measure(meaning, SMALL)[1]
        x = canvas.text(meaning, (x + 4, y + (KEY_CAP_HEIGHT - height) / 2), SMALL, QUIET).right + 20


def _draw_row(canvas: Canvas, box: Box, row: QueueRow, place: int, is_chosen: bool, hover: bool) -> None:
    if is_chosen or hover:
        canvas.fill(box, LINE, radius=6)
    if is_chosen:
        canvas.outline(box, OLIVE, radius=6)
    can_open = not row.why_not
    inner = Box(box.x + 12, box.y, box.width - 24, box.height)
    canvas.text(str(place + 1), (inner.x, _top(canvas, inner, SMALL)), SMALL, QUIET, mono=True)
    count = "" if row.count is None else str(row.count)
    if not row.counted:
        count = "…"
    colour = TEXT if can_open and row.count != 0 else QUIET
    canvas.text(count, (inner.right, _top(canvas, inner, MEDIUM)), MEDIUM, colour, mono=True, align="right")
    title = canvas.text(
        queue_title(row.queue), (inner.x + 24, _top(canvas, inner, MEDIUM)), MEDIUM, colour, max_width=340
    )
    left = max(title.right + 16, inner.x + 264)
    about = row.why_not or queue_kind(row.queue).shows
    canvas.text(about, (left, _top(canvas, inner, SMALL)), SMALL, QUIET, max_width=inner.right - 56 - left)


def _top(canvas: Canvas, box: Box, size: int) -> float:
    return box.centre[1] - canvas.measure("X", size)[1] / 2
