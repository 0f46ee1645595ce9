"""The batch of each update: which transitions are sampled, and how much their imitation counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.added_memory import AddedMemory
from agent.batch import (
    Batch,
    augment,
    balanced_weights,
    joined,
    regress_on_returns,
    take_any_equivalent,
    weigh_imitation,
)
from agent.config import TrainConfig
from agent.horizon import Horizon
from agent.imitation import Imitation
from agent.replay_memory import ReplayMemory
from agent.sampling import annealed_beta
from agent.trust import NOTHING, VALUES

if TYPE_CHECKING:
    from agent.learner import Update

START_DECISIONS = 75
"""Decisions over which the weight of an episode's start falls to 1: five seconds, if a decision takes four frames."""


class UpdateBatches:
    """Samples the batches of a training from its memory and from what was added to it."""

    def __init__(
        self, config: TrainConfig, memory: ReplayMemory, imitation: Imitation, rng: np.random.Generator
    ) -> None:
        self.added: AddedMemory | None = None
        """What was added during the training; None: nothing."""
        self.newest: Batch | None = None
        """The batch of the newest update; None after a resume."""
        self.newest_seeded_share: float | None = None
        """Share of that batch that was seeded; kept in checkpoints."""
        self.added_rows = 0
        """Added transitions in the newest batch; they are its last rows."""
        self._config = config
        self._memory = memory
        self._imitation = imitation
        self._rng = rng
        self._sampled: Batch
        self._action_weights: np.ndarray | None = None

    def balance_actions(self, action_count: int) -> None:
        """From now on, let the imitation of rare actions of the seeding count as much as that of frequent ones."""
        columns = {
            name: self._memory.columns[name][: self._memory.seeded_end] for name in ("ready", "imitate", "action")
        }
        imitated = columns["action"][columns["ready"] & (columns["imitate"] > 0)]
        self._action_weights = balanced_weights(imitated, action_count)

    def seeded_share(self, step: int) -> float | None:
        """Return the share of a batch that is sampled from the seeding at an own step.

        None: batches are sampled uniformly from all transitions.
        """
        config = self._config
        if config.mixing == "free":
            return None
        if self._memory.seeded_ready == 0 or self._imitation.trust == NOTHING:
            return 0.0
        left = 1.0 - step / config.seed_anneal_steps if step < config.seed_anneal_steps else 0.0
        return config.seed_share + (1.0 - config.seed_share) * left

    def sample(self, step: int, horizon: Horizon | None, pretraining: bool = False) -> Batch:
        """Return the batch of the next update, at an own step."""
        config, share = self._config, self.seeded_share(step)
        beta = 0.0
        if config.sampling == "prioritised":
            ends = config.importance_exponent, config.importance_exponent_end
            beta = annealed_beta(*ends, step, config.steps)
        how = beta, config.one_step_weight > 0.0, horizon
        added = 0
        if self.added is not None:
            # A seeding that is not used has no share of which the additions could be a part.
            of_seeding = None if self._imitation.trust == NOTHING else share
            added = self.added.rows(self._rng, config.batch_size, step, self._memory, of_seeding)
        others = config.batch_size - added
        sampled = self._drawn(self._memory, others, None if share is None else round(share * others), how)
        if self.added is not None and added:
            sampled = joined(sampled, self._drawn(self.added, added, None, how))
        self.added_rows = added
        if config.equivalent_actions:
            sampled = take_any_equivalent(sampled, self._rng)
        if pretraining and (config.pretrain_on == "returns" or self._imitation.trust == VALUES):
            sampled = regress_on_returns(sampled)
        if self._action_weights is not None:
            sampled = weigh_imitation(sampled, self._action_weights[sampled.actions])
        newest = self.added.newest_step if self.added is not None else 0
        sampled = self._imitation.apply(sampled, added, step, newest)
        self._sampled = augment(sampled, config.shift_pixels, self._rng)
        return self._sampled

    def _drawn(
        self, memory: ReplayMemory, count: int, seeded: int | None, how: tuple[float, bool, Horizon | None]
    ) -> Batch:
        """Return rows of a memory, the imitation of changed actions and of starts weighed.

        A stack shows what the last action was, and demonstrators mostly repeat it. An agent that imitates all decisions
        alike learns to repeat its own last action, and not when to change it (de Haan et al. 2019). Decisions at which
        it changed count more for that reason (Wen et al. 2021, keyframe-focused imitation).

        Every episode passes its start, and what follows depends on it, but it is a small part of a demonstration.
        """
        config, batch = self._config, memory.sample(self._rng, count, seeded, *how)
        if config.change_weight != 1.0:
            changed = memory.changed_action(batch.slots)
            batch = weigh_imitation(batch, np.where(changed, config.change_weight, 1.0))
        if config.start_weight != 1.0:
            left = np.maximum(0.0, 1.0 - memory.columns["age"][batch.slots] / START_DECISIONS)
            batch = weigh_imitation(batch, 1.0 + (config.start_weight - 1.0) * left)
        return batch

    def learned(self, update: Update) -> None:
        """Store the TD errors of the update that was made with the newest batch."""
        slots, others = self._sampled.slots, len(self._sampled.slots) - self.added_rows
        self._memory.update_errors(slots[:others], update.td_errors[:others])
        if self.added is not None and self.added_rows:
            self.added.update_errors(slots[others:], update.td_errors[others:])
        self.newest = self._sampled
        self.newest_seeded_share = float(self._sampled.seeded.mean())

    def errors(self) -> dict[str, float | None]:
        """Return the mean absolute TD error of the newest batch, for seeded and own transitions; None without any."""
        batch = self.newest
        found: dict[str, float | None] = {"seeding/td_error": None, "memory/td_error": None}
        if batch is None:
            return found
        errors = self._memory.columns["td_error"][batch.slots[: len(batch.slots) - self.added_rows]]
        if self.added is not None and self.added_rows:
            later = self.added.columns["td_error"][batch.slots[-self.added_rows :]]
            errors = np.concatenate((errors, later))
        for tag, rows in (("seeding/td_error", batch.seeded), ("memory/td_error", ~batch.seeded)):
            if rows.any():
                found[tag] = float(errors[rows].mean())
        return found

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs besides the memories."""
        weights = self._action_weights
        return {
            "batch_seeded_share": self.newest_seeded_share,
            "action_weights": None if weights is None else weights.tolist(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from ``state()``; checkpoints of older versions lack it."""
        self.newest_seeded_share = state.get("batch_seeded_share")
        weights = state.get("action_weights")
        self._action_weights = None if weights is None else np.array(weights, np.float32)
