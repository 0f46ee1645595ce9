"""What the Train window shows of a library: the state of the current job, from files alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands.training_controller import LibraryTrainingController
from data.files import hold_lock
from data.job_queue import Job, JobQueue, _write_job
from data.library import Library
from data.runs import RunFolder
from home.train_form import TrainingRequest


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path)
    made.prepare()
    JobQueue(made).folder.mkdir()
    return made


def state_of_current_job(library: Library, controller: LibraryTrainingController) -> str:
    """Return the state that is shown of run "a" while its process, which reports nothing, holds the job's lock."""
    with hold_lock(library.folder / "queue" / "current.lock") as lock:
        assert lock is not None
        return controller.runs()[0].state


def test_a_training_that_was_stopped_or_has_ended_is_not_shown_as_starting(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_job(library.folder / "queue" / "current.json", Job("training", "a", ("--steps", "100"), os.getpid()))
    controller = LibraryTrainingController(library, "SpaceInvaders")
    assert state_of_current_job(library, controller) == "starting"
    monkeypatch.setattr("data.jobs.request_stop", lambda _: None)
    with hold_lock(library.folder / "queue" / "current.lock"):
        controller.stop("a")
    assert state_of_current_job(library, controller) == "stopping"
    # Another window, which was not asked to stop it, sees that a checkpoint was written since the job started.
    other = LibraryTrainingController(library, "SpaceInvaders")
    assert state_of_current_job(library, other) == "starting"
    RunFolder(library.run_folder("a")).checkpoints.mkdir(parents=True)
    later = time.time() + 5
    os.utime(RunFolder(library.run_folder("a")).checkpoints, (later, later))
    assert state_of_current_job(library, other) == "stopping"


@pytest.mark.parametrize(
    ("practice", "options"),
    [
        ("none", []),
        ("good", ["--start-inside", "0.5", "--start-rule", "good"]),
        ("bad", ["--start-inside", "0.5", "--start-rule", "bad", "--bad-margin", "0.8"]),
    ],
)
def test_practice_becomes_options_of_the_training(
    library: Library, monkeypatch: pytest.MonkeyPatch, practice: str, options: list[str]
) -> None:
    jobs: list[Job] = []
    monkeypatch.setattr(JobQueue, "add", lambda _self, job: jobs.append(job))
    request = TrainingRequest("a", ("human",), "not-bad", "default", 5000, 2500, 0, practice)
    LibraryTrainingController(library, "SpaceInvaders").start(request)
    arguments = jobs[0].arguments
    found = [
        arguments[n : n + 2] for n in range(0, len(arguments), 2) if "start-" in arguments[n] or "bad-" in arguments[n]
    ]
    assert [word for pair in found for word in pair] == options


def test_the_train_window_loads_no_learning_library() -> None:
    """TensorFlow would take hundreds of megabytes, which the home window would keep after the Train window."""
    code = (
        "import sys, commands.training_controller, commands.comparison_controller, home.train_window\n"
        "from agent.seeding import plan_with_labels\n"
        "print([name for name in ('tensorflow', 'keras', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
