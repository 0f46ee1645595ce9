"""The question at an episode's end: save it, go back into it, or discard it; and what to do if it cannot be saved."""

from __future__ import annotations

from pathlib import Path

from data.counted import counted
from data.durations import frame_clock
from recorder.controls import key_label
from recorder.session import Session
from recorder.session_state import SessionState
from screen.canvas import Canvas
from screen.events import KeyDown
from screen.fields import FIELD_HEIGHT, TextField
from screen.layout import Box
from screen.theme import GREEN, GRID, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, Colour
from screen.widgets import Button

WIDTH, LEAST_HEIGHT = 640.0, 216.0
BUTTON_HEIGHT = 44.0
MOST_PATH_LETTERS = 400


class EndDialog:
    """Draws the question, and takes the keys and clicks that concern saving elsewhere.

    Its buttons keep their places: a failed attempt to save adds one above them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.folder: TextField | None = None
        """The folder to save in, while it is being entered."""

    @property
    def is_open(self) -> bool:
        return self._session.state is SessionState.ENDED

    def ask_for_folder(self) -> None:
        """Ask for another folder, where saving in the library has failed."""
        if self.is_open and self._session.save_problem:
            self.folder = TextField(str(Path.home() / "Replay Coach"), MOST_PATH_LETTERS)

    def key_down(self, event: KeyDown) -> bool:
        """Handle a key; return False for one that does not concern the folder."""
        if not self.is_open:
            self.folder = None
        if self.folder is None:
            if self.is_open and self._session.save_problem and event.key == "e" and not event.repeat:
                self.ask_for_folder()
                return True
            return False
        if event.key == "return" and not event.repeat:
            self.save_in_folder()
        elif event.key == "escape":
            self.folder = None
        else:
            self.folder.press(event)
        return True

    def write(self, text: str) -> None:
        """Take typed text."""
        if self.folder is not None:
            self.folder.write(text)

    def cancel_folder(self) -> None:
        self.folder = None

    def save_in_folder(self) -> None:
        """Save the episode in the folder that was entered."""
        if self.folder is not None and self.folder.text.strip():
            chosen = Path(self.folder.text.strip()).expanduser()
            self.folder = None
            self._session.save(chosen)

    # What is shown.

    def buttons(self, canvas: Canvas) -> list[tuple[str, Button]]:
        """Return the dialog's buttons with their commands."""
        inner = self._panel(canvas).inset(32)
        if self.folder is not None:
            save, back = inner.bottom_part(BUTTON_HEIGHT).columns(2, 16)
            return [
                ("save_in_folder", Button(save, "Save there", key_label("return"), GREEN)),
                ("cancel_folder", Button(back, "Cancel", "Esc")),
            ]
        failed = bool(self._session.save_problem)
        cells = inner.bottom_part(BUTTON_HEIGHT).columns(3, 16)
        offered: list[tuple[str, str, str, Colour | None]] = [
            ("save", "Try again" if failed else "Save", key_label("return"), GREEN),
            ("pause", "Go back", self._session.key_map.label("pause"), None),
            ("discard", "Discard", key_label("delete"), ORANGE),
        ]
        found = [
            (command, Button(cell, label, key, colour))
            for cell, (command, label, key, colour) in zip(cells, offered, strict=True)
        ]
        if failed:
            above = inner.without_bottom(BUTTON_HEIGHT + 16).bottom_part(BUTTON_HEIGHT)
            found.append(("save_elsewhere", Button(above, "Save elsewhere", "E", OLIVE)))
        return found

    def _text(self) -> str:
        if self.folder is not None:
            return "The episode is saved as a replay file in this folder:"
        if self._session.save_problem:
            return self._session.save_problem
        take = self._session.take
        return f"{counted(take.score, 'point')} in {frame_clock(take.frame)}. Save this episode?"

    def _panel(self, canvas: Canvas) -> Box:
        """Return the panel; it grows upwards, so that its buttons stay where they are."""
        size = SMALL if self._session.save_problem else MEDIUM
        lines = canvas.lines(self._text(), min(WIDTH, canvas.box.width) - 64, size)
        above = FIELD_HEIGHT + 16 if self.folder is not None else BUTTON_HEIGHT if self._session.save_problem else 0.0
        height = max(LEAST_HEIGHT, 64 + 56 + len(lines) * size * 1.5 + 16 + above + BUTTON_HEIGHT)
        least = canvas.box.middle(WIDTH, LEAST_HEIGHT)
        return Box(least.x, max(canvas.box.y, least.bottom - height), least.width, height)

    def draw(self, canvas: Canvas, buttons: list[tuple[str, Button]], pointer: tuple[float, float]) -> None:
        """Draw the dialog with its buttons, as ``buttons`` returned them."""
        canvas.shade(canvas.box, 150)
        panel = self._panel(canvas)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, LINE, radius=10)
        inner = panel.inset(32)
        failed = bool(self._session.save_problem)
        ended = "Game over" if self._session.take.ended_by == "game_over" else "Episode ended"
        title = "Save elsewhere" if self.folder is not None else "Not saved yet" if failed else ended
        canvas.text(title, (inner.x, inner.y - 8), LARGE, max_width=inner.width)
        text = inner.without_top(48)
        size = SMALL if failed else MEDIUM
        used = canvas.paragraph(self._text(), text, size, ORANGE if failed and self.folder is None else QUIET)
        if self.folder is not None:
            field = Box(inner.x, text.y + used + GRID, inner.width, FIELD_HEIGHT)
            self.folder.draw(canvas, field, active=True)
        for _, button in buttons:
            button.draw(canvas, hover=button.contains(*pointer))
