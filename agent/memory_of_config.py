"""Replay memories as a training's configuration wants them."""

from __future__ import annotations

from collections.abc import Callable

from agent.config import TrainConfig
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, Sampler, UniformSampler
from agent.slots import MemoryRules


def memory_rules(config: TrainConfig, evict_seed: bool = False) -> MemoryRules:
    """Return the rules of a memory; that of a run's additions evicts nothing."""
    return MemoryRules(
        ages=config.ages,
        n_steps=config.most_n_steps,
        discount=config.discount,
        reward=config.reward,
        evict_seed=evict_seed,
        equivalent=config.equivalent_actions,
    )


def new_memory(config: TrainConfig, seeded_slots: int) -> ReplayMemory:
    """Return an empty replay memory for the configuration. Raises CoachError if it would not fit in memory."""
    rules = memory_rules(config, config.evict_seed)
    # Every step writes one observation, and every episode one more.
    own_observations = config.steps + config.steps // 10 + 1
    return ReplayMemory(rules, sampler_factory(config), config.memory_size, seeded_slots, own_observations)


def sampler_factory(config: TrainConfig) -> Callable[[int], Sampler]:
    """Return what makes the configuration's sampler for a number of slots."""

    def sampler(slots: int) -> Sampler:
        if config.sampling == "uniform":
            return UniformSampler()
        bonuses = config.priority_bonus, config.seeded_priority_bonus
        return PrioritisedSampler(slots, config.priority_exponent, *bonuses)

    return sampler
