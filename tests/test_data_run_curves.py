"""The curves of a run, written by a training and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.run_log import RunLog
from data.run_curves import read_curves, running_mean
from data.runs import RunFolder

ROW = {"loss": 0.5, "mean_value": 1.5, "seeded_share": None, "epsilon": 0.1, "steps_per_second": 80.0}


def run_folder(path: Path) -> RunFolder:
    folder = RunFolder(path / "a")
    folder.tensorboard.mkdir(parents=True)
    return folder


def write(folder: RunFolder, steps: list[int], episodes: int = 0, at: int = 10**9) -> None:
    with RunLog(folder, "SpaceInvaders", episodes, 0, at) as log:
        for step in steps:
            log.trace({"step": step, **ROW})
            log.episode(100.0 + step, 50, 1.0)


def test_the_logs_of_a_run_are_read_as_curves(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    write(folder, [-2, 10, 20])
    curves = read_curves(folder)
    assert curves.trace["step"].tolist() == [-2, 10, 20]
    assert curves.trace["loss"].tolist() == [0.5] * 3
    assert np.isnan(curves.trace["seeded_share"]).all()
    assert curves.episode_steps.tolist() == [50, 100, 150]
    assert curves.episode_scores.tolist() == [98, 110, 120]


def test_a_resume_drops_rows_newer_than_the_checkpoint(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    write(folder, [-2, 10, 20, 30])
    write(folder, [20], episodes=2, at=15)
    curves = read_curves(folder)
    assert curves.trace["step"].tolist() == [-2, 10, 20]
    assert len(curves.episode_scores) == 3


@pytest.mark.parametrize("damage", [b"40,0.5,1.", b"garbage\n", b"1\n", b"\xff\xfe,,,,,\n"])
def test_incomplete_rows_are_left_out(tmp_path: Path, damage: bytes) -> None:
    folder = run_folder(tmp_path)
    write(folder, [10])
    for path in (folder.trace, folder.monitor, folder.evaluations):
        with path.open("ab") as file:
            file.write(damage)
    curves = read_curves(folder)
    assert (curves.trace["step"].tolist(), len(curves.episode_scores), curves.evaluations) == ([10], 1, ())


def test_a_run_without_files_has_empty_curves(tmp_path: Path) -> None:
    curves = read_curves(RunFolder(tmp_path / "none"))
    assert len(curves.running_mean) == len(curves.trace["loss"]) == 0


def test_the_running_mean_equals_numpys() -> None:
    values = np.random.default_rng(0).normal(size=100)
    expected = [values[max(0, n - 19) : n + 1].mean() for n in range(100)]
    assert running_mean(values, 20) == pytest.approx(np.array(expected))
