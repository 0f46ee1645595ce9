"""The ring of slots behind the replay memory: what is written where, and from when on it can be drawn.

One slot holds observation ``o_d`` of an episode and, once it was made, decision d: action, reward, whether it ended
the return. An episode of D decisions takes D + 1 neighbouring slots, the last of which holds an observation alone.

    region   0 ......... seeded_end ................................ capacity
             seeding               the agent's own steps, a ring
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.drawing import Drawing
from agent.machine_memory import refuse_too_large
from agent.memory_slots import COLUMNS, OWN, MemoryRules
from agent.preprocessing import OBSERVATION_BYTES
from agent.returns import REWARDS, UNKNOWN, discounted_returns, n_step_return
from data.errors import CoachError


class SlotRing:
    """See the module's text. ``seeded_slots`` bounds the seeding; the own region holds ``own_slots`` slots."""

    def __init__(
        self,
        rules: MemoryRules,
        drawing: Callable[[int], Drawing],
        own_slots: int,
        seeded_slots: int = 0,
        own_observations: int | None = None,
    ) -> None:
        """``drawing`` makes, for a number of slots, the way to draw from them.

        own_observations: how many will be written at most, where that is known. Raises CoachError, before anything is
        allocated, where what will be written takes more memory than the machine has.
        """
        slots = own_slots + seeded_slots
        refuse_too_large(own_slots if own_observations is None else min(own_slots, own_observations), seeded_slots)
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
        self.columns = {name: np.zeros(slots, kind) for name, kind in COLUMNS.items()}
        self._drawing = drawing(slots)
        self._filled = 0  # slots written at least once
        self._seeded_ready = 0
        self._own_ready = 0
        self._next = 0  # where the next observation goes
        self._first_undrawable = 0  # decisions of the episode whose n-step return is still open
        self._first_unrecorded = 0  # decisions of the episode whose recorded return is still open
        self._closed = False
        self._dirty = np.zeros(slots, bool)

    def begin(self, observation: np.ndarray, age: int = 0) -> None:
        """An episode begins, or, with ``age`` decisions before it, a piece of one. Ends the piece before it."""
        self.end()
        self._write_observation(observation, age)
        self._first_undrawable = self._first_unrecorded = 0

    def add(
        self,
        action: int,
        points: float,
        terminal: bool,
        observation: np.ndarray,
        *,
        source: int = OWN,
        frame: int = 0,
        kept: bool = True,
        imitate: bool = False,
        recorded: float | None = None,
        weight: float = 1.0,
    ) -> None:
        """One decision and the (84, 84) uint8 observation that it led to.

        ``terminal`` ends the return. ``kept`` False: never drawn, there for its neighbours' sake alone. ``recorded``:
        the recorded return where the caller knows it; otherwise it is found when the return ends.
        """
        slot, c = self.head, self.columns
        c["action"][slot] = action
        c["points"][slot] = points
        c["terminal"][slot] = terminal
        c["decided"][slot] = True
        c["kept"][slot] = kept
        c["imitate"][slot] = imitate
        c["recorded"][slot] = UNKNOWN if recorded is None else recorded
        c["source"][slot] = source
        c["frame"][slot] = frame
        c["weight"][slot] = weight
        c["td_error"][slot] = 0.0
        c["drawn"][slot] = 0
        if source == OWN:
            self.own_steps += 1
        self._mark_dirty(slot)
        self._write_observation(observation, int(c["age"][slot]) + 1)
        self._first_undrawable += 1
        self._first_unrecorded += 1
        if terminal:
            if recorded is None:
                self._record_returns()
            self._first_unrecorded = 0
            while self._first_undrawable:
                self._finish(self._first_undrawable)
        elif self._first_undrawable >= self.rules.n_steps:
            self._finish(self._first_undrawable)

    def end(self) -> None:
        """The episode is over or cut off: what is still open bootstraps from its last observation."""
        while self._first_undrawable:
            self._finish(self._first_undrawable)
        self._first_unrecorded = 0

    def close_seeding(self) -> None:
        """Everything so far is the seeding; the agent's own steps follow."""
        self.end()
        self.seeded_end = self._next
        self.capacity = self.seeded_end + self._own_slots
        self._seeded_ready, self._own_ready = self._own_ready, 0
        self._closed = True
        # What the seeding had room for and did not need is given up.
        self.observations = self.observations[: self.capacity]
        self.columns = {name: column[: self.capacity] for name, column in self.columns.items()}
        self._dirty = self._dirty[: self.capacity]

    def _write_observation(self, observation: np.ndarray, age: int) -> None:
        slot = self._next
        # Whatever needs this slot's old observation can no longer be drawn: itself and younger stacks above it.
        reach = np.arange(self.rules.stack)
        above = self._ahead(np.full(self.rules.stack, slot), reach)
        needs = self.columns["ready"][above] & (self.columns["age"][above] >= reach)
        needs[0] = self.columns["ready"][slot]
        for lost in above[needs]:
            self._set_ready(int(lost), False)
        self.observations[slot] = observation.reshape(-1)
        self.columns["decided"][slot] = False
        self.columns["age"][slot] = age
        self._mark_dirty(slot)
        self.head = slot
        self._next = slot + 1 if slot + 1 < self.capacity else self._ring_start
        self._filled = max(self._filled, slot + 1)
        self.written += 1

    @property
    def _ring_start(self) -> int:
        return 0 if self.rules.evict_seed else self.seeded_end

    def _back(self, slots: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Slots so many places before; the ring's start follows its end."""
        before = slots - steps
        start = self._ring_start
        crossed = (before < start) & (slots >= start)
        found: np.ndarray = np.where(crossed, before + (self.capacity - start), before)
        return found

    def _ahead(self, slots: np.ndarray, steps: np.ndarray) -> np.ndarray:
        after = slots + steps
        found: np.ndarray = np.where(after >= self.capacity, after - (self.capacity - self._ring_start), after)
        return found

    def _finish(self, behind: int) -> None:
        """Close the n-step return of the decision ``behind`` places before the newest observation."""
        taken = min(behind, self.rules.n_steps)
        slots = self._back(np.full(behind, self.head), np.arange(behind, 0, -1))[:taken]
        ended = np.flatnonzero(self.columns["terminal"][slots])
        if len(ended):
            taken = int(ended[0]) + 1
        slot = int(slots[0])
        rewards = REWARDS[self.rules.reward](self.columns["points"][slots[:taken]])
        self.columns["n_return"][slot] = n_step_return(rewards, self.rules.discount)
        self.columns["n_taken"][slot] = taken
        self.columns["n_ended"][slot] = len(ended) > 0
        self._first_undrawable = behind - 1
        self._mark_dirty(slot)
        if self.columns["kept"][slot]:
            self._set_ready(slot, True)

    def _record_returns(self) -> None:
        """The return ended at the newest decision: note what each decision of it came to."""
        count = min(self._first_unrecorded, self.capacity - self._ring_start - 1)
        slots = self._back(np.full(count, self.head), np.arange(count, 0, -1))
        rewards = REWARDS[self.rules.reward](self.columns["points"][slots])
        found = discounted_returns(rewards, self.columns["terminal"][slots], self.rules.discount)
        self.columns["recorded"][slots] = found
        self._mark_dirty(slots)

    def _set_ready(self, slot: int, ready: bool) -> None:
        if bool(self.columns["ready"][slot]) == ready:
            return
        self.columns["ready"][slot] = ready
        change = 1 if ready else -1
        if self._closed and slot < self.seeded_end and self.columns["source"][slot] != OWN:
            self._seeded_ready += change
        else:
            self._own_ready += change
        self._mark_dirty(slot)
        self._drawing.became(slot, ready, float(self.columns["weight"][slot]))

    def _mark_dirty(self, slots: int | np.ndarray) -> None:
        self._dirty[slots] = True
