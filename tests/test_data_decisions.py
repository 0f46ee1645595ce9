"""Grouping frames into decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.decisions import Decisions, decisions_of


def decided(
    actions: list[int], rewards: dict[int, float] | None = None, lives: list[int] | None = None, over: bool = False
) -> Decisions:
    points = np.zeros(len(actions), np.float32)
    for row, reward in (rewards or {}).items():
        points[row] = reward
    return decisions_of(
        np.array(actions, np.uint8),
        points,
        np.array(lives if lives is not None else [3] * (len(actions) + 1), np.uint8),
        np.arange(len(actions)).astype(np.uint8) % 5,
        over,
    )


def test_four_frames_are_one_decision_and_points_are_summed_over_it() -> None:
    found = decided([1] * 4 + [2] * 4, {0: 5, 3: 10, 4: 20})
    assert (found.first_frame.tolist(), found.action.tolist(), found.reward.tolist()) == ([0, 4], [1, 2], [15.0, 20.0])


def test_the_action_held_longest_counts_and_of_equals_the_first() -> None:
    found = decided([1, 2, 2, 2, 4, 3, 4, 3, 5, 6, 7, 7, 9, 9, 9, 9])
    assert found.action.tolist() == [2, 4, 7, 9]
    assert found.mixed.tolist() == [True, True, True, False]
    assert found.mixed.mean() == 0.75


def test_the_unfinished_last_decision_counts_only_where_the_game_was_over() -> None:
    assert decided([1] * 6).length.tolist() == [4]
    over = decided([1] * 4 + [2, 3], {5: 7}, over=True)
    assert (over.length.tolist(), over.action.tolist(), over.reward.tolist()) == ([4, 2], [1, 2], [0.0, 7.0])


def test_a_short_last_decision_is_not_mixed_by_the_frames_it_does_not_have() -> None:
    assert decided([0] * 4 + [1], over=True).mixed.tolist() == [False, False]


def test_only_the_game_over_decision_is_terminal() -> None:
    assert decided([1] * 8, over=True).terminal.tolist() == [False, True]
    assert decided([1] * 8).terminal.tolist() == [False, False]


def test_a_life_lost_in_any_of_the_frames_is_lost_in_the_decision() -> None:
    lives = [3] * 4 + [2] * 4 + [3] + [255, 0, 0, 0]  # lost in row 3, won in row 7, and again lost in row 9
    assert decided([1] * 12, lives=lives).life_lost.tolist() == [True, False, True]


def test_a_life_lost_after_the_last_whole_decision_does_not_count() -> None:
    assert decided([1] * 6, lives=[3] * 6 + [2]).life_lost.tolist() == [False]


def test_the_demonstrator_is_that_of_the_first_frame() -> None:
    assert decided([1] * 8).demonstrator.tolist() == [0, 4]


@pytest.mark.parametrize("over", [False, True])
def test_an_episode_without_frames_has_no_decisions(over: bool) -> None:
    assert len(decided([], over=over)) == 0


@given(st.lists(st.integers(0, 17), max_size=60), st.booleans(), st.integers(1, 7), st.data())
def test_decisions_are_what_a_plain_loop_makes_of_the_frames(
    actions: list[int], over: bool, skip: int, data: st.DataObject
) -> None:
    total = len(actions)
    rewards = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=total, max_size=total)), np.float32)
    lives = np.array(data.draw(st.lists(st.integers(0, 3), min_size=total + 1, max_size=total + 1)), np.uint8)
    found = decisions_of(np.array(actions, np.uint8), rewards, lives, np.zeros(total, np.uint8), over, skip)
    expected = []
    for first in range(0, total, skip):
        held = actions[first : first + skip]
        if len(held) < skip and not over:
            break
        last = first + len(held)
        expected.append(
            (
                first,
                len(held),
                max(held, key=held.count),
                float(rewards[first:last].sum()),
                len(set(held)) > 1,
                any(lives[t + 1] < lives[t] for t in range(first, last)),
                over and last == total,
            )
        )
    columns = (
        found.first_frame,
        found.length,
        found.action,
        found.reward,
        found.mixed,
        found.life_lost,
        found.terminal,
    )
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
