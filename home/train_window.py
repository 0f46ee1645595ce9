"""The Train window: choose a seeding, start, and watch; runs are found again whenever it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from data.durations import rounded_duration
from data.live_view import LivePicture
from data.run_curves import RunCurves
from data.runs import RunSummary
from data.seeding_preview import SeedingPreview
from home.action_bar import Action
from home.form import SourceOption
from home.list_window import ListWindow
from home.run_pane import STATE_COLOURS, RunPane, state_words
from home.seeding_pane import SeedingCount, draw_seeding
from home.train_form import Preset, TrainForm, TrainingRequest
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, OLIVE, QUIET, SMALL
from screen.window import Window

TITLE = "Replay Coach - training"


class TrainingController(Protocol):
    """What the window needs from the rest of the house; ``commands.training_controller`` is the real one.

    Methods that change something raise CoachError with one sentence where they cannot.
    """

    def runs(self) -> list[RunSummary]:
        """Those that go on and wait first, then the others, newest first."""
        ...

    def curves(self, run: str) -> RunCurves: ...

    def picture(self, run: str) -> LivePicture | None:
        """The newest picture of the run's game, or None; asking for it says that somebody looks on."""
        ...

    def sources(self) -> list[SourceOption]: ...

    def presets(self) -> Sequence[Preset]: ...

    def free_name(self) -> str:
        """A name for the next run."""
        ...

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingPreview:
        """Raises CoachError where nothing is selected. May take seconds: not for the thread that draws."""
        ...

    def seconds_estimate(self, wish: TrainingRequest) -> float | None:
        """How long such a training took before, or None where nothing is known."""
        ...

    def start(self, wish: TrainingRequest) -> None: ...

    def stop(self, run: str) -> None:
        """Stop a training, or take one that waits out of the queue."""
        ...

    def resume(self, run: str) -> None:
        """Go on with a stopped run; one that failed is tried again, one that is done trains as long again."""
        ...

    def dismiss(self, run: str) -> None:
        """Forget that it failed."""
        ...


def grouped(number: int) -> str:
    """A whole number as a person reads it: 12,000."""
    return f"{number:,}"


class TrainWindow(ListWindow[TrainForm]):
    """Shows runs, or the form of a new one. ``run`` returns when the person leaves."""

    heading = "Train"
    new_heading = "New training"
    nothing_yet = "No runs yet. Choose what the agent begins with, then press Enter."
    list_keys = (
        ("N", "New training"),
        ("↑ ↓", "Choose a run to look at"),
        ("S", "Stop it, with a checkpoint; take it out of the queue"),
        ("R", "Go on; try again; train as long again"),
        ("W", "Watch its agent play"),
        ("Del", "Forget that it failed"),
        ("F11", "Full screen"),
        ("Esc", "Back; trainings go on"),
    )
    form_keys = (
        ("↑ ↓", "Choose a field"),
        ("Space", "Take a source, or leave it"),
        ("← →", "Change a choice or a number"),
        ("0-9", "Type a number"),
        ("Enter", "Start"),
        ("F11", "Full screen"),
        ("Esc", "Back to the runs"),
    )

    def __init__(self, window: Window, desk: TrainingController) -> None:
        super().__init__(window)
        self._desk = desk
        self._pane = RunPane()
        self._runs: list[RunSummary] = []
        self._curves = RunCurves()
        self._game: LivePicture | None = None
        self._count: SeedingCount | None = None
        self._estimate = ""
        self._to_watch: str | None = None

    def run(self) -> str | None:
        """Until the person leaves; the run whose agent they want to watch, or None."""
        self._to_watch = None
        self._until_left()
        return self._to_watch

    # ---- what there is to see ------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        return [run.name for run in self._runs]

    @property
    def _selected(self) -> RunSummary | None:
        return next((run for run in self._runs if run.name == self._shown), None)

    def _refresh(self) -> None:
        """A new picture of the game, a new count of the seeding: whatever is due."""
        selected = self._selected
        if self._form is None and selected is not None and selected.is_active:
            game = self._desk.picture(selected.name)
            if game is not self._game:
                self._game, self._stale = game, True
        if self._count is not None:
            self._stale |= self._count.refresh()

    def _look(self) -> None:
        runs = self._desk.runs()
        self._keep_shown([run.name for run in runs])
        curves = self._desk.curves(self._shown) if self._shown and self._form is None else RunCurves()
        self._stale |= runs != self._runs or len(curves.trace["step"]) != len(self._curves.trace["step"])
        before = self._selected
        self._runs, self._curves = runs, curves
        now = self._selected
        if before is not None and now is not None and before.is_active and not now.is_active:
            self._message = ""  # what was said of a training that went on is no longer so
        self._looked_at(self._titled())

    def _titled(self) -> str:
        if self._form is not None:
            return f"{TITLE} - new"
        run = self._selected
        return TITLE if run is None else f"{TITLE} - {run.name}: {state_words(run)}"

    def _show(self, name: str) -> None:
        self._game = None
        super()._show(name)

    # ---- what is done --------------------------------------------------------------------------------------------

    def _form_changed(self) -> None:
        self._message = ""
        self._estimate = self._estimated()
        if self._count is not None:
            self._count.form_changed()

    def _list_actions(self) -> list[Action]:
        run = self._selected
        going_on = run is not None and run.is_active
        waits = run is not None and run.state == "waiting"
        stops = run is not None and run.is_active and run.state != "stopping" and not run.comparison
        watches = run is not None and (run.step > 0 or run.state in ("training", "stopping"))
        actions = [
            Action("New training", "N", "n", self._open_form, None if going_on else OLIVE),
            Action("Take out" if waits else "Stop", "S", "s", self._stop, None, stops),
            Action(_resume_label(run), "R", "r", self._resume, None, run is not None and run.can_resume),
            Action("Watch", "W", "w", self._watch, None, watches),
        ]
        if run is not None and run.state == "failed":
            actions.append(Action("Forget it", "Del", "delete", self._dismiss))
        return actions

    def _open_form(self) -> None:
        form = TrainForm(self._desk.sources(), self._desk.presets(), self._desk.free_name())
        self._show_form(form)
        self._count = SeedingCount(form, self._desk.preview)

    def _close_form(self) -> None:
        super()._close_form()
        if self._count is not None:
            self._count.stop()
            self._count = None

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

    def _estimated(self) -> str:
        if self._form is None:
            return ""
        if self._form.problem:
            return self._form.problem
        seconds = self._desk.seconds_estimate(self._form.wish)
        if seconds is None:
            return "How long it takes is known when one has begun."
        return f"About {rounded_duration(seconds)}, as fast as the newest run went."

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _draw_chosen(self, canvas: Canvas, box: Box) -> None:
        if self._selected is not None:
            self._pane.draw(canvas, box, self._selected, self._curves, self._game)

    def _draw_beside_form(self, canvas: Canvas, box: Box) -> None:
        if self._count is not None:
            count = self._count
            draw_seeding(canvas, box, count.facts, count.problem, count.is_counting, self._estimate)

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
    if run is not None and run.state == "done":
        return "Train on"
    return "Try again" if run is not None and run.state == "failed" else "Resume"
