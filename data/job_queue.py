"""The library's queue of background jobs: trainings and comparisons, run one after another.

The queue is a folder of small files. ``queue/00000007-NAME.json`` waits, ``queue/current.json`` runs, and
``queue/failed/NAME.json`` (``queue/failed/comparisons/NAME.json``) says why a job failed. The process
``python -m data.job_queue LIBRARY`` starts with the first file and ends after the last one. It needs no window, and if
it is killed, the next one continues. Each job is a ``coach`` command in a process of its own, and its output is in
``runs/NAME.log`` or ``comparisons/NAME.log``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from data import jobs
from data.comparisons import FINAL_PHASES, ComparisonFolder, read_json
from data.errors import CoachError
from data.files import hold_lock, is_locked, write_atomic
from data.library import Library
from data.runs import run_folder

POLL_SECONDS = 0.3
STOPPED = (130, -signal.SIGINT)
"""Exit codes of a command that received Ctrl-C before it could handle it."""
JobKind = Literal["training", "comparison"]
NAME_KEYS: dict[JobKind, str] = {"training": "run", "comparison": "comparison"}
"""The key of a job's name in its file."""


@dataclass(frozen=True)
class Job:
    """A waiting, running or failed job."""

    kind: JobKind
    name: str
    """Name of its run or comparison."""
    arguments: tuple[str, ...]
    """The arguments after ``coach train --run NAME`` (training) or after ``coach`` (comparison)."""
    process: int | None = None
    """Its process id, once it has started."""

    @property
    def key(self) -> tuple[JobKind, str]:
        return self.kind, self.name

    @property
    def resumes(self) -> bool:
        """Whether the job continues an earlier one, so that its output is appended to the log."""
        return self.kind == "comparison" or "--resume" in self.arguments

    @property
    def title(self) -> str:
        """The job in words, for sentences."""
        return f"the {'training of ' if self.kind == 'training' else 'comparison '}{self.name}"


@dataclass(frozen=True)
class Failure:
    """A job that failed."""

    job: Job
    error: str
    """The reason, in one sentence."""
    log: str
    """Path of its output."""


class JobQueue:
    """The queue of one library, for windows, commands and the process that runs its jobs."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.folder = library.folder / "queue"

    # ---- content -------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Job]:
        """Return the jobs that wait, the next one first."""
        current = self.current()
        return [job for _, job in self._waiting_files() if current is None or job.key != current.key]

    def _waiting_files(self) -> list[tuple[Path, Job]]:
        found = [(path, _read_job(path)) for path in sorted(self.folder.glob("[0-9]*-*.json"))]
        return [(path, job) for path, job in found if job is not None]

    def current(self) -> Job | None:
        """Return the job that runs now."""
        job = _read_job(self._current)
        return job if job is not None and is_locked(self._current_lock) else None

    def is_busy(self) -> bool:
        """Return whether a new job would have to wait for another one, also for one that was started elsewhere."""
        return self.current() is not None or bool(self.waiting()) or any(map(is_locked, self._locks()))

    def current_since(self) -> float:
        """Return when the current job started, seconds since 1970; 0 if there is none."""
        try:
            return self._current.stat().st_mtime
        except OSError:
            return 0.0

    def failures(self) -> list[Failure]:
        """Return the jobs that failed and were not restarted or dismissed since."""
        failed = self.folder / "failed"
        found = []
        for path in (*sorted(failed.glob("*.json")), *sorted(failed.glob("comparisons/*.json"))):
            job, content = _read_job(path), read_json(path) or {}
            if job is not None and "sentence" in content:
                found.append(Failure(job, str(content["sentence"]), str(content.get("log", ""))))
        return found

    def failure(self, kind: JobKind, name: str) -> Failure | None:
        return next((found for found in self.failures() if found.job.key == (kind, name)), None)

    @property
    def _current(self) -> Path:
        return self.folder / "current.json"

    @property
    def _worker_lock(self) -> Path:
        """Locked by the process that runs the jobs of the queue."""
        return self.folder / "worker.lock"

    @property
    def _current_lock(self) -> Path:
        """Locked by the current job until it ends."""
        return self.folder / "current.lock"

    def _failure_file(self, kind: JobKind, name: str) -> Path:
        failed = self.folder / "failed"
        return (failed if kind == "training" else failed / "comparisons") / f"{name}.json"

    def log(self, job: Job) -> Path:
        """Return the file with the output of a job."""
        if job.kind == "training":
            return run_folder(self._library, job.name).log
        return ComparisonFolder(self._library, job.name).log

    # ---- changes -------------------------------------------------------------------------------------------------

    def add(self, job: Job) -> None:
        """Add a job, which may start at once. Raises CoachError if its name is in use."""
        current = self.current()
        if any(other.key == job.key for other in self.waiting()):
            raise CoachError(f"{_sentence_case(job.title)} is waiting already.")
        is_current = current is not None and current.key == job.key and not self._has_reported_end(current)
        if is_current or self._process(job.kind, job.name) is not None:
            raise CoachError(f"{_sentence_case(job.title)} is running already.")
        if job.kind == "training" and not job.resumes and run_folder(self._library, job.name).exists:
            raise CoachError(f"There is a run {job.name!r} already; choose another name.")
        self._library.prepare()
        try:
            self.folder.mkdir(exist_ok=True)
            self.log(job).parent.mkdir(exist_ok=True)
            number = max((int(path.name.split("-")[0]) for path in self.folder.glob("[0-9]*-*.json")), default=0) + 1
            _write_job(self.folder / f"{number:08}-{job.name}.json", job)
        except OSError as error:
            raise CoachError(f"Cannot write into the queue {self.folder} ({error.strerror or error}).") from error
        self.dismiss_failure(job.kind, job.name)
        self.ensure_running()

    def remove(self, kind: JobKind, name: str) -> bool:
        """Remove a waiting job. Return False if there is none with this name."""
        for path, job in self._waiting_files():
            if job.key == (kind, name):
                path.unlink(missing_ok=True)
                return True
        return False

    def stop(self, kind: JobKind, name: str) -> bool:
        """Remove a waiting job, or request a running one to write a checkpoint and end. Return False if there is none.

        Jobs that were not started by the queue are found too.
        """
        if self.remove(kind, name):
            return True
        process = self._process(kind, name)
        if process is None:
            current = self.current()
            if current is None or current.key != (kind, name) or current.process is None:
                return False
            process = current.process  # it has not reported any progress yet
        if not self._is_stopping(kind, name):
            jobs.request_stop(process)
        return True

    def _process(self, kind: JobKind, name: str) -> int | None:
        """Return the process that runs a training or a comparison now, whether or not the queue started it."""
        if kind == "training":
            report = run_folder(self._library, name).training()
            return None if report is None else report.process
        folder = ComparisonFolder(self._library, name)
        process = (folder.reported() or {}).get("process")
        return process if isinstance(process, int) and folder.is_running() and jobs.is_alive(process) else None

    def _is_stopping(self, kind: JobKind, name: str) -> bool:
        if kind == "comparison":
            return ComparisonFolder(self._library, name).stop_file.exists()
        report = run_folder(self._library, name).training()
        return report is not None and report.stopping

    def dismiss_failure(self, kind: JobKind, name: str) -> None:
        with contextlib.suppress(OSError):
            self._failure_file(kind, name).unlink(missing_ok=True)

    def ensure_running(self) -> None:
        """Start a process that runs the jobs of the queue, unless there is one or nothing waits."""
        if not os.access(self.folder, os.W_OK):
            return
        interrupted = self._current.exists() and self.current() is None
        if not (self.waiting() or interrupted) or is_locked(self._worker_lock):
            return
        command = jobs.python_command("data.job_queue", str(self._library.folder.absolute()))
        jobs.start(command, self.folder / "worker.log")

    # ---- running the jobs ----------------------------------------------------------------------------------------

    def run_jobs(self) -> None:
        """Run the jobs one after another until none waits. Return at once if another process runs them."""
        while self.waiting() or self._current.exists():
            with hold_lock(self._worker_lock) as held:
                if held is None:
                    return
                self._wait_for_others()
                self._remove_interrupted()
                for path, job in self._waiting_files()[:1]:
                    self._run(path, job)

    def _wait_for_others(self) -> None:
        """Wait for trainings and comparisons that the queue did not start: two at a time would compete for CPUs."""
        while self.current() is not None or any(map(is_locked, self._locks())):
            time.sleep(POLL_SECONDS)

    def _locks(self) -> list[Path]:
        return [*self._library.runs.glob(".*.lock"), *self._library.folder.glob("comparisons/*/.lock")]

    def _remove_interrupted(self) -> None:
        """Remove ``current.json`` of a job that was interrupted, such as by a power failure.

        The files of its run or comparison show the interruption. A job that had not created them is reported as failed.
        """
        job = _read_job(self._current)
        if job is not None:
            if job.kind == "training":
                started = run_folder(self._library, job.name).path.exists()
            else:
                started = ComparisonFolder(self._library, job.name).reported() is not None
            if not started:
                self._fail(job, f"{_sentence_case(job.title)} was interrupted before it started.")
        self._current.unlink(missing_ok=True)

    def _fail(self, job: Job, error: str) -> None:
        path = self._failure_file(job.kind, job.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_job(path, replace(job, process=None), sentence=error, log=str(self.log(job)))

    def _run(self, path: Path, job: Job) -> None:
        library = ("--library", str(self._library.folder.absolute()))
        if job.kind == "training":
            command = jobs.python_command("coach", *library, "train", "--run", job.name, *job.arguments)
        else:
            command = jobs.python_command("coach", *job.arguments, *library)
        log = self.log(job)
        if not job.resumes:
            log.unlink(missing_ok=True)
        with hold_lock(self._current_lock) as lock:
            assert lock is not None  # _wait_for_others waited for its holder
            process = jobs.start(command, log, pass_fds=(lock.fileno(),))
            _write_job(self._current, replace(job, process=process.pid))
            path.unlink(missing_ok=True)
        error = self._error(replace(job, process=process.pid), process.wait())
        if error:
            self._fail(job, error)
        self._current.unlink(missing_ok=True)

    def _has_reported_end(self, job: Job) -> bool:
        """Return whether a comparison has published how it ended. Its process may still be shutting down."""
        if job.kind == "training":
            return False
        now = ComparisonFolder(self._library, job.name).reported() or {}
        return now.get("process") == job.process and now.get("phase") in FINAL_PHASES

    def _error(self, job: Job, code: int) -> str:
        """Return why a job with this exit code failed, or "" if it did not fail."""
        if job.kind == "training":
            return "" if code in (0, *STOPPED) else jobs.failure_sentence(job.title, code, self.log(job))
        if self._has_reported_end(job):
            return ""
        if code in STOPPED:
            return f"{_sentence_case(job.title)} was stopped before it started."
        return jobs.failure_sentence(job.title, code, self.log(job))


def _sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]


def _write_job(path: Path, job: Job, **more: str) -> None:
    content: dict[str, Any] = {
        NAME_KEYS[job.kind]: job.name,
        "arguments": job.arguments,
        "process": job.process,
        **more,
    }
    write_atomic(path, json.dumps(content))


def _read_job(path: Path) -> Job | None:
    content = read_json(path) or {}
    kind: JobKind = "comparison" if "comparison" in content else "training"
    name, arguments, process = content.get(NAME_KEYS[kind]), content.get("arguments"), content.get("process")
    if not isinstance(name, str) or not isinstance(arguments, list):
        return None
    return Job(kind, name, tuple(map(str, arguments)), process if isinstance(process, int) else None)


if __name__ == "__main__":
    JobQueue(Library(sys.argv[1])).run_jobs()
