"""The library's queue of trainings: a folder of small files, worked off one after another by a process of its own.

``queue/00000007-NAME.json`` waits; ``queue/current.json`` is being trained; ``queue/failed/NAME.json`` says why a
training failed. The process (``python -m commands.training_queue LIBRARY``) starts with the first file and ends after
the last one; it needs no window, and where it was killed the next one goes on. Each training is a ``coach train`` in a
process of its own, whose output is kept in ``runs/NAME.log``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data import jobs
from data.errors import CoachError
from data.files import hold_lock, is_locked, write_atomic
from data.library import Library
from data.runs import RunFolder, run_folder

LOOK_EVERY_SECONDS = 0.3
STOPPED = (0, 130, -signal.SIGINT)
"""Exit codes of a training that is done, was stopped, or was stopped before it began."""


@dataclass(frozen=True)
class QueuedRun:
    """A training that waits or runs: ``coach train --run RUN ARGUMENTS...``."""

    run: str
    arguments: tuple[str, ...]
    process: int | None = None
    """Once it was started."""

    @property
    def resumes(self) -> bool:
        return "--resume" in self.arguments


@dataclass(frozen=True)
class Failure:
    """Why a training failed, in one sentence."""

    run: str
    arguments: tuple[str, ...]
    sentence: str
    log: str


class TrainingQueue:
    """One library's queue, as windows and commands see it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.folder = library.folder / "queue"

    # ---- what stands in it ---------------------------------------------------------------------------------------

    def waiting(self) -> list[QueuedRun]:
        """What waits, the next one first."""
        return [queued for _, queued in self._waiting_files()]

    def _waiting_files(self) -> list[tuple[Path, QueuedRun]]:
        found = []
        for path in sorted(self.folder.glob("[0-9]*-*.json")):
            queued = _read_queued(path)
            if queued is not None:
                found.append((path, queued))
        return found

    def current(self) -> QueuedRun | None:
        """What the queue is training now."""
        queued = _read_queued(self._current)
        return queued if queued is not None and is_locked(self._current_lock) else None

    def failures(self) -> list[Failure]:
        found = []
        for path in sorted((self.folder / "failed").glob("*.json")):
            about = _read(path)
            with contextlib.suppress(KeyError, TypeError, ValueError):
                found.append(
                    Failure(str(about["run"]), _words(about["arguments"]), str(about["sentence"]), str(about["log"]))
                )
        return found

    @property
    def _current(self) -> Path:
        return self.folder / "current.json"

    @property
    def _worker_lock(self) -> Path:
        """Held by the process that works the queue off."""
        return self.folder / "worker.lock"

    @property
    def _current_lock(self) -> Path:
        """Held by the training itself, for as long as it lives."""
        return self.folder / "current.lock"

    def log(self, run: str) -> Path:
        """Where what a training says is kept."""
        return self._library.runs / f"{run}.log"

    # ---- changing it ---------------------------------------------------------------------------------------------

    def add(self, run: str, arguments: list[str]) -> None:
        """Let a training wait for its turn, which may come at once. Raises CoachError for a name that is taken."""
        folder = self._library.run_folder(run)
        if any(queued.run == run for queued in self.waiting()):
            raise CoachError(f"The run {run!r} waits already.")
        current = self.current()
        if RunFolder(folder).is_trained() or (current is not None and current.run == run):
            raise CoachError(f"The run {run!r} is being trained already.")
        if "--resume" not in arguments and (folder / "run.json").exists():
            raise CoachError(f"There is a run {run!r} already; choose another name.")
        self._library.prepare()
        try:
            self.folder.mkdir(exist_ok=True)
            number = max((int(path.name.split("-")[0]) for path in self.folder.glob("[0-9]*-*.json")), default=0) + 1
            _write(self.folder / f"{number:08}-{run}.json", {"run": run, "arguments": arguments})
        except OSError as error:
            raise CoachError(f"The queue {self.folder} cannot be written ({error.strerror or error}).") from error
        self.forget_failure(run)
        self.work_on()

    def remove(self, run: str) -> bool:
        """Take a training that waits out of the queue; False where it waits no more."""
        for path, queued in self._waiting_files():
            if queued.run == run:
                path.unlink(missing_ok=True)
                return True
        return False

    def stop(self, run: str) -> bool:
        """Ask a training for a checkpoint and its end; one that only waits is removed. False where there is none."""
        if self.remove(run) or stop_training(run_folder(self._library, run)):
            return True
        current = self.current()
        if current is None or current.run != run or current.process is None:
            return False
        os.kill(current.process, signal.SIGINT)  # it has not begun yet
        return True

    def forget_failure(self, run: str) -> None:
        with contextlib.suppress(OSError):
            (self.folder / "failed" / f"{run}.json").unlink(missing_ok=True)

    def work_on(self) -> None:
        """See to it that somebody works the queue off, if anything waits."""
        left_behind = self._current.exists() and self.current() is None
        if not (self.waiting() or left_behind) or is_locked(self._worker_lock):
            return
        command = jobs.python_command("commands.training_queue", str(self._library.folder.absolute()))
        jobs.start(command, self.folder / "worker.log")

    # ---- working it off ------------------------------------------------------------------------------------------

    def work_off(self) -> None:
        """Train what waits, one after another, until nothing waits; at once back if another process does it."""
        while self.waiting() or self._current.exists():
            with hold_lock(self._worker_lock) as held:
                if held is None:
                    return
                self._wait_for_others()
                self._clear_away()
                for path, queued in self._waiting_files()[:1]:
                    self._train(path, queued)

    def _wait_for_others(self) -> None:
        """Two trainings at once would each have half the machine: wait for one that was begun elsewhere."""
        while self.current() is not None or any(RunFolder(path).is_trained() for path in _run_folders(self._library)):
            time.sleep(LOOK_EVERY_SECONDS)

    def _clear_away(self) -> None:
        """After a power cut: what was being trained is found by its run, unless it had not begun."""
        left = _read_queued(self._current)
        if left is not None and not (self._library.runs / left.run).exists():
            self._fail(left, f"The training of {left.run} was broken off before it began.")
        self._current.unlink(missing_ok=True)

    def _fail(self, queued: QueuedRun, sentence: str) -> None:
        failed = self.folder / "failed"
        failed.mkdir(exist_ok=True)
        failure = Failure(queued.run, queued.arguments, sentence, str(self.log(queued.run)))
        _write(failed / f"{queued.run}.json", asdict(failure))

    def _train(self, path: Path, queued: QueuedRun) -> None:
        command = jobs.python_command("coach", "--library", str(self._library.folder.absolute()))
        command += ["train", "--run", queued.run, *queued.arguments]
        log = self.log(queued.run)
        if not queued.resumes:
            log.unlink(missing_ok=True)
        with hold_lock(self._current_lock) as lock:
            assert lock is not None  # whoever held it was waited for
            process = jobs.start(command, log, pass_fds=(lock.fileno(),))
            _write(self._current, {**asdict(queued), "process": process.pid})
            path.unlink(missing_ok=True)
        code = process.wait()
        if code not in STOPPED:
            self._fail(queued, why(f"the training of {queued.run}", code, log))
        self._current.unlink(missing_ok=True)


def stop_training(folder: RunFolder) -> bool:
    """Ask a running training to write a checkpoint and end. Return False if none runs."""
    report = folder.training()
    if report is None:
        return False
    if not report.stopping:  # a second signal would end it without a checkpoint
        os.kill(report.process, signal.SIGINT)
    return True


def why(what: str, code: int, log: Path) -> str:
    """One sentence on a process, called ``what``, that ended with this exit code; ``log``: what it said."""
    begun = what[:1].upper() + what[1:]
    if code < 0:
        hint = ", perhaps because the machine ran out of memory" if -code == 9 else ""
        return f"{begun} was killed by signal {-code}{hint}."
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    if not lines:
        return f"{begun} ended with exit code {code} and without a word."
    sentence = lines[-1].removeprefix("coach: ")
    return sentence if lines[-1].startswith("coach: ") else f"{begun} broke down: {sentence}"


def _run_folders(library: Library) -> list[Path]:
    """Of all runs that were ever locked, existing or not."""
    return [path.with_name(path.name[1:].removesuffix(".lock")) for path in library.runs.glob(".*.lock")]


def _write(path: Path, about: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(about))


def _read(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return tuple(map(str, value))


def _read_queued(path: Path) -> QueuedRun | None:
    about = _read(path)
    try:
        process = about.get("process")
        return QueuedRun(str(about["run"]), _words(about["arguments"]), None if process is None else int(process))
    except (KeyError, TypeError, ValueError):
        return None


if __name__ == "__main__":
    TrainingQueue(Library(sys.argv[1])).work_off()
