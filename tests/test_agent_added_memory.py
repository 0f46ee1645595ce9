"""The memory of added transitions, and their share of the batches."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from added_episodes import RULES, memory_with
from agent_episodes import small_config

import agent.added_memory as added_memory_module
from agent.added_memory import ANNEAL_STEPS, AddedMemory
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, UniformSampler
from agent.trainer import Generators, Trainer
from agent.trust import NOTHING


@pytest.mark.parametrize("sampler", [lambda _: UniformSampler(), lambda n: PrioritisedSampler(n, 0.6, 0.001, 1.0)])
def test_added_transitions_are_those_of_their_files_however_much_is_added(
    sampler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(added_memory_module, "FIRST_SLOTS", 64)
    together = AddedMemory(RULES, sampler)
    parts = [memory_with(count, 7 * count) for count in (60, 90, 10)]
    first = 0
    for source, part in enumerate(parts):
        together.append(together.place(part.observations[: part.written]), part.columns_used(), source, 10 * source)
        slots = np.flatnonzero(part.columns["ready"])
        ours, theirs = together.batch(slots + first), part.batch(slots)
        for name in ("stacks", "actions", "returns", "next_stacks", "imitate"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        first += part.written
    assert len(together) == sum(len(part) for part in parts)
    batch = together.sample(np.random.default_rng(0), 64, None)
    assert batch.seeded.all()
    assert together.newest_step == 20
    again = AddedMemory(RULES, sampler)
    for source, part in enumerate(parts):
        again.append(again.place(part.observations[: part.written]), part.columns_used(), source, step=10 * source)
    again.restore_changes(together.changing_arrays())
    both = [memory.sample(np.random.default_rng(1), 64, None).slots for memory in (again, together)]
    np.testing.assert_array_equal(*both)


def test_a_verdict_brings_back_only_decisions_whose_neighbours_are_there() -> None:
    memory = ReplayMemory(RULES, lambda _: UniformSampler(), own_slots=64)
    memory.begin(np.zeros((84, 84), np.uint8), age=10)  # a piece from the middle of an episode
    for row in range(20):
        memory.add(0, 1.0, False, np.full((84, 84), row, np.uint8), source=0, kept=row >= 3)
    memory.end()
    ready = np.flatnonzero(memory.columns["ready"])
    np.testing.assert_array_equal(ready, np.arange(3, 20))
    every = np.arange(20)
    memory.judge(every, every < 10, np.full(20, -1, np.int8))
    np.testing.assert_array_equal(np.flatnonzero(memory.columns["ready"]), np.arange(3, 10))
    assert not memory.would_change(every, every < 10, np.full(20, -1, np.int8)).any()
    memory.judge(every, np.ones(20, bool), np.ones(20, np.int8))
    np.testing.assert_array_equal(np.flatnonzero(memory.columns["ready"]), ready)
    assert memory.columns["imitate"][ready].all()


def test_an_addition_is_a_quarter_of_a_batch_at_first_and_later_its_share_of_the_seeding() -> None:
    rng = np.random.default_rng(0)
    memory, seeded = AddedMemory(RULES, lambda _: UniformSampler()), memory_with(301)
    seeded.close_seeding()
    part = memory_with(101)
    assert memory.rows(rng, 32, 0, seeded, 0.5) == 0
    memory.append(memory.place(part.observations[: part.written]), part.columns_used(), 0, step=1000)
    assert memory.rows(rng, 32, 1000, seeded, 0.5) == 8
    later = [memory.rows(rng, 32, 1000 + ANNEAL_STEPS, seeded, 0.5) for _ in range(2000)]
    expected = 32 * 0.5 * len(memory) / (len(memory) + seeded.seeded_ready)
    assert np.mean(later) == pytest.approx(expected, abs=0.05)
    assert memory.rows(rng, 1, 1000, seeded, 1.0) == 0, "the other memory always has a row"


@pytest.fixture
def trainer() -> Trainer:
    """A trainer at step 20,000, when the seeding is no longer imitated, with an addition of step 19,000."""
    config = small_config(batch_size=32, mixing="share", seed_share=0.5, margin_anneal_steps=10_000, shift_pixels=0)
    memory, part = memory_with(300), memory_with(100)
    memory.close_seeding()
    learner: Any = SimpleNamespace(q_values=lambda stacks: np.zeros((len(stacks), 6)))
    made = Trainer(config, memory, learner, Generators.from_seed(0), experienced=True)
    added = made.batches.added = AddedMemory(RULES, lambda _: UniformSampler())
    added.append(added.place(part.observations[: part.written]), part.columns_used(), 0, step=19_000)
    made.step = 20_000
    return made


def test_what_is_added_late_is_imitated_although_the_seeding_no_longer_is(trainer: Trainer) -> None:
    imitate = trainer.batches.sample(trainer.step, None).imitate
    rows = trainer.batches.added_rows
    assert 4 <= rows <= 8
    np.testing.assert_array_equal(imitate[:-rows], 0.0)
    np.testing.assert_allclose(imitate[-rows:], 0.9)
    trainer.step = 29_000
    assert not trainer.batches.sample(trainer.step, None).imitate.any()


def test_imitation_fades_while_own_episodes_score_as_much_as_the_demonstrated_ones(trainer: Trainer) -> None:
    imitation = trainer.imitation
    imitation.config = dataclasses.replace(trainer.config, margin_anneal_rule="points")
    imitation.demonstrated_score = 300.0
    imitation.stepped(trainer.recent_scores)
    assert imitation.weight(20_000) == 1.0, "before the first own episode"
    trainer.recent_scores.extend([290.0] * 15 + [310.0] * 9)
    for steps, weight in ((1, 0.9999), (4_999, 0.5), (6_000, 0.0)):
        for _ in range(steps):
            imitation.stepped(trainer.recent_scores)
        assert imitation.weight(20_000) == pytest.approx(weight), "the 10 newest have 308 points on average"
    trainer.recent_scores.extend([200.0] * 10)
    for _ in range(2_500):
        imitation.stepped(trainer.recent_scores)
    imitate = trainer.batches.sample(trainer.step, None).imitate
    rows = trainer.batches.added_rows
    np.testing.assert_allclose(imitate[:-rows], 0.25)
    np.testing.assert_allclose(imitate[-rows:], 0.9, err_msg="additions fade by themselves")
    imitation.chance_score = 200.0
    for _ in range(500):
        imitation.stepped(trainer.recent_scores)
    assert imitation.weight(20_000) == pytest.approx(0.2), "imitating does not make it better than random play"
    restored = Trainer(trainer.config, memory_with(1), trainer.learner, Generators.from_seed(0), True)
    restored._restore_pretraining(trainer._pretraining_state())
    restored.imitation.config, restored.imitation.demonstrated_score = imitation.config, 300.0
    assert restored.imitation.weight(20_000) == imitation.weight(20_000)
    imitation.trust = NOTHING
    assert imitation.weight(20_000) == 0.0


def test_additions_stay_in_use_where_the_seeding_was_of_no_use(trainer: Trainer) -> None:
    trainer.imitation.trust, trainer.step = NOTHING, 19_000 + ANNEAL_STEPS
    rows = []
    for _ in range(50):
        trainer.batches.sample(trainer.step, None)
        rows.append(trainer.batches.added_rows)
    assert np.mean(rows) == pytest.approx(32 * 100 / 400, abs=0.5), "their proportion of all transitions"
