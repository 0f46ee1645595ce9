"""Small libraries and configurations for the agent's tests: real episodes, small networks, few steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from agent.config import TrainConfig, preset
from data.episode import EmulatorSettings, demonstrator_index
from data.library import Library
from data.simulation import Emulator

SMALL: dict[str, Any] = {
    "hidden_units": 16,
    "memory_size": 1000,
    "steps": 64,
    "learn_from_step": 16,
    "pretrain_steps": 4,
    "batch_size": 4,
    "checkpoint_every": 1000,
    "evaluate_every": 0,
    "max_episode_frames": 400,
}


def small_config(**changes: Any) -> TrainConfig:
    """The preset "first-default" made small, with changes: one value per action, and nothing held out or checked."""
    return dataclasses.replace(preset("first-default"), **{**SMALL, **changes})


def record_episode(
    library: Library,
    frames: int,
    seed: int = 0,
    game: str = "SpaceInvaders",
    kind: str = "random",
    player: str = "Ada",
    hold: int = 4,
    abandoned: bool = False,
    choose: Callable[[int, np.random.Generator, int], int] | None = None,
) -> str:
    """Publish an episode of random play, said to be by ``kind``, with at most so many frames; returns its id.

    ``choose`` (frame number, generator, number of actions) replaces the random choice, made every ``hold`` frames.
    """
    emulator = Emulator(game, EmulatorSettings(seed=seed, frame_skip=hold))
    rng = np.random.default_rng(seed)
    writer = library.begin_episode(emulator.origin(player), kind, emulator.state())
    pick = choose or (lambda _, rng, count: int(rng.integers(count)))
    action = 0
    for number in range(frames):
        if number % hold == 0:
            action = pick(number, rng, len(emulator.action_meanings))
        after = emulator.step(action)
        writer.append(action, demonstrator_index(kind), after)
        if after.game_over:
            break
    ended_by = "game_over" if emulator.game_over else "abandoned" if abandoned else "truncated"
    return writer.publish(ended_by, emulator.palette).stem
