"""Statistics of scores: bootstrap intervals, interquartile means, and tests between the arms of a comparison.

Those of a comparison are defined by Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical
precipice". There, the scores of an arm are (N,): one number for each of its N trainings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# SciPy is imported where it is used: the import takes a second, and evaluating during training needs none of it.

CONFIDENCE = 0.95
RESAMPLES = 10_000
EPISODE_RESAMPLES = 9_999
"""For the mean of one evaluation's episodes: the default of ``scipy.stats.bootstrap``."""
FEWEST_FOR_INTERVAL = 3
"""With fewer trainings no interval is given: resampling one or two says almost nothing about others."""
FEWEST_TO_SEPARATE = 4
"""With fewer trainings per arm the rank test cannot give p < 0.05, however far apart the scores are."""
POWER = 0.8
"""Probability of detecting a real difference, for advice on the number of seeds."""
MOST_SEEDS = 1000

Statistic = Callable[[np.ndarray], np.ndarray]
"""Maps (..., N) to (...)."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval; no interval where there were too few trainings."""

    value: float
    low: float | None = None
    high: float | None = None


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half of the last axis (..., N), without a quarter at each end (section 4.3).

    With fewer than 4 numbers it is their mean.
    """
    from scipy import stats

    found: np.ndarray = stats.trim_mean(scores, 0.25, axis=-1)
    return found


def resampled(scores: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Return R bootstrap samples (R, ..., N) of scores (..., N), sampled with replacement along the last axis.

    Leading axes, such as the points of a curve, stay together: a training is sampled with its whole curve. Sampling
    each arm on its own is the stratified bootstrap of Agarwal et al. 2021, section 4.1.
    """
    count = scores.shape[-1]
    rows = rng.integers(count, size=(resamples, count))
    samples: np.ndarray = np.moveaxis(scores[..., rows], -2, 0)
    return samples


def interval(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95% percentile interval over the first axis (R, ...).

    Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13.
    """
    tail = 50.0 * (1.0 - CONFIDENCE)
    low, high = np.percentile(samples, [tail, 100.0 - tail], axis=0)
    return low, high


def mean_interval(
    scores: np.ndarray, rng: np.random.Generator, resamples: int = EPISODE_RESAMPLES
) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean of scores (N,), such as those of an evaluation's episodes."""
    low, high = interval(resampled(scores, rng, resamples).mean(axis=-1))
    return float(low), float(high)


def two_stage_mean_interval(
    groups: Sequence[Sequence[float]], rng: np.random.Generator, resamples: int
) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean of groups: trainings, each with the scores of its episodes.

    Trainings are resampled, and within each its episodes (Efron and Tibshirani 1993, section 8.3). With few trainings
    the interval is too narrow; with one it reflects the episodes alone.
    """
    means = np.empty(resamples)
    for row in range(resamples):
        chosen = rng.integers(len(groups), size=len(groups))
        means[row] = np.mean([np.mean(rng.choice(groups[group], len(groups[group]))) for group in chosen])
    low, high = interval(means)
    return float(low), float(high)


def estimate(scores: np.ndarray, statistic: Statistic, rng: np.random.Generator) -> Estimate:
    """Return a statistic of scores (N,) with its bootstrap interval."""
    value = float(statistic(scores))
    if len(scores) < FEWEST_FOR_INTERVAL:
        return Estimate(value)
    low, high = interval(statistic(resampled(scores, rng)))
    return Estimate(value, float(low), float(high))


def band(curves: np.ndarray, statistic: Statistic, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the ends (P,) of the 95% band of curves (P, N), P points of N trainings; None for too few trainings."""
    if curves.shape[-1] < FEWEST_FOR_INTERVAL:
        return None
    return interval(statistic(resampled(curves, rng)))


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the probability that a training of ours (..., N) beats one of theirs (..., M); ties count half.

    Agarwal et al. 2021, section 4.3.
    """
    pairs = np.sign(ours[..., :, None] - theirs[..., None, :])  # [..., N, M]
    found: np.ndarray = ((pairs + 1.0) / 2.0).mean(axis=(-2, -1))
    return found


def improvement(ours: np.ndarray, theirs: np.ndarray, rng: np.random.Generator) -> Estimate:
    """Return ``probability_of_improvement`` with its bootstrap interval; both arms are resampled."""
    value = float(probability_of_improvement(ours, theirs))
    if min(len(ours), len(theirs)) < FEWEST_FOR_INTERVAL:
        return Estimate(value)
    low, high = interval(probability_of_improvement(resampled(ours, rng), resampled(theirs, rng)))
    return Estimate(value, float(low), float(high))


def rank_test(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    """Return the two-sided p of the Mann-Whitney test, exact for few trainings without ties; None for 1 training.

    A bootstrap interval of few trainings is too narrow: for 3 that all beat 3 others it is 1.0 to 1.0, and p is 0.1.
    """
    if min(len(ours), len(theirs)) < 2:
        return None
    from scipy import stats

    return float(stats.mannwhitneyu(ours, theirs, alternative="two-sided").pvalue)


def area_under_curve(steps: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the mean height (N,), in points, of curves (P, N) over own steps (P,), by the trapezoidal rule."""
    if len(steps) < 2:
        return np.array(np.mean(scores, axis=0), np.float64)
    return np.array(np.trapezoid(scores, steps, axis=0) / (steps[-1] - steps[0]))


def steps_to_reach(steps: np.ndarray, scores: np.ndarray, target: float) -> list[int | None]:
    """Return, for each curve of (P, N), the own step of the first point that is at least ``target``; None for never."""
    found: list[int | None] = []
    for curve in np.asarray(scores).T:
        reached = np.flatnonzero(curve >= target)
        found.append(int(steps[reached[0]]) if len(reached) else None)
    return found


def power(effect: float, seeds: int, significance: float = 1.0 - CONFIDENCE) -> float:
    """Return the power of a two-sided t-test with ``seeds`` trainings per arm for ``effect`` standard deviations.

    Cohen 1988, chapter 2: the test's statistic has a non-central t distribution.
    """
    from scipy import stats

    freedom = 2 * seeds - 2
    noncentrality = effect * np.sqrt(seeds / 2.0)
    critical = stats.t.ppf(1.0 - significance / 2.0, freedom)
    return float(stats.nct.sf(critical, freedom, noncentrality) + stats.nct.cdf(-critical, freedom, noncentrality))


def seeds_to_separate(ours: np.ndarray, theirs: np.ndarray) -> int | None:
    """Return the trainings per arm needed to detect the observed difference with 80% power, at least 4.

    None if it cannot be computed: fewer than 3 trainings of an arm, no spread, no difference, or more than 1000.
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
