"""The learner: what one update changes, what acts, and that it solves a small task whose answer is known."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import small_config

from agent.batch import Batch
from agent.config import TrainConfig
from agent.heads import QuantileHead
from agent.keras_network import build_network, load_weights, weight_arrays
from agent.learner import Learner, Update
from agent.memory_of_config import new_memory
from agent.network import NumpyNetwork, weight_shapes
from agent.replay_memory import ReplayMemory
from data.errors import CoachError


def random_batch(rng: np.random.Generator, size: int = 4, side: int = 84) -> Batch:
    stacks = rng.integers(0, 256, (2, size, 4, side, side)).astype(np.uint8)
    ones = np.ones(size, np.float32)
    return Batch(
        slots=np.arange(size),
        stacks=stacks[0],
        actions=rng.integers(0, 3, size).astype(np.int32),
        returns=rng.normal(size=size).astype(np.float32),
        discounts=ones,
        next_stacks=stacks[1],
        recorded=-np.inf * ones,
        imitate=ones,
        weights=ones,
        rewards=ones,
        one_step_discounts=ones,
        following_stacks=stacks[1],
        seeded=ones > 0,
        equivalent=np.zeros(size, np.uint32),
    )


def learner(config: TrainConfig) -> Learner:
    return Learner(config, 3, np.random.default_rng(0))


def update(of: Learner, batch: Batch) -> Update:
    of.begin_update(batch)
    done = of.finish_update()
    assert done is not None
    return done


def test_a_repeated_batch_is_learned() -> None:
    of, batch = learner(small_config(learning_rate=1e-3)), random_batch(np.random.default_rng(0))
    first = update(of, batch).loss
    for _ in range(30):
        last = update(of, batch).loss
    assert last < first / 2


@pytest.mark.parametrize(
    "changes",
    [
        {"dueling": True, "one_step_weight": 1.0, "l2_weight": 1e-5},
        {"optimizer": "rmsprop-centred", "gradient_norm": 0.0},
        {"optimizer": "rmsprop", "layer_norm": False, "td_loss": "squared"},
        {"network": "small", "quantiles": 8},
    ],
)
def test_each_variant_learns(changes: dict[str, Any]) -> None:
    of, batch = learner(small_config(learning_rate=1e-3, **changes)), random_batch(np.random.default_rng(0))
    losses = [update(of, batch).loss for _ in range(20)]
    assert losses[-1] < losses[0]


def test_the_target_network_changes_only_when_it_is_due() -> None:
    of = learner(small_config(target_update_steps=3))
    batch = random_batch(np.random.default_rng(0))
    before = weight_arrays(of.target)["action_output/kernel"]
    update(of, batch)
    update(of, batch)
    np.testing.assert_array_equal(weight_arrays(of.target)["action_output/kernel"], before)
    update(of, batch)
    np.testing.assert_array_equal(
        weight_arrays(of.target)["action_output/kernel"], weight_arrays(of.online)["action_output/kernel"]
    )


def test_averaged_weights_are_the_running_mean_of_the_newest_ones_and_act() -> None:
    of = learner(small_config(averaging=0.9))
    expected = weight_arrays(of.online)["action_output/kernel"].astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(3):
        update(of, random_batch(rng))
        expected = 0.9 * expected + 0.1 * weight_arrays(of.online)["action_output/kernel"]
    np.testing.assert_allclose(of.acting_weights()["action_output/kernel"], expected, atol=1e-6)
    stack = rng.integers(0, 256, (4, 84, 84)).astype(np.uint8)
    np.testing.assert_allclose(of.q_values(stack), np.asarray(of.averaged(stack[None]))[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("network", ["nature", "small-norm", "impala"])
def test_a_network_sees_older_observations_as_further_channels(network: str) -> None:
    of = learner(small_config(older_observations=2, network=network, averaging=0.0))
    stack = np.random.default_rng(0).integers(0, 256, (6, 84, 84)).astype(np.uint8)
    values = of.q_values(stack)
    np.testing.assert_allclose(values, np.asarray(of.online(stack[None]))[0], rtol=1e-4, atol=1e-5)
    stack[0] = 0  # the oldest one
    assert np.abs(of.q_values(stack) - values).max() > 0


def test_without_averaging_the_newest_weights_act() -> None:
    of = learner(small_config(averaging=0.0))
    rng = np.random.default_rng(0)
    update(of, random_batch(rng))
    stack = rng.integers(0, 256, (4, 84, 84)).astype(np.uint8)
    np.testing.assert_allclose(of.q_values(stack), np.asarray(of.online(stack[None]))[0], rtol=1e-4, atol=1e-5)


def test_acting_does_not_change_while_an_update_is_being_computed() -> None:
    of = learner(small_config(averaging=0.0))
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 256, (4, 84, 84)).astype(np.uint8)
    before = of.q_values(stack)
    of.begin_update(random_batch(rng))
    of._worker.submit(lambda: None).result()  # the update is through
    np.testing.assert_array_equal(of.q_values(stack), before)
    of.finish_update()
    assert not np.array_equal(of.q_values(stack), before)


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_after_an_update_the_newest_weights_act(averaging: float) -> None:
    of = learner(small_config(averaging=averaging, learning_rate=1e-2))
    batch = random_batch(np.random.default_rng(0))
    for _ in range(2):
        before = of.q_values(batch.stacks[0])
        update(of, batch)
        found = of.q_values(batch.stacks[0])
        assert np.abs(found - before).max() > 1e-4
        np.testing.assert_allclose(found, of.averaged(batch.stacks[:1])[0], rtol=1e-3, atol=1e-5)


def test_weights_outside_main_memory_are_copied_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(small_config(), 3, np.random.default_rng(0))
    expected = weight_arrays(network)
    monkeypatch.setattr("agent.keras_network.DLPACK_CPU", -1)
    for name, array in weight_arrays(network).items():
        np.testing.assert_array_equal(array, expected[name])


def test_a_loss_that_is_nan_is_an_error() -> None:
    batch = random_batch(np.random.default_rng(0))
    broken = dataclasses.replace(batch, returns=np.full(4, np.nan, np.float32))
    with pytest.raises(CoachError, match=r"^Training has diverged: the loss of update 1 is nan"):
        update(learner(small_config()), broken)


def test_a_loss_that_has_diverged_is_an_error() -> None:
    batch = random_batch(np.random.default_rng(0))
    broken = dataclasses.replace(batch, returns=np.full(4, 1e9, np.float32))
    with pytest.raises(CoachError, match="the loss of update 1 is 1e"):
        update(learner(small_config()), broken)


def test_a_restored_learner_continues_identically() -> None:
    config = small_config(dueling=True)
    one, rng = learner(config), np.random.default_rng(0)
    update(one, random_batch(rng))
    other = Learner(config, 3, np.random.default_rng(9))
    other.load(one.arrays())
    batch = random_batch(rng)
    update(one, batch)
    update(other, batch)
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(other.arrays()[name], array, err_msg=name)


def check_reset(of: Learner) -> None:
    """Reset the dense layers, and check that they, and nothing else, have new weights and no moments."""
    stack = np.random.default_rng(3).integers(0, 256, (4, 84, 84)).astype(np.uint8)
    before, values = of.arrays(), of.q_values(stack).copy()
    of.reset_dense_layers(np.random.default_rng(5))
    after = of.arrays()
    assert np.abs(of.q_values(stack) - values).max() > 0, "the agent acts by the new weights"
    for name, array in after.items():
        network, _, weight = name.partition("/")
        path = of.optimizer.variables[int(weight)].path if network == "optimizer" else weight
        if not array.ndim or "convolution" in path:
            np.testing.assert_array_equal(array, before[name], err_msg=path)
        elif network == "optimizer":
            assert before[name].any(), path
            assert not array.any(), path
        else:
            np.testing.assert_array_equal(array, after[f"online/{weight}"], err_msg=name)
            assert not np.array_equal(array, before[name]) or network == "target", name


def test_a_reset_gives_the_dense_layers_new_weights_by_the_generator_alone() -> None:
    config = small_config(network="small-norm", dueling=True, averaging=0.5)
    of, other = learner(config), Learner(config, 3, np.random.default_rng(9))
    update(of, random_batch(np.random.default_rng(0)))
    check_reset(of)
    other.reset_dense_layers(np.random.default_rng(5))
    for name, array in other.acting_weights().items():
        assert np.array_equal(array, of.acting_weights()[name]) != name.startswith("convolution"), name


def test_weights_of_another_shape_are_refused() -> None:
    arrays = weight_arrays(build_network(small_config(hidden_units=8), 3, np.random.default_rng(0)))
    network = build_network(small_config(), 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"action_hidden/kernel have shape \(3136, 8\), not \(3136, 16\)"):
        load_weights(network, arrays)


@pytest.mark.parametrize(
    "changes",
    [
        {"layer_norm": False},
        {"dueling": True},
        {},
        {"dueling": True, "layer_norm": False},
        {"network": "small"},
        {"network": "impala"},
        {"quantiles": 3},
        {"network": "small-norm", "quantiles": 3, "dueling": True},
    ],
    ids=str,
)
def test_the_network_that_acts_has_the_values_of_the_one_that_learns(changes: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    config = small_config(**changes)
    network = build_network(config, 5, rng)
    for variable in network.weights:
        variable.assign(rng.normal(scale=0.1, size=variable.shape))
    weights = weight_arrays(network)
    assert {name: array.shape for name, array in weights.items()} == weight_shapes(config, 5)
    stacks = rng.integers(0, 256, (3, 4, 84, 84)).astype(np.uint8)
    acting = NumpyNetwork(config, 5, weights)
    ours = [acting(stack) for stack in stacks]
    learned = np.asarray(network(stacks))
    assert learned.shape == ((3, 5, 3) if config.quantiles else (3, 5))
    values = learned.mean(axis=2) if config.quantiles else learned
    tolerance = 1e-3 * max(1.0, np.abs(values).max())
    np.testing.assert_allclose(ours, values, rtol=1e-3, atol=tolerance)
    interval = acting.interval(0.8)
    if not config.quantiles:
        assert interval is None
    else:  # of three quantiles, the outer ones are those of 1/6 and 5/6
        assert interval is not None
        ends = np.stack([learned[-1].min(axis=1), learned[-1].max(axis=1)], axis=1)
        np.testing.assert_allclose(interval, ends, rtol=1e-3, atol=tolerance)


def test_an_interval_is_between_the_quantiles_of_its_ends() -> None:
    outputs = np.random.default_rng(0).permutation(np.arange(10.0))[None]  # quantiles of 0.05, 0.15, ... 0.95
    np.testing.assert_allclose(QuantileHead(10).interval(outputs, 0.8), [[0.5, 8.5]])


def test_acting_by_weights_of_another_shape_is_refused() -> None:
    config = small_config()
    arrays = weight_arrays(build_network(small_config(hidden_units=8), 3, np.random.default_rng(0)))
    with pytest.raises(ValueError, match=r"action_hidden/kernel have shape \(3136, 8\), not \(3136, 16\)"):
        NumpyNetwork(config, 3, arrays)


def test_initial_weights_depend_on_the_generator_alone() -> None:
    one, two, other = (weight_arrays(build_network(small_config(), 3, np.random.default_rng(s))) for s in (1, 1, 2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["convolution_1/kernel"], other["convolution_1/kernel"])


JAX_VARIANTS: list[dict[str, Any]] = [
    {"network": "small", "dueling": True, "one_step_weight": 1.0, "l2_weight": 1e-5, "averaging": 0.0},
    {
        **{"network": "small", "quantiles": 5, "bad_margin": 0.5, "averaging": 0.0, "bound_returns": "own"},
        **{"imitate_above_value": True, "conservative_weight": 0.4, "calibrate": True},
    },
]


def batch_with_returns() -> Batch:
    batch = random_batch(np.random.default_rng(0))
    recorded, seeded = np.array([-np.inf, 0.0, 5.0, -5.0], np.float32), np.array([False, True, False, True])
    return dataclasses.replace(batch, recorded=recorded, seeded=seeded)


def test_jax_makes_the_same_updates_from_the_same_weights(tmp_path: Path) -> None:
    learners = [learner(small_config(**changes)) for changes in JAX_VARIANTS]
    updates = []
    for number, of in enumerate(learners):
        np.savez(tmp_path / f"before-{number}.npz", **of.arrays())
        updates.append(update(of, batch_with_returns()))
    code = (
        "import sys; sys.path.insert(0, 'tests'); import numpy as np; from test_agent_learner import *\n"
        "for number, changes in enumerate(JAX_VARIANTS):\n"
        "    of = learner(small_config(**changes))\n"
        "    of.load(dict(np.load(f'{sys.argv[1]}/before-{number}.npz')))\n"
        "    done = update(of, batch_with_returns())\n"
        "    arrays = {'loss': done.loss, 'td_errors': done.td_errors, **of.acting_weights()}\n"
        "    np.savez(f'{sys.argv[1]}/after-{number}.npz', **arrays)\n"
        "    check_reset(of)\n"
    )
    quickly = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # it runs once
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": quickly}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    for number, (of, ours) in enumerate(zip(learners, updates, strict=True)):
        theirs = dict(np.load(tmp_path / f"after-{number}.npz"))
        np.testing.assert_allclose(theirs["loss"], ours.loss, rtol=1e-4)
        np.testing.assert_allclose(theirs["td_errors"], ours.td_errors, rtol=1e-3, atol=1e-5)
        for name, weights in of.acting_weights().items():
            # Adam's first step is about the learning rate in each weight; a few tiny gradients may differ in sign.
            assert np.abs(theirs[name] - weights).mean() < 0.02 * of.config.learning_rate, name


def small_world(memory: ReplayMemory, rng: np.random.Generator) -> None:
    """Random play on a line of 4 places: left or right; only leaving it to the right is rewarded."""
    for _ in range(60):
        place = int(rng.integers(4))
        memory.begin(world_picture(place))
        while 0 <= place < 4:
            action = int(rng.integers(2))
            place += 1 if action else -1
            memory.add(action, 1.0 if place == 4 else 0.0, not 0 <= place < 4, world_picture(place), source=0)
    memory.close_seeding()


def world_picture(place: int) -> np.ndarray:
    """A bright bar that stands where the player is."""
    image = np.zeros((84, 84), np.uint8)
    image[:, 16 * (place + 1) : 16 * (place + 1) + 12] = 255
    return image[:, :84]


@pytest.mark.parametrize("name", ["nature", "default"])
def test_the_values_of_a_small_world_become_the_known_ones(name: str) -> None:
    """Its best values are known: the discount to the power of the steps that are left."""
    common: dict[str, Any] = {
        "network": "small",
        "discount": 0.8,
        "stack": 1,
        "learning_rate": 1e-3,
        "batch_size": 32,
        "target_update_steps": 20,
        "hidden_units": 32,
        "memory_size": 1000,
        "margin_weight": 0.0,
        "optimizer": "adam",
    }
    variants: dict[str, dict[str, Any]] = {
        "nature": {"double_q": False, "n_steps": 1, "layer_norm": False, "averaging": 0.0, "bound_by_return": False},
        # Random play earns less than the best play, so more than one step of it would pull the values down.
        "default": {"n_steps": 1, "averaging": 0.9},
    }
    config = small_config(**common, **variants[name])
    rng = np.random.default_rng(0)
    memory = new_memory(config, 2000)
    small_world(memory, rng)
    of = Learner(config, 2, rng)
    for _ in range(300):
        of.begin_update(memory.sample(rng, 32, None))
        of.finish_update()
    found = np.stack([of.q_values(world_picture(place)[None]) for place in range(4)])
    expected = [[0.0, 0.512], [0.4096, 0.64], [0.512, 0.8], [0.64, 1.0]]
    np.testing.assert_allclose(found, expected, atol=0.06)
