"""How often an agent would act as demonstrated, with a real run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

from agent.network import NumpyNetwork
from agent.training import train
from benchmarks import agreement
from data.library import Library
from data.replay_file import ReplayFile


def test_decisions_that_keep_and_that_change_the_action_are_counted_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="human")
    (episode,) = library.episodes()
    config = small_config(seed_from=("human",), steps=0)
    train(library, "run", config)
    with ReplayFile(episode.path) as replay:
        actions = replay.decisions(config.frame_skip).action
    changes = actions[1:] != actions[:-1]
    assert 0 < changes.sum() < len(changes)

    def always_the_first(_network: NumpyNetwork, _stack: np.ndarray) -> np.ndarray:
        return np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0])

    monkeypatch.setattr(NumpyNetwork, "__call__", always_the_first)
    found = agreement.agreement(library, "run")
    assert (found.kept, found.changed) == (len(actions) - changes.sum(), changes.sum())
    assert found.agrees_where_changed == pytest.approx((actions[1:][changes] == 0).mean())
    assert found.repeats_where_changed == pytest.approx((actions[:-1][changes] == 0).mean())
    monkeypatch.setattr(sys, "argv", ["agreement", "run", "--library", str(tmp_path)])
    agreement.main()
    assert f"of the {changes.sum()} that change it" in capsys.readouterr().out


def test_a_run_without_a_seeding_has_nothing_to_agree_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(Library(tmp_path), "run", small_config(steps=0))
    monkeypatch.setattr(sys, "argv", ["agreement", "run", "--library", str(tmp_path)])
    with pytest.raises(SystemExit, match="needs a seeding"):
        agreement.main()
