"""Weights carried over from a run of one game to an agent of another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agent_episodes import small_config

from agent.array_file import part_of, read_arrays
from agent.evaluation import evaluate
from agent.keras_network import weight_arrays
from agent.learner import Learner
from agent.training import train
from agent.transfer import take_weights
from data.errors import CoachError
from data.library import Library
from data.runs import RunFolder, open_run
from data.simulation import Emulator

PONG = Emulator("Pong").action_meanings


@pytest.fixture(scope="module")
def invaders(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    library = Library(tmp_path_factory.mktemp("transfer"))
    train(library, "invaders", small_config(steps=40, dueling=True))
    return open_run(library, "invaders")


def theirs(run: RunFolder) -> dict[str, np.ndarray]:
    newest = run.newest_checkpoint()
    assert newest is not None
    return part_of(read_arrays(newest / "learner.npz"), "online")


@pytest.mark.parametrize("carry", ["whole", "new-head", "convolutions"])
def test_only_the_carried_weights_come_from_the_other_run(invaders: RunFolder, carry: str) -> None:
    learner = Learner(small_config(game="Pong", dueling=True), len(PONG), np.random.default_rng(5))
    fresh = weight_arrays(learner.online)
    take_weights(learner, invaders, PONG, carry)
    found, source = weight_arrays(learner.online), theirs(invaders)
    learner.close()
    body = {name for name in found if "_hidden" in name}
    outputs = {name for name in found if "_output" in name}
    convolutions = set(found) - body - outputs
    assert convolutions and body and outputs
    carried = {"whole": convolutions | body, "new-head": convolutions | body, "convolutions": convolutions}[carry]
    for name in carried:
        np.testing.assert_array_equal(found[name], source[name], err_msg=name)
    kept_fresh = set(found) - carried - (outputs if carry == "whole" else set())
    for name in kept_fresh:
        np.testing.assert_array_equal(found[name], fresh[name], err_msg=name)
    if carry == "whole":
        column = found["advantage_output/kernel"][:, PONG.index("RIGHT")]
        place = invaders.read().action_meanings.index("RIGHT")
        np.testing.assert_array_equal(column, source["advantage_output/kernel"][:, place])


def test_the_quantiles_of_an_action_are_carried_over_together(tmp_path: Path) -> None:
    library, changes = Library(tmp_path), {"network": "small", "quantiles": 3}
    train(library, "quantiles", small_config(steps=20, **changes))
    run = open_run(library, "quantiles")
    learner = Learner(small_config(game="Pong", **changes), len(PONG), np.random.default_rng(5))
    take_weights(learner, run, PONG, "whole")
    found, source = weight_arrays(learner.online), theirs(run)
    learner.close()
    ours, place = PONG.index("RIGHT"), run.read().action_meanings.index("RIGHT")
    for name in ("action_output/kernel", "action_output/bias"):
        carried = found[name].reshape(-1, len(PONG), 3)[:, ours]
        np.testing.assert_array_equal(carried, source[name].reshape(-1, 6, 3)[:, place])


def test_convolutions_fit_an_agent_with_other_dense_layers(invaders: RunFolder) -> None:
    learner = Learner(small_config(game="Pong", hidden_units=24, dueling=True), len(PONG), np.random.default_rng(5))
    take_weights(learner, invaders, PONG, "convolutions")
    with pytest.raises(CoachError, match="has another network"):
        take_weights(learner, invaders, PONG, "whole")
    learner.close()


def test_an_unknown_choice_of_carried_weights_is_refused(invaders: RunFolder) -> None:
    learner = Learner(small_config(game="Pong", dueling=True), len(PONG), np.random.default_rng(5))
    with pytest.raises(CoachError, match="must be one of whole, new-head, convolutions"):
        take_weights(learner, invaders, PONG, "everything")
    learner.close()


def test_an_agent_with_all_18_actions_is_evaluated_with_all_18(tmp_path: Path) -> None:
    library = Library(tmp_path)
    train(library, "all-18", small_config(steps=8, full_action_set=True, evaluate_every=8, evaluation_episodes=1))
    assert len(open_run(library, "all-18").read().action_meanings) == 18
    assert evaluate(library, "all-18", 1, "nature").episodes == 1
