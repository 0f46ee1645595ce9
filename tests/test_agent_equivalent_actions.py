"""Equivalent actions of recorded decisions, found with the real emulator, and what a training makes of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from agent_episodes import record_episode, small_config
from replay_episodes import writable_copy
from test_agent_training import assert_same_run

from agent.addition_requests import transitions
from agent.batch import action_mask, any_equivalent
from agent.config import TrainConfig
from agent.equivalent_actions import equivalent_actions
from agent.run_loop import new_emulator
from agent.seeding import SeedEpisode, plan_seeding
from agent.training import train
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator

CONFIG = small_config(game="Qbert", seed_from=("human",), equivalent_actions=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    library.prepare()
    record_episode(library, 600, seed=3, game="Qbert", kind="human")
    return library


def seeded(config: TrainConfig, library: Library) -> tuple[SeedEpisode, tuple[str, ...]]:
    meanings = new_emulator(config).action_meanings
    return plan_seeding(config, library, meanings, None).episodes[0], meanings


def ram_after(path: Path, held: int, at: int) -> bytes:
    """The RAM after ``held`` for 4 frames from frame ``at`` and 4 frames as recorded, simulated from frame 0."""
    with ReplayFile(path) as replay:
        actions, origin = replay.actions[:], replay.origin
    emulator = Emulator(origin.game, origin.settings, origin.action_meanings)
    for action in [*actions[:at], *[held] * 4, *actions[at + 4 : at + 8]]:
        emulator.act(int(action))
    return emulator.ram().tobytes()


def test_the_sets_are_those_of_an_emulator_that_plays_from_the_beginning(library: Library) -> None:
    episode, meanings = seeded(CONFIG, library)
    found = equivalent_actions(episode, meanings)
    assert len(found) == len(episode.decisions) == 150
    for d in range(20, 140, 8):
        states = [ram_after(episode.path, action, 4 * d) for action in range(len(meanings))]
        expected = [state == states[episode.actions[d]] for state in states]
        assert action_mask(found[d : d + 1], episode.actions[d : d + 1], len(meanings))[0].tolist() == expected
    sizes = [int(number).bit_count() for number in found[:-1]]
    assert min(sizes[1:]) >= 1, "the action taken is equivalent to itself"
    assert sizes.count(len(meanings)) > 50, "while the player jumps, no action has an effect"
    assert min(sizes[1:]) < len(meanings), "where the player stands, they differ"
    assert found[0] == 0, "the emulator does not restore the state directly after its reset"
    assert found[-1] == 0, "what followed the last decision is not known"


def test_progress_counts_the_decisions(library: Library) -> None:
    reported: list[int] = []
    equivalent_actions(*seeded(CONFIG, library), reported.append)
    assert reported == list(range(150))


def test_decisions_that_are_not_selected_are_not_simulated(library: Library) -> None:
    episode, meanings = seeded(CONFIG, library)
    kept = np.zeros(150, bool)
    kept[40:50] = True
    found = equivalent_actions(dataclasses.replace(episode, kept=kept), meanings)
    np.testing.assert_array_equal(found != 0, kept)


def test_an_episode_that_the_emulator_does_not_repeat_has_no_sets(library: Library, tmp_path: Path) -> None:
    episode, meanings = seeded(CONFIG, library)
    copy = writable_copy(episode.path, tmp_path)
    with h5py.File(copy, "r+") as file:
        file["ram"][200, 5] ^= 1
    assert not equivalent_actions(dataclasses.replace(episode, path=copy), meanings).any()
    unknown = ("JUMP", *meanings)
    assert not equivalent_actions(episode, unknown).any()


def test_any_equivalent_action_is_taken_about_as_often() -> None:
    sets = np.array([0, 0b1011, 0b100] * 2000, np.uint32)
    actions = np.array([2, 0, 2] * 2000, np.int32)
    taken = any_equivalent(sets, actions, np.random.default_rng(0))
    assert set(taken[0::3]) == set(taken[2::3]) == {2}
    counts = np.bincount(taken[1::3], minlength=4)
    assert counts[2] == 0
    assert counts[[0, 1, 3]].min() > 550


def test_a_training_stores_the_sets_and_resumes_exactly(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.prepare()
    record_episode(library, 400, seed=3, game="Qbert", kind="human")
    config = dataclasses.replace(CONFIG, steps=96, deterministic=True, threads=1, checkpoint_every=48)
    train(library, "whole", config)
    train(library, "parts", dataclasses.replace(config, steps=48))
    train(library, "parts", config, resume=True)
    assert_same_run(library, "whole", "parts")
    facts = json.loads((library.run_folder("parts") / "seeding.json").read_text())["equivalent_actions"]
    assert facts["decisions"] == 98  # of 100: not the first, nor the last
    assert 1.0 < facts["mean_equivalent"] < 6.0
    assert 0.3 < facts["without_effect"] < 1.0


def test_an_addition_has_the_sets_only_where_the_run_uses_them(library: Library) -> None:
    episode, meanings = seeded(CONFIG, library)
    _, columns = transitions(CONFIG, episode, meanings)
    np.testing.assert_array_equal(columns["equivalent"][columns["decided"]], equivalent_actions(episode, meanings))
    _, columns = transitions(dataclasses.replace(CONFIG, equivalent_actions=False), episode, meanings)
    assert "equivalent" not in columns
