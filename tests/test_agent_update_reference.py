"""One compiled update against NumPy written from the papers: network, TD errors, loss, gradient step, priorities."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import test_agent_loss
from agent_episodes import small_config
from test_agent_learner import random_batch
from test_agent_loss import reference

from agent.batch import Batch
from agent.config import TrainConfig
from agent.keras_network import array_of, weight_arrays
from agent.learner import Learner
from agent.loss import batch_arrays, loss_of
from agent.quiet_keras import keras
from agent.returns import UNKNOWN
from agent.sampling import PrioritisedSampler
from agent.step_tensorflow import FusedAdam

ACTIONS, SIZE = 3, 6
PLAIN: dict[str, Any] = {
    "layer_norm": False,
    "averaging": 0.0,
    "n_steps": 1,
    "double_q": False,
    "bound_by_return": False,
    "margin_weight": 0.0,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "nature": PLAIN,
    "double": {**PLAIN, "double_q": True},
    "dueling": {**PLAIN, "dueling": True},
    "margin": {**PLAIN, "margin_weight": 0.7, "margin": 0.5},
    "one-step and L2": {**PLAIN, "n_steps": 5, "one_step_weight": 0.6, "l2_weight": 1e-3},
    "conservative, bounded": {**PLAIN, "conservative_weight": 0.4, "bound_by_return": True},
    "default": {},
    "quantiles of the small network": {"network": "small-norm", "quantiles": 5},
    "dueling quantiles of the impala network": {
        "network": "impala",
        "quantiles": 3,
        "dueling": True,
        **{"bad_margin": 0.5, "imitate_above_value": True, "conservative_weight": 0.4, "calibrate": True},
        "equivalent_actions": True,
    },
    "together": {"dueling": True, "one_step_weight": 1.0, "l2_weight": 1e-5, "sampling": "prioritised"},
}
"""Each has a network of its own to compile; ``test_agent_loss`` has the formula alone of every variant."""


def varied_batch(rng: np.random.Generator, bad: bool = False) -> Batch:
    """A batch in which everything that the loss reads differs from row to row."""
    recorded = 2 * rng.normal(size=SIZE).astype(np.float32)
    recorded[::3] = UNKNOWN
    return dataclasses.replace(
        random_batch(rng, SIZE),
        discounts=(0.9 * (rng.random(SIZE) > 0.3)).astype(np.float32),
        recorded=recorded,
        imitate=rng.integers(-1 if bad else 0, 2, SIZE).astype(np.float32),
        weights=rng.uniform(0.2, 1.0, SIZE).astype(np.float32),
        rewards=rng.normal(size=SIZE).astype(np.float32),
        one_step_discounts=(0.99 * (rng.random(SIZE) > 0.2)).astype(np.float32),
        following_stacks=rng.integers(0, 256, (SIZE, 4, 84, 84)).astype(np.uint8),
        equivalent=rng.integers(0, 2**ACTIONS, SIZE).astype(np.uint32),
    )


def layer_normalised(sums: np.ndarray, weights: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Ba et al. 2016, equation 3, where there is such a layer; then the rectifier."""
    if f"{name}_norm/gamma" in weights:
        sums = (sums - sums.mean()) / np.sqrt(sums.var() + 1e-3)
        sums = sums * weights[f"{name}_norm/gamma"] + weights[f"{name}_norm/beta"]
    return np.maximum(sums, 0.0)


def convolved(seen: np.ndarray, weights: dict[str, np.ndarray], name: str, stride: int, padding: int = 0) -> np.ndarray:
    """A convolution of (H, W, C), each filter at each place."""
    kernel = weights[f"{name}/kernel"]
    seen = np.pad(seen, ((padding, padding), (padding, padding), (0, 0)))
    side, places = len(kernel), range(0, len(seen) - len(kernel) + 1, stride)
    maps = [[np.tensordot(seen[r : r + side, c : c + side], kernel, 3) for c in places] for r in places]
    return np.array(maps) + weights[f"{name}/bias"]


def pooled(seen: np.ndarray) -> np.ndarray:
    """The greatest of 3 x 3, every second place, of (H, W, C); an odd number of padded rows has one more at the end."""
    size = -(-len(seen) // 2)
    before = (2 * (size - 1) + 3 - len(seen)) // 2
    padded = np.pad(seen, ((before, 3), (before, 3), (0, 0)), constant_values=-np.inf)
    places = range(0, 2 * size, 2)
    return np.array([[padded[r : r + 3, c : c + 3].max(axis=(0, 1)) for c in places] for r in places])


def plain_features(weights: dict[str, np.ndarray], seen: np.ndarray, network: str) -> np.ndarray:
    """The convolutional part (Mnih et al. 2015; Espeholt et al. 2018, figure 3)."""
    if network == "impala":
        for section in (1, 2, 3):
            seen = pooled(convolved(seen, weights, f"convolution_{section}", 1, 1))
            for block in (1, 2):
                inside = convolved(np.maximum(seen, 0.0), weights, f"convolution_{section}_{block}_1", 1, 1)
                seen = seen + convolved(np.maximum(inside, 0.0), weights, f"convolution_{section}_{block}_2", 1, 1)
        return np.maximum(seen, 0.0)
    for number, stride in ((1, 4), (2, 2), (3, 1)):
        seen = layer_normalised(
            convolved(seen, weights, f"convolution_{number}", stride), weights, f"convolution_{number}"
        )
    return seen


def plain_outputs(weights: dict[str, np.ndarray], stack: np.ndarray, config: TrainConfig) -> np.ndarray:
    """Outputs of one stack (4, 84, 84): (A,), or (A, N) of quantiles (Wang et al. 2016, equation 9)."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    seen = plain_features(weights, np.moveaxis(stack, 0, -1) / 255.0, config.network)
    width = (-1, config.quantiles) if config.quantiles else (-1,)

    def stream(name: str) -> np.ndarray:
        sums = seen.ravel() @ weights[f"{name}_hidden/kernel"] + weights[f"{name}_hidden/bias"]
        hidden = layer_normalised(sums, weights, f"{name}_hidden")
        out: np.ndarray = hidden @ weights[f"{name}_output/kernel"] + weights[f"{name}_output/bias"]
        return out.reshape(width)

    if not config.dueling:
        return stream("action")
    advantage = stream("advantage")
    outputs: np.ndarray = stream("value") + advantage - advantage.mean(axis=0)
    return outputs


def kernels_of(learner: Learner) -> list[np.ndarray]:
    return [array for name, array in weight_arrays(learner.online).items() if name.endswith("/kernel")]


def plain_update(learner: Learner, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> tuple[float, np.ndarray]:
    """Loss and TD errors (B,) of a batch by the plain network and the plain formula."""
    config = learner.config
    online, target = weight_arrays(learner.online), weight_arrays(learner.target)

    def values(weights: dict[str, np.ndarray], stacks: np.ndarray) -> np.ndarray:
        return np.stack([plain_outputs(weights, stack, config) for stack in stacks])

    monkeypatch.setattr(test_agent_loss, "BATCH", SIZE)
    monkeypatch.setattr(test_agent_loss, "ACTIONS", ACTIONS)
    names = ("actions", "returns", "discounts", "recorded", "imitate", "weights", "rewards", "seeded", "equivalent")
    columns = {name: getattr(batch, name) for name in names} | {"one_step": batch.one_step_discounts}
    now, after = values(online, batch.stacks), values(target, batch.next_stacks)
    choosing = values(online, batch.next_stacks) if config.double_q else after
    following, following_choosing = after, after
    if config.one_step_weight:
        following = values(target, batch.following_stacks)
        following_choosing = values(online, batch.following_stacks)
    kernels = kernels_of(learner)
    return reference(config, now, after, choosing, following, following_choosing, columns, kernels)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_a_compiled_update_gives_the_loss_the_errors_and_the_priorities_of_plain_numpy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(**{"learning_rate": 1e-3, **VARIANTS[name]})
    learner = Learner(config, ACTIONS, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    learner.update(varied_batch(rng))  # so that target and online network differ
    batch = varied_batch(rng, config.bad_margin > 0.0)
    expected, errors = plain_update(learner, batch, monkeypatch)
    found = learner.update(batch)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found.td_errors, errors, rtol=1e-3, atol=1e-3)

    sampler = PrioritisedSampler(SIZE, config.priority_exponent, config.priority_bonus, config.seeded_priority_bonus)
    sources = rng.uniform(0.5, 2.0, SIZE)
    sampler.update_priorities(batch.slots, np.abs(found.td_errors), batch.imitate > 0, sources)
    for slot in range(SIZE):
        bonus = config.seeded_priority_bonus if batch.imitate[slot] > 0 else config.priority_bonus
        priority = sources[slot] * (abs(float(found.td_errors[slot])) + bonus) ** config.priority_exponent
        np.testing.assert_allclose(sampler.export(SIZE)["priority"][slot], priority, rtol=1e-5)


@pytest.mark.parametrize("clipped_to", [0.0, 0.05])
def test_an_update_clips_the_gradient_and_moves_the_weights_as_adam_does(clipped_to: float) -> None:
    config: TrainConfig = small_config(gradient_norm=clipped_to, learning_rate=1e-3, optimizer_epsilon=1e-4)
    learner = Learner(config, ACTIONS, np.random.default_rng(0))
    batch = varied_batch(np.random.default_rng(1))
    variables = learner.online.trainable_variables
    with tf.GradientTape() as tape:
        loss, _ = loss_of(config, learner.online, learner.target, tuple(map(tf.constant, batch_arrays(batch))))
    gradients = [np.asarray(gradient, np.float64) for gradient in tape.gradient(loss, variables)]
    before = [array_of(variable).astype(np.float64) for variable in variables]
    norm = np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    assert norm > 0.05
    learner.update(batch)
    for variable, old, gradient in zip(variables, before, gradients, strict=True):
        g = gradient * min(1.0, clipped_to / norm) if clipped_to else gradient
        mean, square = 0.1 * g, 0.001 * g**2  # Kingma and Ba 2015, end of section 2, at the first step
        step = 1e-3 * np.sqrt(1 - 0.999) / (1 - 0.9)
        np.testing.assert_allclose(
            array_of(variable), old - step * mean / (np.sqrt(square) + 1e-4), rtol=1e-3, atol=2e-6
        )


def test_fused_adam_makes_the_same_updates_as_keras_adam() -> None:
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((7, 5), (5,))]
    weights, moments = [], []
    for kind in (FusedAdam, keras.optimizers.Adam):
        drawn, optimizer = np.random.default_rng(1), kind(1e-2, epsilon=1e-4)
        variables = [keras.Variable(array) for array in start]
        optimizer.build(variables)
        for _ in range(20):
            optimizer.apply([tf.constant(drawn.normal(size=array.shape), tf.float32) for array in start], variables)
        weights.append([array_of(variable) for variable in variables])
        moments.append({variable.path: array_of(variable) for variable in optimizer.variables[2:]})
    for fused, kerass, before in zip(*weights, start, strict=True):
        assert np.abs(kerass - before).mean() > 0.01
        np.testing.assert_allclose(fused, kerass, rtol=1e-4, atol=1e-6)
    for fused, kerass in zip(*(found.values() for found in moments), strict=True):
        np.testing.assert_allclose(fused, kerass, rtol=1e-4, atol=1e-7)
