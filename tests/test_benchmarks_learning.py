"""The study of learning: what is still to be trained, that a stopped training continues, and the page that is made."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

from agent.config import TrainConfig
from benchmarks import agent_parts, learning_ours, learning_report, minutes_to_score
from benchmarks.learning_study import ARMS, Evaluated, Result, missing, read_results
from data.library import Library
from data.run_curves import read_evaluations
from data.runs import RunFolder


def result(arm: str, seed: int, mean: float) -> Result:
    rng = np.random.default_rng(seed)
    points = tuple(
        Evaluated(step, tuple(rng.normal(mean + step / 1000, 50, 30).round().tolist())) for step in (0, 25_000)
    )
    return Result(arm, seed, 100_000, {"seed": seed}, points, 3000.0, "a machine")


def test_a_finished_training_is_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    assert missing(tmp_path)[:4] == [("seeded", 0), ("unseeded", 0), ("sb3", 0), ("seeded", 1)]
    kept = result("seeded", 0, 300)
    kept.write(tmp_path)
    assert read_results(tmp_path) == [kept]
    assert ("seeded", 0) not in missing(tmp_path)
    assert len(missing(tmp_path)) == 3 * len(ARMS) - 1


@pytest.mark.timeout(900)
def test_a_stopped_training_continues_and_has_a_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="planner")

    def small(_arm: str, seed: int, steps: int, _plan: learning_ours.Plan) -> TrainConfig:
        return small_config(
            seed=seed, steps=steps, seed_from=("planner",), evaluate_every=32, evaluation_episodes=1, threads=1
        )

    monkeypatch.setattr(learning_ours, "settings_of", small)
    stop = threading.Event()
    stop.set()
    assert learning_ours.run("seeded", 1, library, 64, stop) is None
    stop.clear()
    found = learning_ours.run("seeded", 1, library, 64, stop)
    assert found is not None
    assert [evaluated.step for evaluated in found.evaluations] == [0, 32, 64]
    assert all(len(evaluated.scores) == 1 for evaluated in found.evaluations)
    assert found.settings["hidden_units"] == 16
    seconds = [evaluated.seconds or 0.0 for evaluated in found.evaluations]
    assert 0 < seconds[0] < seconds[1] < seconds[2]
    saved = json.loads(learning_ours.clock_path(library, "seeded-1").read_text())
    evaluating = sum(row["seconds"] for row in read_evaluations(RunFolder(library.run_folder("seeded-1"))))
    assert seconds[2] == pytest.approx(saved["elapsed"] - evaluating), "evaluations do not count"
    assert minutes_to_score.evaluations("seeded", 1, tmp_path.parent) == ()


def test_the_page_gets_its_table_and_keeps_the_rest_of_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, results = tmp_path / "learning.md", tmp_path / "learning"
    page.write_text(f"before\n{learning_report.BEGIN}\nold\n{learning_report.END}\nafter\n")
    for name, value in (("PAGE", page), ("PLOT", results / "learning.png"), ("RESULTS", results)):
        monkeypatch.setattr(learning_report, name, value)
    for one in (result("seeded", 0, 300), result("seeded", 1, 320), result("sb3", 0, 150)):
        one.write(results)
    monkeypatch.setattr(learning_report, "read_results", lambda: read_results(results))
    monkeypatch.setattr(learning_report, "missing", lambda: missing(results))
    learning_report.draw(read_results(results), learning_report.PLOT)
    monkeypatch.setattr(learning_report, "draw", lambda _: None)
    learning_report.write_report()
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| seeded by 15 minutes of the planner's play | 2 | 3" in text
    assert "![Points over own steps](learning/learning.png)" in text
    assert "seeded-2" in text, "what is still to be trained is said"
    assert learning_report.PLOT.stat().st_size > 5000


def test_the_speed_page_gets_its_report_and_keeps_the_rest_of_its_text(tmp_path: Path) -> None:
    page = tmp_path / "speed.md"
    page.write_text(f"before\n{agent_parts.BEGIN}\nold\n{agent_parts.END}\nafter\n")
    updates = {"default": 30.0, "first-default": 75.0, "sb3": 40.0}
    row = {"steps_per_second": 90.0, "milliseconds": {"learning": 30.0}, "shares": {"learning": 0.86}}
    side = {"steps_per_second": 45.0, "sampling": 0.5, "learning": 50.0, "bytes_a_transition": 56_000.0}
    report = {"machine": "a machine", "load": 0.1, "rounds": 3, "nature": row, "default": row}
    beside = {"ours": {**side, "steps_per_second": 90.0}, "sb3": side, "cleanrl": side}
    agent_parts.write_page(agent_parts.report_lines({**report, "beside": beside, "updates": updates}), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "86.0 % of a step" in text
    assert "first-default         75.0 ms   default / first-default: 0.40" in text
    assert "default / Stable-Baselines3: 0.75" in text
    line = [line for line in text.splitlines() if "Stable-Baselines3" in line][-1]
    assert line.split()[-1] == "2.00", "how many times as fast ours is"


def test_the_minutes_to_a_score_are_those_of_two_evaluations_in_a_row_that_have_it(tmp_path: Path) -> None:
    def rows(*means: float) -> list[dict[str, Any]]:
        return [{"step": 5_000 * n, "scores": [m - 1, m + 1], "seconds": 60.0 * n + 9} for n, m in enumerate(means)]

    (tmp_path / "sb3-0").mkdir()
    (tmp_path / "sb3-0" / "state.json").write_text(json.dumps({"evaluations": rows(350, 252, 200, 230, 270)}))
    options = argparse.Namespace(points=250.0, seeds=[0], episodes=2)
    lines = minutes_to_score.report_lines(options, tmp_path)
    assert lines[-2].endswith("not measured")
    assert lines[-1].endswith("4.0 minutes, 20,000 steps: 250 points")
    options.points = 300.0
    assert minutes_to_score.report_lines(options, tmp_path)[-1].endswith("4.0 minutes, 20,000 steps; best: 250 points")
    found = minutes_to_score.evaluations("sb3", 0, tmp_path)
    assert minutes_to_score.is_finished(250.0, 100_000, found)
    assert minutes_to_score.is_finished(300.0, 20_000, found)
    assert not minutes_to_score.is_finished(300.0, 100_000, found)
