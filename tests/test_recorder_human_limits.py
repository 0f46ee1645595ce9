"""A demonstrator with a person's limits: late, holding keys, idle half of the time."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach import main
from commands import record
from data.episode import EmulatorSettings, FrameState
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from recorder.human_limits import WithHumanLimits

DELAY = 3
"""Decisions in 0.2 s."""
HOLD = 4


class CountsUp:
    """Chooses 1, 2, 3, ... so that each choice can be recognised; they are never executed here."""

    kind = "planner"

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:  # noqa: ARG002
        self.made = 0

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002
        self.made += 1
        return self.made


@pytest.fixture(scope="module")
def choices() -> list[int]:
    """2,000 decisions; 0 is doing nothing."""
    emulator = Emulator("SpaceInvaders", EmulatorSettings())
    limited = WithHumanLimits(CountsUp())
    limited.begin(emulator, np.random.default_rng(3))
    return [limited.choose([]) for _ in range(2000)]


def test_an_action_is_executed_a_fifth_of_a_second_after_it_was_chosen(choices: list[int]) -> None:
    first = [choice for choice in range(1, len(choices)) if choices[choice] not in (0, choices[choice - 1])]
    assert first
    assert all(choices[decision] == decision + 1 - DELAY for decision in first)


def test_keys_are_held_and_half_of_the_time_nothing_is_pressed(choices: list[int]) -> None:
    spells = [(action, len(list(rows))) for action, rows in groupby(choices)]
    idle = sum(length for action, length in spells if action == 0)
    assert 0.4 < idle / len(choices) < 0.6
    held = [length for action, length in spells[1:-1] if action != 0]
    assert np.mean(np.array(held) == HOLD) > 0.6, "only the end of a spell releases a key earlier"
    assert max(held) == HOLD


def test_the_command_records_the_same_episode_again_and_as_the_planners(tmp_path: Path) -> None:
    limits = ["--human-limits", "--rollouts", "1", "--horizon", "2", "--max-frames", "240", "--seed", "5"]
    found = []
    for name in ("one", "other"):
        library = Library(tmp_path / name)
        assert main(["--library", str(library.folder), "record", "--by", "planner", *limits]) == 0
        (path,) = library.replays.glob("*.h5")
        with ReplayFile(path) as replay:
            assert replay.summary().demonstrator == "planner"
            found.append(replay.actions.tolist())
    assert found[0] == found[1]
    assert found[0].count(0) > 60


def test_its_factory_can_be_sent_to_the_processes_that_record() -> None:
    from commands.demonstrators import MakePlanner, MakeWithHumanLimits

    demonstrator = pickle.loads(pickle.dumps(MakeWithHumanLimits(MakePlanner(1, 2))))()
    assert isinstance(demonstrator, WithHumanLimits)
    assert demonstrator.kind == "planner"


def test_limits_hold_for_corrections_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    correcting: list[Any] = []
    monkeypatch.setattr(record, "run_corrections", lambda *given: correcting.append(given[2]) or 0)
    command = ["--library", str(tmp_path), "record", "--by", "planner", "--correct", "first", "--human-limits"]
    assert main(command) == 0
    assert isinstance(correcting[0], WithHumanLimits)


def test_limits_are_refused_for_recorded_actions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--library", str(tmp_path), "record", "--by", "actions:x.npz", "--human-limits"]
    assert main(command) == 2
    assert "--human-limits" in capsys.readouterr().err
