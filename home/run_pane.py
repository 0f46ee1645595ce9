"""One run in the Train window: its progress, its curves and its game."""

from __future__ import annotations

import numpy as np

from data.durations import clock
from data.live_view import LivePicture
from data.run_curves import RunCurves
from data.runs import RunState, RunSummary
from screen.canvas import Canvas
from screen.chart import Chart, ChartFacts, Series, step_range
from screen.layout import Box
from screen.theme import GREEN, GRID, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE, Colour

STATE_COLOURS: dict[RunState, Colour] = {
    "waiting": OLIVE,
    "starting": OLIVE,
    "training": GREEN,
    "stopping": OLIVE,
    "done": GREEN,
    "stopped": QUIET,
    "failed": ORANGE,
    "interrupted": ORANGE,
}
SUPPLIED = (
    "This agent is supplied with Replay Coach. Watch it, let its play fill the memory of a new training, or "
    "compare. It cannot be changed."
)
UNITS = {
    "comparing": "decisions/s",
    "filling": "decisions/s",
    "pretraining": "updates/s",
    "evaluating": "episodes/s",
    "checking": "episodes/s",
}
PARTS = {
    "recording": "seconds of play",
    "comparing": "decisions",
    "filling": "decisions",
    "pretraining": "updates",
    "evaluating": "episodes",
    "checking": "episodes",
}


def state_words(run: RunSummary) -> str:
    """Return the state in a few words, as the list shows it."""
    if run.supplied:
        return "supplied"
    if run.state == "waiting":
        return "next in the queue" if run.queue_position == 1 else f"number {run.queue_position} in the queue"
    if run.state == "training":
        return run.phase
    return run.state


def progress_words(run: RunSummary) -> str:
    """Return how far a run is, in words."""
    progress = run.progress
    if progress is not None and progress.phase in PARTS and (run.is_training or run.state == "starting"):
        return f"{progress.phase}: {progress.step:,} of {progress.total:,} {PARTS[progress.phase]}"
    if run.state == "starting":
        return "loading the program"
    if run.state == "waiting":
        return f"{run.steps:,} steps to do" if run.steps else "waiting for its turn"
    if run.supplied:
        return f"trained for {run.step:,} steps"
    return f"{run.step:,} of {run.steps:,} steps"


def figures(run: RunSummary) -> list[tuple[str, str]]:
    """Return what is shown below the bar: (name, value)."""
    found, progress = [], run.progress
    if run.is_training and progress is not None and progress.steps_per_second:
        found.append(("pace", f"{progress.steps_per_second:.3g} {UNITS.get(progress.phase, 'steps/s')}"))
    if run.state == "training" and progress is not None:
        left = progress.run_seconds_left
        found.append(("time left", "measuring" if left is None else clock(left)))
    if run.mean_score is not None:
        found.append(("mean score", f"{run.mean_score:.0f}"))
    if progress is not None and progress.epsilon is not None:
        found.append(("epsilon", f"{progress.epsilon:.3f}"))
    return found


def run_charts(curves: RunCurves, is_active: bool = True) -> tuple[ChartFacts, ChartFacts, ChartFacts, ChartFacts]:
    """Return the charts of score, loss, Q-values and seeded share, over steps."""
    score = curves.running_mean[-1] if len(curves.running_mean) else None
    evaluations = curves.evaluations
    whiskers = Series(
        np.array([e.step for e in evaluations], np.float64),
        np.array([e.mean for e in evaluations], np.float64),
        OLIVE,
        "whiskers",
        np.array([e.low for e in evaluations], np.float64),
        np.array([e.high for e in evaluations], np.float64),
        name="test",
    )
    scores = (
        Series(curves.episode_steps, curves.episode_scores, QUIET, "dots"),
        Series(curves.episode_steps, curves.running_mean, GREEN, name="mean of 20 episodes"),
        whiskers,
    )
    newest = "" if score is None else f"{score:.0f}"
    if evaluations:
        newest = f"{newest}  test {evaluations[-1].mean:.0f}".strip()
    trace, steps = curves.trace, curves.trace["step"]
    return (
        ChartFacts(
            "Score", newest, scores, lowest=0, hint="No episode has ended yet." if is_active else "No episode ended."
        ),
        _curve("Loss", steps, trace["loss"], "{:.3g}", lowest=0.0),
        _curve("Q-values, mean", steps, trace["mean_value"], "{:.2f}"),
        _curve("Seeded share of a batch", steps, trace["seeded_share"], "{:.0%}", lowest=0.0, highest=1.0),
    )


def _curve(
    title: str,
    steps: np.ndarray,
    values: np.ndarray,
    form: str,
    lowest: float | None = None,
    highest: float | None = None,
) -> ChartFacts:
    known = values[np.isfinite(values)]
    newest = form.format(float(known[-1])) if len(known) else ""
    return ChartFacts(
        title,
        newest,
        (Series(steps, values, GREEN, name=title.split(",")[0].lower()),),
        lowest,
        highest,
        hint="No update has been made yet.",
    )


class RunPane:
    """Draws a run; keeps the charts' pictures between two drawings."""

    def __init__(self) -> None:
        self._charts = [Chart() for _ in range(4)]
        self._bounds: dict[str, tuple[float, float]] = {}

    def draw(
        self,
        canvas: Canvas,
        box: Box,
        run: RunSummary,
        curves: RunCurves,
        game: LivePicture | None,
        pointer: tuple[float, float] = (-1.0, -1.0),
        additions: str = "",
    ) -> None:
        """additions: what was added to its training, in sentences."""
        box = box.without_top(self._draw_head(canvas, box, run) + GRID)
        if run.supplied:
            box = box.without_top(canvas.paragraph(SUPPLIED, box, SMALL, OLIVE) + GRID)
        if run.error:
            box = box.without_top(self._draw_error(canvas, box, run) + GRID)
        elif run.note:
            box = box.without_top(canvas.paragraph(run.note, box, SMALL, OLIVE) + GRID)
        if additions:
            box = box.without_top(canvas.paragraph(additions, box, SMALL, GREEN) + GRID)
        facts = run_charts(curves, run.is_active)
        if not any(len(series.xs) for chart in facts for series in chart.series) and not run.is_active:
            return
        side = max(216.0, min(0.34 * box.width, 0.62 * box.height))
        self._draw_game(canvas, box.right_part(side), run, game)
        steps = step_range(facts)
        room = box.without_right(side + 2 * GRID)
        places = [place for row in room.rows(2, 2 * GRID) for place in row.columns(2, 2 * GRID)]
        for chart, place, shown in zip(self._charts, places, facts, strict=True):
            chart.draw(canvas, place, shown, steps, pointer)

    def _draw_head(self, canvas: Canvas, box: Box, run: RunSummary) -> float:
        """Draw name, state, bar and figures. Return the height used."""
        words = state_words(run)
        colour = STATE_COLOURS[run.state]
        state = canvas.text(words, (box.right, box.y + 8), MEDIUM, colour, align="right")
        canvas.text(run.name, (box.x, box.y - 4), LARGE, max_width=state.x - box.x - 2 * GRID)
        y = box.y + 40
        canvas.text(
            f"seeded from {run.seeding}" if run.seed_from else run.seeding,
            (box.x, y),
            SMALL,
            QUIET,
            max_width=box.width * 0.4,
        )
        canvas.text(progress_words(run), (box.right, y), SMALL, QUIET, align="right")
        canvas.bar(Box(box.x, y + 26, box.width, 8), run.share_done, colour)
        x = box.x
        for name, value in figures(run):
            x = canvas.text(name, (x, y + 42), SMALL, QUIET).right + 6
            x = canvas.text(value, (x, y + 42), SMALL, TEXT, mono=True).right + 24
        return 108.0

    def _draw_error(self, canvas: Canvas, box: Box, run: RunSummary) -> float:
        """Draw why it failed and where its log is. Return the height used."""
        where = f"Everything it printed: {run.log}" if run.log else ""
        room = box.width - 32
        lines = len(canvas.lines(run.error, room, SMALL)) + (len(canvas.lines(where, room, SMALL)) if where else 0)
        panel = box.top_part(24 + 1.5 * SMALL * lines + (4 if where else 0))
        canvas.fill(panel, PANEL, radius=8)
        canvas.fill(panel.left_part(4), ORANGE)
        inner = Box(panel.x + 16, panel.y + 12, room, box.height)
        used = canvas.paragraph(run.error, inner, SMALL, TEXT)
        if where:
            canvas.paragraph(where, inner.without_top(used + 4), SMALL, QUIET)
        return panel.height

    def _draw_game(self, canvas: Canvas, box: Box, run: RunSummary, game: LivePicture | None) -> None:
        canvas.fill(box, PANEL, radius=8)
        inner = box.inset(12)
        canvas.text("Game", (inner.x, inner.y - 2), SMALL, QUIET)
        height = min(inner.width * 3 / 4, inner.height - 28)
        picture = Box(inner.x, inner.y + 28, inner.width, height)
        if game is None or not run.is_active:
            canvas.fill(picture, LINE, radius=4)
            words = "Press W to watch it play." if run.can_watch else "It has not played yet."
            if run.is_active:
                words = "The game starts after pretraining."
            lines = canvas.lines(words, picture.width - 16, SMALL)
            for number, line in enumerate(lines):
                y = picture.centre[1] + 20 * (number - len(lines) / 2)
                canvas.text(line, (picture.centre[0], y), SMALL, QUIET, align="centre", max_width=picture.width - 16)
            return
        canvas.text(f"{game.score:.0f}", (inner.right, inner.y - 2), SMALL, WHITE, mono=True, align="right")
        if game.evaluating:
            canvas.text("test", (inner.centre[0], inner.y - 2), SMALL, OLIVE, align="centre")
        canvas.picture(game.frame, game.palette, picture, integer_scale=False)
        self._draw_values(
            canvas, Box(inner.x, picture.bottom + 12, inner.width, inner.bottom - picture.bottom - 12), run, game
        )

    def _draw_values(self, canvas: Canvas, box: Box, run: RunSummary, game: LivePicture) -> None:
        """Draw the Q-value of each action. The scale only widens, so that bars can be compared over time."""
        if not len(game.values):
            return
        canvas.text("Q-value of each action", (box.x, box.y), SMALL, QUIET, max_width=box.width)
        low, high = self._bounds.get(run.name, (float(game.values.min()), float(game.values.max())))
        low, high = min(low, float(game.values.min())), max(high, float(game.values.max()))
        self._bounds[run.name] = low, high
        best = int(np.argmax(game.values))
        rows = max(1, min(len(game.values), int((box.height - 28) // 24)))
        order = sorted(np.argsort(-game.values, kind="stable")[:rows].tolist())
        for place, action in enumerate(order):
            y = box.y + 28 + 24 * place
            colour = GREEN if action == best else QUIET
            value = float(game.values[action])
            canvas.text(game.actions[action].lower(), (box.x, y), SMALL, colour, max_width=box.width * 0.45)
            canvas.text(f"{value:.2f}", (box.right, y), SMALL, TEXT, mono=True, align="right")
            bar = Box(box.x + box.width * 0.48, y + 7, box.width * 0.52 - 56, 6)
            canvas.bar(bar, (value - low) / (high - low) if high > low else 0.0, colour)
