"""The progress that a training reports."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agent import progress
from agent.config import TrainConfig
from agent.progress import ProgressReporter
from data.run_progress import Progress


def test_the_first_update_which_compiles_is_left_out_of_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    reports: list[Progress] = []
    reporter = ProgressReporter(reports.append)
    reporter.start_phase("pretraining", 0, 100)
    for step, seconds in ((1, 20.0), (11, 1.0), (100, 9.0)):
        now += seconds
        reporter.stepped(step)
    assert [progress.seconds_left for progress in reports] == [None, pytest.approx(8.9), 0.0]


def test_one_share_and_one_time_left_cover_the_whole_training(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    config = TrainConfig(
        seed_from=("human",), pretrain_steps=100, steps=400, train_every=4, evaluate_every=200, evaluation_episodes=10
    )
    reports: list[Progress] = []
    reporter = ProgressReporter(reports.append, config)
    trainer = SimpleNamespace(config=config, pretrained=0, step=0, recent_scores=(), epsilon=0.1, episodes=0)
    trainer.batches = SimpleNamespace(newest_seeded_share=0.5)
    trainer.pretraining_ended, trainer.held_out = False, None

    def run(phase: str, total: int, steps: list[int], seconds: float) -> None:
        nonlocal now
        reporter.start_phase(phase, 0, total)
        for step in steps:
            now += seconds
            if phase in ("pretraining", "training"):
                setattr(trainer, "pretrained" if phase == "pretraining" else "step", step)
            reporter.stepped(step)

    run("filling", 5000, [0, 2500, 5000], 1)
    reporter.trainer = trainer  # type: ignore[assignment]
    run("pretraining", 100, [50, 100], 5)
    run("evaluating", 10, [5, 10], 5)
    assert reports[-1].run_seconds_left == pytest.approx(100 / 10 + 20 / 1)  # 100 updates and 20 episodes
    run("training", 400, [100, 200], 3)
    run("evaluating", 10, [5, 10], 5)
    run("training", 400, [300, 400], 3)
    run("evaluating", 10, [5, 10], 5)
    shares = [report.run_share for report in reports]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert 0.0 <= shares[0] < 0.01  # type: ignore[operator]
    assert (shares[-1], reports[-1].run_seconds_left) == (1.0, 0.0)
