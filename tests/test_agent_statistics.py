"""The statistics of a comparison, checked against rliable, statsmodels and SciPy on the same numbers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agent.atari_scores import human_normalised
from agent.statistics import (
    area_under_curve,
    band,
    estimate,
    improvement,
    interquartile_mean,
    interval,
    mean_interval,
    power,
    probability_of_improvement,
    rank_test,
    resampled,
    seeds_to_separate,
    steps_to_reach,
    two_stage_mean_interval,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from rliable import library as rliable_library
    from rliable import metrics as rliable_metrics

OURS = np.random.default_rng(1).normal(300.0, 60.0, 9)
THEIRS = np.random.default_rng(2).normal(260.0, 40.0, 7)


@pytest.fixture
def global_seed() -> Iterator[None]:
    """Seed NumPy's global generator, which rliable uses whatever ``random_state`` it is given."""
    before = np.random.get_state()
    np.random.seed(0)
    yield
    np.random.set_state(before)


scores = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=12).map(np.array)


@given(scores)
def test_the_interquartile_mean_equals_rliables(values: np.ndarray) -> None:
    assert interquartile_mean(values) == pytest.approx(rliable_metrics.aggregate_iqm(values[:, None]))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_the_probability_of_improvement_equals_rliables_also_with_ties(ours: list[int], theirs: list[int]) -> None:
    mine, other = np.array(ours, float), np.array(theirs, float)
    expected = rliable_metrics.probability_of_improvement(mine[:, None], other[:, None])
    assert probability_of_improvement(mine, other) == pytest.approx(expected)


@pytest.mark.usefixtures("global_seed")
def test_the_interval_of_the_interquartile_mean_agrees_with_rliables() -> None:
    def iqm(values: np.ndarray) -> np.ndarray:
        return np.array([rliable_metrics.aggregate_iqm(values)])

    _, limits = rliable_library.get_interval_estimates({"ours": OURS[:, None]}, iqm, reps=4000)
    found = estimate(OURS, interquartile_mean, np.random.default_rng(0))
    samples = interquartile_mean(resampled(OURS, np.random.default_rng(1), 20_000))
    # Ranks are compared: means of nine scores are spaced unevenly, and one resample more may skip a wide gap.
    ours, theirs = (np.mean(samples[:, None] < ends, axis=0) for ends in ([found.low, found.high], limits["ours"].T[0]))
    assert ours == pytest.approx(theirs, abs=0.01)


@pytest.mark.usefixtures("global_seed")
def test_the_interval_of_the_probability_of_improvement_agrees_with_rliables() -> None:
    pair = {"ours,theirs": (OURS[:, None], THEIRS[:, None])}

    def chance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.array([rliable_metrics.probability_of_improvement(x, y)])

    _, limits = rliable_library.get_interval_estimates(pair, chance, reps=2000)
    found = improvement(OURS, THEIRS, np.random.default_rng(0))
    assert [found.low, found.high] == pytest.approx(limits["ours,theirs"].ravel(), abs=0.03)


def test_the_interval_of_a_mean_equals_scipys_with_the_same_generator() -> None:
    theirs = stats.bootstrap((OURS,), np.mean, method="percentile", rng=np.random.default_rng(0)).confidence_interval
    assert mean_interval(OURS, np.random.default_rng(0)) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0]])
def test_scores_without_spread_have_an_interval_without_width(values: list[float]) -> None:
    assert mean_interval(np.array(values), np.random.default_rng(0)) == (5.0, 5.0)


def test_the_interval_over_trainings_is_wide_where_trainings_differ_and_narrow_where_only_episodes_do() -> None:
    rng = np.random.default_rng(0)
    alike = [rng.normal(300, 60, 30).tolist() for _ in range(3)]
    apart = [rng.normal(centre, 1, 30).tolist() for centre in (200, 300, 400)]
    low, high = two_stage_mean_interval(alike, rng, 2000)
    expected = 1.96 * 60 / np.sqrt(90)
    assert 0.6 * expected < (high - low) / 2 < 2.2 * expected
    low, high = two_stage_mean_interval(apart, rng, 2000)
    assert low < 240
    assert high > 360


def test_a_band_is_the_interval_at_each_point() -> None:
    curves = np.stack([OURS, OURS + 50.0, 2.0 * OURS])
    limits = band(curves, interquartile_mean, np.random.default_rng(0))
    assert limits is not None
    low, high = limits
    found = estimate(OURS, interquartile_mean, np.random.default_rng(0))
    assert (low[0], high[0]) == (found.low, found.high)
    np.testing.assert_allclose(low, [low[0], low[0] + 50.0, 2.0 * low[0]])


def test_a_training_is_resampled_with_its_whole_curve() -> None:
    curves = np.arange(5.0) + np.array([[0.0], [100.0]])
    samples = resampled(curves, np.random.default_rng(0), 50)
    assert samples.shape == (50, 2, 5)
    np.testing.assert_array_equal(samples[:, 1] - samples[:, 0], np.full((50, 5), 100.0))


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_trainings_have_no_interval(count: int) -> None:
    found = estimate(OURS[:count], interquartile_mean, np.random.default_rng(0))
    assert (found.low, found.high) == (None, None)
    assert improvement(OURS[:count], THEIRS, np.random.default_rng(0)).low is None
    assert band(OURS[None, :count], interquartile_mean, np.random.default_rng(0)) is None
    assert seeds_to_separate(OURS[:count], THEIRS) is None


def test_three_trainings_that_all_beat_three_others_may_be_chance() -> None:
    ours, theirs = np.array([10.0, 11.0, 12.0]), np.array([1.0, 2.0, 3.0])
    assert improvement(ours, theirs, np.random.default_rng(0)).low == 1.0
    assert rank_test(ours, theirs) == pytest.approx(0.1)


@pytest.mark.parametrize("effect", [0.2, 0.5, 1.3, 3.0])
@pytest.mark.parametrize("seeds", [3, 10, 64])
def test_the_power_of_a_comparison_equals_statsmodels(effect: float, seeds: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.stats.power import TTestIndPower
    assert power(effect, seeds) == pytest.approx(TTestIndPower().power(effect, seeds, 0.05), abs=1e-6)


def test_the_seeds_needed_are_the_fewest_with_enough_power() -> None:
    needed = seeds_to_separate(OURS, THEIRS)
    assert needed is not None
    spread = np.sqrt((OURS.var(ddof=1) + THEIRS.var(ddof=1)) / 2)
    effect = abs(OURS.mean() - THEIRS.mean()) / spread
    assert power(effect, needed - 1) < 0.8 <= power(effect, needed)


def test_fewer_than_four_trainings_are_never_enough() -> None:
    assert seeds_to_separate(np.array([10.0, 11.0, 12.0]), np.array([901.0, 902.0, 903.0])) == 4
    assert rank_test(np.arange(4.0), np.arange(4.0) + 9) == pytest.approx(2 / 70)


def test_no_number_of_seeds_separates_what_does_not_differ() -> None:
    assert seeds_to_separate(OURS, OURS) is None
    assert seeds_to_separate(OURS, OURS + 1e-3) is None


def test_the_area_under_a_curve_is_its_mean_height() -> None:
    steps = np.array([0, 100, 300])
    assert area_under_curve(steps, np.array([[0.0, 5.0], [10.0, 5.0], [10.0, 5.0]])) == pytest.approx([25 / 3, 5.0])


def test_a_score_is_reached_at_the_first_point_at_or_above_it() -> None:
    steps = np.array([0, 100, 200])
    curves = np.array([[10.0, 10.0], [200.0, 10.0], [150.0, 199.0]])
    assert steps_to_reach(steps, curves, 200.0) == [100, None]


def test_human_normalised_scores_are_shares_between_chance_and_a_person() -> None:
    found = human_normalised("SpaceInvaders", np.array([148.0, 1668.7, 908.35]))
    assert found == pytest.approx([0.0, 1.0, 0.5])
    assert human_normalised("Adventure", np.array([1.0])) is None


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=8).map(np.array))
def test_an_interval_lies_within_the_scores(values: np.ndarray) -> None:
    low, high = interval(interquartile_mean(resampled(values, np.random.default_rng(0), 500)))
    assert values.min() - 1e-9 <= low <= high <= values.max() + 1e-9
