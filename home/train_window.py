"""The Train window: choose a seeding, start, and watch; runs are found again whenever it is opened."""

from __future__ import annotations

import time

from data.errors import CoachError
from home.foot import Action, areas, draw_foot, draw_head, foot_buttons, form_width
from home.form_drawing import FormDrawing
from home.overview import duration
from home.run_pane import STATE_COLOURS, RunPane, state_words
from home.seeding_pane import draw_seeding
from home.train_form import TrainForm
from home.training_facts import Curves, GamePicture, RunFacts, SeedingFacts, TrainDesk
from screen.background import Background
from screen.canvas import Canvas
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, GROUND, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL
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

TITLE = "Replay Coach - training"
TICK_SECONDS = 1 / 30
LOOK_SECONDS = 0.5
"""Time between two looks at the runs."""
ROW = 56.0
SETTLE_SECONDS = 0.3
"""A preview is counted when the form has been left alone for so long."""

LIST_KEYS = [
    ("N", "New training"),
    ("↑ ↓", "Choose a run to look at"),
    ("S", "Stop it, with a checkpoint; take it out of the queue"),
    ("R", "Go on; try again; train as long again"),
    ("W", "Watch its agent play"),
    ("Del", "Forget that it failed"),
    ("F11", "Full screen"),
    ("Esc", "Back; trainings go on"),
]
FORM_KEYS = [
    ("↑ ↓", "Choose a field"),
    ("Space", "Take a source, or leave it"),
    ("← →", "Change a choice or a number"),
    ("0-9", "Type a number"),
    ("Enter", "Start"),
    ("F11", "Full screen"),
    ("Esc", "Back to the runs"),
]


class TrainWindow:
    """Shows runs, or the form of a new one. ``run`` returns when the person leaves."""

    def __init__(self, window: Window, desk: TrainDesk) -> None:
        self._window = window
        self._desk = desk
        self._rows = ListView(row_height=ROW)
        self._pane = RunPane()
        self._runs: list[RunFacts] = []
        self._shown = ""
        """The run that is looked at."""
        self._curves = Curves()
        self._game: GamePicture | None = None
        self._looked = float("-inf")
        self._form: TrainForm | None = None
        self._drawing: FormDrawing | None = None
        self._preview: Background[SeedingFacts] | None = None
        self._previewed: tuple[tuple[str, ...], str] | None = None
        self._seeding: SeedingFacts | None = None
        self._problem = ""
        self._changed = 0.0
        self._estimate = ""
        self._message, self._message_colour = "", ORANGE
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._leaving = False
        self._to_watch: str | None = None
        self._stale = True

    def run(self) -> str | None:
        """Until the person leaves; the run whose agent they want to watch, or None."""
        self._leaving, self._to_watch, self._stale = False, None, True
        self._look()
        if not self._runs:
            self._open_form()
            self._look()
        while not self._leaving:
            for event in self._window.events():
                self._stale = True
                self._handle(event)
            self._refresh()
            if self._stale and not self._leaving:
                self.draw(self._window.canvas)
                self._window.present()
                self._stale = False
            time.sleep(TICK_SECONDS)
        return self._to_watch

    # ---- what there is to see ------------------------------------------------------------------------------------

    @property
    def _selected(self) -> RunFacts | None:
        return next((run for run in self._runs if run.name == self._shown), None)

    def _refresh(self) -> None:
        """New figures, a new picture of the game, a new preview: whatever is due."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._look()
        selected = self._selected
        if self._form is None and selected is not None and selected.is_going_on:
            game = self._desk.picture(selected.name)
            if game is not self._game:
                self._game, self._stale = game, True
        self._refresh_preview()

    def _look(self) -> None:
        runs = self._desk.runs()
        names = [run.name for run in runs]
        if self._shown not in names:
            self._shown = names[0] if names else ""
        curves = self._desk.curves(self._shown) if self._shown and self._form is None else Curves()
        self._stale |= runs != self._runs or len(curves.trace_steps) != len(self._curves.trace_steps)
        before = self._selected
        self._runs, self._curves = runs, curves
        now = self._selected
        if before is not None and now is not None and before.is_going_on and not now.is_going_on:
            self._message = ""  # what was said of a training that went on is no longer so
        self._window.title = self._titled()
        self._rows.chosen = names.index(self._shown) if names else 0
        self._looked = time.monotonic()

    def _titled(self) -> str:
        """The window's title says how it stands with the run that is looked at, for whoever sees the task bar alone."""
        if self._form is not None:
            return f"{TITLE} - new"
        run = self._selected
        return TITLE if run is None else f"{TITLE} - {run.name}: {state_words(run)}"

    def _show(self, run: str) -> None:
        self._shown, self._game = run, None
        self._look()

    def _refresh_preview(self) -> None:
        form = self._form
        if form is None:
            return
        if self._preview is not None and self._preview.is_done:
            self._problem = self._preview.problem
            self._seeding = self._preview.result
            self._preview, self._stale = None, True
        wanted = form.specs, form.keep
        if wanted == self._previewed:
            return
        if not form.specs:
            self._previewed, self._seeding, self._problem, self._stale = wanted, None, "", True
        elif self._preview is None and time.monotonic() - self._changed > SETTLE_SECONDS:
            self._previewed, self._problem = wanted, ""
            self._preview = Background(lambda _: self._desk.preview(*wanted), "seeding preview")

    @property
    def _is_counting(self) -> bool:
        form = self._form
        return form is not None and (self._preview is not None or (form.specs, form.keep) != self._previewed)

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
                else:
                    self._rows.wheel(dy)

    def _key(self, event: KeyDown) -> None:
        for action in self._actions():
            if action.key == event.key and action.enabled and not event.repeat:
                self._do(action)
                return
        if self._form is not None:
            if self._form.press(event.key, event.shift):
                self._form_changed()
        elif self._rows.press(event.key) and self._runs:
            self._show(self._runs[self._rows.chosen].name)

    def _form_changed(self) -> None:
        self._changed = time.monotonic()
        self._message = ""
        self._estimate = self._estimated()

    def _click(self, x: float, y: float) -> None:
        for action, button in zip(self._actions(), self.buttons(self._window.size_units), strict=True):
            if button.contains(x, y):
                self._do(action)
                return
        if self._drawing is not None and self._drawing.click(x, y):
            self._form_changed()
        elif not self._rows.pointer_down(x, y):
            row = self._rows.row_at(x, y)
            if row is not None and row < len(self._runs):
                self._close_form()
                self._show(self._runs[row].name)

    def _do(self, action: Action) -> None:
        self._message = ""
        try:
            action.act()
        except CoachError as error:
            self._message, self._message_colour = str(error), ORANGE
        self._look()

    def _actions(self) -> list[Action]:
        """What can be done now; the foot shows it."""
        if self._form is not None:
            ready = not self._form.problem
            leave = self._close_form if self._runs else self._leave
            return [
                Action("Start", "Enter", "return", self._start, GREEN, ready),
                Action("Back", "Esc", "escape", leave),
            ]
        run = self._selected
        going_on = run is not None and run.is_going_on
        waits = run is not None and run.state == "waiting"
        stops = run is not None and run.is_going_on and run.state != "stopping"
        watches = run is not None and (run.step > 0 or run.state in ("training", "stopping"))
        actions = [
            Action("New training", "N", "n", self._open_form, None if going_on else OLIVE),
            Action("Take out" if waits else "Stop", "S", "s", self._stop, None, stops),
            Action(_resume_label(run), "R", "r", self._resume, None, run is not None and run.can_resume),
            Action("Watch", "W", "w", self._watch, None, watches),
        ]
        if run is not None and run.state == "failed":
            actions.append(Action("Forget it", "Del", "delete", self._dismiss))
        return [*actions, Action("Home", "Esc", "escape", self._leave)]

    def _leave(self) -> None:
        self._leaving = True

    def _open_form(self) -> None:
        self._form = TrainForm(self._desk.sources(), self._desk.presets(), self._desk.free_name())
        self._drawing = FormDrawing(self._form)
        self._seeding, self._previewed = None, None
        self._form_changed()
        self._changed = 0.0

    def _close_form(self) -> None:
        self._form = self._drawing = None
        if self._preview is not None:
            self._preview.stop()
            self._preview = None

    def _start(self) -> None:
        assert self._form is not None
        wish = self._form.wish
        self._desk.start(wish)
        self._close_form()
        self._shown, self._game = wish.run, None
        self._say(f"{wish.run} trains in a process of its own: it goes on when this window is closed.")

    def _stop(self) -> None:
        run = self._selected
        if run is not None:
            self._desk.stop(run.name)
            if run.state != "waiting":
                self._say(f"{run.name} is asked to stop; it writes a checkpoint first.")

    def _resume(self) -> None:
        if self._selected is not None:
            self._desk.resume(self._selected.name)

    def _dismiss(self) -> None:
        if self._selected is not None:
            self._desk.dismiss(self._selected.name)

    def _watch(self) -> None:
        self._to_watch, self._leaving = self._shown, True

    def _say(self, words: str) -> None:
        self._message, self._message_colour = words, QUIET

    def _estimated(self) -> str:
        if self._form is None:
            return ""
        if self._form.problem:
            return self._form.problem
        seconds = self._desk.seconds_estimate(self._form.wish)
        if seconds is None:
            return "How long it takes is known when one has begun."
        return f"About {duration(seconds)}, as fast as the newest run went."

    # ---- drawing -------------------------------------------------------------------------------------------------

    def buttons(self, window: Box) -> list[Button]:
        """The foot's buttons, one for each of what can be done."""
        return foot_buttons(self._actions(), window)

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        rows, main, _ = areas(canvas.box)
        draw_head(canvas, "Train", "New training" if self._form is not None else "")
        self._draw_rows(canvas, rows)
        if self._form is not None and self._drawing is not None:
            form = main.left_part(form_width(main))
            self._drawing.draw(canvas, form, self._pointer)
            pane = main.without_left(form.width + 2 * GRID)
            draw_seeding(canvas, pane, self._seeding, self._problem, self._is_counting, self._estimate)
        elif self._selected is not None:
            self._pane.draw(canvas, main, self._selected, self._curves, self._game)
        draw_foot(canvas, self.buttons(canvas.box), self._pointer, self._message, self._message_colour)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", FORM_KEYS if self._form is not None else LIST_KEYS)

    def _draw_rows(self, canvas: Canvas, box: Box) -> None:
        self._rows.place(box, len(self._runs))
        if not self._runs:
            canvas.paragraph("No runs yet. Choose what the agent begins with, then press Enter.", box, SMALL, QUIET)
        for number, row in self._rows.rows():
            run = self._runs[number]
            card = row.without_bottom(GRID / 2)
            shown = run.name == self._shown and self._form is None
            if shown or card.contains(*self._pointer):
                canvas.fill(card, LINE if shown else PANEL, radius=6)
            inner = card.inset(8)
            colour = STATE_COLOURS[run.state]
            state = canvas.text(state_words(run), (inner.right, inner.y - 2), SMALL, colour, align="right")
            canvas.text(run.name, (inner.x, inner.y - 2), SMALL, max_width=state.x - inner.x - GRID)
            about = "" if run.mean_score is None else f"{run.mean_score:.0f}"
            score = canvas.text(about, (inner.right, inner.y + 18), SMALL, QUIET, mono=True, align="right")
            canvas.text(run.seeding, (inner.x, inner.y + 18), SMALL, QUIET, max_width=score.x - inner.x - GRID)
            if run.is_going_on and run.state != "waiting":
                canvas.bar(Box(inner.x, card.bottom - 6, inner.width, 3), run.share_done, colour)
        self._rows.draw_bar(canvas)


def _resume_label(run: RunFacts | None) -> str:
    if run is not None and run.state == "done":
        return "Train on"
    return "Try again" if run is not None and run.state == "failed" else "Resume"
