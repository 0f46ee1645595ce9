"""Trainings in processes of their own: starting one, finding those that run, stopping one cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.library import Library

if TYPE_CHECKING:
    from agent.progress import Progress


PROGRESS_FILE = "progress.json"
PROGRESS_EVERY_SECONDS = 0.5


class ProgressFile:
    """Where other programs see how a training goes on: one small JSON file, always whole, gone when it ends."""

    def __init__(self, run_folder: Path) -> None:
        self._path = run_folder / PROGRESS_FILE
        self._written = float("-inf")

    def write(self, state: Progress) -> None:
        now = time.monotonic()
        if now - self._written < PROGRESS_EVERY_SECONDS or not self._path.parent.is_dir():
            return
        self._written = now
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps({**asdict(state), "process": os.getpid()}))
        partial.replace(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


def running_training(run_folder: Path) -> dict[str, Any] | None:
    """What a run's training last said of itself, or None if it is not being trained now."""
    try:
        facts: dict[str, Any] = json.loads((run_folder / PROGRESS_FILE).read_text())
        os.kill(int(facts["process"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts


class Training:
    """A training that was started here, in a process that outlives the window."""

    def __init__(self, library: Library, run: str, arguments: list[str]) -> None:
        library.prepare()
        self.run = run
        self._log = library.runs / f"{run}.log"
        command = [sys.executable, "-m", "coach", "--library", str(library.folder), "train", "--run", run, *arguments]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def complaint(self) -> str:
        """What it said last, if it ended in an error; else empty."""
        if self._process.poll() in (None, 0):
            return ""
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].removeprefix("coach: ") if lines else f"The training of {self.run} ended without a word."


def stop_training(run_folder: Path) -> bool:
    """Ask a running training for a checkpoint and its end; False if none runs."""
    facts = running_training(run_folder)
    if facts is None:
        return False
    os.kill(int(facts["process"]), signal.SIGINT)
    return True
