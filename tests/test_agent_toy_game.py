"""The agent solves a small game whose best play is known, from pictures alone: gymnasium's FrozenLake, not slippery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from agent_episodes import small_config

from agent.learner import Learner
from agent.memory_of_config import new_memory
from agent.preprocessing import OBSERVATION_SIDE
from agent.replay_memory import ReplayMemory

BEST = 6
"""Steps of the shortest way from the start to the goal round the holes of the 4 x 4 lake."""
LONGEST = 40


class Lake:
    """FrozenLake as pictures, gray, 84 x 84: bright where the player is, darker holes, the goal between."""

    def __init__(self) -> None:
        self._game: Any = gymnasium.make("FrozenLake-v1", is_slippery=False).unwrapped
        shades = {b"S": 0, b"F": 0, b"H": 60, b"G": 120}
        self._lake = np.array([[shades[cell] for cell in row] for row in self._game.desc], np.uint8)

    def begin(self) -> np.ndarray:
        self._game.reset(seed=0)
        return self._picture()

    def act(self, action: int) -> tuple[float, bool, np.ndarray]:
        """Reward, whether it has ended, and what is seen then."""
        _, reward, ended, _, _ = self._game.step(action)
        return float(reward), bool(ended), self._picture()

    def _picture(self) -> np.ndarray:
        cells = self._lake.copy()
        cells.reshape(-1)[int(self._game.s)] = 255
        side = OBSERVATION_SIDE // len(cells)
        return cells.repeat(side, axis=0).repeat(side, axis=1)


def play(lake: Lake, learner: Learner, memory: ReplayMemory, rng: np.random.Generator, epsilon: float) -> Iterator[int]:
    """One episode, kept in the memory; yields the number of each step."""
    seen = lake.begin()
    memory.begin(seen)
    for step in range(1, LONGEST + 1):
        explores = rng.random() < epsilon
        action = int(rng.integers(4)) if explores else int(np.argmax(learner.q_values(seen[None])))
        reward, ended, seen = lake.act(action)
        memory.add(action, reward, ended, seen)
        yield step
        if ended:
            return
    memory.end()


def steps_to_the_goal(lake: Lake, learner: Learner) -> int | None:
    """Greedy play: steps to the goal, None where it is not reached."""
    seen = lake.begin()
    for step in range(1, LONGEST + 1):
        reward, ended, seen = lake.act(int(np.argmax(learner.q_values(seen[None]))))
        if ended:
            return step if reward else None
    return None


@pytest.mark.timeout(900)
def test_the_agent_finds_the_shortest_way_over_the_lake() -> None:
    config = small_config(
        network="small", stack=1, discount=0.9, n_steps=1, learning_rate=1e-3, hidden_units=64, averaging=0.0,
        margin_weight=0.0, layer_norm=False, target_update_steps=25, sampling="prioritised", memory_size=6000,
        steps=6000,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    memory = new_memory(config, 0)
    memory.close_seeding()
    learner = Learner(config, 4, rng)
    lake = Lake()
    while memory.own_steps < 4000:
        list(play(lake, learner, memory, rng, epsilon=1.0))
    for update in range(1, 601):
        if update % 10 == 0:
            list(play(lake, learner, memory, rng, epsilon=0.2))
        batch = memory.sample(rng, 16, None, 0.4)
        memory.update_errors(batch.slots, learner.update(batch).td_errors)
        if update >= 200 and update % 50 == 0 and solved(lake, learner):
            break
    learner.close()
    assert solved(lake, learner)


def solved(lake: Lake, learner: Learner) -> bool:
    """Whether greedy play takes the shortest way, and the start is worth what that way is worth."""
    value = float(learner.q_values(lake.begin()[None]).max())
    return steps_to_the_goal(lake, learner) == BEST and abs(value - 0.9 ** (BEST - 1)) < 0.15
