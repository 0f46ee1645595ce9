"""What a comparison's results come to: numbers for the table, the curves and the sentences of its report. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.atari_scores import ATARI_SCORES, human_normalised
from agent.comparison import Plan
from agent.statistics import (
    CONFIDENCE,
    FEWEST_FOR_INTERVAL,
    FEWEST_TO_SEPARATE,
    Estimate,
    area_under_curve,
    band,
    estimate,
    improvement,
    interquartile_mean,
    rank_test,
    seeds_to_separate,
    steps_to_reach,
)

BOOTSTRAP_SEED = 2021
"""Decides every resampling, so that the same results give the same report."""


@dataclass(frozen=True)
class Curve:
    """Evaluations while training, at the points that all trainings of an arm share."""

    steps: tuple[int, ...]
    middle: tuple[float, ...]
    """Interquartile mean over the trainings, points."""
    low: tuple[float, ...] | None
    """Of the 95% band; None with too few trainings."""
    high: tuple[float, ...] | None
    each: tuple[tuple[float, ...], ...]
    """One curve for each training."""
    memory_seeded_share: tuple[float, ...]
    """Mean over the trainings: share of the replay memory that is seeded."""
    batch_seeded_share: tuple[float | None, ...]
    """The same of the newest batch; None before the first."""


@dataclass(frozen=True)
class Reach:
    """When an arm's trainings reached a score."""

    score: float
    name: str
    steps: tuple[int | None, ...]
    """Own steps of each training; None: never."""

    @property
    def count(self) -> int:
        return sum(step is not None for step in self.steps)

    @property
    def median(self) -> float | None:
        """Of all trainings, those that never reached it counted as later than all; None where that is the middle."""
        ordered = sorted(np.inf if step is None else float(step) for step in self.steps)
        middle = float(np.median(ordered)) if ordered else np.inf
        return None if not np.isfinite(middle) else middle


@dataclass(frozen=True)
class ArmSummary:
    """One arm's results."""

    slug: str
    title: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    failed: int
    scores: tuple[float, ...]
    """Of each training: mean of its final evaluation, points."""
    episode_scores: tuple[tuple[float, ...], ...]
    iqm: Estimate | None
    mean: float | None
    normalised: Estimate | None
    """Interquartile mean as a share: 0 is chance, 1 a person."""
    area: Estimate | None
    """Mean height of the curve, points."""
    curve: Curve | None
    reach: tuple[Reach, ...]
    steps: tuple[int, ...]
    updates: tuple[int, ...]
    pretrain_updates: tuple[int, ...]
    seconds: tuple[float, ...]
    """Of training, pretraining included."""
    median_run: str | None
    """The run whose score is nearest to the arm's middle: the one to be filmed."""


@dataclass(frozen=True)
class Pair:
    """Two arms beside each other."""

    first: str
    """Title of the one with the higher middle."""
    second: str
    improvement: Estimate
    """Chance that a training of the first beats one of the second."""
    p: float | None
    """Of the rank test."""
    seeds_needed: int | None
    """Trainings of each that would show a difference as large as the one seen."""

    @property
    def is_separated(self) -> bool:
        """Whether the interval excludes even chances and the rank test agrees, which is stricter with few trainings."""
        above = self.improvement.low is not None and self.improvement.low > 0.5
        return above and self.p is not None and self.p < 1.0 - CONFIDENCE


@dataclass(frozen=True)
class Summary:
    """The whole comparison."""

    arms: tuple[ArmSummary, ...]
    pairs: tuple[Pair, ...]
    human: float | None
    """A person's score in this game, points."""
    chance: float | None
    fewest: int
    """Finished trainings of the arm that has fewest."""

    @property
    def has_intervals(self) -> bool:
        return self.fewest >= FEWEST_FOR_INTERVAL


def summarise(plan: Plan, results: list[dict[str, Any]], failures: list[dict[str, Any]]) -> Summary:
    """Sum up the results of a plan's runs, in whatever order they come."""
    by_run = {result["run"]: result for result in results}
    failed = {failure["run"] for failure in failures}
    arms = []
    for arm in plan.arms:
        tasks = [task for task in plan.tasks() if task.arm == arm.slug]
        mine = [by_run[task.run] for task in tasks if task.run in by_run]
        arms.append(_arm(plan, arm.slug, arm.title, mine, sum(task.run in failed for task in tasks)))
    chance, human = ATARI_SCORES.get(plan.game, (None, None))
    return Summary(tuple(arms), _pairs(arms), human, chance, min((len(arm.runs) for arm in arms), default=0))


def _rng(*numbers: int) -> np.random.Generator:
    return np.random.default_rng([BOOTSTRAP_SEED, *numbers])


def _arm(plan: Plan, slug: str, title: str, results: list[dict[str, Any]], failed: int) -> ArmSummary:
    scores = np.array([result["evaluation"]["mean"] for result in results], np.float64)  # [N]
    normalised = human_normalised(plan.game, scores)
    curve, steps, heights = _curve(results)
    targets = [(target, f"{target:,.0f} points" if target >= 100 else f"{target:g} points") for target in plan.reach]
    if plan.game in ATARI_SCORES:
        human = ATARI_SCORES[plan.game][1]
        targets.append((human, f"a person's {human:,.0f}"))
    some = len(results) > 0
    return ArmSummary(
        slug=slug,
        title=title,
        runs=tuple(result["run"] for result in results),
        seeds=tuple(result["seed"] for result in results),
        failed=failed,
        scores=tuple(scores.tolist()),
        episode_scores=tuple(tuple(result["evaluation"]["scores"]) for result in results),
        iqm=estimate(scores, interquartile_mean, _rng(1)) if some else None,
        mean=float(scores.mean()) if some else None,
        normalised=estimate(normalised, interquartile_mean, _rng(1)) if some and normalised is not None else None,
        area=estimate(area_under_curve(steps, heights), interquartile_mean, _rng(2)) if len(steps) > 1 else None,
        curve=curve,
        reach=tuple(
            Reach(target, name, tuple(steps_to_reach(steps, heights, target)) if len(steps) else (None,) * len(results))
            for target, name in targets
        ),
        steps=tuple(result["step"] for result in results),
        updates=tuple(result["updates"] for result in results),
        pretrain_updates=tuple(result["pretrain_updates"] for result in results),
        seconds=tuple(result["training_seconds"] for result in results),
        median_run=_nearest(results, scores),
    )


def _nearest(results: list[dict[str, Any]], scores: np.ndarray) -> str | None:
    if not results:
        return None
    found: str = results[int(np.argmin(np.abs(scores - np.median(scores))))]["run"]
    return found


def _curve(results: list[dict[str, Any]]) -> tuple[Curve | None, np.ndarray, np.ndarray]:
    """The curve, its steps (P,) and the heights (P, N)."""
    rows = [{point["step"]: point for point in result["curve"]} for result in results]
    shared = sorted(set.intersection(*(set(row) for row in rows))) if rows else []
    if not shared:
        return None, np.zeros(0, np.int64), np.zeros((0, len(results)))
    heights = np.array([[row[step]["mean"] for row in rows] for step in shared], np.float64)  # [P, N]
    limits = band(heights, interquartile_mean, _rng(3))
    low, high = (None, None) if limits is None else (tuple(limits[0].tolist()), tuple(limits[1].tolist()))
    curve = Curve(
        steps=tuple(shared),
        middle=tuple(interquartile_mean(heights).tolist()),
        low=low,
        high=high,
        each=tuple(tuple(column) for column in heights.T.tolist()),
        memory_seeded_share=tuple(_mean(rows, step, "memory_seeded_share") or 0.0 for step in shared),
        batch_seeded_share=tuple(_mean(rows, step, "batch_seeded_share") for step in shared),
    )
    return curve, np.array(shared), heights


def _mean(rows: list[dict[int, dict[str, Any]]], step: int, name: str) -> float | None:
    values = [row[step][name] for row in rows if row[step].get(name) is not None]
    return float(np.mean(values)) if values else None


def _pairs(arms: list[ArmSummary]) -> tuple[Pair, ...]:
    """Every two arms that have results, the one with the higher middle first."""
    ordered = sorted((arm for arm in arms if arm.iqm is not None), key=lambda arm: -(arm.iqm.value if arm.iqm else 0.0))
    pairs: list[Pair] = []
    for number, first in enumerate(ordered):
        for second in ordered[number + 1 :]:
            ours, theirs = np.array(first.scores), np.array(second.scores)
            chance = improvement(ours, theirs, _rng(4, len(pairs)))
            p, needed = rank_test(ours, theirs), seeds_to_separate(ours, theirs)
            pairs.append(Pair(first.title, second.title, chance, p, needed))
    return tuple(pairs)


def conclusions(summary: Summary) -> list[str]:
    """What can, and what cannot, be concluded: plain sentences."""
    arms = [arm for arm in summary.arms if arm.iqm is not None]
    said = [_left_out(arm) for arm in summary.arms if arm.failed]
    if len(arms) < 2:
        return [*said, "Fewer than two arms have results, so nothing can be compared."]
    said += [_amount(summary), *_beside_chance(summary, arms)]
    for arm in arms:
        beaten = [pair for pair in summary.pairs if pair.is_separated and pair.first == arm.title]
        if beaten:
            names = _listed([f"{pair.second} ({pair.improvement.value:.2f})" for pair in beaten])
            said.append(f"{arm.title} beats {names}.")
    if any(pair.is_separated for pair in summary.pairs):
        said.append("In brackets after what is beaten: the probability that a training of the better arm scores more.")
    alike = [pair for pair in summary.pairs if not pair.is_separated]
    if alike and summary.has_intervals:
        said.append(f"Not told apart: {'; '.join(f'{pair.first} and {pair.second}{_advice(pair)}' for pair in alike)}.")
    if any(pair.seeds_needed for pair in alike):
        said.append(
            "Needed: so many trainings of each arm would show the difference seen in 4 of 5 such comparisons, if it is "
            "the true one."
        )
    return said


def _beside_chance(summary: Summary, arms: list[ArmSummary]) -> list[str]:
    """Which arms were not shown to play better than chance: between such arms there is little to tell apart."""
    if summary.chance is None or not summary.has_intervals:
        return []
    lost = [arm.title for arm in arms if arm.iqm and arm.iqm.low is not None and arm.iqm.low <= summary.chance]
    if len(lost) == len(arms):
        return [
            f"No arm was shown to play better than chance ({summary.chance:,.0f} points): longer trainings, or an "
            "easier game, would tell more of what helps."
        ]
    return [f"Not shown to play better than chance ({summary.chance:,.0f} points): {_listed(lost)}."] if lost else []


def _left_out(arm: ArmSummary) -> str:
    if arm.failed == 1:
        return f"1 training of {arm.title} failed and is left out."
    return f"{arm.failed} trainings of {arm.title} failed and are left out."


def _listed(words: list[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _amount(summary: Summary) -> str:
    if not summary.has_intervals:
        number = "1 training" if summary.fewest == 1 else f"{summary.fewest} trainings"
        return (
            f"With {number} of an arm no interval can be given, and which arm is better cannot be concluded: "
            "trainings that differ in their random seed alone differ widely."
        )
    if summary.fewest < FEWEST_TO_SEPARATE:
        return (
            f"With {summary.fewest} trainings of an arm the intervals are rough, and no two arms can be told apart: "
            "even 3 that beat 3 others every time may be chance (p = 0.1)."
        )
    if summary.fewest < 10:
        return (
            f"With {summary.fewest} trainings of an arm the intervals are rough, and rather too narrow; "
            "10 or more would be better."
        )
    return f"Each arm was trained at least {summary.fewest} times."


def _advice(pair: Pair) -> str:
    return "" if pair.seeds_needed is None else f" (about {pair.seeds_needed} needed)"
