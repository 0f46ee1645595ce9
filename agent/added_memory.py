"""Transitions that were added while the agent trains: a memory that only grows, and how often it is sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from agent.machine_memory import refuse_too_large
from agent.replay_memory import COLUMNS, MUTABLE_COLUMNS, SLOT_BYTES, MemoryRules, ReplayMemory
from agent.sampling import Sampler

FIRST_SHARE = 0.25
"""Share of each batch that added transitions have directly after an addition: our own choice, not yet measured."""
ANNEAL_STEPS = 10_000
"""Own steps over which that share falls to their proportion of the seeding."""
FIRST_SLOTS = 4096
CHANGEABLE_COLUMNS = (*MUTABLE_COLUMNS, "ready", "kept", "imitate")
"""Columns that an update or a verdict may change; the others are those of the added files."""


class AddedMemory(ReplayMemory):
    """The added transitions. Nothing evicts them."""

    def __init__(self, rules: MemoryRules, sampler: Callable[[int], Sampler]) -> None:
        super().__init__(replace(rules, evict_seed=False), sampler, own_slots=FIRST_SLOTS)
        self._make_sampler = sampler
        self.newest_step = 0
        """Own step at which the newest addition arrived."""

    @property
    def slots_used(self) -> int:
        return self._filled

    def append(self, observations: np.ndarray, columns: dict[str, np.ndarray], source: int, step: int) -> None:
        """Add the slots of another memory: observations (N, 7056) uint8 and all its columns (N,).

        ``require_room`` is called first.
        """
        first, count = self._filled, len(observations)
        if first + count + 1 > self.capacity:
            self._grow(self._size_for(count))
        rows = slice(first, first + count)
        self.observations[rows] = observations
        for name in COLUMNS:
            self.columns[name][rows] = columns[name]
        for name in ("ready", "drawn", "td_error"):
            self.columns[name][rows] = 0
        self.columns["source"][rows] = source
        self._filled = self.written = self._next = first + count
        self.head = first + count - 1
        for slot in (first + np.flatnonzero(columns["ready"])).tolist():
            self._set_ready(slot, True)
        self.newest_step = step

    def require_room(self, count: int) -> None:
        """Raise CoachError if the machine lacks the memory for so many more slots."""
        refuse_too_large(0, self._size_for(count) - self.capacity, SLOT_BYTES)

    def _size_for(self, count: int) -> int:
        needed = self._filled + count + 1
        return self.capacity if needed <= self.capacity else max(needed, 2 * self.capacity)

    def _grow(self, size: int) -> None:
        self.observations = _longer(self.observations, size)
        self.columns = {name: _longer(column, size) for name, column in self.columns.items()}
        self._dirty = np.zeros(size, bool)
        exported = self._sampler.export(self._filled)
        self._sampler = self._make_sampler(size)
        self._sampler.restore(exported)
        self.capacity = self._own_slots = size

    def rows(
        self, rng: np.random.Generator, batch_size: int, step: int, memory: ReplayMemory, seeded_share: float | None
    ) -> int:
        """Return how many rows of a batch are to be added transitions, rounded up or down at random.

        Their share is FIRST_SHARE at first and falls to their proportion: of all seeded transitions, or of all
        transitions where ``seeded_share`` is None or nothing else is seeded.
        """
        if not len(self):
            return 0
        if seeded_share is None or not memory.seeded_ready:
            proportion = len(self) / (len(self) + len(memory))
        else:
            proportion = seeded_share * len(self) / (len(self) + memory.seeded_ready)
        left = max(0.0, 1.0 - (step - self.newest_step) / ANNEAL_STEPS)
        wanted = (left * max(FIRST_SHARE, proportion) + (1.0 - left) * proportion) * batch_size
        return min(int(wanted) + int(rng.random() < wanted % 1.0), batch_size - 1)

    def changing_arrays(self) -> dict[str, np.ndarray]:
        """Return copies of the columns that the added files lack: errors, counts of sampling, priorities, verdicts."""
        found = {name: self.columns[name][: self._filled].copy() for name in CHANGEABLE_COLUMNS}
        return found | self._sampler.export(self._filled)

    def restore_changes(self, arrays: dict[str, np.ndarray]) -> None:
        """Restore what ``changing_arrays`` returned, after the same files were appended."""
        for name in CHANGEABLE_COLUMNS:
            self.columns[name][: self._filled] = arrays[name]
        self._own_ready = int(np.count_nonzero(self.columns["ready"]))
        self._sampler.restore(arrays)


def _longer(array: np.ndarray, rows: int) -> np.ndarray:
    """Return a copy with zeros appended up to so many rows."""
    longer = np.zeros((rows, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer
