"""The replay memory: a ring of slots from which transitions are sampled, each observation stored once.

Stacks and next stacks are gathered when a batch is sampled, so a transition takes 7.1 KB, not the 56 KB of two stacks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from agent.batch import Batch
from agent.horizon import Horizon
from agent.returns import REWARDS, UNKNOWN, discounted_returns, n_step_return
from agent.sampling import Regions
from agent.slots import OWN, Slots
from data.errors import CoachError


class ReplayMemory(Slots):
    """Transitions of the seeding and of the agent's own steps."""

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
        distances = self._distances
        above = self._ahead(np.full(len(distances), slot), distances)
        ages = self.columns["age"][above]
        # An episode's first observation is also in the place of older ones.
        uses = (self._in_stack & (ages >= distances)) | (ages == distances)
        needs = self.columns["ready"][above] & uses
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

    def _record_returns(self) -> None:
        """Compute the recorded returns of all decisions up to the newest one, which ended the return."""
        slots = self._newest(self._unrecorded)
        rewards = REWARDS[self.rules.reward](self.columns["points"][slots])
        found = discounted_returns(rewards, self.columns["terminal"][slots], self.rules.discount)
        self.columns["recorded"][slots] = found
        self._dirty[slots] = True

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

    def imitate_own(self, first: int, decisions: int, imitated: bool) -> None:
        """Imitate an own episode's decisions from now on, or no longer, as far as the memory still has them.

        first: the number of the episode's first observation, counted as ``written`` does.
        """
        start = self._ring_start
        size = self.capacity - start
        numbers = np.arange(max(first, self.written - size), first + decisions)
        slots = start + (numbers - start) % size
        self.columns["imitate"][slots] = imitated
        self._dirty[slots] = True

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
