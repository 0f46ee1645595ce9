"""A window with a list on the left and, beside it, the selected item or the form of a new one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from data.errors import CoachError
from home.action_bar import Action, action_buttons, areas, draw_action_bar, draw_heading, fitting_actions, form_width
from home.form import FormDrawing, ListForm
from screen.canvas import Canvas
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, TextTyped, Wheel
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, GROUND, LINE, ORANGE, PANEL, QUIET, SMALL
from screen.widgets import Button, draw_key_list
from screen.window import Window

TICK_SECONDS, MOVING_TICK_SECONDS = 1 / 10, 1 / 30
"""Longest wait for an event: while the selected item does not change, and while it does (a live picture)."""
MOVING_SECONDS = 1.0
"""For this long after a change, the selected item counts as changing."""
REFRESH_SECONDS, IDLE_REFRESH_SECONDS = 0.5, 2.0
"""Time between two updates of the list: while an item is active, and otherwise."""
ROW = 56.0

FormT = TypeVar("FormT", bound=ListForm)
Keys = Sequence[tuple[str, str]]


class ListWindow(ABC, Generic[FormT]):
    """Keys, mouse, list and action bar. A subclass defines the list, the actions and the drawing beside the list."""

    heading: ClassVar[str]
    new_heading: ClassVar[str]
    nothing_yet: ClassVar[str]
    """The text of an empty list."""
    list_keys: ClassVar[Keys]
    form_keys: ClassVar[Keys]

    def __init__(self, window: Window) -> None:
        self._window = window
        self._rows = ListView(row_height=ROW)
        self._shown = ""
        """The name of the selected item."""
        self._updated = float("-inf")
        self._changed_at = float("-inf")
        self._form: FormT | None = None
        self._drawing: FormDrawing | None = None
        self._message, self._message_colour = "", ORANGE
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._leaving = False
        self._stale = True

    # ---- defined by each window ------------------------------------------------------------------------------------

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of the listed items, from the top."""

    @abstractmethod
    def _has_active(self) -> bool:
        """Return whether any item runs or waits."""

    @abstractmethod
    def _update(self) -> None:
        """Read the current state. Must end with ``_set_title``."""

    def _refresh(self) -> None:
        """Update what changes more often, at each tick."""

    @abstractmethod
    def _list_actions(self) -> list[Action]:
        """Return the actions for the selected item."""

    def _form_actions(self) -> list[Action]:
        """Return further actions while the form is open."""
        return []

    @abstractmethod
    def _open_form(self) -> None: ...

    @abstractmethod
    def _form_changed(self) -> None: ...

    @abstractmethod
    def _start(self) -> None:
        """Start what the form describes, and close the form."""

    @abstractmethod
    def _draw_card(self, canvas: Canvas, number: int, card: Box) -> None:
        """Draw one row of the list."""

    @abstractmethod
    def _draw_selected(self, canvas: Canvas, box: Box) -> None:
        """Draw the selected item."""

    @abstractmethod
    def _draw_beside_form(self, canvas: Canvas, box: Box) -> None:
        """Draw what the form would result in."""

    def _wheel_beside(self, dy: int) -> None:
        """Handle the mouse wheel over the selected item."""
        self._rows.wheel(dy)

    def _starts_with_form(self, selected: str) -> bool:  # noqa: ARG002 - for those that list other items, too
        """Return whether the form is open at first. selected: the item that was asked for, or ""."""
        return not self.names()

    def select(self, name: str) -> None:
        """Show this item when the window opens, if there is one of that name."""
        self._shown = name

    # ---- events --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        """Run until the person leaves. With nothing to show, the form is open at first."""
        self._leaving, self._stale = False, True
        self._window.start_view()
        selected = self._shown
        self._update()
        if self._starts_with_form(selected):
            self._open_form()
            self._update()
        while not self._leaving:
            for event in self._window.events(self._wait_seconds()):
                self._stale = True
                self._handle(event)
            was_stale = self._stale
            if time.monotonic() - self._updated >= (REFRESH_SECONDS if self._has_active() else IDLE_REFRESH_SECONDS):
                self._update()
            self._refresh()
            if self._stale and not was_stale:
                self._changed_at = time.monotonic()
            if self._stale and self._window.visible and not self._leaving:
                self.draw(self._window.canvas)
                self._window.present()
                self._stale = False

    def _wait_seconds(self) -> float:
        if self._stale and self._window.visible:
            return 0.0
        moves = time.monotonic() - self._changed_at < MOVING_SECONDS
        return MOVING_TICK_SECONDS if moves else TICK_SECONDS

    def _keep_shown(self, names: Sequence[str]) -> None:
        """Keep the selected item; if it is gone, select the first."""
        if self._shown not in names:
            self._shown = names[0] if names else ""

    def _set_title(self, title: str) -> None:
        """Set the window's title, which shows the state of the selected item in the task bar."""
        names = self.names()
        self._window.title = title
        self._rows.chosen = names.index(self._shown) if names else 0
        self._updated = time.monotonic()

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._leaving = True
            case KeyDown(key="f1", repeat=False):
                self._toggle_keys()
            case KeyDown(key="f11", repeat=False):
                self._window.toggle_full_screen()
            case KeyDown(key="escape") if self._shows_keys:
                self._shows_keys = False
            case KeyDown():
                self._key(event)
            case TextTyped(text) if self._form is not None:
                self._form.type(text)
                self._form_changed()
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._rows.pointer_moved(y)
            case PointerUp():
                self._rows.pointer_up()
            case PointerDown(x, y, 1):
                self._click(x, y)
            case Wheel(dy):
                self._wheel(dy)

    def _wheel(self, dy: int) -> None:
        if areas(self._window.size_units)[0].contains(*self._pointer):
            self._rows.wheel(dy)
        elif self._drawing is not None:
            self._drawing.wheel(dy)
        else:
            self._wheel_beside(dy)

    def _key(self, event: KeyDown) -> None:
        for action in self._actions():
            if action.key == event.key and action.enabled and not event.repeat:
                self._do(action)
                return
        names = self.names()
        if self._form is not None:
            if self._form.press(event.key, event.shift):
                self._form_changed()
        elif self._rows.press(event.key) and names:
            self._show(names[self._rows.chosen])

    def _click(self, x: float, y: float) -> None:
        if self._shows_keys:
            self._shows_keys = False
            return
        window = self._window.size_units
        for action, button in zip(fitting_actions(self._actions(), window), self.buttons(window), strict=True):
            if button.contains(x, y):
                self._do(action)
                return
        if self._drawing is not None and self._drawing.click(x, y):
            self._form_changed()
        elif not self._rows.pointer_down(x, y):
            row, names = self._rows.row_at(x, y), self.names()
            if row is not None and row < len(names):
                self._close_form()
                self._show(names[row])

    def _show(self, name: str) -> None:
        self._shown = name
        self._update()

    def _do(self, action: Action) -> None:
        self._message = ""
        try:
            action.act()
        except CoachError as error:
            self._message, self._message_colour = str(error), ORANGE
        self._update()

    def _say(self, words: str) -> None:
        self._message, self._message_colour = words, QUIET

    def _actions(self) -> list[Action]:
        """Return what can be done now, for the action bar."""
        keys = Action("All keys", "F1", "f1", self._toggle_keys)
        if self._form is None:
            return [*self._list_actions(), keys, Action("Home", "Esc", "escape", self._leave)]
        start = Action("Start", "Enter", "return", self._start, GREEN, not self._form.problem)
        return [
            start,
            *self._form_actions(),
            keys,
            Action("Back", "Esc", "escape", self._close_form if self.names() else self._leave),
        ]

    def _toggle_keys(self) -> None:
        self._shows_keys = not self._shows_keys

    def _leave(self) -> None:
        self._leaving = True

    def _show_form(self, form: FormT) -> None:
        self._form, self._drawing = form, FormDrawing(form)
        self._form_changed()

    def _close_form(self) -> None:
        self._form = self._drawing = None

    # ---- drawing -------------------------------------------------------------------------------------------------

    def buttons(self, window: Box) -> list[Button]:
        """Return the buttons of the action bar."""
        return action_buttons(fitting_actions(self._actions(), window), window)

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        rows, main, _ = areas(canvas.box)
        draw_heading(canvas, self.heading, self.new_heading if self._form is not None else "")
        self._draw_rows(canvas, rows)
        if self._form is not None and self._drawing is not None:
            form = main.left_part(form_width(main))
            self._drawing.draw(canvas, form, self._pointer)
            self._draw_beside_form(canvas, main.without_left(form.width + 2 * GRID))
        elif self._shown:
            self._draw_selected(canvas, main)
        draw_action_bar(canvas, self.buttons(canvas.box), self._pointer, self._message, self._message_colour)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", self.form_keys if self._form is not None else self.list_keys)

    def _draw_rows(self, canvas: Canvas, box: Box) -> None:
        names = self.names()
        self._rows.place(box, len(names))
        if not names:
            canvas.paragraph(self.nothing_yet, box, SMALL, QUIET)
        for number, row in self._rows.rows():
            card = row.without_bottom(GRID / 2)
            shown = names[number] == self._shown and self._form is None
            if shown or card.contains(*self._pointer):
                canvas.fill(card, LINE if shown else PANEL, radius=6)
            self._draw_card(canvas, number, card)
        self._rows.draw_bar(canvas)
