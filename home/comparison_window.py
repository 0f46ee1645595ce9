"""The Compare window: start a comparison of seedings, follow its runs, and see the results."""

from __future__ import annotations

from typing import Protocol

from data.comparisons import ComparisonSummary
from data.durations import rounded_duration
from home.action_bar import Action
from home.comparison_form import ComparisonForm, ComparisonRequest
from home.comparison_pane import STATE_COLOURS, ComparisonPane, Evaluations
from home.form import SourceOption, draw_notes
from home.list_window import ListWindow
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, OLIVE, ORANGE, PANEL, QUIET, SMALL
from screen.window import Window

TITLE = "Replay Coach - comparing"
WAITS = "is waiting for its turn"


class ComparisonController(Protocol):
    """What the window needs from the library; ``commands.comparison_controller`` implements it.

    Methods that change something raise CoachError with one sentence if they cannot.
    """

    def comparisons(self) -> list[ComparisonSummary]:
        """Return the active ones, then those that wait, then the others, newest first."""
        ...

    def evaluations(self, name: str) -> Evaluations:
        """Return the evaluations during the trainings of a comparison."""
        ...

    def arms(self) -> list[SourceOption]: ...

    def free_name(self) -> str: ...

    def seconds_estimate(self, request: ComparisonRequest) -> float | None:
        """Return how long all runs will take, or None if nothing is known."""
        ...

    def start(self, request: ComparisonRequest) -> bool:
        """Start it. Return whether it waits for another job first."""
        ...

    def stop(self, name: str) -> None:
        """Stop a comparison, or remove it from the queue."""
        ...

    def resume(self, name: str) -> None: ...

    def open_report(self, name: str) -> str:
        """Show the report in a browser. Return a sentence that says where it is."""
        ...


class ComparisonWindow(ListWindow[ComparisonForm]):
    """Shows comparisons, or the form of a new one. ``run`` returns when the person goes back."""

    heading = "Compare"
    new_heading = "New comparison"
    nothing_yet = "No comparisons yet. Choose at least two starting points, then press Enter."
    list_keys = (
        ("N", "New comparison"),
        ("↑ ↓", "Choose a comparison"),
        ("S", "Stop it; every run writes a checkpoint"),
        ("R", "Resume it; finished runs are not repeated"),
        ("O", "Open the report in the browser"),
        ("F11", "Full screen"),
        ("Esc", "Back; the comparison continues"),
    )
    form_keys = (
        ("↑ ↓", "Choose a field"),
        ("Space", "Select or clear a starting point"),
        ("← →", "Change a number"),
        ("0-9", "Type a number"),
        ("Enter", "Start"),
        ("F11", "Full screen"),
        ("Esc", "Back to the comparisons"),
    )

    def __init__(self, window: Window, controller: ComparisonController) -> None:
        super().__init__(window)
        self._controller = controller
        self._pane = ComparisonPane()
        self._all: list[ComparisonSummary] = []
        self._evaluations: Evaluations = {}
        self._estimate = ""

    def run(self) -> None:
        """Return when the person goes back. Comparisons continue without the window."""
        self._run()

    def names(self) -> list[str]:
        return [summary.name for summary in self._all]

    def _has_active(self) -> bool:
        return any(summary.is_active for summary in self._all)

    @property
    def _selected(self) -> ComparisonSummary | None:
        return next((summary for summary in self._all if summary.name == self._shown), None)

    def _update(self) -> None:
        found = self._controller.comparisons()
        self._keep_shown([summary.name for summary in found])
        self._stale |= found != self._all
        before = self._selected
        self._all = found
        evaluations = self._controller.evaluations(self._shown) if self._shown and self._form is None else {}
        self._stale |= evaluations != self._evaluations
        self._evaluations = evaluations
        now = self._selected
        changed = before is not None and now is not None and before.is_active and before.state != now.state
        if changed and now is not None and (not now.is_active or WAITS in self._message):
            self._message = ""  # it was about a comparison that has ended or started
        self._set_title(self._titled())

    def _titled(self) -> str:
        if self._form is not None:
            return f"{TITLE} - new"
        selected = self._selected
        return TITLE if selected is None else f"{TITLE} - {selected.name}: {selected.state}"

    # ---- actions --------------------------------------------------------------------------------------------

    def _wheel_beside(self, dy: int) -> None:
        self._pane.wheel(dy)

    def _list_actions(self) -> list[Action]:
        summary = self._selected
        active = summary is not None and summary.is_active
        waits = summary is not None and summary.state == "waiting"
        stops = summary is not None and summary.state in ("waiting", "starting", "running")
        reported = summary is not None and bool(summary.report)
        return [
            Action("New comparison", "N", "n", self._open_form, None if active or reported else OLIVE),
            Action("Remove" if waits else "Stop", "S", "s", self._stop, None, stops),
            Action(_resume_label(summary), "R", "r", self._resume, None, summary is not None and summary.can_resume),
            Action("Report", "O", "o", self._open_report, OLIVE if reported else None, reported),
        ]

    def _open_form(self) -> None:
        self._show_form(ComparisonForm(self._controller.arms(), self._controller.free_name()))

    def _form_changed(self) -> None:
        assert self._form is not None
        self._message = ""
        self._estimate = self._form.problem or self._estimated(self._form)

    def _estimated(self, form: ComparisonForm) -> str:
        seconds = self._controller.seconds_estimate(form.request)
        if seconds is None:
            return "The time can be estimated after the first training."
        return f"About {rounded_duration(seconds)} in all, at the last run's speed."

    def _start(self) -> None:
        assert self._form is not None
        request = self._form.request
        waits = self._controller.start(request)
        self._close_form()
        self._shown = request.name
        does = f"{WAITS} and starts by itself" if waits else "is running in the background"
        self._say(f"{request.name} {does}, even if this window is closed.")

    def _stop(self) -> None:
        waited = self._selected is not None and self._selected.state == "waiting"
        self._controller.stop(self._shown)
        if not waited:
            self._say(f"{self._shown} is stopping. Each run writes a checkpoint first.")

    def _resume(self) -> None:
        self._controller.resume(self._shown)

    def _open_report(self) -> None:
        self._say(self._controller.open_report(self._shown))

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _draw_selected(self, canvas: Canvas, box: Box) -> None:
        if self._selected is not None:
            self._pane.draw(canvas, box, self._selected, self._evaluations, self._pointer)

    def _draw_beside_form(self, canvas: Canvas, box: Box) -> None:
        """Draw how many runs it will be, and how long they will take."""
        form = self._form
        assert form is not None
        canvas.fill(box, PANEL, radius=8)
        inner = box.inset(16)
        canvas.text("In all", (inner.x, inner.y), SMALL, QUIET)
        runs = len(form.chosen) * form.numbers["seeds"]
        number = canvas.text(str(runs), (inner.x, inner.y + 28), LARGE, mono=True)
        canvas.text("trainings", (number.right + GRID, number.bottom - 24), SMALL, QUIET)
        colour = ORANGE if form.problem else QUIET
        used = canvas.paragraph(self._estimate, inner.without_top(88), SMALL, colour)
        words = (
            "Every starting point is trained with the same settings and seeds, and evaluated on the same episodes. "
            "Only the seeding differs. Three seeds show a large difference, ten a smaller one."
        )
        canvas.paragraph(words, inner.without_top(88 + used + 2 * GRID), SMALL, QUIET)
        draw_notes(canvas, inner, [(warning, OLIVE) for warning in form.warnings])

    def _draw_card(self, canvas: Canvas, number: int, card: Box) -> None:
        summary = self._all[number]
        inner = card.inset(8)
        colour = STATE_COLOURS[summary.state]
        state = canvas.text(summary.state, (inner.right, inner.y - 2), SMALL, colour, align="right")
        canvas.text(summary.name, (inner.x, inner.y - 2), SMALL, max_width=state.x - inner.x - GRID)
        if summary.total:
            canvas.text(f"{summary.done} of {summary.total} runs", (inner.x, inner.y + 18), SMALL, QUIET)
        if summary.is_active:
            canvas.bar(Box(inner.x, card.bottom - 6, inner.width, 3), summary.share, colour)


def _resume_label(summary: ComparisonSummary | None) -> str:
    return "Resume" if summary is not None and summary.state in ("stopped", "interrupted") else "Try again"
