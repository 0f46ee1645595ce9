"""One comparison, drawn: how far each run is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from data.durations import clock
from data.runs import ComparedRun
from home.comparison_facts import ArmResult, ComparisonFacts, ComparisonState, results
from screen.canvas import Canvas
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, LARGE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE, Colour

STATE_COLOURS: dict[ComparisonState, Colour] = {
    "starting": OLIVE,
    "running": GREEN,
    "stopping": OLIVE,
    "stopped": QUIET,
    "done": GREEN,
    "failed": ORANGE,
    "broke off": ORANGE,
}
RUN_COLOURS: dict[str, Colour] = {"running": GREEN, "done": GREEN, "failed": ORANGE, "waiting": QUIET}
RUN_ROW = 32.0


def progress_words(facts: ComparisonFacts) -> str:
    """How far a comparison is, in words."""
    if not facts.total:
        return "The seedings are being looked at." if facts.state == "starting" else ""
    failed = f", {facts.failed} failed" if facts.failed else ""
    left = "" if facts.seconds_left is None or not facts.is_at_work else f", about {clock(facts.seconds_left)} left"
    return f"{facts.done} of {facts.total} runs done{failed}{left}"


def run_words(run: ComparedRun) -> str:
    """How far a run is, in words."""
    if run.state == "running":
        return f"{run.phase} {run.step:,} of {run.total:,}"
    return run.state


class ComparisonPane:
    """Draws a comparison; its list of runs scrolls."""

    def __init__(self) -> None:
        self._rows = ListView(row_height=RUN_ROW)

    def wheel(self, dy: int) -> None:
        self._rows.wheel(dy)

    def draw(self, canvas: Canvas, box: Box, facts: ComparisonFacts) -> None:
        colour = STATE_COLOURS[facts.state]
        state = canvas.text(facts.state, (box.right, box.y + 8), MEDIUM, colour, align="right")
        canvas.text(facts.name, (box.x, box.y - 4), LARGE, max_width=state.x - box.x - 2 * GRID)
        words = canvas.text(progress_words(facts), (box.right, box.y + 40), SMALL, QUIET, align="right")
        canvas.text(facts.question, (box.x, box.y + 40), SMALL, QUIET, max_width=words.x - box.x - 2 * GRID)
        canvas.bar(Box(box.x, box.y + 66, box.width, 8), facts.share, colour)
        rest = box.without_top(92)
        if facts.complaint:
            rest = rest.without_top(_draw_complaint(canvas, rest, facts) + 2 * GRID)
        found = results(facts)
        if found and not facts.is_at_work:
            height = 72.0 + 28 * len(found) + (28 if facts.report else 0)
            _draw_results(canvas, rest.top_part(height), found, facts.report)
            rest = rest.without_top(height + 2 * GRID)
        self._draw_runs(canvas, rest, facts.runs)

    def _draw_runs(self, canvas: Canvas, box: Box, runs: Sequence[ComparedRun]) -> None:
        if not runs or box.height < 2 * RUN_ROW:
            return
        columns = (0.0, 0.32, 0.42, 0.66)
        for share, name in zip(columns, ("Begins with", "Seed", "State", ""), strict=True):
            canvas.text(name, (box.x + share * box.width, box.y), SMALL, QUIET)
        canvas.text("Score", (box.right - 16, box.y), SMALL, QUIET, align="right")
        self._rows.place(box.without_top(28), len(runs))
        for number, row in self._rows.rows():
            run = runs[number]
            y = row.centre[1] - canvas.measure("X", SMALL)[1] / 2
            x = [row.x + share * box.width for share in columns]
            colour = RUN_COLOURS.get(run.state, QUIET)
            canvas.text(run.arm, (x[0], y), SMALL, max_width=x[1] - x[0] - GRID)
            canvas.text(str(run.seed), (x[1], y), SMALL, QUIET, mono=True)
            canvas.text(run_words(run), (x[2], y), SMALL, colour, max_width=x[3] - x[2] - GRID)
            canvas.bar(Box(x[3], row.centre[1] - 3, 0.22 * box.width, 6), run.share, colour)
            if run.score is not None:
                shade = WHITE if run.state == "done" else QUIET
                canvas.text(f"{run.score:.0f}", (row.right - 16, y), SMALL, shade, mono=True, align="right")
        self._rows.draw_bar(canvas)


def _draw_complaint(canvas: Canvas, box: Box, facts: ComparisonFacts) -> float:
    panel = box.top_part(96)
    canvas.fill(panel, PANEL, radius=8)
    canvas.fill(panel.left_part(4), ORANGE)
    inner = panel.inset(16)
    used = canvas.paragraph(facts.complaint, inner, SMALL, TEXT)
    if facts.log:
        canvas.text(
            f"All that it said: {facts.log}", (inner.x, inner.y + used + 4), SMALL, QUIET, max_width=inner.width
        )
    return panel.height


def _draw_results(canvas: Canvas, box: Box, found: Sequence[ArmResult], report: str) -> None:
    """A row for each arm: mean of its seeds' final evaluations, a bar, and each seed."""
    canvas.fill(box, PANEL, radius=8)
    inner = box.inset(16)
    canvas.text("Final evaluation, points: mean over seeds", (inner.x, inner.y), SMALL, QUIET)
    canvas.text("each seed", (inner.right, inner.y), SMALL, QUIET, align="right")
    largest = max(1.0, *(max(result.scores) for result in found))
    for number, result in enumerate(found):
        y = inner.y + 36 + 28 * number
        canvas.text(result.arm, (inner.x, y), SMALL, max_width=inner.width * 0.28)
        canvas.text(f"{result.mean:.0f}", (inner.x + inner.width * 0.38, y), SMALL, WHITE, mono=True, align="right")
        bar = Box(inner.x + inner.width * 0.41, y + 6, inner.width * 0.3, 8)
        canvas.bar(bar, result.mean / largest, GREEN)
        for score in result.scores:
            x = bar.x + bar.width * score / largest
            canvas.line((x, bar.y - 3), (x, bar.bottom + 3), WHITE, 1.5)
        seeds = "  ".join(f"{score:.0f}" for score in result.scores)
        canvas.text(seeds, (inner.right, y), SMALL, QUIET, mono=True, align="right", max_width=inner.width * 0.26)
    if report:
        y = inner.bottom - 20
        cap = canvas.key_cap("O", (inner.x, y - 3), OLIVE)
        words = f"opens the report, which says what can be concluded: {report}"
        canvas.text(words, (cap.right + GRID, y), SMALL, QUIET, max_width=inner.right - cap.right - GRID)
