"""How much work a training is, counted in updates of the network: other than them, hardly anything takes time.

Whoever says how far a training is, or how long it will take, counts by this.
"""

from __future__ import annotations

from agent.config import TrainConfig


def updates(pretraining: int, own_steps: int, train_every: int) -> float:
    """Updates of so many of pretraining and so many own steps, one every ``train_every``."""
    return max(0, pretraining) + max(0, own_steps) / train_every


def updates_of(config: TrainConfig) -> float:
    """Updates of a whole training: those before its first own step, where it has a seeding, and those after."""
    return updates_left(config, 0, 0)


def updates_left(config: TrainConfig, pretrained: int, step: int) -> float:
    """Updates that are still to come after so many of pretraining and so many own steps."""
    pretraining = config.pretrain_steps - pretrained if config.seed_from else 0
    return updates(pretraining, config.steps - step, config.train_every)
