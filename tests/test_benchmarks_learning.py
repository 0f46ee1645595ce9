"""The study of learning: what is still to be trained, that a stopped training continues, and the page that is made."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

from agent.config import TrainConfig
from benchmarks import agent_parts, learning_design, learning_factors, learning_ours, learning_report, learning_trials
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
def test_a_training_that_was_stopped_goes_on_and_comes_to_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_every_trial_has_settings_that_are_possible_and_a_run_of_its_own(tmp_path: Path) -> None:
    library = Library(tmp_path)
    settings = {name: learning_trials.settings_of(name) for name in learning_trials.TRIALS}
    assert len(set(settings.values())) == len(settings)
    assert len({library.run_folder(learning_trials.run_name(name)) for name in settings}) == len(settings)


def test_the_design_mixes_no_setting_up_with_another_or_with_two_together() -> None:
    levels = 2 * learning_design.design() - 1
    assert len({tuple(row) for row in levels}) == 16
    assert (levels.T @ levels == 16 * np.eye(6)).all(), "each in half of the trainings, evenly beside each other"
    pairs = np.column_stack([levels[:, a] * levels[:, b] for a in range(6) for b in range(a)])
    assert (levels.T @ pairs == 0).all()


def test_effects_that_were_planted_are_found_and_the_intervals_hold_them() -> None:
    planted, rng = np.array([80.0, 0.0, -40.0, 0.0, 0.0, 20.0]), np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        points = 200 + learning_design.design() @ planted + rng.normal(0, 30, 16)
        rows: list[dict[str, Any]] = [{"index": index, "mean": mean} for index, mean in enumerate(points)]
        rng.shuffle(rows)  # type: ignore[arg-type]
        found = learning_design.effects(rows)
        assert [name for name, *_ in found] == list(learning_design.FACTORS)
        held += sum(low <= effect <= high for effect, (_, _, low, high) in zip(planted, found, strict=True))
    assert 0.935 <= held / 6000 <= 0.965
    exact = [{"index": index, "mean": mean} for index, mean in enumerate(learning_design.design() @ planted)]
    np.testing.assert_allclose([effect for _, effect, _, _ in learning_design.effects(exact)], planted, atol=1e-9)


@pytest.mark.timeout(900)
def test_one_training_of_the_design_comes_to_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record_episode(Library(tmp_path / "library"), 400, kind="planner")
    real = learning_factors.settings_of(15)
    assert (real.train_every, real.n_steps, real.seed_share, real.dueling, real.reward) == (1, 10, 0.1, True, "log")

    def small(index: int) -> TrainConfig:
        return small_config(seed=index, steps=64, seed_from=("planner",), threads=1)

    monkeypatch.setattr(learning_factors, "settings_of", small)
    monkeypatch.setattr(learning_factors, "EPISODES", 2)
    row = learning_factors.train_one(3, 600.0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["library"]
    assert (row["index"], row["steps"], row["episodes"]) == (3, 64, 2)
    assert row["low"] <= row["mean"] <= row["high"]


def test_the_page_gets_its_table_and_keeps_what_was_written_by_hand(
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


def test_the_speed_page_gets_its_report_and_keeps_what_was_written_by_hand(tmp_path: Path) -> None:
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
