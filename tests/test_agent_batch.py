"""A batch: shifted pictures against NumPy's own padding, and the changes before an update."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_agent_learner import random_batch

from agent.batch import (
    GREATEST_BALANCE,
    augment,
    balanced_weights,
    fade_imitation,
    regress_on_returns,
    shift_stacks,
    weigh_imitation,
)


@pytest.mark.parametrize("move", [(0, 0), (3, -2), (-4, 0), (0, 4), (4, 4), (-1, -1)])
def test_a_shifted_picture_is_the_padded_one_cropped_elsewhere(move: tuple[int, int]) -> None:
    stacks = np.random.default_rng(0).integers(0, 256, (2, 4, 84, 84)).astype(np.uint8)
    padded = np.pad(stacks, ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    expected = padded[:, :, 4 - move[0] : 88 - move[0], 4 - move[1] : 88 - move[1]]
    np.testing.assert_array_equal(shift_stacks(stacks, np.array([move, move])), expected)


def test_all_shifts_up_to_the_limit_occur_and_no_others() -> None:
    rng = np.random.default_rng(0)
    batch = random_batch(rng, size=2000, side=9)
    batch.stacks[:] = 0
    batch.stacks[:, 0, 4, 4] = 1
    result = augment(batch, 2, rng).stacks[:, 0]
    places = {(int(row), int(column)) for _, row, column in zip(*np.nonzero(result), strict=True)}
    assert places == {(row, column) for row in range(2, 7) for column in range(2, 7)}


def test_a_shift_changes_only_the_pictures_of_a_batch() -> None:
    rng = np.random.default_rng(0)
    batch = random_batch(rng)
    batch = dataclasses.replace(batch, following_stacks=batch.next_stacks)
    assert augment(batch, 0, rng) is batch
    changed = augment(batch, 4, rng)
    assert changed.following_stacks is changed.next_stacks
    assert not np.array_equal(changed.stacks, batch.stacks)
    assert changed.actions is batch.actions
    assert changed.returns is batch.returns


def test_regression_on_returns_replaces_the_targets_that_are_known() -> None:
    batch = random_batch(np.random.default_rng(0))
    recorded = np.array([2.5, -np.inf, 0.0, -1.0], np.float32)
    changed = regress_on_returns(dataclasses.replace(batch, recorded=recorded))
    known = np.array([True, False, True, True])
    for sums, discounts in (("returns", "discounts"), ("rewards", "one_step_discounts")):
        np.testing.assert_array_equal(getattr(changed, sums)[known], recorded[known])
        np.testing.assert_array_equal(getattr(changed, discounts)[known], 0.0)
        for name in (sums, discounts):
            assert getattr(changed, name)[1] == getattr(batch, name)[1]
            assert getattr(changed, name).dtype == np.float32


def test_imitation_fades_in_proportion() -> None:
    batch = dataclasses.replace(random_batch(np.random.default_rng(0)), imitate=np.array([1, 0, -1, 1], np.float32))
    faded = fade_imitation(batch, 0.25).imitate
    np.testing.assert_array_equal(faded, np.array([0.25, 0, -0.25, 0.25], np.float32))
    assert faded.dtype == np.float32


def test_balanced_imitation_makes_all_actions_count_alike() -> None:
    actions = np.repeat([0, 2, 3], [60, 30, 10])
    weights = balanced_weights(actions, 4)
    np.testing.assert_allclose([weights[action] * count for action, count in ((0, 60), (2, 30), (3, 10))], 100 / 3)
    assert weights[actions].mean() == pytest.approx(1.0)
    assert balanced_weights(np.repeat([0, 1], [999, 1]), 2)[1] == GREATEST_BALANCE


def test_weighed_imitation_multiplies_only_what_is_imitated() -> None:
    batch = dataclasses.replace(
        random_batch(np.random.default_rng(0), 3),
        imitate=np.array([1.0, 1.0, -1.0], np.float32),
    )
    np.testing.assert_array_equal(weigh_imitation(batch, np.array([0.5, 3.0, 2.0])).imitate, [0.5, 3.0, -1.0])
