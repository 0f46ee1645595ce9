"""The settings window: one row for each setting, changed by keys or mouse and saved at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.errors import CoachError
from data.game_names import display_name
from home.curator_name import RESERVED, NameChange, name_change
from home.setting_rows import SettingRow, setting_rows
from home.settings import MOST_NAME_LETTERS, Settings
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, TextTyped
from screen.fields import FIELD_HEIGHT, Choice, TextField
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL
from screen.widgets import Button, draw_key_list, draw_message, message_buttons
from screen.window import Window, usable_size
from screen.window_size import fitting

TITLE = "Replay Coach - settings"
IDLE_SECONDS = 1.0
"""Longest wait for an event."""
ROW_HEIGHT = 44.0
LABEL_WIDTH = 224.0
BUTTONS_WIDTH = 368.0
KEYS = [
    ("↑ ↓", "Select a setting"),
    ("← →", "Change it"),
    ("Enter", "Edit a name, choose a game, change keys"),
    ("D", "Reset to the default"),
    ("U", "Undo moving your verdicts to the new name"),
    ("F11", "Full screen"),
    ("Esc", "Back; everything is saved"),
]


class SettingsWindow:
    """Shows the settings until it is closed; each change is saved at once.

    ``save`` writes them (and raises CoachError if it cannot); ``pick_game`` and ``edit_keys`` open the windows of those
    two rows.
    """

    def __init__(
        self,
        window: Window,
        settings: Settings,
        save: Callable[[Settings], None],
        pick_game: Callable[[str], str | None],
        edit_keys: Callable[[], None],
        login_name: str,
        processors: int,
        labels: Path | None = None,
    ) -> None:
        """labels: the label database, whose verdicts a person can move to another name."""
        self._window = window
        self.settings = settings
        self._save = save
        self._pick_game = pick_game
        self._edit_keys = edit_keys
        self._login_name = login_name
        self._labels = labels
        self._usable = usable_size()
        self._rows = setting_rows(login_name, processors, self._usable)
        self._chosen = 0
        self._field: TextField | None = None
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._closed = False
        self._message, self._is_error = "", False
        self._asked: NameChange | None = None
        self._moved: tuple[NameChange, tuple[int, ...]] | None = None
        """The verdicts that were last moved to another name, to undo that."""

    def run(self) -> Settings:
        """Run until the window is closed and return the settings."""
        self._window.start_view()
        self._window.title = TITLE
        stale = True
        while not self._closed:
            for event in self._window.events(0.0 if stale and self._window.visible else IDLE_SECONDS):
                self._handle(event)
                stale = True
            if stale and self._window.visible and not self._closed:
                self._draw(self._window.canvas)
                self._window.present()
                stale = False
        self._end_writing()
        if self._asked is not None:  # closed without an answer: the verdicts are moved, unless the name is taken
            self._answer(self._asked, moves=not self._asked.others)
        return self.settings

    # Input

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._closed = True
            case KeyDown() if self._asked is not None:
                if event.key in ("return", "escape") and not event.repeat:
                    self._answer(self._asked, event.key == "return")
            case TextTyped(text) if self._field is not None:
                self._field.write(text)
            case KeyDown() if self._field is not None:
                self._write(self._field, event)
            case KeyDown():
                self._key_down(event)
            case PointerMoved(x, y):
                self._pointer = (x, y)
            case PointerDown(x, y, 1):
                self._pointer = (x, y)
                self._click(x, y)

    def _write(self, field: TextField, key: KeyDown) -> None:
        if key.key in ("return", "escape", "tab", "up", "down"):
            self._end_writing()
            if key.key in ("up", "down"):
                self._key_down(key)
        else:
            field.press(key)

    def _key_down(self, event: KeyDown) -> None:
        match event.key:
            case "f1":
                self._shows_keys = not self._shows_keys
            case "escape":
                if self._shows_keys:
                    self._shows_keys = False
                else:
                    self._closed = True
            case "f11" if not event.repeat:
                self._window.toggle_full_screen()
            case "up":
                self._chosen = (self._chosen - 1) % len(self._rows)
            case "down" | "tab":
                self._chosen = (self._chosen + 1) % len(self._rows)
            case "left" | "right":
                self._step(-1 if event.key == "left" else 1)
            case "return" | "space" if not event.repeat:
                self._open()
            case "u" if not event.repeat:
                self._undo()
            case "d" if not event.repeat:
                row = self._rows[self._chosen]
                self._change(row.with_value(self.settings, row.now(Settings())))

    def _click(self, x: float, y: float) -> None:
        if self._shows_keys:
            self._shows_keys = False
            return
        if self._asked is not None:
            for number, button in enumerate(self._question_buttons(self._window.canvas)):
                if button.contains(x, y):
                    self._answer(self._asked, number == 0)
            return
        self._end_writing()
        if self._asked is not None:
            return
        keys, back, undo = self._buttons(self._window.size_units)
        if undo.contains(x, y):
            self._undo()
        elif back.contains(x, y):
            self._closed = True
        elif keys.contains(x, y):
            self._shows_keys = True
        for number, box in enumerate(self._row_boxes(self._window.size_units)):
            if not box.contains(x, y):
                continue
            self._chosen = number
            control = self.control_box(box)
            if self._rows[number].kind != "choice":
                self._open()
            elif control.contains(x, y):
                choice = self._choice(self._rows[number])
                choice.click(control, x, y)
                self._set_choice(self._rows[number], choice)

    def _choice(self, row: SettingRow) -> Choice:
        return Choice([words for _, words in row.options(self.settings)], row.place(self.settings))

    def _set_choice(self, row: SettingRow, choice: Choice) -> None:
        self._change(row.with_value(self.settings, row.options(self.settings)[choice.at][0]))

    def _step(self, by: int) -> None:
        row = self._rows[self._chosen]
        if row.kind == "choice":
            choice = self._choice(row)
            choice.step(by)
            self._set_choice(row, choice)

    def _open(self) -> None:
        row = self._rows[self._chosen]
        if row.kind == "text":
            self._field = TextField(self.settings.player, MOST_NAME_LETTERS)
        elif row.kind == "choice":
            self._step(1)
        elif row.names:
            game = self._pick_game(self.settings.game)
            if game:
                self._change(replace(self.settings, game=game))
        else:
            self._edit_keys()
        self._window.title = TITLE
        self._closed = self._closed or self._window.closing

    def _end_writing(self) -> None:
        if self._field is not None:
            name, self._field = self._field.text.strip(), None
            if name.startswith(RESERVED):
                self._message, self._is_error = f'A name cannot begin with "{RESERVED}", which marks rules.', True
                return
            before = self.settings.player
            self._change(replace(self.settings, player=name))
            if not self._is_error:
                self._ask_about_verdicts(before or self._login_name, name or self._login_name)

    def _ask_about_verdicts(self, old: str, new: str) -> None:
        """Ask whether verdicts under the old name are to be moved, if there are any."""
        if self._labels is None:
            return
        try:
            self._asked = name_change(self._labels, old, new)
        except CoachError as error:
            self._message, self._is_error = str(error), True

    def _answer(self, asked: NameChange, moves: bool) -> None:
        self._asked = None
        if not moves:
            return
        try:
            ids = asked.move()
        except CoachError as error:
            self._message, self._is_error = str(error), True
            return
        self._moved = asked, ids
        self._message, self._is_error = (
            f"The verdicts of {asked.old} now belong to {asked.new}. Press U to undo.",
            False,
        )

    def _undo(self) -> None:
        """Give the verdicts that were last moved their old name again."""
        if self._moved is None:
            return
        (change, ids), self._moved = self._moved, None
        try:
            change.undo(ids)
        except CoachError as error:
            self._message, self._is_error = str(error), True
        else:
            self._message, self._is_error = f"The verdicts belong to {change.old} again.", False

    def _change(self, settings: Settings) -> None:
        before, self.settings = self.settings, settings
        if settings == before:
            return
        if settings.full_screen != self._window.full_screen and settings.full_screen != before.full_screen:
            self._window.toggle_full_screen()
        size = (settings.window_width, settings.window_height)
        if not settings.full_screen and size != (before.window_width, before.window_height):
            self._window.resize(fitting(size, self._usable))
        try:
            self._save(settings)
        except CoachError as error:
            self._message, self._is_error = str(error), True
        else:
            self._message, self._is_error = "Saved.", False

    # Drawing

    def _row_boxes(self, window: Box) -> list[Box]:
        room = Box(window.x + 48, window.y + 112, min(window.width - 96, 880), ROW_HEIGHT * len(self._rows))
        return room.rows(len(self._rows))

    @staticmethod
    def control_box(row: Box) -> Box:
        """Return the box of a row's control."""
        left = row.x + 16 + LABEL_WIDTH
        return Box(left, row.centre[1] - FIELD_HEIGHT / 2, min(400.0, row.right - 16 - left), FIELD_HEIGHT)

    @staticmethod
    def _question_buttons(canvas: Canvas) -> list[Button]:
        return message_buttons(canvas, [("Move them", "Enter", GREEN), ("Leave them", "Esc", None)])

    def _buttons(self, window: Box) -> list[Button]:
        """Return the buttons for the list of keys, for going back and for undoing."""
        row = Box(window.x + 48, window.bottom - 56, BUTTONS_WIDTH, 32)
        labels = (("All keys", "F1", True), ("Back", "Esc", True), ("Undo", "U", self._moved is not None))
        return [
            Button(box, label, key, enabled=enabled)
            for box, (label, key, enabled) in zip(row.columns(len(labels), 8), labels, strict=True)
        ]

    def _draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        left = canvas.box.x + 48
        canvas.text("Settings", (left, canvas.box.y + 40), LARGE, bold=True)
        boxes = self._row_boxes(canvas.box)
        for number, (row, box) in enumerate(zip(self._rows, boxes, strict=True)):
            self._draw_row(canvas, row, box, number == self._chosen)
        below = Box(left + 16, boxes[-1].bottom + 16, min(canvas.box.width - 128, 848), 64)
        canvas.paragraph(self._rows[self._chosen].explanation, below, SMALL, QUIET)
        for button in self._buttons(canvas.box):
            button.draw(canvas, hover=button.contains(*self._pointer))
        if self._message:
            at = (canvas.box.x + 48 + BUTTONS_WIDTH + 24, canvas.box.bottom - 50)
            room = canvas.box.right - 48 - at[0]
            canvas.text(self._message, at, SMALL, ORANGE if self._is_error else GREEN, max_width=room)
        if self._asked is not None:
            buttons = self._question_buttons(canvas)
            draw_message(canvas, "Your verdicts", self._asked.question, buttons, self._pointer)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)

    def _draw_row(self, canvas: Canvas, row: SettingRow, box: Box, chosen: bool) -> None:
        if chosen:
            canvas.fill(box, PANEL, radius=8)
            canvas.fill(Box(box.x, box.y + 8, 3, box.height - 16), OLIVE)
        height = canvas.measure(row.label, MEDIUM)[1]
        canvas.text(row.label, (box.x + 16, box.centre[1] - height / 2), MEDIUM, max_width=LABEL_WIDTH - 16)
        control = self.control_box(box)
        hover = control.contains(*self._pointer)
        if row.kind == "text":
            field = self._field if chosen and self._field is not None else TextField(self.settings.player)
            field.draw(canvas, control, field is self._field, self._login_name, key="Enter" if chosen else "")
        elif row.kind == "choice":
            self._choice(row).draw(canvas, control, active=chosen, hover=hover)
            if chosen:
                x = control.right + 12
                for key in ("←", "→"):
                    x = canvas.key_cap(key, (x, control.centre[1] - KEY_CAP_HEIGHT / 2)).right + 6
        else:
            value = display_name(self.settings.game) if row.names else "Change the keys"
            button = Button(control, value, "Enter" if chosen else "", OLIVE if chosen else None)
            button.draw(canvas, hover)
