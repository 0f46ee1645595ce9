"""The replay memory: transitions drawn from a ring of slots, each observation kept once.

Stacks and next stacks are gathered when they are drawn, so a transition costs 7.1 KB, not the 56 KB of two stacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from agent.batch import Batch
from agent.memory_slots import BLOCK_SLOTS, COUNTERS, OWN, RESTLESS, SLOT_BYTES
from agent.preprocessing import OBSERVATION_SIDE
from agent.returns import REWARDS
from agent.slot_ring import SlotRing
from data.errors import CoachError


class ReplayMemory(SlotRing):
    """What is drawn, and what is saved, of a ring of slots."""

    @property
    def seeded_ready(self) -> int:
        """Seeded transitions that can be drawn."""
        return self._seeded_ready

    @property
    def own_ready(self) -> int:
        """Own transitions that can be drawn."""
        return self._own_ready

    def __len__(self) -> int:
        return self._seeded_ready + self._own_ready

    @property
    def bytes_used(self) -> int:
        return int(self._filled * SLOT_BYTES)

    def sample(
        self,
        rng: np.random.Generator,
        batch_size: int,
        seeded_count: int | None,
        importance_exponent: float = 0.0,
        one_step: bool = False,
    ) -> Batch:
        """Draw a batch, with replacement; at least one transition must be drawable.

        seeded_count: how many are to be seeded ones (as far as there are both kinds), or None: all are drawn alike.
        """
        if len(self) == 0:
            raise CoachError("The replay memory holds nothing that could be drawn yet.")
        slots, weights = [], []
        for part, count in self._parts(batch_size, seeded_count):
            regions = [(start, stop) for start, stop in self._regions(part) if stop > start]
            found, importance = self._drawing.draw(
                rng, regions, count, self.columns["ready"], self.columns["weight"], importance_exponent
            )
            slots.append(found)
            weights.append(importance)
        drawn = np.concatenate(slots)
        importance = np.concatenate(weights)
        np.add.at(self.columns["drawn"], drawn, 1)
        return self.batch(drawn, (importance / importance.max()).astype(np.float32), one_step)

    def batch(self, slots: np.ndarray, weights: np.ndarray | None = None, one_step: bool = False) -> Batch:
        """The transitions at these ``slots`` (B,), which must be drawable."""
        c, rules = self.columns, self.rules
        taken = c["n_taken"][slots].astype(np.int64)
        next_stacks = self.stacks(self._ahead(slots, taken))
        one = np.ones(len(slots), np.int64)
        discounts = np.where(c["n_ended"][slots], 0.0, rules.discount**taken)
        return Batch(
            slots=slots,
            stacks=self.stacks(slots),
            actions=c["action"][slots].astype(np.int32),
            returns=c["n_return"][slots],
            discounts=discounts.astype(np.float32),
            next_stacks=next_stacks,
            recorded=c["recorded"][slots],
            imitate=c["imitate"][slots].astype(np.float32),
            weights=np.ones(len(slots), np.float32) if weights is None else weights,
            rewards=REWARDS[rules.reward](c["points"][slots]).astype(np.float32),
            one_step_discounts=np.where(c["terminal"][slots], 0.0, rules.discount).astype(np.float32),
            following_stacks=self.stacks(self._ahead(slots, one)) if one_step else next_stacks,
            seeded=c["source"][slots] != OWN,
        )

    def stacks(self, slots: np.ndarray) -> np.ndarray:
        """(B, S, 84, 84) uint8: the observations up to each slot, filled up at an episode's start with its first."""
        size = self.rules.stack
        back = np.minimum(np.arange(size - 1, -1, -1), self.columns["age"][slots][:, None])  # [B, S]
        rows = self._back(slots[:, None], back)
        return self.observations.take(rows.ravel(), axis=0).reshape(-1, size, OBSERVATION_SIDE, OBSERVATION_SIDE)

    def update_errors(self, slots: np.ndarray, td_errors: np.ndarray) -> None:
        """Note the absolute TD errors (B,) of drawn transitions, and set their priorities (Schaul et al. 2016, 3.3).

        Slots that were overwritten since they were drawn are passed over.
        """
        errors = np.abs(td_errors)
        ready = self.columns["ready"][slots]
        slots, errors = slots[ready], errors[ready]
        self.columns["td_error"][slots] = errors
        if len(slots):
            seeded = self.columns["source"][slots] != OWN
            self._drawing.learned(slots, errors, seeded, self.columns["weight"][slots])

    def _regions(self, seeded: bool | None) -> list[tuple[int, int]]:
        """Slots [start, stop) among which the seeded (True), own (False) or all (None) transitions lie."""
        if seeded is None:
            return [(0, self._filled)]
        overwritten = self._overwritten_seed
        if seeded:
            return [(overwritten, self.seeded_end)]
        return [(0, overwritten), (self.seeded_end, self._filled)]

    @property
    def _overwritten_seed(self) -> int:
        """How many slots of the seeding were overwritten by own steps; only where the seeding may be evicted."""
        past = max(self.written - self.capacity, 0)
        return min(self.seeded_end, past) if self.rules.evict_seed and self._closed else 0

    def _parts(self, batch_size: int, seeded_count: int | None) -> Iterator[tuple[bool | None, int]]:
        if seeded_count is None:
            yield None, batch_size
            return
        if self._own_ready == 0:
            seeded_count = batch_size
        elif self._seeded_ready == 0:
            seeded_count = 0
        if seeded_count:
            yield True, seeded_count
        if batch_size - seeded_count:
            yield False, batch_size - seeded_count

    # ---- keeping -------------------------------------------------------------------------------------------------

    def changed_blocks(self) -> list[int]:
        """Numbers of the blocks of BLOCK_SLOTS slots that changed since the last ``forget_changes``."""
        edges = np.arange(0, len(self._dirty), BLOCK_SLOTS)
        return np.flatnonzero(np.logical_or.reduceat(self._dirty, edges)).tolist()

    def forget_changes(self) -> None:
        self._dirty[:] = False

    def block(self, number: int) -> dict[str, np.ndarray]:
        """Views of a block's arrays: writing into them fills the block."""
        rows = slice(number * BLOCK_SLOTS, (number + 1) * BLOCK_SLOTS)
        lasting = {name: column[rows] for name, column in self.columns.items() if name not in RESTLESS}
        return {"observations": self.observations[rows], **lasting}

    def restless(self) -> dict[str, np.ndarray]:
        """Copies of what may change anywhere at any update: errors, counts of draws, priorities."""
        found = {name: self.columns[name][: self._filled].copy() for name in RESTLESS}
        return found | self._drawing.export(self._filled)

    def counters(self) -> dict[str, Any]:
        """Plain values that, with blocks and restless arrays, are the whole memory."""
        return {name: getattr(self, name) for name in COUNTERS}

    def restore(self, counters: dict[str, Any], restless: dict[str, np.ndarray]) -> None:
        """Take over counters and restless arrays; blocks are filled by their views."""
        for name in COUNTERS:
            setattr(self, name, counters[name])
        for name in RESTLESS:
            self.columns[name][: self._filled] = restless[name]
        self._drawing.restore(restless)
        self.forget_changes()
