"""A run's files read as curves, and the picture of its game for whoever looks on."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from agent.run_log import RunLog
from data.errors import CoachError
from data.live_view import FRESH_SECONDS, LiveView, read_picture, request_pictures
from data.run_curves import read_curves, running_mean
from data.runs import RunFolder
from data.simulation import Emulator

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


def test_what_a_run_logs_is_read_as_curves(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    write(folder, [-2, 10, 20])
    curves = read_curves(folder)
    assert curves.trace["step"].tolist() == [-2, 10, 20]
    assert curves.trace["loss"].tolist() == [0.5] * 3
    assert np.isnan(curves.trace["seeded_share"]).all()
    assert curves.episode_steps.tolist() == [50, 100, 150]
    assert curves.episode_scores.tolist() == [98, 110, 120]


def test_after_a_resume_rows_of_after_the_checkpoint_are_gone(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    write(folder, [-2, 10, 20, 30])
    write(folder, [20], episodes=2, at=15)
    curves = read_curves(folder)
    assert curves.trace["step"].tolist() == [-2, 10, 20]
    assert len(curves.episode_scores) == 3


@pytest.mark.parametrize("damage", [b"40,0.5,1.", b"garbage\n", b"1\n", b"\xff\xfe,,,,,\n"])
def test_rows_that_are_not_whole_are_left_out(tmp_path: Path, damage: bytes) -> None:
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


def test_only_somebody_who_looks_is_shown_the_game(tmp_path: Path) -> None:
    now = [0.0]
    live_view = LiveView(tmp_path, lambda: now[0])
    assert not live_view.is_due()
    request_pictures(tmp_path)
    now[0] = 1.0
    assert live_view.is_due()
    assert not live_view.is_due()  # a picture was just asked for
    now[0] = 1.1
    assert live_view.is_due()
    long_ago = (tmp_path / "live.watched").stat().st_mtime - FRESH_SECONDS - 1
    os.utime(tmp_path / "live.watched", (long_ago, long_ago))
    now[0] = 2.0
    assert not live_view.is_due()


def test_the_picture_is_the_emulators(tmp_path: Path) -> None:
    emulator = Emulator("SpaceInvaders")
    for _ in range(50):
        emulator.act(1)
    values = np.arange(len(emulator.action_meanings), dtype=np.float32)
    LiveView(tmp_path).write(emulator, values, 35.0, evaluating=True)
    found = read_picture(tmp_path)
    assert found is not None
    assert np.array_equal(found.frame, emulator.screen())
    assert np.array_equal(found.palette, emulator.palette)
    assert (found.values.tolist(), found.score, found.evaluating) == (values.tolist(), 35.0, True)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"shape": [9999999, 9999999]}\n', b"\x00" * 5000])
def test_a_strange_picture_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "live.picture").write_bytes(content)
    assert read_picture(tmp_path) is None


def test_looking_whether_a_run_is_trained_disturbs_nobody(tmp_path: Path) -> None:
    folder = run_folder(tmp_path)
    assert not folder.is_trained()
    with folder.locked():
        assert folder.is_trained()
        with pytest.raises(CoachError, match="another process"), folder.locked():
            pass
    assert not folder.is_trained()
