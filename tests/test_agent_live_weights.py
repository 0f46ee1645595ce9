"""A viewer of a running training gets its newest weights before its first game."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from agent import live_weights
from agent.array_file import read_arrays
from agent.live_weights import LiveWeights, newest_agent
from agent.player import load_agent_weights
from agent.training import train
from data.files import hold_lock
from data.library import Library
from data.runs import RunFolder, open_run
from tests.agent_episodes import small_config


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    train(Library(tmp_path), "run-1", small_config(steps=8, network="small"))
    return open_run(Library(tmp_path), "run-1")


def test_the_first_game_waits_for_the_weights_of_a_running_training(folder: RunFolder) -> None:
    saved = load_agent_weights(folder)
    writer = LiveWeights(folder.path)
    ended = threading.Event()

    def training() -> None:
        while not ended.wait(0.05):
            writer.offer(500, lambda: dict(saved.weights))

    with hold_lock(folder.lock_file):
        thread = threading.Thread(target=training)
        thread.start()
        try:
            assert newest_agent(folder, wait_seconds=10.0).step == 500
        finally:
            ended.set()
            thread.join()
    assert int(read_arrays(folder.path / "live.weights.npz")["step"]) == 500


def test_nobody_waits_longer_than_asked_or_for_a_training_that_does_not_run(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(live_weights.time, "sleep", slept.append)
    assert newest_agent(folder, wait_seconds=10.0).step == 8
    assert slept == []
    with hold_lock(folder.lock_file):
        start = time.monotonic()
        assert newest_agent(folder, wait_seconds=0.2).step == 8
    assert 0.2 <= time.monotonic() - start < 5.0
