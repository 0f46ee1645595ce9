"""Playing episodes: the emulator of a training, where its episodes start, and the loop of agent and emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from agent.config import TrainConfig
from data.episode import EmulatorSettings, FrameState
from data.simulation import Emulator

TRAINING_SEEDS = (0, 2**30)
EVALUATION_SEEDS = (2**30, 2**31)
"""Ranges [first, end) of emulator seeds, disjoint so that no evaluation plays a training episode."""


def emulator_settings(config: TrainConfig) -> EmulatorSettings:
    """Return the emulator settings of a training."""
    return EmulatorSettings(
        frame_skip=config.frame_skip,
        repeat_action_probability=config.sticky,
        full_action_set=config.full_action_set,
    )


def new_emulator(config: TrainConfig) -> Emulator:
    """Return the emulator in which an agent trains."""
    return Emulator(config.game, emulator_settings(config))


def next_episode(emulator: Emulator, config: TrainConfig, rng: np.random.Generator) -> None:
    """Set the emulator to frame 0 of a training episode sampled by ``rng``."""
    begin_episode(emulator, int(rng.integers(*TRAINING_SEEDS)), int(rng.integers(config.noop_max + 1)))


def begin_episode(emulator: Emulator, seed: int, noop_start: int) -> None:
    """Set the emulator to frame 0 of the episode with this seed, after ``noop_start`` no-op frames."""
    emulator.settings = replace(emulator.settings, seed=seed, noop_start=noop_start, initial_ram=(), actions_before=b"")
    emulator.reset()


class Agent(Protocol):
    """An agent that the loop can run."""

    def observe_start(self, emulator: Emulator) -> None:
        """Start an episode; the emulator is at frame 0."""

    def act(self) -> int:
        """Return the next decision's action, an index into the emulator's ``action_meanings``."""
        ...

    def observe(self, frames: list[FrameState], emulator: Emulator) -> None:
        """Take in the frames of the decision, oldest first."""


@dataclass(frozen=True)
class Step:
    """One executed decision."""

    action: int
    executed: tuple[int, ...]
    """The executed action of each frame; other than ``action`` only with sticky actions."""
    frames: tuple[FrameState, ...]
    reward: float
    """Points of all its frames, unclipped."""
    life_lost: bool
    game_over: bool
    truncated: bool
    """The episode has reached its maximum length."""


def hold(emulator: Emulator, action: int, lives_before: int, max_frames: int) -> Step:
    """Execute one decision: hold the action for ``frame_skip`` frames or until the game is over."""
    executed, frames = [], []
    for _ in range(emulator.settings.frame_skip):
        executed.append(emulator.executed(action))
        frames.append(emulator.step(executed[-1]))
        if frames[-1].game_over:
            break
    lives = [lives_before, *(frame.lives for frame in frames)]
    over = frames[-1].game_over
    return Step(
        action=action,
        executed=tuple(executed),
        frames=tuple(frames),
        reward=sum(frame.reward for frame in frames),
        life_lost=any(after < before for before, after in pairwise(lives)),
        game_over=over,
        truncated=not over and emulator.frame_number + emulator.settings.frame_skip > max_frames,
    )


def run_loop(emulator: Emulator, agent: Agent, max_frames: int) -> Iterator[Step]:
    """Play one episode from the emulator's frame 0. The last step is game over or truncated."""
    agent.observe_start(emulator)
    yield from continue_loop(emulator, agent, max_frames)


def continue_loop(emulator: Emulator, agent: Agent, max_frames: int) -> Iterator[Step]:
    """Play from the current frame, which the agent has observed, to the episode's end."""
    lives = emulator.lives
    while True:
        step = hold(emulator, agent.act(), lives, max_frames)
        agent.observe(list(step.frames), emulator)
        yield step
        if step.game_over or step.truncated:
            return
        lives = step.frames[-1].lives
