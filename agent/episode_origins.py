"""Where the agent's own episodes begin: emulators and the seeds of training and evaluation, which never meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agent.config import TrainConfig
from data.episode import EmulatorSettings
from data.simulation import Emulator

TRAINING_SEEDS = (0, 2**30)
EVALUATION_SEEDS = (2**30, 2**31)
"""Ranges [first, end) of emulator seeds."""


def new_emulator(config: TrainConfig) -> Emulator:
    """The emulator that an agent trains in."""
    settings = EmulatorSettings(
        frame_skip=config.frame_skip,
        repeat_action_probability=config.sticky,
        full_action_set=config.full_action_set,
    )
    return Emulator(config.game, settings)


def next_episode(emulator: Emulator, config: TrainConfig, rng: np.random.Generator) -> None:
    """Set the emulator to frame 0 of a training episode that ``rng`` chooses."""
    begin_episode(emulator, int(rng.integers(*TRAINING_SEEDS)), int(rng.integers(config.noop_max + 1)))


def begin_episode(emulator: Emulator, seed: int, noop_start: int) -> None:
    """Set the emulator to frame 0 of the episode with this seed and so many no-op frames before it."""
    emulator.settings = replace(emulator.settings, seed=seed, noop_start=noop_start)
    emulator.reset()
