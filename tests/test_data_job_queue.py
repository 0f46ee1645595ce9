"""The queue of trainings and comparisons: what waits, what runs, what failed, and what it starts."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.training_controller import LibraryTrainingController
from data.comparisons import ComparisonFolder
from data.errors import CoachError
from data.files import hold_lock
from data.job_queue import Failure, Job, JobQueue
from data.library import Library
from data.runs import run_folder
from tests.agent_episodes import record_episode

ENDLESS = (
    *("--seed-from", "human", "--pretrain-steps", "0", "--memory-size", "1000", "--evaluate-every", "0"),
    *("--steps", "10000000", "--learn-from-step", "50"),
)


def training(run: str, *arguments: str) -> Job:
    return Job("training", run, arguments)


def phase(library: Library, run: str) -> str:
    """The phase of a training that runs, else ""."""
    report = run_folder(library, run).training()
    return "" if report is None else report.progress.phase


def end_all(library: Library) -> None:
    """Remove what waits and kill what runs."""
    queue = JobQueue(library)
    for job in queue.waiting():
        queue.remove(job.kind, job.name)
    current = queue.current()
    if current is not None and current.process is not None:
        os.kill(current.process, signal.SIGKILL)


def wait(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.05)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """A queue that starts nothing."""
    library = Library(tmp_path)
    library.prepare()
    monkeypatch.setattr(JobQueue, "ensure_running", lambda _: None)
    return JobQueue(library)


def test_after_a_killed_training_the_queue_continues_with_the_next_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for package in ("coach", "commands", "data"):  # in the working folder, from which nothing may be imported
        Path(f"{package}.py").write_text("raise SystemExit(1)")
    library = Library(tmp_path)
    record_episode(library, 200, kind="human")
    queue, controller = JobQueue(library), LibraryTrainingController(library, "SpaceInvaders")
    try:
        queue.add(training("killed", *ENDLESS))
        queue.add(training("next", "--seed-from", "planner"))
        with pytest.raises(CoachError, match="The training of next is waiting already"):
            queue.add(training("next"))
        wait(lambda: phase(library, "killed") == "training", "the first training")
        assert [(run.name, run.state) for run in controller.runs()[:2]] == [("killed", "training"), ("next", "waiting")]
        with pytest.raises(CoachError, match="The training of killed is running already"):
            queue.add(training("killed"))
        current = queue.current()
        assert current is not None and current.process is not None
        os.kill(current.process, signal.SIGKILL)
        wait(lambda: len(queue.failures()) == 2, "both failures")
        errors = {failure.job.name: failure.error for failure in queue.failures()}
        assert errors["killed"].startswith("The training of killed was killed by signal 9")
        assert "has no episode of SpaceInvaders by planner" in errors["next"]
        assert run_folder(library, "killed").was_interrupted()
        states = {run.name: (run.state, bool(run.log)) for run in controller.runs() if not run.supplied}
        assert states == {"killed": ("failed", True), "next": ("failed", True)}
        controller.dismiss("killed")
        assert {run.name: run.state for run in controller.runs()}["killed"] == "interrupted"
    finally:
        end_all(library)


def test_a_waiting_job_can_be_removed_and_its_name_is_in_use_once(queue: JobQueue) -> None:
    for run in ("a", "b", "c"):
        queue.add(training(run))
    assert [job.name for job in queue.waiting()] == ["a", "b", "c"]
    assert queue.stop("training", "b")
    assert not queue.stop("training", "b")
    queue.add(training("b", "--resume"))
    assert [(job.name, job.resumes) for job in queue.waiting()] == [("a", False), ("c", False), ("b", True)]


def test_trainings_and_comparisons_wait_in_one_queue_and_may_have_the_same_name(queue: JobQueue) -> None:
    comparison = Job("comparison", "a", ("compare", "--seedings", "none", "human"))
    queue.add(training("a"))
    queue.add(comparison)
    assert queue.waiting() == [training("a"), comparison]
    assert queue.stop("training", "a")
    assert queue.waiting() == [comparison]


def test_files_of_the_queue_that_are_not_readable_are_ignored(queue: JobQueue) -> None:
    queue.add(training("a"))
    (queue.folder / "00000009-x.json").write_text('{"run": 5')
    (queue.folder / "failed").mkdir()
    (queue.folder / "failed" / "y.json").write_text("[]")
    assert queue.waiting() == [training("a")]
    assert queue.failures() == []


@pytest.mark.parametrize(
    ("job", "title", "log"),
    [
        (training("a", "--steps", "5"), "training of a", "runs/a.log"),
        (Job("comparison", "a", ("compare",)), "comparison a", "comparisons/a.log"),
    ],
)
def test_a_job_that_was_interrupted_before_it_started_has_failed(
    queue: JobQueue, tmp_path: Path, job: Job, title: str, log: str
) -> None:
    queue.add(job)
    [waiting] = queue.folder.glob("0*.json")
    waiting.rename(queue.folder / "current.json")
    assert queue.current() is None
    queue.run_jobs()
    assert queue.failures() == [Failure(job, f"The {title} was interrupted before it started.", str(tmp_path / log))]


@pytest.mark.parametrize(("phase", "failed"), [("stopped", False), ("done", False), ("running", True)])
def test_a_comparison_that_has_reported_its_own_end_has_not_failed(
    queue: JobQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str, failed: bool
) -> None:
    folder = ComparisonFolder(Library(tmp_path), "a")
    folder.prepare()
    python = tmp_path / "python"
    content = json.dumps({"phase": phase, "process": "PID"}).replace('"PID"', "'$$'")
    python.write_text(f"#!/bin/sh\necho '{content}' > {folder.path}/progress.json\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    queue.add(Job("comparison", "a", ("compare",)))
    queue.run_jobs()
    assert [failure.error for failure in queue.failures()] == failed * [
        "The comparison a ended with exit code 1 and without any output."
    ]


def test_a_comparison_can_be_resumed_while_the_process_that_stopped_it_shuts_down(
    queue: JobQueue, tmp_path: Path
) -> None:
    folder = ComparisonFolder(Library(tmp_path), "a")
    folder.prepare()
    queue.folder.mkdir()
    job = Job("comparison", "a", ("compare",))
    (queue.folder / "current.json").write_text('{"comparison": "a", "arguments": ["compare"], "process": 5}')
    with hold_lock(queue.folder / "current.lock"):
        with pytest.raises(CoachError, match="The comparison a is running already"):
            queue.add(job)
        (folder.path / "progress.json").write_text('{"phase": "stopped", "process": 5}')
        queue.add(job)
    assert queue.waiting() == [job]
