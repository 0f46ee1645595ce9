"""Moments of own games: where a life was lost after a high value, and where the value fell most."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import small_config

from agent.config import TrainConfig
from agent.memory_of_config import new_memory
from agent.moments import MomentFinder
from agent.run_loop import Step
from agent.trainer import Generators, Trainer
from data.episode import EmulatorSettings
from data.moments import MOST_MOMENTS, Moment, read_moments, write_moments
from data.runs import RunFolder

SETTINGS = EmulatorSettings(seed=5, noop_start=3)


def decision(reward: float = 0.0, life_lost: bool = False) -> Step:
    return Step(0, (0,) * 4, (), reward, life_lost, False, False)


def moments_of(values: list[float | None], rewards: dict[int, float], lost: set[int]) -> dict[str, Moment]:
    finder = MomentFinder(TrainConfig())
    finder.begin()
    for row, value in enumerate(values):
        finder.decided(value, 4 * row, decision(rewards.get(row, 0.0), row in lost))
    finder.ended(SETTINGS, bytes(4 * len(values)), own_step=900)
    return {moment.reason: moment for moment in finder.found}


def test_the_life_lost_after_the_highest_value_is_a_moment() -> None:
    values: list[float | None] = [1.0] * 30 + [4.0] * 30 + [2.0] * 30
    found = moments_of(values, {}, {20, 62, 85})
    life = found["life"]
    assert (life.frame, life.severity, life.value, life.step) == (4 * 62, 4.0, 4.0, 900)
    assert (life.seed, life.noop_start, len(life.actions)) == (5, 3, 4 * 62)


def test_the_value_that_fell_most_is_a_moment_unless_it_was_earned() -> None:
    values: list[float | None] = [4.0] * 40 + [3.0] * 40 + [2.5] * 40
    earned = moments_of(values, {39: 10.0}, set())["fall"]
    assert 4 * 80 <= earned.frame < 4 * 96, "the reward explains the first fall"
    assert (earned.severity, earned.points) == (0.5, 10.0)
    unearned = moments_of(values, {}, set())["fall"]
    assert 4 * 40 <= unearned.frame < 4 * 56
    assert unearned.severity == 1.0


@pytest.mark.parametrize("values", [[], [1.0], [None] * 40, [0.0] * 40, [-1.0] * 40])
def test_a_game_without_values_or_falls_has_no_moments(values: list[float | None]) -> None:
    assert moments_of(values, {}, {10}) == {}


def test_the_newest_moments_are_kept_and_none_twice(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_moments(folder) == []
    moment = Moment("fall", 8, 100, 1.5, 2.0, 30.0, 5, 3, b"\x02" * 8, ((1, 2),))
    many = [dataclasses.replace(moment, seed=seed) for seed in range(MOST_MOMENTS + 10)]
    write_moments(folder, many[:40])
    write_moments(folder, many[30:])
    assert read_moments(folder) == many[-MOST_MOMENTS:]
    assert "0:00 of the game that ended at step 100: expected more (value 2.00)" in str(moment)


class _FallingValues:
    """A learner that never learns, and values every state less than the one before."""

    updates = 0

    def __init__(self) -> None:
        self._values = itertools.count(100.0, -1.0)

    def q_values(self, stacks: np.ndarray) -> np.ndarray:
        return np.full((len(stacks), 6) if stacks.ndim == 4 else 6, next(self._values), np.float32)

    def finish_update(self) -> None:
        """Return no update."""

    def set_learning_rate(self, learning_rate: float) -> None:
        """There is nothing to set."""


def test_a_moment_of_a_game_that_was_resumed_has_the_points_of_the_whole_game() -> None:
    config = small_config(steps=100, max_episode_frames=240, learn_from_step=100, epsilon_start=0.0, epsilon_end=0.0)
    memory = new_memory(config, 0)

    def trainer() -> Trainer:
        learner: Any = _FallingValues()
        return Trainer(config, memory, learner, Generators.from_seed(0), experienced=False)

    stopped = trainer()
    assert next(done for done in stopped.train() if done.step == 8).episode is None
    state = stopped.state()
    state["episode"]["score"] = 35.0
    resumed = trainer()
    resumed.restore(state)
    assert next(done for done in resumed.train() if done.episode is not None).step > 8
    (fall,) = [moment for moment in resumed.moments.found if moment.reason == "fall"]
    assert fall.points == 35.0, "no action shoots in this game"
    assert len(fall.actions) == fall.frame > 8 * config.frame_skip
