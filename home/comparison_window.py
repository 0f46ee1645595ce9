"""The Compare window: begin a comparison of seedings, see how far each run is, and what came of it."""

from __future__ import annotations

from data.durations import rounded_duration
from home.action_bar import Action
from home.comparison_facts import ComparisonDesk, ComparisonFacts
from home.comparison_form import ComparisonForm
from home.comparison_pane import STATE_COLOURS, ComparisonPane
from home.list_window import ListWindow
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GRID, LARGE, OLIVE, ORANGE, PANEL, QUIET, SMALL
from screen.window import Window

TITLE = "Replay Coach - comparing"


class ComparisonWindow(ListWindow[ComparisonForm]):
    """Shows comparisons, or the form of a new one. ``run`` returns when the person leaves."""

    heading = "Compare"
    new_heading = "New comparison"
    nothing_yet = "No comparisons yet. Choose at least two beginnings, then press Enter."
    list_keys = (
        ("N", "New comparison"),
        ("↑ ↓", "Choose a comparison"),
        ("S", "Stop it; every run keeps a checkpoint"),
        ("R", "Go on; runs that are done are not done again"),
        ("O", "Open the report in the browser"),
        ("F11", "Full screen"),
        ("Esc", "Back; the comparison goes on"),
    )
    form_keys = (
        ("↑ ↓", "Choose a field"),
        ("Space", "Take a beginning, or leave it"),
        ("← →", "Change a number"),
        ("0-9", "Type a number"),
        ("Enter", "Start"),
        ("F11", "Full screen"),
        ("Esc", "Back to the comparisons"),
    )

    def __init__(self, window: Window, desk: ComparisonDesk) -> None:
        super().__init__(window)
        self._desk = desk
        self._pane = ComparisonPane()
        self._all: list[ComparisonFacts] = []
        self._estimate = ""

    def run(self) -> None:
        """Until the person leaves; comparisons go on by themselves."""
        self._run()

    def names(self) -> list[str]:
        return [facts.name for facts in self._all]

    @property
    def _selected(self) -> ComparisonFacts | None:
        return next((facts for facts in self._all if facts.name == self._shown), None)

    def _update(self) -> None:
        found = self._desk.comparisons()
        self._keep_shown([facts.name for facts in found])
        self._stale |= found != self._all
        self._all = found
        self._set_title(self._titled())

    def _titled(self) -> str:
        if self._form is not None:
            return f"{TITLE} - new"
        selected = self._selected
        return TITLE if selected is None else f"{TITLE} - {selected.name}: {selected.state}"

    # ---- what is done --------------------------------------------------------------------------------------------

    def _wheel_beside(self, dy: int) -> None:
        self._pane.wheel(dy)

    def _list_actions(self) -> list[Action]:
        facts = self._selected
        at_work = facts is not None and facts.is_at_work
        stops = facts is not None and facts.state in ("starting", "running")
        reported = facts is not None and bool(facts.report)
        return [
            Action("New comparison", "N", "n", self._open_form, None if at_work or reported else OLIVE),
            Action("Stop", "S", "s", self._stop, None, stops),
            Action("Resume", "R", "r", self._resume, None, facts is not None and facts.can_resume),
            Action("Report", "O", "o", self._open_report, OLIVE if reported else None, reported),
        ]

    def _open_form(self) -> None:
        self._show_form(ComparisonForm(self._desk.arms(), self._desk.free_name()))

    def _form_changed(self) -> None:
        assert self._form is not None
        self._message = ""
        self._estimate = self._form.problem or self._estimated(self._form)

    def _estimated(self, form: ComparisonForm) -> str:
        seconds = self._desk.seconds_estimate(form.wish)
        if seconds is None:
            return "How long it takes is known when an agent has trained here."
        return f"About {rounded_duration(seconds)} in all, as fast as the newest run went."

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

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _draw_selected(self, canvas: Canvas, box: Box) -> None:
        if self._selected is not None:
            self._pane.draw(canvas, box, self._selected)

    def _draw_beside_form(self, canvas: Canvas, box: Box) -> None:
        """What it comes to: so many runs, so long."""
        form = self._form
        assert form is not None
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

    def _draw_card(self, canvas: Canvas, number: int, card: Box) -> None:
        facts = self._all[number]
        inner = card.inset(8)
        colour = STATE_COLOURS[facts.state]
        state = canvas.text(facts.state, (inner.right, inner.y - 2), SMALL, colour, align="right")
        canvas.text(facts.name, (inner.x, inner.y - 2), SMALL, max_width=state.x - inner.x - GRID)
        if facts.total:
            canvas.text(f"{facts.done} of {facts.total} runs", (inner.x, inner.y + 18), SMALL, QUIET)
        if facts.is_at_work:
            canvas.bar(Box(inner.x, card.bottom - 6, inner.width, 3), facts.share, colour)
