"""The slots of a replay memory: observations, columns, their ring, and what a checkpoint saves of them.

One slot holds observation ``o_d`` of an episode and, once it was made, decision d: action, points, whether it ended
the return. An episode of D decisions takes D + 1 neighbouring slots, the last of which holds an observation alone.

    region   0 ......... seeded_end ................................ capacity
             seeding               the agent's own steps, a ring
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.machine_memory import refuse_too_large
from agent.preprocessing import OBSERVATION_BYTES, OBSERVATION_SIDE
from agent.sampling import Sampler
from data.errors import CoachError

OWN = -1
"""Source of the agent's own steps; sources from 0 on are those of the seeding."""


@dataclass(frozen=True)
class MemoryRules:
    """The settings that decide how slots become transitions."""

    ages: tuple[int, ...]
    """Ages of the observations in a stack, in decisions, newest first."""
    n_steps: int
    """Steps of reward in a stored return; a batch may have fewer."""
    discount: float
    reward: str
    evict_seed: bool
    equivalent: bool = False
    """Whether slots hold the equivalent actions of their decisions."""

    @property
    def reach(self) -> int:
        """Decisions before one from which its stack has an observation, at most."""
        return self.ages[-1]

    @property
    def columns(self) -> dict[str, Any]:
        """Name and type of each column. Names and order are part of the checkpoint's format."""
        return COLUMNS | ({"equivalent": np.uint32} if self.equivalent else {})


COLUMNS: dict[str, Any] = {
    "action": np.uint8,
    "points": np.float32,
    "age": np.int32,  # decisions since the episode's start
    "terminal": np.bool_,
    "decided": np.bool_,  # whether the slot holds a decision
    "ready": np.bool_,  # whether it can be sampled now
    "kept": np.bool_,  # whether it may ever be sampled
    "imitate": np.int8,  # 1: imitate the action, -1: avoid it
    "n_return": np.float32,
    "n_taken": np.uint8,  # steps in the n-step return
    "n_ended": np.bool_,  # whether the return ended within those steps
    "recorded": np.float32,  # recorded return
    "source": np.int32,
    "frame": np.int32,  # first frame of the decision in its episode
    "weight": np.float32,  # how often the source is to be sampled
    "td_error": np.float32,
    "drawn": np.uint32,  # how often it was sampled
}
"""Columns of every slot besides its observation."""
MUTABLE_COLUMNS = ("td_error", "drawn")
"""Columns that an update may change at any slot."""
COUNTERS = {
    **{name: name for name in ("capacity", "seeded_end", "head", "written", "own_steps", "_filled")},
    **{name: name for name in ("_seeded_ready", "_own_ready", "_next")},
    "_first_undrawable": "_open_returns",
    "_first_unrecorded": "_unrecorded",
    "_closed": "_closed",
}
"""Keys of the plain values in a checkpoint, and the attributes that they are."""
BLOCK_SLOTS = 4096
"""Slots that are saved together: 29 MB of observations."""
SLOT_BYTES = OBSERVATION_BYTES + sum(np.dtype(kind).itemsize for kind in COLUMNS.values())


class Slots:
    """Slots of a seeding and of the agent's own steps, and which of them can be sampled."""

    def __init__(
        self,
        rules: MemoryRules,
        sampler: Callable[[int], Sampler],
        own_slots: int,
        seeded_slots: int = 0,
        own_observations: int | None = None,
    ) -> None:
        """Make an empty memory for at most ``seeded_slots`` of a seeding and a ring of ``own_slots``.

        sampler: makes the sampler for a number of slots. own_observations: the most that will be written, where that
        is known. Raises CoachError, before anything is allocated, if that takes more memory than the machine has.
        """
        slots = own_slots + seeded_slots
        needed = own_slots if own_observations is None else min(own_slots, own_observations)
        refuse_too_large(needed, seeded_slots, SLOT_BYTES)
        self.rules = rules
        self.capacity = slots
        self.seeded_end = 0
        """First slot after the seeding, once ``close_seeding`` was called."""
        self.head: int = 0
        """Slot of the newest observation."""
        self.written: int = 0
        """Observations ever written."""
        self.own_steps = 0
        """Own decisions ever added."""
        self._own_slots = own_slots
        # Zeros are not touched before they are written, so the operating system grows the memory page by page.
        try:
            self.observations = np.zeros((slots, OBSERVATION_BYTES), np.uint8)
        except MemoryError as error:
            raise CoachError(f"The system has no room for --memory-size {own_slots}; choose a smaller one.") from error
        self.columns = {name: np.zeros(slots, kind) for name, kind in rules.columns.items()}
        self._sampler = sampler(slots)
        self._filled = 0  # slots written at least once
        self._seeded_ready = 0
        self._own_ready = 0
        self._next = 0  # where the next observation goes
        self._open_returns = 0  # newest decisions of the episode whose n-step return is still open
        self._unrecorded = 0  # newest decisions of the episode whose recorded return is still open
        self._closed = False
        self._dirty = np.zeros(slots, bool)
        self._distances = np.arange(rules.reach + 1)
        self._in_stack = np.isin(self._distances, rules.ages)

    def __len__(self) -> int:
        return self._seeded_ready + self._own_ready

    @property
    def seeded_ready(self) -> int:
        """Seeded transitions that can be sampled."""
        return self._seeded_ready

    @property
    def bytes_used(self) -> int:
        return int(self._filled * SLOT_BYTES)

    def columns_used(self) -> dict[str, np.ndarray]:
        """Return views of all columns, up to the last slot that was written."""
        return {name: column[: self._filled] for name, column in self.columns.items()}

    # ---- the ring ---------------------------------------------------------------------------------------------

    @property
    def _ring_start(self) -> int:
        return 0 if self.rules.evict_seed else self.seeded_end

    def _back(self, slots: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the slots ``steps`` places earlier; in the ring, the end precedes the start."""
        before = slots - steps
        start = self._ring_start
        crossed = (before < start) & (slots >= start)
        found: np.ndarray = np.where(crossed, before + (self.capacity - start), before)
        return found

    def _ahead(self, slots: np.ndarray, steps: np.ndarray) -> np.ndarray:
        after = slots + steps
        found: np.ndarray = np.where(after >= self.capacity, after - (self.capacity - self._ring_start), after)
        return found

    def _newest(self, decisions: int) -> np.ndarray:
        """Return the slots of the newest ``decisions``, oldest first, as far as the ring holds them."""
        count = min(decisions, self.capacity - self._ring_start - 1)
        return self._back(np.full(count, self.head), np.arange(count, 0, -1))

    def _is_whole(self, slots: np.ndarray) -> np.ndarray:
        """Return which slots (N,) have a closed return and all observations of their stacks."""
        age = self.columns["age"]
        whole: np.ndarray = self.columns["decided"][slots] & (self.columns["n_taken"][slots] > 0)
        for back in range(1, self.rules.reach + 1):
            before = slots - back
            whole &= (age[slots] < back) | ((before >= 0) & (age[before] == age[slots] - back))
        return whole

    def stacks(self, slots: np.ndarray) -> np.ndarray:
        """Return the observations up to each slot, (B, S, 84, 84) uint8; an episode's first one is repeated."""
        return self._observations(slots, self.rules.ages)

    def history(self, slot: int) -> np.ndarray:
        """Return all observations up to a slot's that a stack can have, (N, 84, 84) uint8, oldest first."""
        found: np.ndarray = self._observations(np.array([slot]), range(self.rules.reach + 1))[0]
        return found

    def _observations(self, slots: np.ndarray, ages: Sequence[int]) -> np.ndarray:
        back = np.minimum(np.array(ages[::-1]), self.columns["age"][slots][:, None])  # [B, S]
        rows = self._back(slots[:, None], back)
        shape = -1, len(ages), OBSERVATION_SIDE, OBSERVATION_SIDE
        found: np.ndarray = self.observations.take(rows.ravel(), axis=0).reshape(shape)
        return found

    def changed_action(self, slots: np.ndarray) -> np.ndarray:
        """Return where the action of decisions (B,) is not that of the one before, (B,) bool.

        False for an episode's first decision, and where the one before is no longer in the memory.
        """
        before, action = self._back(slots, np.ones(len(slots), np.int64)), self.columns["action"]
        age = self.columns["age"]
        has_one = self.columns["decided"][before] & (age[slots] > 0) & (age[before] == age[slots] - 1)
        changed: np.ndarray = has_one & (action[slots] != action[before])
        return changed

    # ---- what can be sampled ----------------------------------------------------------------------------------

    def set_available(self, slots: np.ndarray, available: bool) -> None:
        """Take complete transitions (n,) out of sampling, or make them available again."""
        self._set_ready(slots, available)

    def _set_ready(self, slots: np.ndarray, ready: bool) -> None:
        """Allow or forbid sampling slots (n,) int64, all different."""
        slots = slots[self.columns["ready"][slots] != ready]
        if not len(slots):
            return
        self.columns["ready"][slots] = ready
        seeded = 0
        if self._closed:
            seeded = int(np.count_nonzero((slots < self.seeded_end) & (self.columns["source"][slots] != OWN)))
        change = 1 if ready else -1
        self._seeded_ready += change * seeded
        self._own_ready += change * (len(slots) - seeded)
        self._dirty[slots] = True
        self._sampler.set_ready(slots, ready, self.columns["weight"][slots])

    # ---- saving --------------------------------------------------------------------------------------------------

    def changed_blocks(self) -> list[int]:
        """Return the numbers of the blocks of BLOCK_SLOTS slots that changed since the last ``mark_saved``."""
        edges = np.arange(0, len(self._dirty), BLOCK_SLOTS)
        return np.flatnonzero(np.logical_or.reduceat(self._dirty, edges)).tolist()

    def mark_saved(self) -> None:
        self._dirty[:] = False

    def block(self, number: int) -> dict[str, np.ndarray]:
        """Return views of a block's arrays: writing into them fills the block."""
        rows = slice(number * BLOCK_SLOTS, (number + 1) * BLOCK_SLOTS)
        stable = {name: column[rows] for name, column in self.columns.items() if name not in MUTABLE_COLUMNS}
        return {"observations": self.observations[rows], **stable}

    def mutable_arrays(self) -> dict[str, np.ndarray]:
        """Return copies of what any update may change anywhere: errors, counts of sampling, priorities."""
        found = {name: self.columns[name][: self._filled].copy() for name in MUTABLE_COLUMNS}
        return found | self._sampler.export(self._filled)

    def counters(self) -> dict[str, Any]:
        """Return the plain values that, with blocks and mutable arrays, are the whole memory."""
        return {key: getattr(self, attribute) for key, attribute in COUNTERS.items()}

    def restore(self, counters: dict[str, Any], mutable: dict[str, np.ndarray]) -> None:
        """Take over counters and mutable arrays; blocks are filled through their views."""
        for key, attribute in COUNTERS.items():
            setattr(self, attribute, counters[key])
        for name in MUTABLE_COLUMNS:
            self.columns[name][: self._filled] = mutable[name]
        self._sampler.restore(mutable)
        self.mark_saved()
