"""Summary of a comparison's results: numbers for its tables and curves, and the conclusions that they allow."""

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
"""Of every bootstrap, so that the same results give the same report."""
FEWEST_RECOMMENDED = 10
"""Trainings per arm; with fewer the conclusions call the intervals rough."""


@dataclass(frozen=True)
class Curve:
    """Evaluations during training, at the own steps that all trainings of an arm have in common."""

    steps: tuple[int, ...]
    middle: tuple[float, ...]
    """Interquartile mean over the trainings, points."""
    low: tuple[float, ...] | None
    """Lower end of the 95% band; None with too few trainings."""
    high: tuple[float, ...] | None
    each: tuple[tuple[float, ...], ...]
    """One curve per training."""
    memory_seeded_share: tuple[float, ...]
    """Share of the replay memory that is seeded: mean over the trainings."""
    batch_seeded_share: tuple[float | None, ...]
    """The same for the latest batch; None before the first."""


@dataclass(frozen=True)
class Reach:
    """The own steps after which an arm's trainings reached a score."""

    score: float
    name: str
    steps: tuple[int | None, ...]
    """Of each training; None for never."""

    @property
    def count(self) -> int:
        return sum(step is not None for step in self.steps)

    @property
    def median(self) -> float | None:
        """Median over all trainings, where never counts as infinite; None if the median is infinite."""
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
    """Mean points of each training's final evaluation."""
    episode_scores: tuple[tuple[float, ...], ...]
    iqm: Estimate | None
    mean: float | None
    normalised: Estimate | None
    """Interquartile mean on a scale from random play, 0, to a person, 1."""
    area: Estimate | None
    """Mean height of the learning curve, points."""
    curve: Curve | None
    reach: tuple[Reach, ...]
    steps: tuple[int, ...]
    updates: tuple[int, ...]
    pretrain_updates: tuple[int, ...]
    seconds: tuple[float, ...]
    """Of training, pretraining included."""
    median_run: str | None
    """The run whose score is nearest to the arm's median; the report has its film."""


@dataclass(frozen=True)
class Pair:
    """The difference between two arms."""

    first: str
    """Title of the arm with the higher interquartile mean."""
    second: str
    improvement: Estimate
    """Probability that a training of the first arm scores higher than one of the second."""
    p: float | None
    """Of the Mann-Whitney test."""
    seeds_needed: int | None
    """Trainings per arm to detect the observed difference with 80% power."""

    @property
    def is_separated(self) -> bool:
        """Whether the difference is significant: the interval lies above 0.5 and the rank test gives p < 0.05.

        With few trainings the rank test is the stricter of the two.
        """
        above = self.improvement.low is not None and self.improvement.low > 0.5
        return above and self.p is not None and self.p < 1.0 - CONFIDENCE


@dataclass(frozen=True)
class Summary:
    """Summary of a whole comparison."""

    arms: tuple[ArmSummary, ...]
    pairs: tuple[Pair, ...]
    human: float | None
    """Published score of a person in this game, points."""
    chance: float | None
    """The same of random play."""
    fewest: int
    """Finished trainings of the arm with the fewest."""

    @property
    def has_intervals(self) -> bool:
        return self.fewest >= FEWEST_FOR_INTERVAL


def summarise(plan: Plan, results: list[dict[str, Any]], failures: list[dict[str, Any]]) -> Summary:
    """Summarise the results of a plan's runs, in any order."""
    by_task = {(result["arm"], result["seed"]): result for result in results}
    failed = {failure["run"] for failure in failures}
    arms = []
    for arm in plan.arms:
        tasks = [task for task in plan.tasks() if task.arm == arm.slug]
        own = [by_task[task.arm, task.seed] for task in tasks if (task.arm, task.seed) in by_task]
        arms.append(_arm(plan, arm.slug, arm.title, own, sum(task.run in failed for task in tasks)))
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
    """Return the curve, its own steps (P,) and its heights (P, N)."""
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
    """Return every two arms with results, the one with the higher interquartile mean first."""
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
    """Return sentences on what can, and what cannot, be concluded."""
    arms = [arm for arm in summary.arms if arm.iqm is not None]
    sentences = [_excluded(arm) for arm in summary.arms if arm.failed]
    if len(arms) < 2:
        return [*sentences, "Fewer than two arms have results, so no comparison is possible."]
    sentences += [_on_sample_size(summary), *_on_random_play(summary, arms)]
    significant = [pair for pair in summary.pairs if pair.is_separated]
    for arm in arms:
        lower = [f"{pair.second} ({pair.improvement.value:.2f})" for pair in significant if pair.first == arm.title]
        if lower:
            sentences.append(f"{arm.title} scored significantly higher than {listed(lower)}.")
    if significant:
        sentences.append(
            "In brackets: the probability of improvement, that is, that a training of the first arm scores higher than "
            "one of the other."
        )
    others = [pair for pair in summary.pairs if not pair.is_separated]
    if others and summary.has_intervals:
        named = "; ".join(f"{pair.first} and {pair.second}{_trainings_needed(pair)}" for pair in others)
        sentences.append(f"No significant difference, which does not show that there is none: {named}.")
    if any(pair.seeds_needed for pair in others):
        sentences.append(
            "Trainings needed: per arm, to detect the observed difference with 80% power, if it is the true one."
        )
    return sentences


def listed(words: list[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _excluded(arm: ArmSummary) -> str:
    if arm.failed == 1:
        return f"1 training of {arm.title} failed and is excluded."
    return f"{arm.failed} trainings of {arm.title} failed and are excluded."


def _on_sample_size(summary: Summary) -> str:
    count = summary.fewest
    as_few = "" if all(len(arm.runs) == count for arm in summary.arms) else "as few as "
    trainings = f"{as_few}{count} training{'' if count == 1 else 's'} per arm"
    if not summary.has_intervals:
        return (
            f"With {trainings}, no interval over trainings can be given and no arm can be called better: the scores of "
            "trainings that differ only in the random seed vary widely."
        )
    if count < FEWEST_TO_SEPARATE:
        return (
            f"With {trainings}, the intervals are rough and no difference can be significant: even if each training of "
            f"one arm scores higher than each of the other, p is 0.1."
        )
    if count < FEWEST_RECOMMENDED:
        return (
            f"With {trainings}, the intervals are rough and tend to be too narrow; {FEWEST_RECOMMENDED} or more are "
            "recommended."
        )
    return f"The results are based on {trainings}."


def _on_random_play(summary: Summary, arms: list[ArmSummary]) -> list[str]:
    """Name the arms that were not shown to score higher than random play."""
    if summary.chance is None or not summary.has_intervals:
        return []
    low = [arm.title for arm in arms if arm.iqm and arm.iqm.low is not None and arm.iqm.low <= summary.chance]
    if len(low) == len(arms):
        return [
            f"No arm was shown to score higher than random play ({summary.chance:,.0f} points). Longer trainings or an "
            "easier game would say more about the seedings."
        ]
    return [f"Not shown to score higher than random play ({summary.chance:,.0f} points): {listed(low)}."] if low else []


def _trainings_needed(pair: Pair) -> str:
    return "" if pair.seeds_needed is None else f" (about {pair.seeds_needed} trainings needed)"
