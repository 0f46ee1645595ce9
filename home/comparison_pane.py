"""Draws one comparison: the progress of each run, and the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.comparisons import ComparedRun, ComparisonState, ComparisonSummary
from data.durations import clock
from data.run_curves import EvaluationPoint
from screen.canvas import Canvas
from screen.chart import Chart, ChartFacts, Series, step_range
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, LARGE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE, Colour

STATE_COLOURS: dict[ComparisonState, Colour] = {
    "waiting": QUIET,
    "starting": OLIVE,
    "running": GREEN,
    "stopping": OLIVE,
    "stopped": QUIET,
    "done": GREEN,
    "failed": ORANGE,
    "interrupted": ORANGE,
}
RUN_COLOURS: dict[str, Colour] = {"running": GREEN, "done": GREEN, "failed": ORANGE, "waiting": QUIET}
RUN_ROW = 32.0
ARM_COLOURS: tuple[Colour, ...] = (GREEN, OLIVE, ORANGE, WHITE, QUIET)
LEAST_CHART, MOST_CHART = 132.0, 280.0
Evaluations = Mapping[str, Sequence[EvaluationPoint]]
"""Name of a run to its evaluations during training."""


@dataclass(frozen=True)
class ArmResult:
    """The finished runs of an arm."""

    arm: str
    scores: tuple[float, ...]
    """Mean points of each run's final evaluation, by seed."""

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


def results(summary: ComparisonSummary) -> list[ArmResult]:
    """Return the results of each arm with a finished run, best first."""
    arms = dict.fromkeys(run.arm for run in summary.runs)
    found = []
    for arm in arms:
        finished = [run for run in summary.runs if run.arm == arm and run.state == "done" and run.score is not None]
        scores = [run.score for run in sorted(finished, key=lambda run: run.seed) if run.score is not None]
        if scores:
            found.append(ArmResult(arm, tuple(scores)))
    return sorted(found, key=lambda result: -result.mean)


def arm_curves(summary: ComparisonSummary, evaluations: Evaluations) -> ChartFacts:
    """Return the chart of the evaluations during training: of each arm the mean of its runs, and each run as a dot."""
    found: list[Series] = []
    for number, arm in enumerate(dict.fromkeys(run.arm for run in summary.runs)):
        points = [point for run in summary.runs if run.arm == arm for point in evaluations.get(run.run, ())]
        steps = sorted({point.step for point in points})
        means = [float(np.mean([point.mean for point in points if point.step == step])) for step in steps]
        colour = ARM_COLOURS[number % len(ARM_COLOURS)]
        each = sorted((point.step, point.mean) for point in points)
        found.append(Series(np.array(steps, np.float64), np.array(means), colour, name=arm))
        dots = np.array(each, np.float64).reshape(-1, 2)
        found.append(Series(dots[:, 0], dots[:, 1], colour, "dots"))
    hint = "Each agent is evaluated before, during and after its training."
    return ChartFacts("Evaluations during training, points: mean of the seeds", "", tuple(found), lowest=0, hint=hint)


def few_seeds(found: Sequence[ArmResult]) -> str:
    """Return a warning if too few seeds are finished to conclude anything, or ""."""
    fewest = min((len(result.scores) for result in found), default=0)
    if fewest == 1:
        return "Points of the final evaluation. One seed proves nothing, and has no interval."
    return "Points of the final evaluation. Two seeds show only a very large difference." if fewest == 2 else ""


def progress_words(summary: ComparisonSummary) -> str:
    """Return the progress of a comparison as text."""
    if summary.state == "waiting":
        return f"Number {summary.queue_position} in the queue"
    if not summary.total:
        return "Preparing the seedings" if summary.state == "starting" else ""
    failed = f", {summary.failed} failed" if summary.failed else ""
    left = (
        "" if summary.seconds_left is None or not summary.is_active else f", about {clock(summary.seconds_left)} left"
    )
    return f"{summary.done} of {summary.total} runs done{failed}{left}"


def run_words(run: ComparedRun) -> str:
    """Return the state of a run as text."""
    if run.state == "running":
        return f"{run.phase} {run.step:,} of {run.total:,}"
    return run.state


class ComparisonPane:
    """Draws a comparison with a list of runs that scrolls."""

    def __init__(self) -> None:
        self._rows = ListView(row_height=RUN_ROW)
        self._chart = Chart()

    def wheel(self, dy: int) -> None:
        self._rows.wheel(dy)

    def draw(
        self,
        canvas: Canvas,
        box: Box,
        summary: ComparisonSummary,
        evaluations: Evaluations | None = None,
        pointer: tuple[float, float] = (-1.0, -1.0),
    ) -> None:
        colour = STATE_COLOURS[summary.state]
        state = canvas.text(summary.state, (box.right, box.y + 8), MEDIUM, colour, align="right")
        canvas.text(summary.name, (box.x, box.y - 4), LARGE, max_width=state.x - box.x - 2 * GRID)
        words = canvas.text(progress_words(summary), (box.right, box.y + 40), SMALL, QUIET, align="right")
        canvas.text(summary.question, (box.x, box.y + 40), SMALL, QUIET, max_width=words.x - box.x - 2 * GRID)
        canvas.bar(Box(box.x, box.y + 66, box.width, 8), summary.share, colour)
        rest = box.without_top(92)
        if summary.error:
            rest = rest.without_top(_draw_error(canvas, rest, summary) + 2 * GRID)
        found = results(summary)
        if found and not summary.is_active:
            height = 72.0 + 28 * len(found) + (28 if summary.report else 0)
            _draw_results(canvas, rest.top_part(height), found, summary.report)
            rest = rest.without_top(height + 2 * GRID)
        height = min(MOST_CHART, rest.height - 28 - RUN_ROW * min(4, len(summary.runs)) - 2 * GRID)
        if summary.runs and height >= LEAST_CHART:
            self._draw_curves(canvas, rest.top_part(height), summary, evaluations or {}, pointer)
            rest = rest.without_top(height + 2 * GRID)
        self._draw_runs(canvas, rest, summary.runs)

    def _draw_curves(
        self,
        canvas: Canvas,
        box: Box,
        summary: ComparisonSummary,
        evaluations: Evaluations,
        pointer: tuple[float, float],
    ) -> None:
        facts = arm_curves(summary, evaluations)
        self._chart.draw(canvas, box, facts, step_range([facts]), pointer)
        x = box.right - 12
        for series in reversed([series for series in facts.series if series.name]):
            x = (
                canvas.text(series.name, (x, box.y + 10), SMALL, series.colour, align="right", max_width=160).x
                - 2 * GRID
            )

    def _draw_runs(self, canvas: Canvas, box: Box, runs: Sequence[ComparedRun]) -> None:
        if not runs or box.height < 2 * RUN_ROW:
            return
        columns = (0.0, 0.32, 0.42, 0.66)
        for share, name in zip(columns, ("Starts with", "Seed", "State", ""), strict=True):
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


def _draw_error(canvas: Canvas, box: Box, summary: ComparisonSummary) -> float:
    panel = box.top_part(96)
    canvas.fill(panel, PANEL, radius=8)
    canvas.fill(panel.left_part(4), ORANGE)
    inner = panel.inset(16)
    used = canvas.paragraph(summary.error, inner, SMALL, TEXT)
    if summary.log:
        canvas.text(f"Its output: {summary.log}", (inner.x, inner.y + used + 4), SMALL, QUIET, max_width=inner.width)
    return panel.height


def _draw_results(canvas: Canvas, box: Box, found: Sequence[ArmResult], report: str) -> None:
    """Draw a row for each arm: the mean of its seeds' final evaluations, a bar, and each seed."""
    canvas.fill(box, PANEL, radius=8)
    inner = box.inset(16)
    few = few_seeds(found)
    canvas.text(
        few or "Points of the final evaluation: mean of the seeds", (inner.x, inner.y), SMALL, OLIVE if few else QUIET
    )
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
        words = f"opens the report with the conclusions: {report}"
        canvas.text(words, (cap.right + GRID, y), SMALL, QUIET, max_width=inner.right - cap.right - GRID)
