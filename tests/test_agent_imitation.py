"""Which own episodes join the demonstrations, and how their imitation fades."""

from __future__ import annotations

import dataclasses
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode, small_config
from test_agent_learner import random_batch
from test_agent_replay_memory import RULES as MEMORY_RULES
from test_agent_replay_memory import Mirror, uniform
from test_agent_training import assert_same_run

from agent import update_batches
from agent.config import preset
from agent.imitation import Imitation
from agent.learner import Learner
from agent.memory_of_config import new_memory
from agent.own_episodes import OwnEpisodes
from agent.slots import OWN
from agent.trainer import Generators, Trainer
from agent.training import train
from agent.trust import NOTHING
from data.library import Library


@pytest.mark.parametrize(
    ("share", "scores", "chance", "imitated"),
    [
        (0.0, [1.0, 9.0], None, False),
        (0.5, [1.0, 9.0], None, True),
        (0.5, [9.0, 1.0], None, False),
        (0.5, [9.0, 9.0], None, False),
        (0.1, [float(n) for n in range(10)], None, True),
        (0.1, [float(n) for n in range(9)], None, False),
        (0.5, [1.0, 9.0], 9.0, False),
        (0.5, [1.0, 9.0], 8.0, True),
    ],
)
def test_an_own_episode_is_one_of_the_best_where_only_that_share_has_as_many_points(
    share: float, scores: list[float], chance: float | None, imitated: bool
) -> None:
    imitation = Imitation(dataclasses.replace(preset("default"), imitate_own=share))
    imitation.chance_score = chance
    assert imitation.is_of_best(scores[-1], scores) == imitated


def seeded_memory(own_slots: int) -> Mirror:
    """A memory with three seeded decisions and room for the agent's own."""
    mirror = Mirror(MEMORY_RULES, uniform, own_slots, 8)
    mirror.begin(0)
    for _ in range(3):
        mirror.add(0.0, terminal=False)
    mirror.memory.close_seeding()
    return mirror


def test_after_each_episode_the_best_half_of_the_newest_is_imitated_and_no_other() -> None:
    """The first one joins when a worse one follows, and leaves when a better one does."""
    mirror = seeded_memory(own_slots=24)
    memory = mirror.memory
    imitation = Imitation(dataclasses.replace(preset("default"), imitate_own=0.5))
    own = OwnEpisodes(memory, imitation, most=4)
    slots: list[list[int]] = []
    scores: deque[float] = deque(maxlen=4)
    imitated: list[list[int]] = []
    for score in (5.0, 1.0, 9.0, 8.0, 2.0, 3.0, 4.0, 6.0):
        mirror.begin(OWN)
        first = mirror.count - 1
        for _ in range(3):
            mirror.add(0.0, terminal=False)
        mirror.end()
        slots.append([mirror.slot_of[first + n] for n in range(3)])
        scores.append(score)
        own.ended(score, 3, scores)
        found = set(np.flatnonzero(memory.columns["imitate"]).tolist())
        imitated.append(
            [number for number, places in enumerate(slots) if number > len(slots) - 6 and places[0] in found]
        )
        assert found == {slot for number in imitated[-1] for slot in slots[number]}
        again = OwnEpisodes(memory, imitation, most=4)
        again.restore(own.state())
        own = again
    # Numbers of the imitated episodes after each one: the newest four are compared.
    assert imitated == [[], [0], [2], [2, 3], [2, 3], [2, 3], [3, 6], [6, 7]]


def test_decisions_of_an_episode_are_imitated_also_where_the_ring_begins_again() -> None:
    mirror = seeded_memory(own_slots=16)
    memory = mirror.memory
    mirror.begin(OWN)
    for _ in range(9):
        mirror.add(0.0, terminal=False)
    mirror.end()
    mirror.begin(OWN)
    first = mirror.count - 1
    for _ in range(9):
        mirror.add(1.0, terminal=False)
    mirror.end()
    memory.mark_saved()
    memory.imitate_own(memory.written - 10, 9, True)
    own = [mirror.slot_of[first + n] for n in range(9)]
    assert sorted(own) != own, "the episode crosses the end of the ring"
    assert sorted(np.flatnonzero(memory.columns["imitate"])) == sorted(own)
    assert memory.changed_blocks() == [0], "so it is in the next checkpoint"
    memory.imitate_own(memory.seeded_end, memory.written - memory.seeded_end - 1, True)
    assert not memory.columns["imitate"][: memory.seeded_end].any(), "never the seeding"
    memory.imitate_own(memory.written - 10, 9, False)
    assert not memory.columns["imitate"][own].any()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library")
    record_episode(made, 400, seed=1, kind="human")
    return made


def test_the_imitation_of_own_episodes_fades_with_that_of_the_demonstrations() -> None:
    imitation = Imitation(dataclasses.replace(preset("default"), margin_anneal_rule="steps", margin_anneal_steps=40))
    batch = dataclasses.replace(
        random_batch(np.random.default_rng(0)),
        imitate=np.array([1, 1, 0, 1], np.float32),
        seeded=np.array([True, False, False, False]),
    )
    assert imitation.apply(batch, 0, 10, 0).imitate.tolist() == [0.75, 0.75, 0, 0.75]
    imitation.trust = NOTHING
    assert imitation.apply(batch, 0, 10, 0).imitate.tolist() == [0, 0, 0, 0]
    assert not imitation.is_of_best(9.0, [1.0, 9.0])


@pytest.mark.parametrize("seeded", [0, 3])
def test_own_episodes_join_demonstrations_and_are_not_imitated_without(
    monkeypatch: pytest.MonkeyPatch, seeded: int
) -> None:
    seen: list[tuple[float, bool]] = []
    monkeypatch.setattr(Imitation, "is_of_best", lambda _, score, scores: not seen.append((score, len(scores) > 0)))
    config = small_config(max_episode_frames=100, steps=120, epsilon_end=0.5, imitate_own=0.5)
    memory = new_memory(config, seeded + 1)
    memory.begin(np.zeros((84, 84), np.uint8))
    for _ in range(seeded):
        memory.add(0, 0.0, False, np.zeros((84, 84), np.uint8), source=0)
    memory.close_seeding()
    generators = Generators.from_seed(0)
    learner = Learner(config, 6, generators.sampling)
    made = Trainer(config, memory, learner, generators, experienced=False)
    for _ in made.train():
        pass
    learner.close()
    assert all(counted for _, counted in seen), "the scores include the newest one"
    assert (len(seen) >= 3) == bool(seeded)
    assert memory.columns["imitate"].max() == bool(seeded)


def test_a_stopped_training_goes_on_with_the_same_imitated_episodes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Imitation, "is_of_best", lambda _self, _score, scores: len(scores) < 3)
    config = small_config(
        seed_from=("human",), deterministic=True, max_episode_frames=60, steps=100, imitate_own=0.5, seed_anneal_steps=0
    )
    train(library, "whole", config)
    for steps in (40, 70, 100):
        train(library, "parts", dataclasses.replace(config, steps=steps), resume=steps > 40)
    assert_same_run(library, "whole", "parts")
    monkeypatch.setattr(Imitation, "is_of_best", lambda *_: False)
    train(library, "none", config)
    with pytest.raises(AssertionError):
        assert_same_run(library, "whole", "none")


def imitation_weights(**changes: float) -> dict[int, float]:
    """How much the imitation of each of twelve decisions counts in the batches of a training, by slot."""
    config = small_config(**changes, pretrain_steps=2)
    picture, memory = np.zeros((84, 84), np.uint8), new_memory(config, 13)
    memory.begin(picture)
    for action in (0, 0, 1, 1, 1, 2, 2, 0, 0, 0, 0, 0):
        memory.add(action, 0.0, False, picture, source=0, imitate=1)
    memory.close_seeding()
    generators = Generators.from_seed(0)
    learner = Learner(config, 6, generators.sampling)
    trainer = Trainer(config, memory, learner, generators, experienced=True)
    seen: dict[int, float] = {}
    for _ in range(40):
        batch = trainer.batches.sample(trainer.step, None, pretraining=True)
        seen |= dict(zip(batch.slots.tolist(), batch.imitate.tolist(), strict=True))
    learner.close()
    return seen


def test_changes_of_the_action_count_more_in_the_batches_of_a_training() -> None:
    seen = imitation_weights(change_weight=3.0)
    assert seen == {slot: 3.0 if slot in (2, 5, 7) else 1.0 for slot in range(12)}


def test_the_start_of_an_episode_counts_more_in_the_batches_of_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_batches, "START_DECISIONS", 4)
    seen = imitation_weights(start_weight=9.0, change_weight=3.0)
    expected = {slot: 3.0 if slot in (2, 5, 7) else 1.0 for slot in range(12)}
    assert seen == expected | {0: 9.0, 1: 7.0, 2: 3.0 * 5.0, 3: 3.0}
