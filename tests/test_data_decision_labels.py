"""Decisions in which several actions were executed are labelled with the action whose effect is closest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coach import main
from data.decision_labels import labels_of, mixed_decisions
from data.episode import EmulatorSettings
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.verification import verify

PER_FRAME = EmulatorSettings(frame_skip=1)


@pytest.fixture(scope="module")
def taps() -> np.ndarray:
    """(T,) uint8 actions of Pong: no-ops with taps of one or two frames, when the ball is in play."""
    rng = np.random.default_rng(3)
    actions = np.zeros(400, np.uint8)
    for start in range(80, 398, 4):
        length = int(rng.integers(1, 3))
        actions[start + 1 : start + 1 + length] = rng.integers(2, 4)
    return actions


def test_the_closest_action_is_never_further_from_the_recording(taps: np.ndarray) -> None:
    mixed = mixed_decisions(Emulator("Pong", PER_FRAME), taps, False)
    assert len(mixed) > 50
    assert all(one.effect_of_closest.distance <= one.effect_of_longest.distance for one in mixed)
    changed = [one for one in mixed if one.closest != one.longest]
    assert changed and all(one.effect_of_closest.distance < one.effect_of_longest.distance for one in changed)
    labels = labels_of(taps, mixed)
    assert set(np.flatnonzero(labels != taps) // 4) <= {one.first_frame // 4 for one in mixed}


def test_an_effect_is_that_of_the_action_held_for_the_whole_decision(taps: np.ndarray) -> None:
    one = next(one for one in mixed_decisions(Emulator("Pong", PER_FRAME), taps, False) if one.closest != one.longest)
    recorded, held = Emulator("Pong", PER_FRAME), Emulator("Pong", PER_FRAME)
    for frame in range(one.first_frame + 4):
        recorded.act(int(taps[frame]))
        held.act(int(taps[frame]) if frame < one.first_frame else one.closest)
    assert one.effect_of_closest.ram_bytes == np.count_nonzero(recorded.ram() != held.ram())


def test_nothing_is_simulated_if_every_action_is_held_for_a_decision() -> None:
    assert mixed_decisions(Emulator("Pong", PER_FRAME), np.repeat(np.arange(6, dtype=np.uint8), 4), False) == []


def run_import(folder: Path, taps: np.ndarray, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    np.savez(folder / "taps.npz", actions=taps)
    command = ["--library", str(folder), "import", "--from", "npz", "--game", "Pong", "--json", *more]
    assert main([*command, str(folder / "taps.npz")]) == 0
    (result,) = json.loads(capsys.readouterr().out)["episodes"]
    return dict(result)


def test_an_import_labels_decisions_by_their_effect(
    tmp_path: Path, taps: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_import(tmp_path, taps, capsys)
    mixed = mixed_decisions(Emulator("Pong", PER_FRAME), taps, False)
    assert result["mixed_decisions"] == len(mixed)
    assert result["changed_labels"] == sum(one.closest != one.longest for one in mixed)
    with ReplayFile(str(result["path"])) as replay:
        assert replay.actions.tolist() == taps.tolist()
        labels = dict(enumerate(replay.decisions().action.tolist()))
        assert all(labels[one.first_frame // 4] == one.closest for one in mixed)
    assert verify(Path(str(result["path"]))).ok


def test_labels_that_were_changed_afterwards_are_found(
    tmp_path: Path, taps: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    import h5py
    import hdf5plugin  # noqa: F401

    path = Path(str(run_import(tmp_path, taps, capsys)["path"]))
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        file["decision_actions"][8] = 5
    assert "the labels of its decisions were changed" in verify(path).sentence


def test_an_import_can_label_by_the_action_held_longest(
    tmp_path: Path, taps: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_import(tmp_path, taps, capsys, "--label-by", "longest")
    with ReplayFile(Library(tmp_path).episodes()[0].path) as replay:
        assert replay.decision_actions is None
    assert result["mixed_decisions"] == 0
