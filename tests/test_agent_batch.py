"""A batch's augmentation: shifted pictures against NumPy's own padding."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_agent_learner import random_batch

from agent.batch import augment, shift_stacks


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
