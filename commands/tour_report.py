"""The report of the tour: a comparison of two arms with one training each, and how small it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.comparison import Plan
from agent.comparison_summary import ArmSummary, Summary, conclusions
from agent.evaluation import INTERVAL_SEED
from agent.statistics import mean_interval
from commands.report import INK, Chart, Film, Table, draw_chart, render
from data.counted import counted
from data.durations import clock
from data.episode import EpisodeSummary
from data.errors import CoachError
from data.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from data.run_curves import RunCurves

COLOURS = ("#2f9e6b", "#8b95a3")


@dataclass(frozen=True)
class TourFacts:
    """Everything that the report shows."""

    plan: Plan
    summary: Summary
    curves: tuple[RunCurves, ...]
    """Of each arm's run."""
    episodes: tuple[EpisodeSummary, ...]
    """The planner's, all verified."""
    verdicts: tuple[str, ...]
    """A sentence on each rule's verdicts."""
    seeded_decisions: int
    film: Film
    commands: tuple[str, ...]
    """To reproduce the tour."""
    versions: dict[str, str]
    seconds: float

    def arms(self) -> list[dict[str, Any]]:
        """Return what ``coach tour --json`` prints of each arm."""
        return [_arm_values(arm, curves) for arm, curves in zip(self.summary.arms, self.curves, strict=True)]


def _arm_values(arm: ArmSummary, curves: RunCurves) -> dict[str, Any]:
    low, high = _interval(arm)
    return {
        "name": arm.runs[0],
        "title": arm.title,
        "pretrain_steps": arm.pretrain_updates[0],
        "steps": arm.steps[0],
        "training_seconds": arm.seconds[0],
        "training_scores": list(zip(curves.episode_steps.tolist(), curves.episode_scores.tolist(), strict=True)),
        "scores": arm.episode_scores[0],
        "mean": arm.mean,
        "median": float(np.median(arm.episode_scores[0])),
        "low": low,
        "high": high,
    }


def write_tour_report(facts: TourFacts, path: Path) -> None:
    """Write the report as one HTML file that needs no other; raises CoachError if it cannot be written."""
    page = render(
        "tour.jinja",
        "html",
        plan=facts.plan,
        conclusions=[smallness(facts), *conclusions(facts.summary)],
        scores=_scores(facts.summary),
        chart=_chart(facts),
        film=facts.film,
        seeded_decisions=facts.seeded_decisions,
        verdicts=facts.verdicts,
        episodes=Table(
            ("Replay file", "Demonstrator", "Score>", "Length>"),
            tuple((Path(e.path).name, e.demonstrator, f"{e.score:g}", clock(e.seconds)) for e in facts.episodes),
        ),
        commands=facts.commands,
        versions=", ".join(f"{name} {number}" for name, number in facts.versions.items()),
        seconds=facts.seconds,
    )
    try:
        write_atomic(path, page)
    except OSError as error:
        raise CoachError(f"Cannot write {path} ({error.strerror or error}).") from error


def smallness(facts: TourFacts) -> str:
    """Return how small the tour was, and that nothing can be concluded from it."""
    steps = facts.plan.arms[0].config.steps
    minutes = round(sum(episode.seconds for episode in facts.episodes) / 60)
    return (
        f"This run is far too small to conclude anything: {counted(minutes, 'minute')} of a planner's play in "
        f"{counted(len(facts.episodes), 'episode')}, {steps:,} steps of training per agent (published agents train for "
        f"millions), and {counted(facts.plan.evaluation_episodes, 'evaluation episode')}. It shows that every part "
        "works; which seeding is better takes several trainings of each to find out."
    )


def _interval(arm: ArmSummary) -> tuple[float, float]:
    """Return the 95% interval of the mean over the evaluation's episodes, as ``coach evaluate`` does."""
    return mean_interval(np.array(arm.episode_scores[0]), np.random.default_rng(INTERVAL_SEED))


def _scores(summary: Summary) -> Table:
    columns = ("Agent", "Mean>", "95% interval>", "Median>", "Best>", "Episodes>", "Pretraining>", "Own steps>")
    rows = []
    for arm in summary.arms:
        scores, (low, high) = arm.episode_scores[0], _interval(arm)
        points = (f"{value:.0f}" for value in (np.median(scores), max(scores)))
        budget = (counted(arm.pretrain_updates[0], "update"), f"{arm.steps[0]:,}", clock(arm.seconds[0]))
        rows.append((arm.title, f"{arm.mean:.0f}", f"{low:.0f} to {high:.0f}", *points, f"{len(scores)}", *budget))
    return Table((*columns, "Training took>"), tuple(rows))


def _chart(facts: TourFacts) -> Chart:
    return draw_chart(
        "scores.png",
        lambda figure, narrow: _draw_scores(figure, facts, narrow),
        "Scores of both agents",
        "Evaluation: the score of every episode, with the mean and its interval. Training: the scores of its episodes.",
        max_inches=3.4,
    )


def _draw_scores(figure: Figure, facts: TourFacts, narrow: bool) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(1, 1) if narrow else (1, 1.6))
    for number, (arm, curves) in enumerate(zip(facts.summary.arms, facts.curves, strict=True)):
        scores, colour, marker = arm.episode_scores[0], COLOURS[number], "os"[number]
        mean, (low, high) = float(np.mean(scores)), _interval(arm)
        spread = number + np.linspace(-0.15, 0.15, len(scores))
        left.plot(spread, scores, marker, color=colour, alpha=0.45, markersize=4)
        ends = [[mean - low], [high - mean]]
        left.errorbar(number, mean, yerr=ends, fmt="_", color=INK, capsize=5, markersize=14)
        if len(curves.episode_steps):
            right.plot(curves.episode_steps, curves.episode_scores, marker, color=colour, label=arm.title, markersize=4)
    left.set_xticks(range(len(facts.summary.arms)), [arm.title for arm in facts.summary.arms])
    left.set_xlim(-0.6, len(facts.summary.arms) - 0.4)
    left.set_title("Evaluation", loc="left", fontsize=10)
    left.set_ylabel("points")
    right.set_title("Training", loc="left", fontsize=10)
    right.set_xlabel("own steps")
    right.set_xlim(left=0)
    if right.has_data():
        right.legend(frameon=False, fontsize=9)
    for axes in (left, right):
        axes.set_ylim(bottom=0)
