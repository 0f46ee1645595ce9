"""Transitions that were added while the agent trains: a memory that only grows, and how often it is sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from agent.machine_memory import refuse_too_large
from agent.replay_memory import ReplayMemory
from agent.sampling import Sampler
from agent.slots import MUTABLE_COLUMNS, SLOT_BYTES, MemoryRules

FIRST_SHARE = 0.25
"""Share of each batch that added transitions have directly after an addition: our own choice, not yet measured."""
ANNEAL_STEPS = 10_000
"""Own steps over which that share falls to their proportion of the seeding."""
FIRST_SLOTS = 4096
CHANGEABLE_COLUMNS = (*MUTABLE_COLUMNS, "ready", "kept", "imitate")
"""Columns that an update or a verdict may change; the others are those of the added files."""


@dataclass(frozen=True)
class Placed:
    """Observations that ``AddedMemory.place`` copied to their slots."""

    memory: AddedMemory
    present: np.ndarray
    """The memory's observations when they were copied."""
    target: np.ndarray
    """The array that holds them: ``present``, or its longer successor."""
    first: int
    count: int

    @property
    def rows(self) -> np.ndarray:
        """The observations, (N, 7056) uint8."""
        return self.target[self.first : self.first + self.count]


class AddedMemory(ReplayMemory):
    """The added transitions. Nothing evicts them."""

    def __init__(self, rules: MemoryRules, sampler: Callable[[int], Sampler]) -> None:
        super().__init__(replace(rules, evict_seed=False), sampler, own_slots=FIRST_SLOTS)
        self._make_sampler = sampler
        self.newest_step = 0
        """Own step at which the newest addition arrived."""

    def place(self, observations: np.ndarray) -> Placed:
        """Copy observations (N, 7056) uint8 to where ``append`` will need them; may run on another thread.

        Transitions that can be sampled are not touched. Raises CoachError if the machine lacks the memory.
        """
        present, first, count = self.observations, self._filled, len(observations)
        size = self.capacity if first + count < self.capacity else max(first + count + 1, 2 * self.capacity)
        refuse_too_large(0, size - self.capacity, SLOT_BYTES)
        target = present if size == self.capacity else _longer(present, size, first)
        target[first : first + count] = observations
        return Placed(self, present, target, first, count)

    def append(self, placed: Placed, columns: dict[str, np.ndarray], source: int, step: int) -> None:
        """Add the slots of another memory: its placed observations and all its columns (N,)."""
        if placed.memory is not self or placed.present is not self.observations or placed.first != self._filled:
            placed = self.place(placed.rows)  # others were appended meanwhile
        if placed.target is not self.observations:
            self._grow(placed.target)
        rows = slice(placed.first, placed.first + placed.count)
        for name in self.columns:
            self.columns[name][rows] = columns[name]
        for name in ("ready", "drawn", "td_error"):
            self.columns[name][rows] = 0
        self.columns["source"][rows] = source
        self._filled = self.written = self._next = rows.stop
        self.head = rows.stop - 1
        self._set_ready(rows.start + np.flatnonzero(columns["ready"]), True)
        self.newest_step = step

    def _grow(self, observations: np.ndarray) -> None:
        size = len(observations)
        self.observations = observations
        self.columns = {name: _longer(column, size, self._filled) for name, column in self.columns.items()}
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


def _longer(array: np.ndarray, size: int, used: int) -> np.ndarray:
    """Return an array of ``size`` rows that starts with the first ``used`` of this one; the others are zeros."""
    longer = np.zeros((size, *array.shape[1:]), array.dtype)
    longer[:used] = array[:used]
    return longer
