"""Comparisons: the folder of a comparison, its state, and which runs belong to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from data import jobs
from data.errors import CoachError
from data.files import hold_lock, is_locked, write_atomic
from data.library import Library

ComparisonState = Literal["waiting", "starting", "running", "stopping", "stopped", "done", "failed", "interrupted"]
ACTIVE_STATES: tuple[ComparisonState, ...] = ("waiting", "starting", "running", "stopping")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
FINAL_PHASES = ("done", "stopped", "failed")
"""Phases in ``progress.json`` that a comparison reports when it ends."""


@dataclass(frozen=True)
class ComparisonFolder:
    """The folder that the processes of one comparison share, ``comparisons/NAME/``.

    It has ``plan.json``, a copy of the verdicts at the start, and in ``runs/`` what each run's process writes:
    ``<run>.progress.json`` while it runs, then ``<run>.result.json`` or ``<run>.failure.json``, and ``<run>.log``.
    The runs themselves are normal runs of the library, called ``<name>-<arm>-s<seed>``. On a cluster, all machines
    must share the storage of the library.
    """

    library: Library
    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise CoachError(
                f"A comparison's name may have at most 40 letters, digits, dots, hyphens and underscores, "
                f"not {self.name!r}; choose one with --name."
            )

    @property
    def path(self) -> Path:
        return self.library.folder / "comparisons" / self.name

    @property
    def plan_file(self) -> Path:
        """An ``agent.comparison.Plan``."""
        return self.path / "plan.json"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def stop_file(self) -> Path:
        """While it exists, every run ends at its next step with a checkpoint."""
        return self.path / "stop"

    @property
    def lock_file(self) -> Path:
        return self.path / ".lock"

    @property
    def log(self) -> Path:
        """The output of a comparison that was started from a window."""
        return self.path.with_name(f"{self.name}.log")

    def result(self, run: str) -> Path:
        return self.runs / f"{run}.result.json"

    def failure(self, run: str) -> Path:
        return self.runs / f"{run}.failure.json"

    def progress(self, run: str) -> Path:
        """A ``data.run_progress.ProgressFile``."""
        return self.runs / f"{run}.progress.json"

    def run_log(self, run: str) -> Path:
        return self.runs / f"{run}.log"

    def claim(self, run: str) -> Path:
        """Created by the worker that starts the run."""
        return self.runs / f"{run}.claim"

    def prepare(self) -> None:
        """Create the folder. Raises CoachError."""
        self.library.prepare()
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CoachError(f"Cannot make the folder {self.runs} ({error.strerror or error}).") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the comparison for this process. Raises CoachError if another process has locked it."""
        with hold_lock(self.lock_file) as held:
            if held is None:
                raise CoachError(f"The comparison {self.name!r} is being run by another process.")
            yield

    def is_running(self) -> bool:
        """Return whether a process on this machine runs the comparison now."""
        return is_locked(self.lock_file)

    def command(self) -> list[str]:
        """Return the arguments of the ``coach`` command that started the comparison, without ``coach`` itself."""
        words = (read_json(self.plan_file) or {}).get("command")
        return [str(word) for word in words[1:]] if isinstance(words, list) else []

    def reported(self) -> dict[str, Any] | None:
        """Return the content of ``progress.json`` (see ``agent.comparison_progress``), or None if there is none."""
        command = self.command()
        out = Path(command[command.index("--out") + 1]) if "--out" in command[:-1] else self.path
        return read_json(out / "progress.json")


@dataclass(frozen=True)
class ComparedRun:
    """The progress of one run of a comparison."""

    run: str
    """Name in the library."""
    arm: str
    """Title of its arm."""
    seed: int
    state: str
    """"waiting", "running", "done" or "failed"."""
    phase: str = ""
    step: int = 0
    total: int = 0
    share: float = 0.0
    """Of its work, 0 to 1."""
    steps_per_second: float | None = None
    score: float | None = None
    """Points: mean of its last episodes; once it is done, of its final evaluation."""
    error: str | None = None


@dataclass(frozen=True)
class ComparisonSummary:
    """What lists and windows show of a comparison, including one that waits or failed before it started."""

    name: str
    state: ComparisonState
    question: str = ""
    share: float = 0.0
    """Of all its work, 0 to 1."""
    done: int = 0
    """Finished runs."""
    failed: int = 0
    total: int = 0
    seconds_left: float | None = None
    runs: tuple[ComparedRun, ...] = ()
    queue_position: int = 0
    """While it waits: 1 is next."""
    error: str = ""
    """Why it or one of its runs failed, in one sentence."""
    log: str = ""
    """Path of its output, if there is any."""
    report: str = ""
    """Path of the report, once it is written."""

    @property
    def is_active(self) -> bool:
        """Whether it waits, starts, runs or stops."""
        return self.state in ACTIVE_STATES

    @property
    def can_resume(self) -> bool:
        return self.state in ("stopped", "failed", "interrupted") or (self.state == "done" and self.failed > 0)


def comparison_summary(folder: ComparisonFolder) -> ComparisonSummary:
    """Return the summary of a comparison that was started."""
    log = str(folder.log) if folder.log.exists() else ""
    now = folder.reported()
    if now is None and folder.is_running():
        return ComparisonSummary(folder.name, "starting", log=log)
    if now is None:
        error = f"The comparison {folder.name} was interrupted before it started."
        return ComparisonSummary(folder.name, "interrupted", error=error, log=log)
    state = _state(folder, now)
    runs = tuple(_compared_run(run) for run in now.get("runs") or [] if isinstance(run, dict))
    error = str(now.get("error") or next((run.error for run in runs if run.error), ""))
    if state == "interrupted":
        error = f"The comparison {folder.name} was interrupted; R resumes it, and finished runs are not repeated."
    report = str(now.get("report") or "")
    return ComparisonSummary(
        name=folder.name,
        state=state,
        question=str(now.get("question") or ""),
        share=float(now.get("share") or 0.0),
        done=int(now.get("done") or 0),
        failed=int(now.get("failed") or 0),
        total=int(now.get("total") or 0),
        seconds_left=now.get("seconds_left"),
        runs=runs,
        error=error,
        log=log,
        report=report if report and Path(report).is_file() else "",
    )


def list_comparisons(library: Library) -> list[ComparisonSummary]:
    """Return the comparisons of a library that were started, the one that changed last at the end."""
    names = [path.parent for path in library.folder.glob("comparisons/*/runs/")]
    folders = [ComparisonFolder(library, path.name) for path in names if NAME.fullmatch(path.name)]
    folders.sort(key=lambda folder: folder.runs.stat().st_mtime)
    return [comparison_summary(folder) for folder in folders]


def _state(folder: ComparisonFolder, now: dict[str, Any]) -> ComparisonState:
    phase, running = now.get("phase"), folder.is_running()
    if phase in FINAL_PHASES:
        state: ComparisonState = phase
        return "running" if running and phase != "done" else state  # resumed, but without a new report yet
    if not running or not jobs.is_alive(int(now.get("process") or 0)):
        return "interrupted"
    return "stopping" if folder.stop_file.exists() else "running"


def _compared_run(content: dict[str, Any]) -> ComparedRun:
    known = {field.name: content[field.name] for field in fields(ComparedRun) if content.get(field.name) is not None}
    return ComparedRun(**{"run": "", "arm": "", "seed": 0, "state": "", **known})


# ---- the runs of comparisons -------------------------------------------------------------------------------------


def arm_slug(title: str) -> str:
    """Return the title of a comparison's arm as a part of file names and of the names of runs."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:40] or "arm"


def compared_run_name(comparison: str, arm: str, seed: int) -> str:
    """Return the name of the run that trains an arm of a comparison, called by its slug, with a random seed."""
    return f"{comparison}-{arm}-s{seed}"


def compared_runs(library: Library) -> dict[str, str]:
    """Return the name of each run that belongs to a comparison, mapped to the name of the comparison.

    Comparisons whose plan is not readable are left out.
    """
    found: dict[str, str] = {}
    for file in sorted(library.folder.glob("comparisons/*/plan.json")):
        try:
            plan = json.loads(file.read_text())
            name, seeds, arms = str(plan["name"]), list(plan["seeds"]), [arm_slug(arm["title"]) for arm in plan["arms"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found |= {compared_run_name(name, arm, seed): name for seed in seeds for arm in arms}
    return found


# ---- JSON files --------------------------------------------------------------------------------------------------


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, or None if there is none yet."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically. It need not survive a power failure. Raises OSError."""
    write_atomic(path, json.dumps(value), durable=False)
