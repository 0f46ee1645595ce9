"""The training of the agent that is supplied, and how its weights get into the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import coach
from agent.array_file import write_arrays
from agent.config_options import config_from_arguments
from agent.evaluation import summarise
from agent.network import weight_shapes
from agent.player import load_agent_weights
from benchmarks import teacher_card, teacher_page
from benchmarks.teacher import SETTINGS, STEPS, training_arguments
from data.errors import CoachError
from data.library import Library
from data.runs import RunFolder, run_summary


def test_the_first_call_starts_a_training_with_the_settings_and_the_next_continues_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    options = coach.build_parser().parse_args(training_arguments(library, "SpaceInvaders", None, 1))
    config = config_from_arguments(options)
    assert {name: getattr(config, name) for name in SETTINGS} == SETTINGS
    assert (options.run_name, config.game, config.steps, config.seed_from) == ("teacher", "SpaceInvaders", STEPS, ())
    RunFolder(library.run_folder("teacher")).create({}, ("NOOP",))
    resumed = coach.build_parser().parse_args(training_arguments(library, "SpaceInvaders", 20_000_000, 1))
    assert (resumed.resume, resumed.steps) == (True, 20_000_000)
    assert "teacher-Breakout" in training_arguments(library, "Breakout", None, 1)


def test_the_package_gets_the_weights_as_they_are_evaluated_with_a_card_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher_card, "CHECK_FRAMES", 40)
    monkeypatch.setitem(
        teacher_card.PROTOCOLS,
        "nature",
        teacher_card.dataclasses.replace(teacher_card.PROTOCOLS["nature"], max_frames=80),
    )
    options = coach.build_parser().parse_args(training_arguments(Library(tmp_path), "SpaceInvaders", None, 1))
    options.hidden_units = 8
    config = config_from_arguments(options)
    meanings = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")
    run = RunFolder(tmp_path / "run")
    run.create(teacher_card.dataclasses.asdict(config), meanings)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.05, shape).astype(np.float32) for name, shape in weight_shapes(config, 6).items()}
    write_arrays(run.best, {**weights, "step": np.array(100_000)})
    rows = [{"protocol": "nature", "step": s, "episodes": 1, "mean": 9.0, "low": 9.0, "high": 9.0} for s in (0, 10**6)]
    run.evaluations.write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{teacher_page.BEGIN}\nold\n{teacher_page.END}\nafter\n")
    made = teacher_card.package(run.path, "best", 2, 1, "a machine", tmp_path / "supplied", page, tmp_path)
    folder = RunFolder(made)
    card = json.loads((made / "card.json").read_text())
    assert (card["steps"], card["updates"], card["machine"]) == (100_000, 22_500, "a machine")
    stored = load_agent_weights(folder).weights
    assert all(np.allclose(stored[name], weights[name], atol=1e-3) for name in weights)
    assert any((stored[name] != weights[name]).any() for name in weights), "those of float16 are evaluated"
    assert [row["step"] for row in map(json.loads, folder.evaluations.read_text().splitlines())] == [0, 100_000]
    assert run_summary(folder).step == 100_000
    assert page.read_text().startswith("before\n") and page.read_text().endswith("after\n")
    assert card["sha256"] in page.read_text() and "old" not in page.read_text()
    assert (tmp_path / "trained-agent-curve.png").is_file()


def test_the_better_of_the_best_and_the_last_weights_are_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path / "runs" / "teacher")
    run.checkpoints.mkdir(parents=True)
    assert teacher_card.better_weights(run) == "last", "it was not evaluated during training"
    run.best.touch()
    assert teacher_card.better_weights(run) == "best", "it has no checkpoint"
    (run.checkpoints / "00000001").mkdir()
    for best, last, expected in ((250.0, 300.0, "last"), (300.0, 250.0, "best")):
        found = {
            weights: summarise("teacher", "nature", [mean], 0.0, 1)
            for weights, mean in (("best", best), ("last", last))
        }
        monkeypatch.setattr(teacher_card, "evaluate", lambda *options, found=found: found[options[-1]])
        assert teacher_card.better_weights(run) == expected
    run.path.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(CoachError, match="not in a library's folder"):
        teacher_card.better_weights(RunFolder(tmp_path / "elsewhere" / "teacher"))
