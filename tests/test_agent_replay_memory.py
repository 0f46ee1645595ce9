"""The replay memory against a plain history of everything written into it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import machine_memory
from agent.horizon import Horizon
from agent.preprocessing import OBSERVATION_SIDE
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, Sampler, UniformSampler
from agent.slots import BLOCK_SLOTS, OWN, MemoryRules
from data.errors import CoachError

RULES = MemoryRules(
    ages=(0, 1, 2, 3),
    n_steps=3,
    discount=0.9,
    reward="points",
    evict_seed=False,
)
BONUS, SEEDED_BONUS = 0.01, 1.0


def uniform(_: int) -> Sampler:
    return UniformSampler()


def prioritised(slots: int) -> Sampler:
    return PrioritisedSampler(slots, 1.0, BONUS, SEEDED_BONUS)


def picture(number: int) -> np.ndarray:
    """An observation that no other number has."""
    image = np.zeros((OBSERVATION_SIDE, OBSERVATION_SIDE), np.uint8)
    image.reshape(-1)[:4] = np.frombuffer(np.uint32(number).tobytes(), np.uint8)
    return image


def numbers(stacks: np.ndarray) -> np.ndarray:
    """The numbers (B, S) of the pictures in stacks (B, S, 84, 84)."""
    head = np.ascontiguousarray(stacks.reshape(*stacks.shape[:2], -1)[:, :, :4])
    return head.view(np.uint32)[..., 0]


def _action(number: int) -> int:
    """The action that led to the observation ``number``: often the same as the one before."""
    return number // 2 % 7


@dataclass
class Piece:
    """One episode, or a piece of one, as a plain list: the history that the memory should agree with."""

    age: int
    first: int
    """Number of its first picture; the others follow."""
    source: int
    rewards: list[float] = field(default_factory=list)
    terminals: list[bool] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    ended: bool = False


class Mirror:
    """A memory, and beside it the plain history of what was written."""

    def __init__(
        self, rules: MemoryRules, sampler: Callable[[int], Sampler], own_slots: int, seeded_slots: int
    ) -> None:
        self.rules = rules
        self.memory = ReplayMemory(rules, sampler, own_slots, seeded_slots)
        self.pieces: list[Piece] = []
        self.slot_of: dict[int, int] = {}
        """Picture number to its slot."""
        self.count = 0

    def begin(self, source: int, age: int = 0) -> None:
        if self.pieces:
            self.pieces[-1].ended = True
        self.pieces.append(Piece(age, self.count, source))
        self.memory.begin(picture(self.count), age)
        self._written()

    def add(self, reward: float, terminal: bool, kept: bool = True) -> None:
        piece = self.pieces[-1]
        piece.rewards.append(reward)
        piece.terminals.append(terminal)
        piece.kept.append(kept)
        action = _action(self.count)
        self.memory.add(action, reward, terminal, picture(self.count), source=piece.source, kept=kept)
        self._written()

    def end(self) -> None:
        self.pieces[-1].ended = True
        self.memory.end()

    def _written(self) -> None:
        slot = self.memory.head
        self.slot_of = {number: at for number, at in self.slot_of.items() if at != slot}
        self.slot_of[self.count] = slot
        self.count += 1

    def expected(self, horizon: Horizon | None = None) -> dict[int, tuple[list[int], list[int], float, float, float]]:
        """Slot to (stack, next stack, return, discount, recorded return), for all that can be sampled."""
        found = {}
        ages, n, recorded_discount = self.rules.ages[::-1], self.rules.n_steps, self.rules.discount
        horizon = horizon or Horizon(n, recorded_discount)
        discount = horizon.discount
        for piece in self.pieces:
            total = len(piece.rewards)
            for d in range(total):
                ends = [k for k in range(d, min(d + n, total)) if piece.terminals[k]]
                taken = ends[0] - d + 1 if ends else min(n, total - d)
                complete = bool(ends) or taken == n or piece.ended
                if not complete or not piece.kept[d]:
                    continue
                taken = min(taken, horizon.n_steps)
                ends = [k for k in ends if k < d + taken]
                stack = [piece.first + d - min(k, piece.age + d) for k in ages]
                at = d + taken
                following = [piece.first + at - min(k, piece.age + at) for k in ages]
                if any(number not in self.slot_of for number in stack):
                    continue
                rewards = piece.rewards[d : d + taken]
                summed = sum(reward * discount**k for k, reward in enumerate(rewards))
                later = [k for k in range(d, total) if piece.terminals[k]]
                recorded = -np.inf
                if later:
                    recorded = sum(piece.rewards[k] * recorded_discount ** (k - d) for k in range(d, later[0] + 1))
                factor = 0.0 if ends else discount**taken
                found[self.slot_of[piece.first + d]] = (stack, following, summed, factor, recorded)
        return found

    def check(self, horizon: Horizon | None = None) -> None:
        expected = self.expected(horizon)
        memory = self.memory
        assert set(np.flatnonzero(memory.columns["ready"]).tolist()) == set(expected)
        assert len(memory) == len(expected)
        if not expected:
            return
        slots = np.array(sorted(expected))
        batch = memory.batch(slots, horizon=horizon)
        changed = {
            self.slot_of[number]: number - 1 in self.slot_of
            and number > piece.first
            and _action(number) != _action(number + 1)
            for piece in self.pieces
            for number in range(piece.first, piece.first + len(piece.rewards))
            if number in self.slot_of
        }
        assert memory.changed_action(slots).tolist() == [changed[slot] for slot in slots.tolist()]
        for row, slot in enumerate(slots.tolist()):
            stack, following, summed, factor, recorded = expected[slot]
            assert numbers(batch.stacks)[row].tolist() == stack
            assert numbers(batch.next_stacks)[row].tolist() == following
            np.testing.assert_allclose(batch.returns[row], summed, rtol=1e-5)
            np.testing.assert_allclose(batch.discounts[row], factor, rtol=1e-6)
            np.testing.assert_allclose(batch.recorded[row], recorded, rtol=1e-5)


steps = st.tuples(st.integers(-3, 3), st.sampled_from([False] * 5 + [True]), st.sampled_from([True] * 4 + [False]))
episodes = st.lists(steps, max_size=14)


@given(
    seeding=st.lists(episodes, max_size=3),
    own=st.lists(episodes, min_size=1, max_size=6),
    own_slots=st.integers(10, 30),
    n_steps=st.integers(1, 5),
    ages=st.sampled_from([(0,), (0, 1, 2, 3), (0, 2, 7), (0, 1, 2, 3, 9)]),
    nearer=st.integers(1, 5),
    evict=st.booleans(),
    sampler=st.sampled_from([uniform, prioritised]),
)
@settings(max_examples=60, deadline=None)
def test_exactly_the_complete_transitions_can_be_sampled(
    seeding: list[list[tuple[int, bool, bool]]],
    own: list[list[tuple[int, bool, bool]]],
    own_slots: int,
    n_steps: int,
    ages: tuple[int, ...],
    nearer: int,
    evict: bool,
    sampler: Callable[[int], Sampler],
) -> None:
    rules = dataclasses.replace(RULES, ages=ages, n_steps=n_steps, evict_seed=evict)
    mirror = Mirror(rules, sampler, own_slots + ages[-1], sum(len(rows) + 1 for rows in seeding) + 3)
    for number, rows in enumerate(seeding):
        mirror.begin(number)
        for reward, terminal, kept in rows:
            mirror.add(float(reward), terminal, kept)
        mirror.end()
    mirror.memory.close_seeding()
    mirror.check()
    seeded_before = mirror.memory.seeded_ready
    for rows in own:
        mirror.begin(OWN)
        for reward, terminal, _ in rows:
            mirror.add(float(reward), terminal)
            mirror.check()
        mirror.end()
        mirror.check()
    mirror.check(Horizon(min(n_steps, nearer), 0.5))
    memory = mirror.memory
    if not evict:
        assert memory.seeded_ready == seeded_before
    is_seeded = memory.columns["ready"] & (memory.columns["source"] != OWN)
    assert memory.seeded_ready == int(is_seeded.sum())
    if not len(memory):
        return
    batch = memory.sample(np.random.default_rng(0), 16, 8, 0.5)
    assert memory.columns["ready"][batch.slots].all()
    if 0 < memory.seeded_ready < len(memory):
        assert int(batch.seeded.sum()) == 8
    np.testing.assert_array_equal(batch.seeded, memory.columns["source"][batch.slots] != OWN)


def filled(
    rules: MemoryRules = RULES,
    sampler: Callable[[int], Sampler] = uniform,
    seeded: int = 40,
    own: int = 60,
    own_slots: int = 100,
) -> ReplayMemory:
    memory = ReplayMemory(rules, sampler, own_slots, seeded + 1)
    memory.begin(picture(0))
    for number in range(seeded):
        memory.add(0, 1.0, False, picture(number), source=0, frame=4 * number, imitate=1)
    memory.close_seeding()
    memory.begin(picture(0))
    for number in range(own):
        memory.add(1, 0.0, False, picture(number))
    return memory


def test_a_piece_from_the_middle_of_an_episode_keeps_its_whole_stacks() -> None:
    memory = ReplayMemory(RULES, uniform, 10, 20)
    memory.begin(picture(100), age=50)
    for number in range(101, 107):
        memory.add(0, 0.0, False, picture(number), source=0, kept=number > 103)
    memory.close_seeding()
    slots = np.flatnonzero(memory.columns["ready"])
    assert numbers(memory.batch(slots).stacks).tolist() == [
        [100, 101, 102, 103],
        [101, 102, 103, 104],
        [102, 103, 104, 105],
    ]


def test_transitions_are_sampled_uniformly_within_each_part() -> None:
    memory = filled()
    rng = np.random.default_rng(3)
    counts = np.zeros(memory.capacity, int)
    for _ in range(2000):
        batch = memory.sample(rng, 32, 8)
        np.add.at(counts, batch.slots, 1)
    seeded, own = counts[: memory.seeded_end], counts[memory.seeded_end :]
    assert seeded.sum() == 2000 * 8
    for part in (seeded, own):
        sampled = part[part > 0]
        expected = part.sum() / len(sampled)
        assert abs(sampled - expected).max() < 6 * np.sqrt(expected)
    np.testing.assert_array_equal(memory.columns["drawn"], counts)


def test_own_transitions_that_replaced_evicted_seeded_ones_are_sampled_like_the_others() -> None:
    memory = filled(dataclasses.replace(RULES, evict_seed=True), own=120, own_slots=100)
    assert 0 < memory.seeded_ready < 30
    rng = np.random.default_rng(3)
    sampled = np.concatenate([memory.sample(rng, 32, 8).slots for _ in range(500)])
    own = memory.columns["ready"] & (memory.columns["source"] == OWN)
    low = own[: memory.seeded_end].sum() / own.sum()
    places = sampled[memory.columns["source"][sampled] == OWN]
    np.testing.assert_allclose((places < memory.seeded_end).mean(), low, atol=0.02)


def test_a_source_of_weight_three_is_sampled_three_times_as_often() -> None:
    for sampler in (uniform, prioritised):
        memory = ReplayMemory(RULES, sampler, 10, 100)
        for source, weight in ((0, 1.0), (1, 3.0)):
            memory.begin(picture(0))
            for number in range(40):
                memory.add(0, 0.0, False, picture(number), source=source, weight=weight)
        memory.close_seeding()
        rng = np.random.default_rng(0)
        sampled = np.concatenate([memory.sample(rng, 32, None).slots for _ in range(500)])
        share = (memory.columns["source"][sampled] == 1).mean()
        np.testing.assert_allclose(share, 0.75, atol=0.02)


def test_priorities_decide_how_often_a_transition_is_sampled_and_weights_correct_for_it() -> None:
    memory = filled(sampler=prioritised)
    ready = np.flatnonzero(memory.columns["ready"])
    errors = np.linspace(0.0, 2.0, len(ready))
    memory.update_errors(ready, -errors)
    seeded = memory.columns["source"][ready] != OWN
    priorities = errors + np.where(seeded, SEEDED_BONUS, BONUS)
    expected = priorities / priorities.sum()
    rng = np.random.default_rng(1)
    counts = np.zeros(memory.capacity)
    for _ in range(3000):
        batch = memory.sample(rng, 32, None, beta=0.7)
        np.add.at(counts, batch.slots, 1)
    np.testing.assert_allclose(counts[ready] / counts.sum(), expected, atol=0.002)
    chances = dict(zip(ready.tolist(), expected, strict=True))
    unscaled = np.array([(len(ready) * chances[slot]) ** -0.7 for slot in batch.slots.tolist()])
    np.testing.assert_allclose(batch.weights, unscaled / unscaled.max(), rtol=1e-5)


def test_errors_of_overwritten_transitions_are_ignored() -> None:
    memory = filled(sampler=prioritised, own=10, own_slots=20)
    batch = memory.sample(np.random.default_rng(0), 8, 0)
    memory.begin(picture(0))
    for number in range(40):
        memory.add(0, 0.0, False, picture(number))
    memory.begin(picture(0))
    before = memory.columns["td_error"].copy()
    gone = ~memory.columns["ready"][batch.slots]
    memory.update_errors(batch.slots, np.full(8, 5.0, np.float32))
    np.testing.assert_array_equal(memory.columns["td_error"][batch.slots[gone]], before[batch.slots[gone]])


def test_one_step_arrays_are_included_on_request() -> None:
    memory = filled()
    slots = np.array([5, memory.seeded_end + 5])
    batch = memory.batch(slots, one_step=True)
    np.testing.assert_array_equal(batch.following_stacks, memory.stacks(slots + 1))
    np.testing.assert_allclose(batch.rewards, [1.0, 0.0])
    np.testing.assert_allclose(batch.one_step_discounts, [0.9, 0.9])


def test_a_transition_takes_seven_kilobytes_including_stack_and_next_state() -> None:
    memory = filled(seeded=500, own=0)
    assert memory.bytes_used / 500 < 7200


def test_sampling_from_an_empty_memory_is_an_error() -> None:
    with pytest.raises(CoachError, match="no transition that can be sampled"):
        ReplayMemory(RULES, uniform, 10).sample(np.random.default_rng(0), 4, None)


def test_a_memory_larger_than_the_machine_has_is_refused_with_the_size_that_would_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine_memory, "available_bytes", lambda: 100_000_000)
    with pytest.raises(
        CoachError, match=r"takes 7\.\d GB, but only 0\.1 GB are available: --memory-size 1[01]000 would fit"
    ):
        ReplayMemory(RULES, uniform, 1_000_000)


def test_a_memory_that_will_never_be_full_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_memory, "available_bytes", lambda: 100_000_000)
    ReplayMemory(RULES, uniform, 1_000_000, own_observations=5000)


def test_a_restored_memory_samples_what_the_first_one_samples() -> None:
    memory = filled(sampler=prioritised, own=130)
    memory.update_errors(np.array([3, 50]), np.array([4.0, 9.0]))
    other = ReplayMemory(RULES, prioritised, 100, memory.seeded_end)
    for number in memory.changed_blocks():
        for name, view in other.block(number).items():
            view[...] = memory.block(number)[name]
    other.restore(memory.counters(), memory.mutable_arrays())
    for one in (memory, other):
        one.add(2, 1.0, True, picture(7))
        one.begin(picture(8))
    ours, theirs = (one.sample(np.random.default_rng(5), 32, 16, 0.4) for one in (memory, other))
    for item in dataclasses.fields(ours):
        np.testing.assert_array_equal(getattr(ours, item.name), getattr(theirs, item.name))


def test_only_changed_blocks_are_saved_again() -> None:
    memory = ReplayMemory(RULES, uniform, 3 * BLOCK_SLOTS)
    memory.close_seeding()
    memory.begin(picture(0))
    for number in range(BLOCK_SLOTS + 10):
        memory.add(0, 0.0, False, picture(number))
    assert memory.changed_blocks() == [0, 1]
    memory.mark_saved()
    memory.add(0, 0.0, False, picture(1))
    assert memory.changed_blocks() == [1]
