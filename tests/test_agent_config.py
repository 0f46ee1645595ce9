"""A training's configuration: validation, presets, options."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from agent.config import ADDED_LATER, TrainConfig, preset
from agent.config_options import add_train_arguments, config_from_arguments
from agent.presets import PRESETS
from data.errors import CoachError


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_train_arguments(parser)
    return parser.parse_args(list(options))


def test_a_negative_number_of_steps_is_refused_in_one_sentence() -> None:
    with pytest.raises(CoachError, match=r"^--steps must be at least 0, not -1\.$"):
        config_from_arguments(parsed("--steps", "-1"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("discount", 1.5),
        ("discount", float("nan")),
        ("stack", 0),
        ("keep", "best"),
        ("seed_share", True),
        ("steps", 1.5),
    ],
)
def test_a_value_out_of_range_or_of_the_wrong_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(CoachError, match=f"--{name.replace('_', '-')} must be"):
        dataclasses.replace(TrainConfig(), **{name: value})


def test_unset_options_leave_the_presets_values() -> None:
    config = config_from_arguments(parsed("--preset", "tutorial", "--steps", "5", "--no-double-q"))
    assert (config.steps, config.discount, config.memory_size) == (5, 0.95, 40_000)


def test_sources_are_collected_in_order() -> None:
    config = config_from_arguments(parsed("--seed-from", "human", "--seed-from", "random:50"))
    assert config.seed_from == ("human", "random:50")


def test_a_resumed_runs_configuration_is_the_base_of_its_options() -> None:
    base = dataclasses.replace(preset("nature"), seed=7)
    assert config_from_arguments(parsed("--steps", "9"), base) == dataclasses.replace(base, steps=9)


def test_every_option_says_what_it_is() -> None:
    parser = argparse.ArgumentParser()
    add_train_arguments(parser)
    assert all(action.help for action in parser._actions)
    assert "--evict-seed" in parser.format_help()


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"default"}))
def test_a_preset_of_a_paper_depends_on_no_default_of_learning(name: str) -> None:
    of_the_run = {"game", "seed", "seed_from", "keep", "steps", "deterministic", "threads"}
    reported = {"evaluation_episodes", "checkpoint_every"}
    settings = {item.name for item in dataclasses.fields(TrainConfig)}
    assert set(PRESETS[name]) == settings - of_the_run - reported


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_configuration_survives_json(name: str) -> None:
    config = dataclasses.replace(preset(name), seed_from=("human", "random:10"))
    assert TrainConfig.from_json(config.to_json()) == config


def test_a_configuration_of_an_older_version_keeps_the_behaviour_that_it_had() -> None:
    saved = json.loads(TrainConfig(network="small", quantiles=8, bad_margin=1.0).to_json())
    older = {name: value for name, value in saved.items() if name not in ADDED_LATER}
    read = TrainConfig.from_json(json.dumps(older))
    assert (read.network, read.quantiles, read.bad_margin) == ("nature", 0, 0.0)


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"quantiles": 8, "td_loss": "squared"}, "--quantiles needs --td-loss huber"),
        ({"calibrate": True}, "--calibrate needs --conservative-weight above 0"),
        ({"imitate_above_value": True, "margin_weight": 0.0}, "--imitate-above-value needs --margin-weight above 0"),
    ],
)
def test_a_setting_without_the_one_that_it_needs_is_refused(changes: dict[str, Any], needed: str) -> None:
    with pytest.raises(CoachError, match=needed):
        TrainConfig(**changes)


def test_a_saved_configuration_with_unknown_settings_is_refused() -> None:
    with pytest.raises(CoachError, match="unknown settings: colour"):
        TrainConfig.from_json('{"colour": 1}')


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CoachError, match=r"natur.*default, nature.*Did you mean nature"):
        preset("natur")


def test_reading_a_configuration_imports_no_keras() -> None:
    code = (
        "import agent.config, agent.seeding, agent.player, agent.evaluation, agent.training, sys\n"
        "print('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_importing_keras_skips_its_unused_parts_and_leaves_them_importable() -> None:
    code = (
        "import agent.quiet_keras, sys\n"
        "print('tensorflow' in sys.modules, {'jax', 'matplotlib', 'pandas', 'sklearn'} & set(sys.modules))\n"
        "import matplotlib, pandas, sklearn.linear_model"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True set()"
