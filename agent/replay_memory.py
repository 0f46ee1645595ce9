"""The replay memory: a ring of transitions, each observation kept once, with a protected region for the seeding.

One slot holds observation ``o_d`` of an episode and, once it was made, decision d: action, reward, whether it ended
the return. An episode of D decisions takes D + 1 neighbouring slots, the last of which holds an observation alone.
Stacks and next stacks are gathered when they are drawn, so a transition costs 7.1 KB, not the 56 KB of two stacks.

    region   0 ......... seeded_end ................................ capacity
             seeding               the agent's own steps, a ring
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.batch import Batch
from agent.drawing import Drawing
from agent.machine_memory import refuse_too_large
from agent.preprocessing import OBSERVATION_BYTES, OBSERVATION_SIDE
from agent.returns import REWARDS, UNKNOWN, discounted_returns, n_step_return
from data.errors import CoachError

OWN = -1
"""Source of the agent's own steps; sources from 0 on are those of the seeding."""


@dataclass(frozen=True)
class MemoryRules:
    """What of the configuration concerns the memory."""

    stack: int
    n_steps: int
    discount: float
    reward: str
    evict_seed: bool


COLUMNS: dict[str, Any] = {
    "action": np.uint8,
    "points": np.float32,
    "age": np.int32,  # decisions since the episode's start
    "terminal": np.bool_,
    "decided": np.bool_,  # whether the slot holds a decision
    "ready": np.bool_,  # whether it can be drawn
    "kept": np.bool_,  # whether it may ever be drawn
    "imitate": np.bool_,
    "n_return": np.float32,
    "n_taken": np.uint8,
    "n_ended": np.bool_,  # whether the return ended within those steps
    "recorded": np.float32,
    "source": np.int32,
    "frame": np.int32,  # first frame of the decision in its episode
    "weight": np.float32,  # how often the source is to be drawn
    "td_error": np.float32,
    "drawn": np.uint32,
}
RESTLESS = ("td_error", "drawn")
"""Columns that an update may change at any slot."""
COUNTERS = (
    *("capacity", "seeded_end", "head", "written", "own_steps", "_filled"),
    *("_seeded_ready", "_own_ready", "_next", "_first_undrawable", "_first_unrecorded", "_closed"),
)
BLOCK_SLOTS = 4096
"""Slots that are saved together: 29 MB of observations."""
SLOT_BYTES = OBSERVATION_BYTES + sum(np.dtype(kind).itemsize for kind in COLUMNS.values())


class ReplayMemory:
    """See the module's text. ``seeded_slots`` bounds the seeding; the own region holds ``own_slots`` slots."""

    def __init__(
        self, rules: MemoryRules, drawing: Callable[[int], Drawing], own_slots: int, seeded_slots: int = 0
    ) -> None:
        """``drawing`` makes, for a number of slots, the way to draw from them.

        Raises CoachError, before anything is allocated, for a memory larger than the machine's.
        """
        slots = own_slots + seeded_slots
        refuse_too_large(slots * SLOT_BYTES, own_slots, seeded_slots, SLOT_BYTES)
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
        self.observations = np.zeros((slots, OBSERVATION_BYTES), np.uint8)
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

    # ---- filling -------------------------------------------------------------------------------------------------

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

    # ---- drawing -------------------------------------------------------------------------------------------------

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

    def _mark_dirty(self, slots: int | np.ndarray) -> None:
        self._dirty[slots] = True
