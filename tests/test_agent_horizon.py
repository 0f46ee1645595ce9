"""The horizon of the returns, which changes with the updates."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from agent_episodes import record_episode, small_config

import agent.trainer
from agent.config import TrainConfig, preset
from agent.horizon import Horizon, horizon_at
from agent.training import train
from data.library import Library

LIKE_BBF = {"n_steps": 3, "n_steps_start": 10, "discount": 0.997, "discount_start": 0.97, "horizon_updates": 10_000}


def test_without_first_values_the_memory_decides() -> None:
    assert all(horizon_at(preset("default"), updates) is None for updates in (0, 5_000, 10**6))


def test_steps_and_discount_change_exponentially_and_then_stay() -> None:
    config = dataclasses.replace(preset("default"), **LIKE_BBF)
    found = {updates: horizon_at(config, updates) for updates in (0, 5_000, 10_000, 50_000)}
    assert found[0] == Horizon(10, pytest.approx(0.97))
    # Half of the way is the geometric mean: sqrt(10 * 3) steps, 1 - sqrt(0.03 * 0.003).
    assert found[5_000] == Horizon(5, pytest.approx(0.990513, abs=1e-6))
    assert found[10_000] == found[50_000] == Horizon(3, pytest.approx(0.997))


def test_a_horizon_that_grows_ends_as_that_of_the_memory() -> None:
    config = dataclasses.replace(preset("default"), n_steps=5, n_steps_start=1, discount_start=0.9)
    assert config.most_n_steps == 5
    assert horizon_at(config, 0) == Horizon(1, pytest.approx(0.9))
    assert horizon_at(config, config.horizon_updates) is None


def test_a_discount_of_one_is_there_at_once() -> None:
    config = dataclasses.replace(preset("default"), discount=1.0, discount_start=0.5, n_steps_start=10)
    assert horizon_at(config, 0) == Horizon(10, 1.0)


def test_each_update_has_the_horizon_of_its_number_since_the_last_reset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="human")
    asked = []

    def horizon(config: TrainConfig, updates: int) -> Horizon | None:
        asked.append(updates)
        return horizon_at(config, updates)

    monkeypatch.setattr(agent.trainer, "horizon_at", horizon)
    config = small_config(seed_from=("human",), pretrain_steps=2, steps=40, n_steps_start=6, reset_every=4)
    summary = train(library, "short", config)
    own = summary.updates - 2
    assert own > 4
    assert asked == [0, 0, *(number % 4 for number in range(own))]
