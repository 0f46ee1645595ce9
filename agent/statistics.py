"""The statistics of a comparison, as Agarwal et al. 2021 define them ("Deep reinforcement learning at the edge of the
statistical precipice"). The scores of an arm are (N,): one number for each of its N trainings. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 10_000
FEWEST_FOR_INTERVAL = 3
"""With fewer trainings no interval is given: a bootstrap cannot know how far the trainings that were not done lie."""
FEWEST_TO_SEPARATE = 4
"""With fewer trainings of each arm the rank test cannot give p < 0.05, however far apart they lie."""
POWER = 0.8
"""Chance of seeing a difference that is there, for advice on the number of seeds."""
MOST_SEEDS = 1000

Statistic = Callable[[np.ndarray], np.ndarray]
"""(..., N) to (...)."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, or with none where there were too few trainings."""

    value: float
    low: float | None = None
    high: float | None = None


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Mean of the middle half of the last axis (..., N), a quarter cut off at each end (section 4.3 of the paper).

    Of fewer than 4 numbers nothing is cut off: it is their mean.
    """
    found: np.ndarray = stats.trim_mean(scores, 0.25, axis=-1)
    return found


def resampled(scores: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Bootstrap samples (R, ..., N) of scores (..., N), drawn from the trainings with replacement.

    Leading axes, such as the points of a curve, keep together: a training is drawn with its whole curve (stratified
    by arm, Agarwal et al. 2021, section 4.1).
    """
    count = scores.shape[-1]
    rows = rng.integers(count, size=(resamples, count))
    samples: np.ndarray = np.moveaxis(scores[..., rows], -2, 0)
    return samples


def interval(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the 95% percentile interval over the first axis (R, ...)."""
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(samples, [tail, 100.0 - tail], axis=0)
    return low, high


def estimate(scores: np.ndarray, statistic: Statistic, rng: np.random.Generator) -> Estimate:
    """A statistic of scores (N,) with its stratified bootstrap interval."""
    value = float(statistic(scores))
    if len(scores) < FEWEST_FOR_INTERVAL:
        return Estimate(value)
    low, high = interval(statistic(resampled(scores, rng)))
    return Estimate(value, float(low), float(high))


def band(curves: np.ndarray, statistic: Statistic, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Lower and upper 95% band (P,) of curves (P, N): P points of N trainings; None for too few trainings."""
    if curves.shape[-1] < FEWEST_FOR_INTERVAL:
        return None
    return interval(statistic(resampled(curves, rng)))


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Chance that a training of ours (..., N) beats one of theirs (..., M), a tie counting half (section 4.3)."""
    pairs = np.sign(ours[..., :, None] - theirs[..., None, :])  # [..., N, M]
    found: np.ndarray = ((pairs + 1.0) / 2.0).mean(axis=(-2, -1))
    return found


def improvement(ours: np.ndarray, theirs: np.ndarray, rng: np.random.Generator) -> Estimate:
    """``probability_of_improvement`` with its interval: both arms are resampled."""
    value = float(probability_of_improvement(ours, theirs))
    if min(len(ours), len(theirs)) < FEWEST_FOR_INTERVAL:
        return Estimate(value)
    low, high = interval(probability_of_improvement(resampled(ours, rng), resampled(theirs, rng)))
    return Estimate(value, float(low), float(high))


def rank_test(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    """Two-sided p of the Mann-Whitney rank test, exact for few trainings without ties; None for a single training.

    A bootstrap interval of few trainings is too narrow: 3 that all beat 3 others give 1.0 to 1.0, and p = 0.1.
    """
    if min(len(ours), len(theirs)) < 2:
        return None
    return float(stats.mannwhitneyu(ours, theirs, alternative="two-sided").pvalue)


def area_under_curve(steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Mean height (N,) in points, by trapezoids, of curves (P, N) at own steps (P,), from the first to the last."""
    if len(steps) < 2:
        return np.array(np.mean(scores, axis=0), np.float64)
    return np.array(np.trapezoid(scores, steps, axis=0) / (steps[-1] - steps[0]))


def steps_to_reach(steps: np.ndarray, scores: np.ndarray, target: float) -> list[int | None]:
    """For each curve of (P, N) the own steps at its first point with at least ``target`` points; None where never."""
    found: list[int | None] = []
    for curve in np.asarray(scores).T:
        reached = np.flatnonzero(curve >= target)
        found.append(int(steps[reached[0]]) if len(reached) else None)
    return found


def power(effect: float, seeds: int, significance: float = 1.0 - CONFIDENCE) -> float:
    """Chance that a two-sided t-test of ``seeds`` trainings an arm sees a difference of ``effect`` standard deviations.

    Cohen 1988, chapter 2: the test's statistic has a non-central t distribution.
    """
    freedom = 2 * seeds - 2
    noncentrality = effect * np.sqrt(seeds / 2.0)
    critical = stats.t.ppf(1.0 - significance / 2.0, freedom)
    return float(stats.nct.sf(critical, freedom, noncentrality) + stats.nct.cdf(-critical, freedom, noncentrality))


def seeds_to_separate(ours: np.ndarray, theirs: np.ndarray) -> int | None:
    """How many trainings of each arm would show, in 4 of 5 such comparisons, a difference as large as the one seen.

    Never fewer than ``FEWEST_TO_SEPARATE``.
    None where it cannot be said: fewer than 3 trainings of an arm, no spread, no difference, or more than 1000 needed.
    """
    if min(len(ours), len(theirs)) < FEWEST_FOR_INTERVAL:
        return None
    spread = float(np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 2.0))
    difference = abs(float(np.mean(ours) - np.mean(theirs)))
    if spread == 0.0 or difference == 0.0:
        return None
    effect = difference / spread
    if power(effect, MOST_SEEDS) < POWER:
        return None
    low, high = 1, 2
    while power(effect, high) < POWER:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, middle) >= POWER else (middle, high)
    return max(high, FEWEST_TO_SEPARATE)
