"""The agent that is installed with the program: it plays as its card says, and is stored as promised."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.config import preset, run_config
from agent.player import LoadedAgent, load_agent_weights
from benchmarks.teacher_card import check_scores, packed, rounded
from commands.transfer import transfer_base
from data.errors import CoachError
from data.library import Library
from data.run_curves import read_curves
from data.runs import SUPPLIED_RUNS, open_run, supplied_games, supplied_runs

ROOT = Path(__file__).parent.parent
FOLDER = SUPPLIED_RUNS / "teacher"
CARD: dict[str, Any] = json.loads((FOLDER / "card.json").read_text())


@pytest.fixture(scope="module")
def agent() -> LoadedAgent:
    return load_agent_weights(open_run(Library("no such library"), "teacher"))


def test_it_plays_three_episodes_as_its_card_says(agent: LoadedAgent) -> None:
    assert check_scores(agent) == CARD["check"]["scores"]


def test_another_agent_plays_otherwise(agent: LoadedAgent) -> None:
    weights = agent.weights | {"advantage_output/kernel": -agent.weights["advantage_output/kernel"]}
    assert check_scores(replace(agent, weights=weights)) != CARD["check"]["scores"]


def test_the_card_describes_the_file_of_weights() -> None:
    content = (FOLDER / CARD["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == CARD["sha256"]
    assert len(content) == CARD["bytes"] <= 3_000_000
    with np.load(FOLDER / CARD["file"], allow_pickle=False) as file:
        arrays = [file[name] for name in file.files]
    assert {array.dtype for array in arrays} == {np.dtype(np.float16)}
    assert sum(array.size for array in arrays) == CARD["parameters"]
    assert CARD["licence"].startswith("MIT")


def test_the_lists_show_the_score_of_its_card() -> None:
    [run] = [run for run in supplied_runs(Library("no such library")) if run.name == "teacher"]
    result = CARD["evaluation"]
    assert result["episodes"] == len(result["scores"]) >= 100
    assert run.mean_score == pytest.approx(result["mean"], abs=0.06)
    assert (run.step, run.game, run.supplied, run.can_resume) == (CARD["steps"], CARD["game"], True, False)
    assert supplied_games() == {CARD["game"]}
    last = read_curves(open_run(Library("no such library"), "teacher")).evaluations[-1]
    assert last.mean == pytest.approx(run.mean_score)


def test_the_guide_has_the_newest_card() -> None:
    page = (ROOT / "docs" / "trained-agent.md").read_text()
    assert CARD["sha256"] in page
    assert f"**{CARD['evaluation']['mean']:,.1f} points**" in page


def test_loading_it_needs_no_tensorflow() -> None:
    code = (
        "import sys; from agent.player import load_player; from data.library import Library; "
        "load_player(Library('none'), 'teacher'); print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_as_few_bits_are_rounded_away_as_make_the_weights_fit() -> None:
    weights = {"a": np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)}
    whole, bits = packed(weights)
    assert bits == 10
    smaller, bits = packed(weights, len(whole) - 500)
    assert bits < 10
    assert len(smaller) <= len(whole) - 500
    with pytest.raises(CoachError, match="even with 6 bits"):
        packed(weights, 100)


def test_rounding_goes_to_the_nearest_number_and_refuses_what_float16_cannot_hold() -> None:
    numbers = np.array([1.0, 1.9999, -0.3, 0.0], np.float32)
    assert rounded(numbers, 6).tolist() == [1.0, 2.0, -0.30078125, 0.0]
    with pytest.raises(CoachError, match="not finite"):
        rounded(np.array([1e6]), 10)


def test_a_transfer_takes_over_the_network_and_not_the_schedules_of_days_of_training() -> None:
    base = transfer_base(argparse.Namespace(from_run="teacher"), Library("no such library"))
    theirs = run_config(open_run(Library("no such library"), "teacher"))
    assert (base.game, base.network, base.dueling) == ("SpaceInvaders", theirs.network, theirs.dueling)
    assert (base.memory_size, base.learn_from_step) == (
        preset("default").memory_size,
        preset("default").learn_from_step,
    )
