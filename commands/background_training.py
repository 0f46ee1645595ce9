"""Trainings in processes of their own: what they say of themselves, finding those that run, stopping one cleanly."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.run import is_trained

if TYPE_CHECKING:
    from agent.progress import Progress

PROGRESS_EVERY_SECONDS = 0.5


def progress_path(run_folder: Path) -> Path:
    """Beside the run's folder, which is made only when the seeding is filled in."""
    return run_folder.with_name(f".{run_folder.name}.progress.json")


class ProgressFile:
    """Where other programs see how a training goes on: one small JSON file, always whole, gone when it ends.

    It holds the fields of ``agent.progress.Progress``, ``process`` (its id) and ``stopping``. One that is left behind
    says that a training broke off.
    """

    def __init__(self, run_folder: Path) -> None:
        self._path = progress_path(run_folder)
        self._written = float("-inf")

    def write(self, state: Progress, stopping: bool = False) -> None:
        now = time.monotonic()
        if now - self._written < PROGRESS_EVERY_SECONDS:
            return
        self._written = now
        partial = self._path.with_suffix(".part")
        # Nobody's training ends because its looker-on cannot be told.
        with contextlib.suppress(OSError):
            partial.write_text(json.dumps({**asdict(state), "process": os.getpid(), "stopping": stopping}))
            partial.replace(self._path)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _facts(run_folder: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(progress_path(run_folder).read_text())
        return facts if isinstance(facts, dict) and isinstance(facts.get("process"), int) else None
    except (OSError, ValueError):
        return None


def is_alive(process: int) -> bool:
    """Whether there is a process of that id, which may be another's by now."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def running_training(run_folder: Path) -> dict[str, Any] | None:
    """What a run's training last said of itself, or None if it is not being trained now."""
    facts = _facts(run_folder)
    return facts if facts is not None and is_trained(run_folder) else None


def broke_off(run_folder: Path) -> bool:
    """Whether the run's last training ended without a word: it was killed, or the machine went down."""
    facts = _facts(run_folder)
    return facts is not None and not is_trained(run_folder) and not is_alive(facts["process"])


def stop_training(run_folder: Path) -> bool:
    """Ask a running training for a checkpoint and its end; False if none runs."""
    facts = running_training(run_folder)
    if facts is None:
        return False
    if not facts.get("stopping"):  # a second signal would break it off
        os.kill(int(facts["process"]), signal.SIGINT)
    return True
