"""Losses, targets and returns against plain loops."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from agent import loss
from agent.config import TrainConfig, preset
from agent.loss import loss_of
from agent.quiet_keras import keras
from agent.returns import REWARDS, UNKNOWN, discounted_returns, n_step_return

BATCH, ACTIONS = 16, 5


def rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=(BATCH, *shape)).astype(np.float32)


def quantile_huber(taken: np.ndarray, targets: np.ndarray) -> float:
    """Loss of N quantiles against N targets, one by one (Dabney et al. 2018, equations 9 and 10, kappa 1)."""
    total = 0.0
    for i, quantile in enumerate(taken):
        level = (2 * i + 1) / (2 * len(taken))
        for target in targets:
            u = float(target - quantile)
            size = 0.5 * u**2 if abs(u) <= 1.0 else abs(u) - 0.5
            total += abs(level - (u < 0)) * size / len(targets)
    return total


def reference(
    config: TrainConfig,
    outputs: np.ndarray,
    next_target: np.ndarray,
    next_online: np.ndarray,
    following_target: np.ndarray,
    following_online: np.ndarray,
    batch: dict[str, np.ndarray],
    kernels: list[np.ndarray],
) -> tuple[float, np.ndarray]:
    """Loss and TD errors of a batch, written out row by row from the papers.

    outputs and those of the next states: values (B, A), or quantiles (B, A, N) of which the values are the means.
    """
    total, errors = 0.0, []
    values = outputs.mean(axis=2) if config.quantiles else outputs
    for row in range(BATCH):
        action, q = int(batch["actions"][row]), values[row]
        recorded = float(batch["recorded"][row])

        def td(
            summed: float, factor: float, target: np.ndarray, online: np.ndarray, row: int = row, action: int = action,
            recorded: float = recorded,
        ) -> tuple[float, float]:  # fmt: skip
            choosing = online if config.double_q else target
            best = int(np.argmax(choosing.mean(axis=1) if config.quantiles else choosing))
            y = summed + factor * target[best]
            if config.bound_by_return and not (config.bound_returns == "own" and batch["seeded"][row]):
                y = y + max(recorded - y.mean(), 0.0) if config.quantiles else max(y, recorded)
            taken = outputs[row, action]
            delta = float(np.mean(y) - np.mean(taken))
            if config.quantiles:
                return quantile_huber(taken, y), delta
            if config.td_loss == "squared" or abs(delta) <= 1.0:
                return 0.5 * delta**2, delta
            return abs(delta) - 0.5, delta

        each, delta = td(batch["returns"][row], batch["discounts"][row], next_target[row], next_online[row])
        errors.append(delta)
        if config.one_step_weight:
            single = batch["rewards"][row], batch["one_step"][row], following_target[row], following_online[row]
            each += config.one_step_weight * td(*single)[0]
        imitate = float(batch["imitate"][row])
        bits = int(batch["equivalent"][row]) if config.equivalent_actions else 0
        alike = {action} | {a for a in range(ACTIONS) if bits >> a & 1}
        right = max(q[a] for a in alike)
        others = [q[a] + (config.margin if a not in alike else 0.0) for a in range(ACTIONS)]
        # A TD loss that is summed over quantiles grows with half their number for each unit of the value.
        scale = config.quantiles / 2.0 if config.quantiles else 1.0
        if not (config.imitate_above_value and np.isfinite(recorded) and recorded <= q[action]):
            each += scale * config.margin_weight * max(imitate, 0.0) * (max(others) - right)
        if config.bad_margin and len(alike) < ACTIONS:
            best_other = max(q[a] for a in range(ACTIONS) if a not in alike)
            each += scale * max(-imitate, 0.0) * max(0.0, right + config.bad_margin - best_other)
        counted = [max(q[a], recorded) if config.calibrate and a not in alike else q[a] for a in range(ACTIONS)]
        soft_maximum = np.log(np.exp(np.array(counted, np.float64)).sum())
        demonstrated = np.log(np.exp(np.array([q[a] for a in alike], np.float64)).sum())
        each += scale * config.conservative_weight * max(imitate, 0.0) * (soft_maximum - demonstrated)
        total += batch["weights"][row] * each / BATCH
    total += config.l2_weight * sum(float((kernel.astype(np.float64) ** 2).sum()) for kernel in kernels)
    return total, np.array(errors)


class _Table:
    """Stands for a network: looks the values of numbered states up."""

    def __init__(self, values: dict[int, np.ndarray], kernels: list[np.ndarray]) -> None:
        self._values = values
        self.trainable_variables = [keras.Variable(k, name="kernel") for k in kernels]
        for variable in self.trainable_variables:
            variable._path = "layer/kernel"

    def __call__(self, state: int, training: bool) -> Any:  # noqa: ARG002 - a network's signature
        return keras.ops.convert_to_tensor(self._values[state])


VARIANTS = {
    "nature": preset("nature"),
    "tutorial": preset("tutorial"),
    "default": preset("default"),
    "dqfd": preset("dqfd"),
    "margin alone": dataclasses.replace(preset("nature"), margin_weight=0.7, margin=0.5),
    "one-step alone": dataclasses.replace(preset("nature"), n_steps=5, one_step_weight=0.6),
    "L2 alone": dataclasses.replace(preset("nature"), l2_weight=1e-3),
    "double alone": dataclasses.replace(preset("nature"), double_q=True),
    "conservative": dataclasses.replace(preset("nature"), conservative_weight=0.4),
    "bound alone": dataclasses.replace(preset("nature"), bound_by_return=True),
    "quantiles": dataclasses.replace(preset("nature"), quantiles=7),
    "quantiles with all the rest": dataclasses.replace(
        preset("default"), quantiles=7, one_step_weight=0.5, l2_weight=1e-3, conservative_weight=0.4, bad_margin=0.6
    ),
    "bounds of own steps alone": dataclasses.replace(preset("default"), bound_returns="own"),
    "imitation above the value": dataclasses.replace(preset("default"), imitate_above_value=True),
    "calibrated": dataclasses.replace(preset("nature"), conservative_weight=0.4, calibrate=True),
    "both, own steps bounded": dataclasses.replace(
        preset("default"), imitate_above_value=True, conservative_weight=0.4, calibrate=True, bound_returns="own"
    ),
    "bad margin": dataclasses.replace(preset("default"), bad_margin=0.6),
    "equivalent actions": dataclasses.replace(preset("default"), equivalent_actions=True),
    "equivalent actions with all the rest": dataclasses.replace(
        preset("default"), equivalent_actions=True, bad_margin=0.6, conservative_weight=0.4, calibrate=True
    ),
}


@pytest.mark.parametrize("name", list(VARIANTS))
def test_the_loss_and_the_td_errors_equal_a_plain_reference(name: str) -> None:
    config = VARIANTS[name]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        q, next_target, next_online, following_target, following_online = (
            2 * rows(rng, ACTIONS, *([config.quantiles] if config.quantiles else [])) for _ in range(5)
        )
        recorded = 3 * rows(rng)
        recorded[::3] = UNKNOWN
        batch = {
            "actions": rng.integers(ACTIONS, size=BATCH).astype(np.int32),
            "returns": rows(rng),
            "discounts": (rng.random(BATCH) * (rng.random(BATCH) > 0.3)).astype(np.float32),
            "recorded": recorded,
            "imitate": rng.integers(-1 if config.bad_margin else 0, 2, BATCH).astype(np.float32),
            "weights": rng.random(BATCH).astype(np.float32),
            "rewards": rows(rng),
            "one_step": rng.random(BATCH).astype(np.float32),
            "seeded": np.arange(BATCH) % 2 == 0,
            "equivalent": rng.choice([0, 2**ACTIONS - 1, *range(2**ACTIONS)], BATCH).astype(np.int32),
        }
        kernels = [rng.normal(size=(3, 4)).astype(np.float32)]
        expected, errors = reference(
            config, q, next_target, next_online, following_target, following_online, batch, kernels
        )
        online = _Table({0: q, 1: next_online, 2: following_online}, kernels)
        target = _Table({1: next_target, 2: following_target}, [])
        found, (td_errors, mean_value) = loss_of(
            config,
            online,
            target,
            (
                0,
                batch["actions"],
                batch["returns"],
                batch["discounts"],
                1,
                batch["recorded"],
                batch["imitate"],
                batch["weights"],
                batch["rewards"],
                batch["one_step"],
                2,
                batch["seeded"],
                batch["equivalent"],
            ),
        )
        np.testing.assert_allclose(float(found), expected, rtol=1e-5)
        np.testing.assert_allclose(np.asarray(td_errors), errors, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            float(mean_value), q[np.arange(BATCH), batch["actions"]].mean(), rtol=1e-4, atol=1e-5
        )


def test_an_action_beyond_the_margin_has_no_loss() -> None:
    q = np.array([[0.0, 0.81, 0.0]], np.float32)
    cost = loss.margin_losses(keras.ops.convert_to_tensor(q), np.array([1]), np.array([1.0], np.float32), 0.8)
    assert float(cost[0]) == 0.0


def test_nothing_is_imitated_where_all_actions_have_the_same_effect() -> None:
    q, actions, ones = np.array([[0.0, 2.0, -1.0]], np.float32), np.array([2]), np.array([1.0], np.float32)
    alike = loss.same_effect(np.array([0b111], np.int32), actions, 3)
    assert float(loss.margin_losses(q, actions, ones, 0.8, alike)[0]) == 0.0
    assert float(loss.bad_margin_losses(q, actions, ones, 0.8, alike)[0]) == 0.0
    assert abs(float(loss.conservative_losses(q, actions, ones, None, alike)[0])) < 1e-6


def test_one_of_several_equivalent_actions_is_enough() -> None:
    q, actions, ones = np.array([[0.0, 2.0, -1.0]], np.float32), np.array([2]), np.array([1.0], np.float32)
    alike = loss.same_effect(np.array([0b110], np.int32), actions, 3)
    assert float(loss.margin_losses(q, actions, ones, 0.8, alike)[0]) == 0.0
    assert float(loss.margin_losses(q, actions, ones, 0.8)[0]) == pytest.approx(3.8)


@pytest.mark.parametrize(("name", "expected"), [("sign", [-1, 0, 1]), ("points", [-5, 0, 200])])
def test_points_become_rewards(name: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(REWARDS[name](np.array([-5.0, 0.0, 200.0], np.float32)), expected)


def test_logarithmic_rewards_are_those_of_hester() -> None:
    np.testing.assert_allclose(REWARDS["root"](np.array([-4.0, 0.0, 15_000.0])), [-0.2, 0.0, np.sqrt(150.0)])
    np.testing.assert_allclose(REWARDS["log"](np.array([-5.0, 30.0])), [-np.log(6.0), np.log(31.0)])


def test_recorded_returns_end_where_the_return_ends_and_are_unknown_without_an_end() -> None:
    rewards = np.array([1, 2, 4, 8, 16], np.float32)
    ends = np.array([False, True, False, True, False])
    found = discounted_returns(rewards, ends, 0.5)
    np.testing.assert_allclose(found, [2.0, 2.0, 8.0, 8.0, UNKNOWN])


def test_an_n_step_return_discounts_later_rewards_more() -> None:
    assert n_step_return(np.array([1.0, 2.0, 4.0]), 0.5) == 3.0
