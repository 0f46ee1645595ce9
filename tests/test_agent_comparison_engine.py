"""The engines of a comparison: workers that take runs, and runs whose processes fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent.comparison_engine import Worker, run_all, run_tasks
from agent.comparison_run import STOPPED, StopRequest
from data.comparisons import ComparisonFolder, read_json
from data.errors import CoachError
from data.library import Library

RUNS = ("which-a-s0", "which-b-s0", "which-a-s1")


@pytest.fixture
def folder(tmp_path: Path) -> ComparisonFolder:
    """A comparison without a plan: each of its runs fails, in a process of its own, and quickly."""
    made = ComparisonFolder(Library(tmp_path / "library"), "which")
    made.prepare()
    return made


def worker(folder: ComparisonFolder) -> Worker:
    return Worker(folder.library.folder, folder.name, RUNS, 1)


def failures(folder: ComparisonFolder) -> dict[str, str]:
    found = {run: read_json(folder.failure(run)) for run in RUNS}
    return {run: facts["error"] for run, facts in found.items() if facts is not None}


@pytest.mark.parametrize("backend", ["loky", "dask"])
def test_every_run_is_taken_on_and_one_that_fails_does_not_stop_the_others(
    folder: ComparisonFolder, backend: str
) -> None:
    run_all(folder, RUNS, backend, 2, 1, print)
    told = failures(folder)
    assert set(told) == set(RUNS)
    assert all("There is no comparison 'which'" in sentence for sentence in told.values())


def test_a_run_is_trained_in_a_working_folder_that_holds_modules_named_like_ours(
    folder: ComparisonFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for package in ("agent", "data"):
        Path(f"{package}.py").write_text("raise SystemExit(1)")
    assert run_tasks(Worker(folder.library.folder, folder.name, RUNS[:1], 1)) == 1
    assert "There is no comparison 'which'" in failures(folder)[RUNS[0]]


def fake_python(path: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs be "trained" by a shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


@pytest.mark.parametrize("code", [0, 1, 64])
def test_a_run_whose_process_ends_without_a_result_has_failed(
    folder: ComparisonFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fake_python(tmp_path / "python", f"exit {code}", monkeypatch)
    run_all(folder, RUNS[:1], "loky", 1, 1, print)
    assert failures(folder)[RUNS[0]].startswith(f"The run's process ended with exit code {code} and without a result")


def test_a_comparison_of_which_no_run_makes_progress_ends_with_a_sentence(
    folder: ComparisonFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_python(tmp_path / "python", f"exit {STOPPED}", monkeypatch)
    with pytest.raises(CoachError, match=r"makes no progress: in 3 rounds no run was finished; .* is in .*runs"):
        run_all(folder, RUNS[:2], "loky", 1, 1, print)


def test_what_is_claimed_by_another_worker_is_left_to_it(folder: ComparisonFolder) -> None:
    for run in RUNS[:2]:
        folder.claim(run).touch()
    assert run_tasks(worker(folder)) == 1
    assert set(failures(folder)) == {RUNS[2]}


def test_what_is_finished_is_not_done_again(folder: ComparisonFolder) -> None:
    for run in RUNS:
        folder.result(run).write_text("{}")
    assert run_tasks(worker(folder)) == 0


def test_nothing_is_begun_once_it_is_to_stop(folder: ComparisonFolder) -> None:
    folder.stop_file.touch()
    assert run_tasks(worker(folder)) == 0
    run_all(folder, RUNS, "loky", 2, 1, print)
    assert failures(folder) == {}


def test_a_run_whose_process_is_killed_is_tried_again_and_then_said_to_have_failed(
    folder: ComparisonFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_python(tmp_path / "python", 'echo "begun $6"; kill -9 $$', monkeypatch)
    assert run_tasks(worker(folder)) == 3
    assert all(
        "was killed by signal 9, perhaps because the memory was exhausted" in said for said in failures(folder).values()
    )
    assert folder.run_log(RUNS[0]).read_text() == f"begun {RUNS[0]}\n" * 2


def test_a_run_stops_when_it_is_told_to_or_when_its_parent_is_gone(tmp_path: Path) -> None:
    stop_file = tmp_path / "stop"
    assert StopRequest(stop_file, os.getppid() + 1)()
    stops = StopRequest(stop_file, os.getppid())
    assert not stops()
    stop_file.touch()
    assert StopRequest(stop_file, os.getppid())()
    stops.request()
    assert stops()


@pytest.mark.parametrize(("backend", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_an_engine_that_is_not_installed_is_named_with_its_extra(
    folder: ComparisonFolder, backend: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CoachError, match=rf"pip install 'replay-coach\[{backend}\]'"):
        run_all(folder, RUNS, backend, 2, 1, print)


def test_no_cluster_at_the_address_is_one_sentence(folder: ComparisonFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "nonsense://nowhere")
    with pytest.raises(CoachError, match="No Dask cluster is available at DASK_SCHEDULER_ADDRESS=nonsense"):
        run_all(folder, RUNS, "dask", 2, 1, print)
