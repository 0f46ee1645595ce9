"""The list of trainings from which the Library window chooses one to add episodes to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.runs import RunSummary
from home.run_pane import STATE_COLOURS, progress_words, state_words
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.events import Event, KeyDown, PointerDown, PointerMoved, PointerUp, Wheel
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GRID, LARGE, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL

WIDTH, ROW, MOST_ROWS = 640.0, 44.0, 6
HEAD, FOOT = 64.0, 56.0


@dataclass(frozen=True)
class Trainings:
    """What the Library window needs in order to add episodes to trainings."""

    of_game: Callable[[str], list[RunSummary]]
    """Return the trainings of a game to which episodes can be added."""
    add: Callable[[str, list[Path]], str]
    """Add replay files to a run; return the result in one sentence. Raises CoachError. Takes seconds."""


class TrainingChooser:
    """A panel over the window. ``chosen`` is the chosen run; ``closed`` becomes true when it is to disappear."""

    def __init__(self, title: str, runs: Sequence[RunSummary]) -> None:
        self.title = title
        self.runs = runs
        self.chosen: RunSummary | None = None
        self.closed = False
        self._rows = ListView(ROW)

    def _panel(self, window: Box) -> Box:
        height = HEAD + min(len(self.runs), MOST_ROWS) * ROW + FOOT
        return window.middle(WIDTH, height)

    def place(self, window: Box) -> None:
        """Place the rows in a window; call it before events and drawing."""
        panel = self._panel(window)
        rows = Box(panel.x + 2 * GRID, panel.y + HEAD, panel.width - 4 * GRID, panel.height - HEAD - FOOT)
        self._rows.place(rows, len(self.runs))

    def handle(self, event: Event) -> None:
        match event:
            case KeyDown(key="escape", repeat=False):
                self.closed = True
            case KeyDown(key="return", repeat=False):
                self._choose(self._rows.chosen)
            case KeyDown(key=key):
                self._rows.press(key)
            case Wheel(dy):
                self._rows.wheel(dy)
            case PointerMoved(_, y):
                self._rows.pointer_moved(y)
            case PointerUp():
                self._rows.pointer_up()
            case PointerDown(x, y, 1):
                row = self._rows.row_at(x, y)
                if not self._rows.pointer_down(x, y):
                    self._choose(row)

    def _choose(self, row: int | None) -> None:
        """Choose the run in a row; a click beside all rows closes the panel."""
        self.chosen = None if row is None else self.runs[row]
        self.closed = True

    def draw(self, canvas: Canvas, pointer: tuple[float, float]) -> None:
        panel = self._panel(canvas.box)
        canvas.shade(canvas.box, 190)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, LINE, radius=10)
        canvas.text(self.title, (panel.x + 28, panel.y + 12), LARGE, max_width=panel.width - 56)
        for number, box in self._rows.rows():
            self._draw_row(canvas, box, self.runs[number], number == self._rows.chosen, box.contains(*pointer))
        self._rows.draw_bar(canvas)
        x, y = panel.x + 28, panel.bottom - 2 * GRID - KEY_CAP_HEIGHT
        for keys, meaning in ((("↑", "↓"), "select"), (("Enter",), "add"), (("Esc",), "cancel")):
            for key in keys:
                x = canvas.key_cap(key, (x, y)).right + 4
            height = canvas.measure(meaning, SMALL)[1]
            x = canvas.text(meaning, (x + 4, y + (KEY_CAP_HEIGHT - height) / 2), SMALL, QUIET).right + 20

    @staticmethod
    def _draw_row(canvas: Canvas, box: Box, run: RunSummary, is_chosen: bool, hover: bool) -> None:
        if is_chosen or hover:
            canvas.fill(box, LINE, radius=6)
        if is_chosen:
            canvas.outline(box, OLIVE, radius=6)
        y = box.centre[1]
        state, progress = state_words(run), progress_words(run)
        words = progress if progress.startswith(state) else f"{state}, {progress}"
        small, medium = canvas.measure("X", SMALL)[1], canvas.measure("X", MEDIUM)[1]
        at = canvas.text(words, (box.right - 12, y - small / 2), SMALL, STATE_COLOURS[run.state], align="right")
        canvas.text(run.name, (box.x + 12, y - medium / 2), MEDIUM, max_width=at.x - box.x - 28)
