"""The progress of a training, and the small JSON file in which it is published while the training runs."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from data.files import write_atomic

WRITE_INTERVAL_SECONDS = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a training is. "The phase" is the current one."""

    phase: str
    """"recording", "comparing", "filling", "pretraining", "checking", "training" or "evaluating"; in a comparison also
    "final evaluation". A supplied agent's play is recorded. Actions are compared to find those with the same effect."""
    step: int = 0
    """Of the phase: seconds of play, decisions, updates, own steps or episodes."""
    total: int = 0
    steps_per_second: float = 0.0
    """Of the phase."""
    mean_score: float | None = None
    """Of the last 100 own episodes, points."""
    epsilon: float | None = None
    seeded_share: float | None = None
    """Share of the newest batch that was seeded."""
    loss: float | None = None
    """Running mean."""
    seconds_left: float | None = None
    """Of the phase."""
    episodes: int = 0
    """Own episodes so far."""
    mean_value: float | None = None
    """Running mean of the Q-values of the actions in the batches."""
    own_step: int = 0
    """Own steps done, whatever the phase."""
    own_steps: int = 0
    """Own steps requested; 0 while filling."""
    run_seconds_left: float | None = None
    """Of the whole training, evaluations included; None until the pace of updates is known."""
    run_share: float | None = None
    """Of the whole training that is done: filling, pretraining, own steps and evaluations; 0 to 1."""
    agreement: float | None = None
    """Share of held-out decisions in which the agent would act as demonstrated; None outside pretraining."""
    return_error: float | None = None
    """Mean absolute difference of value and recorded return on held-out decisions."""
    note: str = ""
    """What a person should know about this training, such as a damaged file that is left out; in sentences."""


@dataclass(frozen=True)
class ProgressReport:
    """The content of a progress file."""

    progress: Progress
    process: int
    """Id of the process that trains."""
    stopping: bool = False
    """The training was asked to stop and is writing its last checkpoint."""


class ProgressFile:
    """Publishes a training's progress: one small JSON file, replaced atomically and removed at the end.

    It holds the fields of ``Progress``, ``process`` and ``stopping``. A file whose process is gone means that the
    training was interrupted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last_written = float("-inf")

    def write(self, progress: Progress, stopping: bool = False) -> None:
        """Publish the progress, at most every half second. Errors of the disk are ignored: the training continues."""
        now = time.monotonic()
        if now - self._last_written < WRITE_INTERVAL_SECONDS:
            return
        self._last_written = now
        content = json.dumps({**asdict(progress), "process": os.getpid(), "stopping": stopping})
        with contextlib.suppress(OSError):
            write_atomic(self._path, content, durable=False)

    def remove(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def read_progress(path: Path) -> ProgressReport | None:
    """Return the content of a progress file, or None if there is none or it is not readable."""
    try:
        content = json.loads(path.read_text())
        known = {field.name: content[field.name] for field in fields(Progress) if field.name in content}
        return ProgressReport(Progress(**known), int(content["process"]), bool(content.get("stopping")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
