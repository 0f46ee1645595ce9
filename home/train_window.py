"""The Train window: the list of runs, one run with its curves, and the form of a new training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from data.durations import rounded_duration
from data.live_view import LivePicture
from data.run_curves import RunCurves
from data.runs import RunSummary
from data.seeding_preview import SeedingPreview
from home.action_bar import Action
from home.form import NAME, SourceOption
from home.list_window import ListWindow
from home.run_pane import STATE_COLOURS, RunPane, state_words
from home.seeding_pane import BackgroundPreview, draw_preview
from home.train_form import Preset, TrainForm, TrainingRequest
from screen.canvas import Canvas
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, TextTyped
from screen.fields import FIELD_HEIGHT, TextField
from screen.layout import Box
from screen.theme import GREEN, GRID, OLIVE, ORANGE, QUIET, SMALL
from screen.widgets import Button, draw_message, message_buttons
from screen.window import Window

TITLE = "Replay Coach - training"
WAITS = "is waiting for its turn"


class TrainingController(Protocol):
    """What the window needs from the program; implemented by ``commands.training_controller``.

    Methods that change something raise CoachError where they cannot.
    """

    def runs(self) -> list[RunSummary]:
        """Return the runs: active ones first, then those that wait, then the others, newest first."""
        ...

    def curves(self, run: str) -> RunCurves: ...

    def additions(self, run: str) -> str:
        """Return what was added to a run's training, in sentences; "" if nothing was."""
        ...

    def picture(self, run: str) -> LivePicture | None:
        """Return the newest picture of the run's game, or None, and ask the training for more."""
        ...

    def sources(self) -> list[SourceOption]: ...

    def presets(self) -> Sequence[Preset]: ...

    def free_name(self) -> str:
        """Return a name for the next run."""
        ...

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingPreview:
        """Return what a seeding would put into the memory; this may take seconds.

        Raises CoachError if nothing is selected.
        """
        ...

    def discard(self, paths: Sequence[str]) -> None:
        """Move replay files of the library to its trash."""
        ...

    def seconds_estimate(self, request: TrainingRequest) -> float | None:
        """Return how long a training will take, judged by earlier ones, or None if there are none."""
        ...

    def start(self, request: TrainingRequest) -> bool:
        """Start it. Return whether it waits for another job first."""
        ...

    def stop(self, run: str) -> None:
        """Stop a training, or remove one that waits from the queue."""
        ...

    def resume(self, run: str) -> None:
        """Resume a stopped run, try a failed one again, or train a finished one for as many steps again."""
        ...

    def dismiss(self, run: str) -> None:
        """Remove the note of its failure."""
        ...

    def rename(self, run: str, name: str) -> None: ...

    def delete(self, run: str) -> None:
        """Move a run to the trash."""
        ...

    def restore(self, run: str) -> None:
        """Move a run back from the trash."""
        ...


class TrainWindow(ListWindow[TrainForm]):
    """Shows runs, or the form of a new one."""

    heading = "Train"
    new_heading = "New training"
    nothing_yet = "No runs yet. Choose what the agent starts from, then press Enter."
    list_keys = (
        ("N", "New training"),
        ("↑ ↓", "Select a run"),
        ("S", "Stop it with a checkpoint, or remove it from the queue"),
        ("R", "Resume; try again; train for as many steps again"),
        ("W", "Watch its agent play"),
        ("C", "Coach it: watch, and add what you play after T"),
        ("M", "Its worst moments, to play on from"),
        ("F2", "Rename it"),
        ("Del", "Delete it (into the trash), or dismiss a failure"),
        ("U", "Undo the last deletion"),
        ("F11", "Full screen"),
        ("Esc", "Back; trainings continue"),
    )
    form_keys = (
        ("↑ ↓", "Choose a field"),
        ("Space", "Select or clear a source"),
        ("← →", "Change a choice or a number"),
        ("0-9", "Type a number"),
        ("Enter", "Start"),
        ("F11", "Full screen"),
        ("Esc", "Back to the runs"),
    )

    def __init__(self, window: Window, controller: TrainingController) -> None:
        super().__init__(window)
        self._controller = controller
        self._pane = RunPane()
        self._runs: list[RunSummary] = []
        self._curves = RunCurves()
        self._additions = ""
        self._game: LivePicture | None = None
        self._preview: BackgroundPreview | None = None
        self._estimate = ""
        self._to_watch: str | None = None
        self.view = "watch"
        """How the run that ``run`` returned is to be shown: "watch", "coach" or "moments"."""
        self._renaming: TextField | None = None
        self._deleted: list[str] = []
        """Runs that were deleted in this window, to undo that."""

    def run(self) -> str | None:
        """Run until the window is closed. Return the run to show as ``view`` says, or None."""
        self._to_watch = None
        self._run()
        return self._to_watch

    # ---- state ---------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return [run.name for run in self._runs]

    def _starts_with_form(self, selected: str) -> bool:
        return all(run.supplied for run in self._runs) and selected not in self.names()

    def _has_active(self) -> bool:
        return any(run.is_active for run in self._runs)

    @property
    def _selected(self) -> RunSummary | None:
        return next((run for run in self._runs if run.name == self._shown), None)

    def _refresh(self) -> None:
        selected = self._selected
        if self._form is None and selected is not None and selected.is_active:
            game = self._controller.picture(selected.name)
            if game is not self._game:
                self._game, self._stale = game, True
        if self._preview is not None:
            self._stale |= self._preview.refresh()

    def _update(self) -> None:
        runs = self._controller.runs()
        self._keep_shown([run.name for run in runs])
        curves = self._controller.curves(self._shown) if self._shown and self._form is None else RunCurves()
        additions = self._controller.additions(self._shown) if self._shown and self._form is None else ""
        self._stale |= additions != self._additions
        self._additions = additions
        self._stale |= runs != self._runs or len(curves.trace["step"]) != len(self._curves.trace["step"])
        before = self._selected
        self._runs, self._curves = runs, curves
        now = self._selected
        changed = before is not None and now is not None and before.is_active and before.state != now.state
        if changed and now is not None and (not now.is_active or WAITS in self._message):
            self._message = ""  # it was about a training that has ended or started
        self._set_title(self._titled())

    def _titled(self) -> str:
        if self._form is not None:
            return f"{TITLE} - new"
        run = self._selected
        return TITLE if run is None else f"{TITLE} - {run.name}: {state_words(run)}"

    def _show(self, name: str) -> None:
        self._game = None
        super()._show(name)

    # ---- actions -------------------------------------------------------------------------------------------------

    def _form_changed(self) -> None:
        self._message = ""
        self._estimate = self._estimated()
        if self._preview is not None:
            self._preview.form_changed()

    def _list_actions(self) -> list[Action]:
        run = self._selected
        is_active = run is not None and run.is_active
        is_supplied = run is not None and run.supplied
        waits = run is not None and run.state == "waiting"
        stops = run is not None and run.is_active and run.state != "stopping" and not run.comparison
        watches = run is not None and run.can_watch
        actions = [
            Action("New", "N", "n", self._open_form, None if is_active else OLIVE),
            Action("Remove" if waits else "Stop", "S", "s", self._stop, None, stops),
            Action(_resume_label(run), "R", "r", self._resume, None, run is not None and run.can_resume),
            Action("Watch", "W", "w", partial(self._view, "watch"), None, watches),
            Action("Coach", "C", "c", partial(self._view, "coach"), None, watches and not is_supplied),
            Action("Moments", "M", "m", partial(self._view, "moments"), None, watches and not is_supplied),
        ]
        exists = run is not None and run.path != Path()
        movable = exists and run is not None and not run.is_active and not run.comparison and not run.supplied
        actions.append(Action("Rename", "F2", "f2", self._start_renaming, None, movable))
        if run is not None and run.state == "failed" and not exists:
            actions.append(Action("Dismiss", "Del", "delete", self._dismiss))
        else:
            actions.append(Action("Delete", "Del", "delete", self._delete, None, movable))
        # Last, and only where there is something to undo, so that the others have room and keep their places.
        return [*actions, Action("Undo", "U", "u", self._undo)] if self._deleted else actions

    # ---- renaming and deleting -----------------------------------------------------------------------------------

    def _handle(self, event: Event) -> None:
        if self._renaming is None or isinstance(event, CloseRequested):
            super()._handle(event)
            return
        match event:
            case TextTyped(text):
                self._renaming.write("".join(letter for letter in text if NAME.fullmatch("a" + letter)))
            case KeyDown(key="return", repeat=False):
                self._rename(self._renaming.text)
            case KeyDown(key="escape", repeat=False):
                self._renaming = None
            case KeyDown():
                self._renaming.press(event)
            case PointerMoved(x, y):
                self._pointer = (x, y)
            case PointerDown(x, y, 1):
                accept, cancel = self._rename_buttons(self._window.canvas)
                if accept.contains(x, y):
                    self._rename(self._renaming.text)
                elif cancel.contains(x, y):
                    self._renaming = None

    def _start_renaming(self) -> None:
        self._renaming = TextField(self._shown, 100)

    def _rename(self, name: str) -> None:
        old, self._renaming = self._shown, None
        if not name or name == old:
            return

        def rename() -> None:
            self._controller.rename(old, name)
            self._shown = name

        self._do(Action("Rename", "F2", "f2", rename))

    @staticmethod
    def _rename_buttons(canvas: Canvas) -> list[Button]:
        return message_buttons(canvas, [("Rename", "Enter", GREEN), ("Cancel", "Esc", None)])

    def _delete(self) -> None:
        name = self._shown
        self._controller.delete(name)
        self._deleted.append(name)
        self._say(f"{name} is in the trash. Press U to undo.")

    def _undo(self) -> None:
        if self._deleted:
            name = self._deleted.pop()
            self._controller.restore(name)
            self._shown = name
            self._say(f"{name} restored.")

    def _form_actions(self) -> list[Action]:
        if self._preview is None or not self._damaged:
            return []
        return [Action("Damaged to trash", "Del", "delete", self._discard_damaged, ORANGE)]

    @property
    def _damaged(self) -> dict[str, str]:
        preview = self._preview.preview if self._preview is not None else None
        return {} if preview is None else preview.damaged

    def _discard_damaged(self) -> None:
        number = len(self._damaged)
        self._controller.discard(tuple(self._damaged))
        if self._preview is not None:
            self._preview.compute_again()
        what = "The damaged file is" if number == 1 else f"{number} damaged files are"
        self._say(f"{what} in the trash. The Library window can restore from there.")

    def _open_form(self) -> None:
        form = TrainForm(self._controller.sources(), self._controller.presets(), self._controller.free_name())
        self._show_form(form)
        self._preview = BackgroundPreview(form, self._controller.preview)

    def _close_form(self) -> None:
        super()._close_form()
        if self._preview is not None:
            self._preview.stop()
            self._preview = None

    def _start(self) -> None:
        assert self._form is not None
        request = self._form.request
        waits = self._controller.start(request)
        self._close_form()
        self._shown, self._game = request.run, None
        does = f"{WAITS} and starts by itself" if waits else "is training in the background"
        meanwhile = "Verdicts that you give meanwhile take effect in it."
        self._say(f"{request.run} {does}, even if this window is closed. {meanwhile}")

    def _stop(self) -> None:
        run = self._selected
        if run is not None:
            self._controller.stop(run.name)
            if run.state != "waiting":
                self._say(f"{run.name} is stopping. It writes a checkpoint first.")

    def _resume(self) -> None:
        if self._selected is not None:
            self._controller.resume(self._selected.name)

    def _dismiss(self) -> None:
        if self._selected is not None:
            self._controller.dismiss(self._selected.name)

    def _view(self, how: str) -> None:
        self._to_watch, self.view, self._leaving = self._shown, how, True

    def _estimated(self) -> str:
        if self._form is None:
            return ""
        if self._form.problem:
            return self._form.problem
        seconds = self._controller.seconds_estimate(self._form.request)
        if seconds is None:
            return "The time can be estimated after the first training."
        return f"About {rounded_duration(seconds)}, at the last run's speed."

    # ---- drawing -------------------------------------------------------------------------------------------------

    def draw(self, canvas: Canvas) -> None:
        super().draw(canvas)
        if self._renaming is not None:
            buttons = self._rename_buttons(canvas)
            text = "Episodes that it played keep the old name."
            draw_message(canvas, f"Rename {self._shown}", text, buttons, self._pointer)
            field = Box(buttons[0].box.x, buttons[0].box.y - 48, buttons[-1].box.right - buttons[0].box.x, FIELD_HEIGHT)
            self._renaming.draw(canvas, field, active=True)

    def _draw_selected(self, canvas: Canvas, box: Box) -> None:
        if self._selected is not None:
            self._pane.draw(canvas, box, self._selected, self._curves, self._game, self._pointer, self._additions)

    def _draw_beside_form(self, canvas: Canvas, box: Box) -> None:
        if self._preview is not None:
            draw_preview(canvas, box, self._preview, self._estimate, self._form.warnings if self._form else ())

    def _draw_card(self, canvas: Canvas, number: int, card: Box) -> None:
        run = self._runs[number]
        inner = card.inset(8)
        colour = STATE_COLOURS[run.state]
        state = canvas.text(state_words(run), (inner.right, inner.y - 2), SMALL, colour, align="right")
        canvas.text(run.name, (inner.x, inner.y - 2), SMALL, max_width=state.x - inner.x - GRID)
        about = "" if run.mean_score is None else f"{run.mean_score:.0f}"
        score = canvas.text(about, (inner.right, inner.y + 18), SMALL, QUIET, mono=True, align="right")
        origin = f"of comparison {run.comparison}" if run.comparison else run.seeding
        canvas.text(origin, (inner.x, inner.y + 18), SMALL, QUIET, max_width=score.x - inner.x - GRID)
        if run.is_active and run.state != "waiting":
            canvas.bar(Box(inner.x, card.bottom - 6, inner.width, 3), run.share_done, colour)


def _resume_label(run: RunSummary | None) -> str:
    if run is not None and run.state == "failed":
        return "Try again"
    return "Resume" if run is not None and run.state in ("stopped", "interrupted") else "Train more"
