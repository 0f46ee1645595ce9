"""The replay memory: a ring of slots from which transitions are sampled, each observation stored once.

One slot holds observation ``o_d`` of an episode and, once it was made, decision d: action, points, whether it ended
the return. An episode of D decisions takes D + 1 neighbouring slots, the last of which holds an observation alone.

    region   0 ......... seeded_end ................................ capacity
             seeding               the agent's own steps, a ring

Stacks and next stacks are gathered when a batch is sampled, so a transition takes 7.1 KB, not the 56 KB of two stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.batch import Batch
from agent.horizon import Horizon
from agent.machine_memory import refuse_too_large
from agent.preprocessing import OBSERVATION_BYTES, OBSERVATION_SIDE
from agent.returns import REWARDS, UNKNOWN, discounted_returns, n_step_return
from agent.sampling import Regions, Sampler
from data.errors import CoachError

OWN = -1
"""Source of the agent's own steps; sources from 0 on are those of the seeding."""


@dataclass(frozen=True)
class MemoryRules:
    """The settings that decide how slots become transitions."""

    stack: int
    n_steps: int
    """Steps of reward in a stored return; a batch may have fewer."""
    discount: float
    reward: str
    evict_seed: bool
    equivalent: bool = False
    """Whether slots hold the equivalent actions of their decisions."""

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


class ReplayMemory:
    """Transitions of the seeding and of the agent's own steps."""

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

    # ---- writing -------------------------------------------------------------------------------------------------

    def begin(self, observation: np.ndarray, age: int = 0) -> None:
        """Begin an episode, or a piece of one that has ``age`` decisions before it. Ends the piece before."""
        self.end()
        self._write_observation(observation, age)
        self._open_returns = self._unrecorded = 0

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
        imitate: int = 0,
        recorded: float | None = None,
        weight: float = 1.0,
        equivalent: int = 0,
    ) -> None:
        """Add one decision and the (84, 84) uint8 observation that it led to.

        ``terminal`` ends the return. ``kept`` False: never sampled, present only because its neighbours need it.
        ``imitate``: 1 to imitate the action, -1 to avoid it. ``recorded``: the recorded return where the caller knows
        it; otherwise it is computed when the return ends. ``equivalent``: the actions with the same effect, a bit for
        each; 0: unknown.
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
        if self.rules.equivalent:
            c["equivalent"][slot] = equivalent
        if source == OWN:
            self.own_steps += 1
        self._dirty[slot] = True
        self._write_observation(observation, int(c["age"][slot]) + 1)
        self._open_returns += 1
        self._unrecorded += 1
        if terminal:
            if recorded is None:
                self._record_returns()
            self._unrecorded = 0
            while self._open_returns:
                self._finish(self._open_returns)
        elif self._open_returns >= self.rules.n_steps:
            self._finish(self._open_returns)

    def end(self) -> None:
        """End the episode or cut it off: returns that are still open bootstrap from its last observation."""
        while self._open_returns:
            self._finish(self._open_returns)
        self._unrecorded = 0

    def close_seeding(self) -> None:
        """Mark everything so far as the seeding; the agent's own steps follow."""
        self.end()
        self.seeded_end = self._next
        self.capacity = self.seeded_end + self._own_slots
        self._seeded_ready, self._own_ready = self._own_ready, 0
        self._closed = True
        # Slots that the seeding did not need are given up.
        self.observations = self.observations[: self.capacity]
        self.columns = {name: column[: self.capacity] for name, column in self.columns.items()}
        self._dirty = self._dirty[: self.capacity]

    def _write_observation(self, observation: np.ndarray, age: int) -> None:
        slot = self._next
        # Transitions that use this slot's old observation can no longer be sampled: its own and later stacks above it.
        reach = np.arange(self.rules.stack)
        above = self._ahead(np.full(self.rules.stack, slot), reach)
        needs = self.columns["ready"][above] & (self.columns["age"][above] >= reach)
        needs[0] = self.columns["ready"][slot]
        if needs.any():
            self._set_ready(above[needs], False)
        self.observations[slot] = observation.reshape(-1)
        self.columns["decided"][slot] = False
        self.columns["age"][slot] = age
        self._dirty[slot] = True
        self.head = slot
        self._next = slot + 1 if slot + 1 < self.capacity else self._ring_start
        self._filled = max(self._filled, slot + 1)
        self.written += 1

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
        self._open_returns = behind - 1
        self._dirty[slot] = True
        if self.columns["kept"][slot]:
            self._set_ready(slots[:1], True)

    def _newest(self, decisions: int) -> np.ndarray:
        """Return the slots of the newest ``decisions``, oldest first, as far as the ring holds them."""
        count = min(decisions, self.capacity - self._ring_start - 1)
        return self._back(np.full(count, self.head), np.arange(count, 0, -1))

    def _record_returns(self) -> None:
        """Compute the recorded returns of all decisions up to the newest one, which ended the return."""
        slots = self._newest(self._unrecorded)
        rewards = REWARDS[self.rules.reward](self.columns["points"][slots])
        found = discounted_returns(rewards, self.columns["terminal"][slots], self.rules.discount)
        self.columns["recorded"][slots] = found
        self._dirty[slots] = True

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

    def judge(self, slots: np.ndarray, kept: np.ndarray, imitate: np.ndarray) -> None:
        """Change whether decisions may be sampled and are imitated.

        slots (N,) int64 with a decision each; kept (N,) bool; imitate (N,) int8. A decision whose neighbours are not
        in the memory stays left out.
        """
        kept = kept & self._is_whole(slots)
        self.columns["kept"][slots] = kept
        self._set_ready(slots[kept], True)
        self._set_ready(slots[~kept], False)
        self.columns["imitate"][slots] = np.where(kept, imitate, 0)
        self._dirty[slots] = True

    def would_change(self, slots: np.ndarray, kept: np.ndarray, imitate: np.ndarray) -> np.ndarray:
        """Return for which slots (N,) ``judge`` would change anything, (N,) bool."""
        ready = self.columns["ready"][slots]
        kept = kept & self._is_whole(slots)
        changes: np.ndarray = (ready != kept) | (kept & (self.columns["imitate"][slots] != imitate))
        return changes

    def imitate_newest(self, decisions: int) -> None:
        """Imitate the newest ``decisions`` from now on, as far as the memory still has them; before a new episode."""
        slots = self._newest(decisions)
        self.columns["imitate"][slots] = 1
        self._dirty[slots] = True

    def _is_whole(self, slots: np.ndarray) -> np.ndarray:
        """Return which slots (N,) have a closed return and all observations of their stacks."""
        age = self.columns["age"]
        whole: np.ndarray = self.columns["decided"][slots] & (self.columns["n_taken"][slots] > 0)
        for back in range(1, self.rules.stack):
            before = slots - back
            whole &= (age[slots] < back) | ((before >= 0) & (age[before] == age[slots] - back))
        return whole

    # ---- sampling ------------------------------------------------------------------------------------------------

    def sample(
        self,
        rng: np.random.Generator,
        batch_size: int,
        seeded_count: int | None,
        beta: float = 0.0,
        one_step: bool = False,
        horizon: Horizon | None = None,
    ) -> Batch:
        """Sample a batch with replacement; raises CoachError if no transition can be sampled yet.

        seeded_count: how many are to be seeded ones (as far as there are both kinds); None: all have the same chance.
        beta: the importance-sampling exponent. one_step, horizon: see ``batch``.
        """
        if len(self) == 0:
            raise CoachError("The replay memory has no transition that can be sampled yet.")
        found = []
        for seeded, count in self._parts(batch_size, seeded_count):
            regions = [(start, stop) for start, stop in self._regions(seeded) if stop > start]
            columns = self.columns["ready"], self.columns["weight"]
            found.append(self._sampler.sample(rng, regions, count, *columns, beta))
        slots, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        np.add.at(self.columns["drawn"], slots, 1)
        return self.batch(slots, (weights / weights.max()).astype(np.float32), one_step, horizon)

    def batch(
        self,
        slots: np.ndarray,
        weights: np.ndarray | None = None,
        one_step: bool = False,
        horizon: Horizon | None = None,
    ) -> Batch:
        """Return the transitions at these ``slots`` (B,), which must be ready.

        one_step: with the stacks of the next step, too. horizon: of the returns, at most as many steps as are stored;
        None: the stored ones. Recorded returns always have the stored discount.
        """
        c, rules = self.columns, self.rules
        taken, ended = c["n_taken"][slots].astype(np.int64), c["n_ended"][slots]
        returns, discount = c["n_return"][slots], rules.discount
        if horizon is not None:
            ended, discount = ended & (taken <= horizon.n_steps), horizon.discount
            taken = np.minimum(taken, horizon.n_steps)
            ahead = np.arange(horizon.n_steps)[:, None]
            rewards = REWARDS[rules.reward](c["points"][self._ahead(slots, ahead)])  # [n, B]
            returns = n_step_return(np.where(ahead < taken, rewards, 0.0), discount).astype(np.float32)
        next_stacks = self.stacks(self._ahead(slots, taken))
        one = np.ones(len(slots), np.int64)
        discounts = np.where(ended, 0.0, discount**taken)
        return Batch(
            slots=slots,
            stacks=self.stacks(slots),
            actions=c["action"][slots].astype(np.int32),
            returns=returns,
            discounts=discounts.astype(np.float32),
            next_stacks=next_stacks,
            recorded=c["recorded"][slots],
            imitate=c["imitate"][slots].astype(np.float32),
            weights=np.ones(len(slots), np.float32) if weights is None else weights,
            rewards=REWARDS[rules.reward](c["points"][slots]).astype(np.float32),
            one_step_discounts=np.where(c["terminal"][slots], 0.0, discount).astype(np.float32),
            following_stacks=self.stacks(self._ahead(slots, one)) if one_step else next_stacks,
            seeded=c["source"][slots] != OWN,
            equivalent=c["equivalent"][slots] if rules.equivalent else np.zeros(len(slots), np.uint32),
        )

    def stacks(self, slots: np.ndarray) -> np.ndarray:
        """Return the observations up to each slot, (B, S, 84, 84) uint8; an episode's first one is repeated."""
        size = self.rules.stack
        back = np.minimum(np.arange(size - 1, -1, -1), self.columns["age"][slots][:, None])  # [B, S]
        rows = self._back(slots[:, None], back)
        return self.observations.take(rows.ravel(), axis=0).reshape(-1, size, OBSERVATION_SIDE, OBSERVATION_SIDE)

    def changed_action(self, slots: np.ndarray) -> np.ndarray:
        """Return where the action of decisions (B,) is not that of the one before, (B,) bool.

        False for an episode's first decision.
        """
        before, action = self._back(slots, np.ones(len(slots), np.int64)), self.columns["action"]
        has_one = self.columns["decided"][before] & (self.columns["age"][slots] > 0)
        changed: np.ndarray = has_one & (action[slots] != action[before])
        return changed

    def update_errors(self, slots: np.ndarray, td_errors: np.ndarray) -> None:
        """Store the absolute TD errors (B,) of sampled slots and update priorities (Schaul et al. 2016, 3.3).

        Slots that were overwritten since they were sampled are ignored.
        """
        errors = np.abs(td_errors)
        ready = self.columns["ready"][slots]
        slots, errors = slots[ready], errors[ready]
        self.columns["td_error"][slots] = errors
        if len(slots):
            seeded = self.columns["source"][slots] != OWN
            self._sampler.update_priorities(slots, errors, seeded, self.columns["weight"][slots])

    def _regions(self, seeded: bool | None) -> Regions:
        """Return the slots [start, stop) that hold the seeded (True), own (False) or all (None) transitions."""
        if seeded is None:
            return [(0, self._filled)]
        overwritten = self._overwritten_seed
        if seeded:
            return [(overwritten, self.seeded_end)]
        return [(0, overwritten), (self.seeded_end, self._filled)]

    @property
    def _overwritten_seed(self) -> int:
        """Slots of the seeding that own steps have overwritten; only where the seeding may be evicted."""
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
