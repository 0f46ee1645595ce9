"""Training runs: their list, damaged ones, those of comparisons, and whether one is being trained."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

import coach
from agent.arms import parse_arm
from agent.comparison import Plan, write_plan
from commands.overview import run_to_watch
from commands.training_controller import LibraryTrainingController
from data.comparisons import ComparisonFolder
from data.errors import CoachError
from data.library import Library
from data.runs import RunFolder, RunSummary, list_runs, survey_runs
from tests.agent_episodes import small_config

DAMAGES = {
    "cut-off": ("run.json", '{"format": "replay-coach-run"'),
    "from-tomorrow": ("run.json", '{"format": "replay-coach-run", "version": 99}'),
    "settings-of-another": ("config.json", '{"colour": "red"}'),
    "settings-of-no-run": ("config.json", "[]"),
    "checkpoint-cut-off": ("checkpoints/00000001/state.json", '{"step": 6'),
    "checkpoint-of-nonsense": ("checkpoints/00000001/state.json", '{"step": "many", "recent_scores": 5}'),
    "checkpoint-without-number": ("checkpoints/1 (copy)/state.json", "{}"),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Two complete runs, and one with each kind of damage."""
    made = Library(tmp_path_factory.mktemp("runs"))
    made.prepare()
    for name in ("a-whole-one", *DAMAGES, "whole"):
        folder = RunFolder(made.run_folder(name))
        folder.create(asdict(small_config(steps=64)), ("NOOP",))
        path, content = DAMAGES.get(name, ("checkpoints/00000001/state.json", '{"step": 32, "recent_scores": [5, 15]}'))
        (folder.path / path).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / path).write_text(content)
    return made


def test_damaged_runs_do_not_hide_others(library: Library) -> None:
    found = [(run.name, run.step, run.mean_score) for run in list_runs(library)]
    assert found == [("a-whole-one", 32, 10.0), ("whole", 32, 10.0)]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_run_is_reported_in_one_sentence(name: str, library: Library) -> None:
    [found] = [run for run in survey_runs(library)[1] if run.name == name]
    assert found == RunSummary(name, "failed", library.run_folder(name), error=found.error)
    assert str(found.path) in found.error
    assert found.error.endswith(".") and "\n" not in found.error


def test_the_library_command_lists_both(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert coach.main(["library", "--library", str(library.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in found["runs"]] == ["a-whole-one", "whole"]
    assert {Path(broken["path"]).name for broken in found["broken"]} == set(DAMAGES)


def test_the_train_window_shows_a_damaged_run_as_failed_and_does_not_resume_it(library: Library) -> None:
    controller = LibraryTrainingController(library, "SpaceInvaders")
    found = {run.name: run for run in controller.runs() if not run.supplied}
    assert set(found) == {"a-whole-one", "whole", *DAMAGES}
    assert {found[name].state for name in DAMAGES} == {"failed"}
    assert "not readable" in found["cut-off"].error
    with pytest.raises(CoachError, match="not readable"):
        controller.resume("cut-off")


def test_the_runs_of_a_comparison_are_marked_and_listed_after_all_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(tmp_path)
    comparison = ComparisonFolder(library, "which")
    comparison.prepare()
    write_plan(comparison, Plan("which", "Which?", (parse_arm("none", small_config(keep="all")),), (0, 1)))
    (tmp_path / "comparisons" / "of no comparison").mkdir()  # no name that a comparison may have
    (tmp_path / "comparisons" / "of no comparison" / "plan.json").write_text("{}")
    for name in ("mine", "which-none-s0", "which-none-s1"):
        RunFolder(library.run_folder(name)).create(asdict(small_config(steps=64)), ("NOOP",))
    assert {run.name: run.comparison for run in list_runs(library)} == {
        "mine": "",
        "which-none-s0": "which",
        "which-none-s1": "which",
    }
    controller = LibraryTrainingController(library, "SpaceInvaders")
    assert controller.runs()[0].name == "mine"
    assert {run.name: run.can_resume for run in controller.runs() if not run.supplied} == {
        "mine": True,
        "which-none-s0": False,
        "which-none-s1": False,
    }
    assert run_to_watch(library, "Breakout") == "mine"
    assert coach.main(["library", "--library", str(library.folder)]) == 0
    found = capsys.readouterr().out
    assert "Run mine: Space Invaders, 0 of 64 steps\n" in found
    assert "steps, of the comparison which" in found


def test_checking_whether_a_run_is_trained_does_not_lock_it(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    assert not folder.is_trained()
    with folder.locked():
        assert folder.is_trained()
        with pytest.raises(CoachError, match="another process"), folder.locked():
            pass
    assert not folder.is_trained()


def test_a_progress_file_that_is_left_behind_is_no_training(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.progress_file.write_text('{"process": 1, "phase": "training"}')
    assert folder.training() is None
