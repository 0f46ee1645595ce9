"""The study of coaching: exactly as many decisions in both arms, and its page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agent_episodes import small_config

from benchmarks import coaching_page, coaching_study
from benchmarks.coaching_study import (
    ARMS,
    Design,
    Trial,
    correct_up_to,
    counted,
    decisions_in,
    demonstrations,
    done_in,
    run_trial,
    settings_of,
    trials_of,
)
from commands.corrections import correct
from data.additions import Addition, AdditionsFolder
from data.demonstrator import RandomPlay
from data.errors import CoachError
from data.library import Library
from data.moments import Moment, write_moments
from data.replay_file import ReplayFile
from data.runs import RunFolder
from data.simulation import Emulator


def test_the_arms_differ_in_their_demonstrations_alone_and_pairs_come_first() -> None:
    trials = trials_of(["SpaceInvaders", "Qbert"], ["before", "corrections"], [1, 2])
    assert [trial.name for trial in trials[:3]] == [
        "SpaceInvaders-before-1",
        "SpaceInvaders-corrections-1",
        "SpaceInvaders-before-2",
    ]
    before, corrections, none = (settings_of(Trial("Qbert", arm, 1), Design(), 50_000) for arm in ARMS)
    assert before == corrections == dataclasses.replace(none, seed_from=("planner",))
    assert [Design().corrected_by(pause) for pause in range(3)] == [666, 1333, 2000]


def test_each_half_of_the_demonstrations_has_exactly_its_decisions(tmp_path: Path) -> None:
    design = Design(decisions=50)
    for _ in range(2):  # nothing is recorded twice
        first, second = demonstrations("Freeway", tmp_path, design, RandomPlay)
        assert [decisions_in(path) for path in (*first, *second)] == [25, 25]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library with a run that has not been trained and has marked three moments."""
    monkeypatch.setattr(coaching_study, "PLANNER", RandomPlay)
    made = Library(tmp_path / "library")
    made.prepare()
    folder = RunFolder(made.run_folder("run"))
    folder.create(dataclasses.asdict(small_config()), Emulator("SpaceInvaders").action_meanings)
    frames = (300, 400, 500)
    write_moments(
        folder,
        [Moment("fall", frame, 10, frame / 100, 2.0, 0.0, 3, 0, bytes([2, 3] * (frame // 2))) for frame in frames],
    )
    return made


def test_corrections_have_exactly_their_decisions_and_none_of_the_agents_also_after_a_kill(library: Library) -> None:
    folder, write = RunFolder(library.run_folder("run")), coaching_study.worst_moments
    (worst,) = write(folder, 1)
    correct(library, folder, worst, RandomPlay(), 2.0)  # recorded, and killed before it was added
    correct_up_to(library, folder, set(), 75)
    correct_up_to(library, folder, set(), 75)
    requests = AdditionsFolder(folder.path).request_names()
    stretches = sorted(library.replays.glob("*.h5"), key=decisions_in)  # names of one second are in no order
    assert [decisions_in(path) for path in stretches] == [30, 45]
    assert len(requests) == 2
    for path in stretches:
        with ReplayFile(path) as replay:
            assert set(replay.summary().frames_by_demonstrator) == {"random"}
    correct_up_to(library, folder, {stretches[0].name}, 46)
    assert len(AdditionsFolder(folder.path).request_names()) == 3


def test_a_training_with_another_number_of_decisions_is_no_result(library: Library) -> None:
    folder, design = RunFolder(library.run_folder("run")), Design(decisions=120)
    checkpoint = folder.checkpoints / "00000040"
    checkpoint.mkdir()
    (checkpoint / "state.json").write_text(json.dumps({"sources": [{"decisions": 40}, {"decisions": 20}]}))
    for number, step in enumerate(design.pauses):
        late = 4 * number  # a later one is read while the training continues
        AdditionsFolder(folder.path).record(Addition(f"{number}.npz", "episode", 20, step=step + late, pretrained=4))
    found = counted(folder, Trial("SpaceInvaders", "corrections", 1), design)
    assert found == {"before": 60, "corrections": dict.fromkeys(design.pauses, 20), "stretches": 3}
    with pytest.raises(CoachError, match="60 decisions from before"):
        counted(folder, Trial("SpaceInvaders", "before", 1), design)
    AdditionsFolder(folder.path).record(Addition("4.npz", "episode", 1, step=30_000, pretrained=4))
    with pytest.raises(CoachError, match="30000: 21"):
        counted(folder, Trial("SpaceInvaders", "corrections", 1), design)


def test_a_failure_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise CoachError("The disk is full.")

    monkeypatch.setattr(coaching_study, "demonstrations", fail)
    row = run_trial(Trial("Qbert", "before", 1), Design(), tmp_path, lambda: False)
    assert row is not None
    assert row["error"] == "CoachError: The disk is full."
    assert done_in([row, {**row, "seed": 2, "default": "that of last year"}]) == {Trial("Qbert", "before", 1)}


def row(arm: str, seed: int, points: float, **more: Any) -> dict[str, Any]:
    corrected = arm == "corrections"
    return {
        **{"game": "SpaceInvaders", "arm": arm, "seed": seed, "machine": "a machine", "default": "new"},
        "evaluations": {"0": [1.0], "10000": [points - 5.0], "20000": [points, points + 10.0]},
        "final": [points - 10.0, points + 10.0],
        "corrections": {"10000": 60} if corrected else {},
        "starts": [5.0, 9.0, 60.0] if corrected else [],
        **more,
    }


def test_the_page_pairs_the_arms_by_seed_and_names_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coaching_page, "RESAMPLES", 50)
    page = tmp_path / "coaching.md"
    page.write_text(f"before\n{coaching_page.BEGIN}\nold\n{coaching_page.END}\nafter\n")
    rows = [row("before", 1, 200), row("corrections", 1, 230), row("before", 2, 500), row("corrections", 2, 540)]
    rows.insert(0, row("before", 2, 70, default="old"))
    coaching_page.write_page([], page)
    assert "No training has ended yet" in page.read_text()
    rows += [row("before", 3, 9000), row("corrections", 3, 0, error="CoachError: it diverged")]
    coaching_page.write_page(rows, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "corrections less before: **+35**" in text
    assert "seed 1: +30, seed 2: +40." in text, "a seed without its pair does not count"
    assert "Half of the 6 corrections start within 9 s of a game, all within 60 s." in text
    assert "| before | 3 | " in text, "a training of an earlier default does not count"
    assert "| corrections | 2 | 1 (1 to 1) | 380 (" in text
    assert "- SpaceInvaders, corrections, seed 3: CoachError: it diverged" in text
    assert (tmp_path / "coaching" / "SpaceInvaders.png").stat().st_size > 5000


def test_the_interval_of_a_paired_difference_is_narrow_where_only_the_seeds_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coaching_page, "RESAMPLES", 200)
    ours, theirs = [[110.0, 112.0], [910.0, 912.0]], [[100.0, 102.0], [900.0, 902.0]]
    low, high = coaching_page.paired_interval(ours, theirs, np.random.default_rng(0))
    assert 8.0 <= low < 10.0 < high <= 12.0
