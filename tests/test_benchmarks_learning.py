"""The study of learning: what is still to be trained, that a stopped training continues, and the page that is made."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

from agent.config import TrainConfig
from benchmarks import agent_parts, learning_ours, learning_report
from benchmarks.learning_study import ARMS, Evaluated, Result, missing, read_results
from data.library import Library


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

    def small(_arm: str, seed: int, steps: int) -> TrainConfig:
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
    row = {"steps_per_second": 90.0, "milliseconds": {"learning": 30.0}, "shares": {"learning": 0.86}}
    side = {"steps_per_second": 45.0, "sampling": 0.5, "learning": 50.0, "bytes_a_transition": 56_000.0}
    report = {"machine": "a machine", "load": 0.1, "rounds": 3, "nature": row, "default": row}
    beside = {"ours": {**side, "steps_per_second": 90.0}, "sb3": side, "cleanrl": side}
    agent_parts.write_page(agent_parts.report_lines({**report, "beside": beside}), page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "86.0 % of a step" in text
    [line] = [line for line in text.splitlines() if "Stable-Baselines3" in line]
    assert line.split()[-1] == "2.00", "how many times as fast ours is"
