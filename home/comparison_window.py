"""The Compare window: begin a comparison of seedings, see how far each run is, and what came of it."""

from __future__ import annotations

import time

from data.errors import CoachError
from home.comparison_facts import ComparisonDesk, ComparisonFacts
from home.comparison_form import ComparisonForm
from home.comparison_pane import STATE_COLOURS, ComparisonPane
from home.foot import Action, areas, draw_foot, draw_head, foot_buttons, form_width
from home.form_drawing import FormDrawing
from home.overview import duration
from screen.canvas import Canvas
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, GROUND, LARGE, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL
from screen.widgets import Button, draw_key_list
from screen.window import (
    CloseRequested,
    Event,
    KeyDown,
    PointerDown,
    PointerMoved,
    PointerUp,
    TextTyped,
    Wheel,
    Window,
)

TITLE = "Replay Coach - comparing"
TICK_SECONDS = 1 / 30
LOOK_SECONDS = 0.5
ROW = 56.0

LIST_KEYS = [
    ("N", "New comparison"),
    ("↑ ↓", "Choose a comparison"),
    ("S", "Stop it; every run keeps a checkpoint"),
    ("R", "Go on; runs that are done are not done again"),
    ("O", "Open the report in the browser"),
    ("F11", "Full screen"),
    ("Esc", "Back; the comparison goes on"),
]
FORM_KEYS = [
    ("↑ ↓", "Choose a field"),
    ("Space", "Take a beginning, or leave it"),
    ("← →", "Change a number"),
    ("0-9", "Type a number"),
    ("Enter", "Start"),
    ("F11", "Full screen"),
    ("Esc", "Back to the comparisons"),
]


class ComparisonWindow:
    """Shows comparisons, or the form of a new one. ``run`` returns when the person leaves."""

    def __init__(self, window: Window, desk: ComparisonDesk) -> None:
        self._window = window
        self._desk = desk
        self._rows = ListView(row_height=ROW)
        self._pane = ComparisonPane()
        self._all: list[ComparisonFacts] = []
        self._shown = ""
        self._looked = float("-inf")
        self._form: ComparisonForm | None = None
        self._drawing: FormDrawing | None = None
        self._estimate = ""
        self._message, self._message_colour = "", ORANGE
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._leaving = False
        self._stale = True

    def run(self) -> None:
        """Until the person leaves; comparisons go on by themselves."""
        self._look()
        if not self._all:
            self._open_form()
            self._look()
        while not self._leaving:
            for event in self._window.events():
                self._stale = True
                self._handle(event)
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._look()
            if self._stale and not self._leaving:
                self.draw(self._window.canvas)
                self._window.present()
                self._stale = False
            time.sleep(TICK_SECONDS)

    @property
    def _selected(self) -> ComparisonFacts | None:
        return next((facts for facts in self._all if facts.name == self._shown), None)

    def _look(self) -> None:
        found = self._desk.comparisons()
        names = [facts.name for facts in found]
        if self._shown not in names:
            self._shown = names[0] if names else ""
        self._stale |= found != self._all
        self._all = found
        self._rows.chosen = names.index(self._shown) if names else 0
        self._looked = time.monotonic()
        selected = self._selected
        if self._form is not None:
            self._window.title = f"{TITLE} - new"
        else:
            self._window.title = TITLE if selected is None else f"{TITLE} - {selected.name}: {selected.state}"

    # ---- what is done --------------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._leaving = True
            case KeyDown(key="f1", repeat=False):
                self._shows_keys = not self._shows_keys
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
                if self._drawing is not None:
                    self._drawing.wheel(dy)
                elif areas(self._window.size_units)[0].contains(*self._pointer):
                    self._rows.wheel(dy)
                else:
                    self._pane.wheel(dy)

    def _key(self, event: KeyDown) -> None:
        for action in self._actions():
            if action.key == event.key and action.enabled and not event.repeat:
                self._do(action)
                return
        if self._form is not None:
            if self._form.press(event.key, event.shift):
                self._form_changed()
        elif self._rows.press(event.key) and self._all:
            self._show(self._all[self._rows.chosen].name)

    def _show(self, name: str) -> None:
        self._shown = name
        self._look()

    def _form_changed(self) -> None:
        assert self._form is not None
        self._message = ""
        self._estimate = self._form.problem or self._estimated(self._form)

    def _estimated(self, form: ComparisonForm) -> str:
        seconds = self._desk.seconds_estimate(form.wish)
        if seconds is None:
            return "How long it takes is known when an agent has trained here."
        return f"About {duration(seconds)} in all, as fast as the newest run went."

    def _click(self, x: float, y: float) -> None:
        for action, button in zip(self._actions(), self.buttons(self._window.size_units), strict=True):
            if button.contains(x, y):
                self._do(action)
                return
        if self._drawing is not None and self._drawing.click(x, y):
            self._form_changed()
        elif not self._rows.pointer_down(x, y):
            row = self._rows.row_at(x, y)
            if row is not None and row < len(self._all):
                self._close_form()
                self._show(self._all[row].name)

    def _do(self, action: Action) -> None:
        self._message, self._message_colour = "", ORANGE
        try:
            action.act()
        except CoachError as error:
            self._message = str(error)
        self._look()

    def _actions(self) -> list[Action]:
        if self._form is not None:
            leave = self._close_form if self._all else self._leave
            return [
                Action("Start", "Enter", "return", self._start, GREEN, not self._form.problem),
                Action("Back", "Esc", "escape", leave),
            ]
        facts = self._selected
        at_work = facts is not None and facts.is_at_work
        stops = facts is not None and facts.state in ("starting", "running")
        reported = facts is not None and bool(facts.report)
        return [
            Action("New comparison", "N", "n", self._open_form, None if at_work or reported else OLIVE),
            Action("Stop", "S", "s", self._stop, None, stops),
            Action("Resume", "R", "r", self._resume, None, facts is not None and facts.can_resume),
            Action("Report", "O", "o", self._open_report, OLIVE if reported else None, reported),
            Action("Home", "Esc", "escape", self._leave),
        ]

    def _leave(self) -> None:
        self._leaving = True

    def _open_form(self) -> None:
        self._form = ComparisonForm(self._desk.arms(), self._desk.free_name())
        self._drawing = FormDrawing(self._form)
        self._form_changed()

    def _close_form(self) -> None:
        self._form = self._drawing = None

    def _start(self) -> None:
        assert self._form is not None
        wish = self._form.wish
        self._desk.start(wish)
        self._close_form()
        self._shown = wish.name
        self._say(f"{wish.name} is worked on in a process of its own: it goes on when this window is closed.")

    def _stop(self) -> None:
        self._desk.stop(self._shown)
        self._say(f"{self._shown} is asked to stop; every run writes a checkpoint first.")

    def _resume(self) -> None:
        self._desk.resume(self._shown)

    def _open_report(self) -> None:
        self._say(self._desk.open_report(self._shown))

    def _say(self, words: str) -> None:
        self._message, self._message_colour = words, QUIET

    # ---- drawing -------------------------------------------------------------------------------------------------

    def buttons(self, window: Box) -> list[Button]:
        """The foot's buttons, one for each of what can be done."""
        return foot_buttons(self._actions(), window)

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        rows, main, _ = areas(canvas.box)
        draw_head(canvas, "Compare", "New comparison" if self._form is not None else "")
        self._draw_rows(canvas, rows)
        if self._form is not None and self._drawing is not None:
            form = main.left_part(form_width(main))
            self._drawing.draw(canvas, form, self._pointer)
            self._draw_plan(canvas, main.without_left(form.width + 2 * GRID), self._form)
        elif self._selected is not None:
            self._pane.draw(canvas, main, self._selected)
        draw_foot(canvas, self.buttons(canvas.box), self._pointer, self._message, self._message_colour)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", FORM_KEYS if self._form is not None else LIST_KEYS)

    def _draw_plan(self, canvas: Canvas, box: Box, form: ComparisonForm) -> None:
        """What it comes to: so many runs, so long."""
        canvas.fill(box, PANEL, radius=8)
        inner = box.inset(16)
        canvas.text("What this comes to", (inner.x, inner.y), SMALL, QUIET)
        runs = len(form.chosen) * form.numbers["seeds"]
        number = canvas.text(str(runs), (inner.x, inner.y + 28), LARGE, mono=True)
        canvas.text("trainings", (number.right + GRID, number.bottom - 24), SMALL, QUIET)
        colour = ORANGE if form.problem else QUIET
        used = canvas.paragraph(self._estimate, inner.without_top(88), SMALL, colour)
        words = (
            "Every beginning is trained with the same settings and the same seeds, and judged on the same episodes. "
            "Only the seeding differs. Three seeds show a large difference; ten a smaller one."
        )
        canvas.paragraph(words, inner.without_top(88 + used + 2 * GRID), SMALL, QUIET)

    def _draw_rows(self, canvas: Canvas, box: Box) -> None:
        self._rows.place(box, len(self._all))
        if not self._all:
            words = "No comparisons yet. Choose at least two beginnings, then press Enter."
            canvas.paragraph(words, box, SMALL, QUIET)
        for number, row in self._rows.rows():
            facts = self._all[number]
            card = row.without_bottom(GRID / 2)
            shown = facts.name == self._shown and self._form is None
            if shown or card.contains(*self._pointer):
                canvas.fill(card, LINE if shown else PANEL, radius=6)
            inner = card.inset(8)
            colour = STATE_COLOURS[facts.state]
            state = canvas.text(facts.state, (inner.right, inner.y - 2), SMALL, colour, align="right")
            canvas.text(facts.name, (inner.x, inner.y - 2), SMALL, max_width=state.x - inner.x - GRID)
            if facts.total:
                canvas.text(f"{facts.done} of {facts.total} runs", (inner.x, inner.y + 18), SMALL, QUIET)
            if facts.is_at_work:
                canvas.bar(Box(inner.x, card.bottom - 6, inner.width, 3), facts.share, colour)
        self._rows.draw_bar(canvas)
