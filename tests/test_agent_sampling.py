"""Sampling: the sum tree against a plain list, and the annealing of beta."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sampling import SumTree, annealed_beta

values = st.floats(0, 1e6, allow_nan=False).map(lambda value: 0.0 if value < 1e-3 else value)


@st.composite
def trees(draw: st.DrawFn) -> tuple[SumTree, np.ndarray]:
    """A tree after some settings, and the list that it should equal."""
    capacity = draw(st.integers(1, 5000))
    tree, plain = SumTree(capacity), np.zeros(capacity)
    for _ in range(draw(st.integers(1, 8))):
        count = draw(st.integers(1, 20))
        leaves = np.array(
            draw(st.lists(st.integers(0, capacity - 1), min_size=count, max_size=count, unique=capacity >= count))
        )
        new = np.array(draw(st.lists(values, min_size=count, max_size=count)))
        if capacity < count:
            new[:] = new[0]
        tree.set(leaves, new)
        plain[leaves] = new
    return tree, plain


@given(trees())
@settings(max_examples=100, deadline=None)
def test_values_and_sums_equal_those_of_a_list(made: tuple[SumTree, np.ndarray]) -> None:
    tree, plain = made
    np.testing.assert_array_equal(tree.export(), plain)
    np.testing.assert_allclose(tree.total, plain.sum(), rtol=1e-12)
    for leaf in {0, len(plain) // 3, len(plain) - 1, len(plain)}:
        np.testing.assert_allclose(tree.sum_before(leaf), plain[:leaf].sum(), rtol=1e-12)


@given(trees(), st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_a_mass_finds_the_leaf_at_which_the_running_sum_exceeds_it(
    made: tuple[SumTree, np.ndarray], shares: list[float]
) -> None:
    tree, plain = made
    if plain.sum() == 0.0:
        return
    masses = np.array(shares) * tree.total
    found = tree.find(masses)
    assert (plain[found] > 0).all()
    ends = np.cumsum(plain)
    slack = 1e-9 * tree.total
    assert (ends[found] >= masses - slack).all()
    assert (ends[found] - plain[found] <= masses + slack).all()


def test_many_leaves_set_at_once_equal_those_set_one_after_another_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    leaves, new = rng.permutation(9000)[:5000], rng.random(5000)
    together, singly = SumTree(9000), SumTree(9000)
    together.set(leaves, new)
    for leaf, value in zip(leaves, new, strict=True):
        singly.set(np.array([leaf]), value)
    for ours, theirs in zip(together._levels, singly._levels, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_leaves_are_found_in_proportion_to_their_values() -> None:
    tree = SumTree(1000)
    tree.set(np.array([3, 500, 999]), np.array([1.0, 2.0, 7.0]))
    found = tree.find(np.random.default_rng(0).random(20_000) * tree.total)
    shares = [(found == leaf).mean() for leaf in (3, 500, 999)]
    np.testing.assert_allclose(shares, [0.1, 0.2, 0.7], atol=0.02)


def test_setting_a_leaf_again_leaves_no_rounding_error() -> None:
    tree = SumTree(70)
    for value in (1e12, 1e-3, 3.3, 0.1):
        tree.set(np.array([69]), value)
    assert tree.total == 0.1


@pytest.mark.parametrize(("step", "steps", "beta"), [(0, 100, 0.4), (50, 100, 0.7), (100, 100, 1.0), (200, 100, 1.0)])
def test_beta_is_annealed_linearly_over_the_steps_of_a_training(step: int, steps: int, beta: float) -> None:
    assert annealed_beta(0.4, 1.0, step, steps) == pytest.approx(beta)


def test_beta_keeps_its_start_where_there_are_no_steps() -> None:
    assert annealed_beta(0.4, 1.0, 0, 0) == 0.4
