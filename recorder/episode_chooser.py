"""The list of unfinished episodes, from which one is chosen to be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from data.durations import frame_clock
from data.episode import EpisodeSummary
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, LARGE, LINE, MEDIUM, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button


class EpisodeChooser:
    """Takes keys and clicks until an episode is chosen (``answer``) or the list is closed (None)."""

    def __init__(self, episodes: Sequence[EpisodeSummary]) -> None:
        """``episodes``: newest first."""
        self._episodes = list(episodes)
        self._list = ListView(40.0)
        self._back_box = Box(0, 0, 0, 0)
        self.pointer = (-1.0, -1.0)
        self.done = False
        self.answer: EpisodeSummary | None = None

    def key_down(self, key: str) -> None:
        if key in ("escape", "o"):
            self.done = True
        elif key == "return":
            self._choose(self._list.chosen)
        else:
            self._list.press(key)

    def click(self, x: float, y: float) -> None:
        """Choose the row that is clicked, or close the list by its button."""
        if self._back_box.contains(x, y):
            self.done = True
        row = self._list.row_at(x, y)
        if row is not None:
            self._choose(row)

    def wheel(self, dy: int) -> None:
        self._list.wheel(dy)

    def _choose(self, row: int) -> None:
        self.done = True
        self.answer = self._episodes[row] if row < len(self._episodes) else None

    def draw(self, canvas: Canvas) -> None:
        canvas.shade(canvas.box, 190)
        panel = canvas.box.middle(720, 480)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, LINE, radius=10)
        inner = panel.inset(32)
        canvas.text("Unfinished episodes", (inner.x, inner.y - 8), LARGE)
        self._back_box = Box(inner.right - 128, inner.y - 8, 128, 32)
        Button(self._back_box, "Back", "Esc").draw(canvas, hover=self._back_box.contains(*self.pointer))
        rows = inner.without_top(56).without_bottom(48)
        self._list.place(rows, len(self._episodes))
        if not self._episodes:
            words = "No unfinished episodes of this game. Close the window during an episode to resume it later."
            canvas.paragraph(words, rows, MEDIUM, QUIET)
        for number, row in self._list.rows():
            self._draw_row(canvas, row, self._episodes[number], number == self._list.chosen)
        self._list.draw_bar(canvas)
        self._draw_help(canvas, inner.bottom_part(KEY_CAP_HEIGHT))

    @staticmethod
    def _draw_row(canvas: Canvas, row: Box, episode: EpisodeSummary, chosen: bool) -> None:
        if chosen:
            canvas.fill(row, LINE, radius=6)
        y = row.centre[1] - canvas.measure("A", SMALL)[1] / 2
        started = datetime.fromisoformat(episode.created).astimezone().strftime("%Y-%m-%d %H:%M")
        canvas.text(started, (row.x + 12, y), SMALL, GREEN if chosen else TEXT, mono=True)
        canvas.text(episode.player, (row.x + 184, y), SMALL, QUIET, max_width=row.width - 184 - 220)
        canvas.text(f"{episode.score:g}", (row.right - 100, y), SMALL, WHITE, mono=True, align="right")
        canvas.text(frame_clock(episode.frame_count), (row.right - 12, y), SMALL, QUIET, mono=True, align="right")

    @staticmethod
    def _draw_help(canvas: Canvas, box: Box) -> None:
        x = box.x
        for caps, meaning in (("↑ ↓", "choose"), ("Enter", "resume")):
            for cap in caps.split():
                x = canvas.key_cap(cap, (x, box.y)).right + 4
            height = canvas.measure(meaning, SMALL)[1]
            x = canvas.text(meaning, (x + 4, box.y + (KEY_CAP_HEIGHT - height) / 2), SMALL, QUIET).right + 2 * GRID
