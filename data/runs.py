"""Training runs: the folder of a run, its content and state, the runs of a library, and supplied runs.

A supplied run is a trained agent that is installed with the package. It is used like any run of a library and is
read-only. A run of the library with the same name hides it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from data.comparisons import compared_runs
from data.errors import CoachError
from data.files import hold_lock, is_locked, remove_quietly, write_atomic
from data.jobs import is_alive
from data.library import Library
from data.run_progress import Progress, ProgressReport, read_progress

FORMAT = "replay-coach-run"
VERSION = 1

SUPPLIED_RUNS = Path(__file__).parent / "supplied"
"""Folder of the runs that are installed with the package: a ``RunFolder`` each, with one checkpoint and ``card.json``.

``benchmarks.teacher`` writes them."""

RunState = Literal["waiting", "starting", "training", "stopping", "done", "stopped", "failed", "interrupted"]
SOURCE_WORDS = {"human": "people's play", "planner": "the planner's play", "all": "everything recorded"}
ACTIVE_STATES: tuple[RunState, ...] = ("waiting", "starting", "training", "stopping")


@dataclass(frozen=True)
class RunInfo:
    """The content of a run's ``config.json`` and ``run.json``."""

    config: dict[str, Any]
    """The fields of ``agent.config.TrainConfig``, not validated."""
    action_meanings: tuple[str, ...]
    from_run: str | None
    """The run whose weights it started with, if any."""
    carry: str | None = None
    """Which of those weights, one of ``agent.transfer.CARRIES``."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run in the library, ``runs/NAME/``.

    It has ``config.json``, ``run.json``, ``monitor.csv``, ``trace.csv``, ``tensorboard/``, ``evaluations.jsonl``,
    ``seeding.json``, ``best.npz``, ``checkpoints/``, ``memory/``, with --start-inside ``starts.npz``, with additions
    ``additions/`` and ``additions.jsonl`` (``data.additions``), ``moments.jsonl`` (``data.moments``) and, while the run
    is watched, ``live.picture`` and ``live.weights.npz``.
    Its lock and its progress file are beside it: they exist before the folder, which is made once the replay memory
    is filled.
    """

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def memory(self) -> Path:
        return self.path / "memory"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    @property
    def monitor(self) -> Path:
        """Score and length of each training episode; see ``data.run_curves``."""
        return self.path / "monitor.csv"

    @property
    def trace(self) -> Path:
        """Loss, mean value and so on, a row every few updates; see ``data.run_curves``."""
        return self.path / "trace.csv"

    @property
    def evaluations(self) -> Path:
        return self.path / "evaluations.jsonl"

    @property
    def seeding(self) -> Path:
        """Which demonstrations were sampled how often; see ``agent.seeding_fill``."""
        return self.path / "seeding.json"

    @property
    def best(self) -> Path:
        """Weights of the best evaluation during training."""
        return self.path / "best.npz"

    @property
    def starts(self) -> Path:
        """Where own episodes may start inside the seeding."""
        return self.path / "starts.npz"

    @property
    def lock_file(self) -> Path:
        return self.path.with_name(f".{self.name}.lock")

    @property
    def progress_file(self) -> Path:
        """A ``data.run_progress.ProgressFile`` while the run is trained."""
        return self.path.with_name(f".{self.name}.progress.json")

    @property
    def log(self) -> Path:
        """What the run's training printed, if it was started from a window."""
        return self.path.with_name(f"{self.name}.log")

    @property
    def exists(self) -> bool:
        return (self.path / "run.json").is_file()

    @property
    def is_supplied(self) -> bool:
        """Whether it is installed with the package, and therefore read-only."""
        return self.path.parent == SUPPLIED_RUNS

    # ---- content -------------------------------------------------------------------------------------------------

    def create(
        self,
        config: Mapping[str, Any],
        action_meanings: tuple[str, ...],
        from_run: str | None = None,
        carry: str | None = None,
    ) -> None:
        """Create the folder. config: the fields of a ``TrainConfig``. Raises CoachError."""
        about = {
            "format": FORMAT,
            "version": VERSION,
            "action_meanings": list(action_meanings),
            "from_run": from_run,
            "carry": carry,
        }
        try:
            for folder in (self.path, self.checkpoints, self.memory, self.tensorboard):
                folder.mkdir(parents=True, exist_ok=True)
            self.write_config(config)
            write_atomic(self.path / "run.json", json.dumps(about, indent=2))
        except OSError as error:
            raise CoachError(f"Cannot write the run {self.path} ({error.strerror or error}).") from error

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write ``config.json``, which changes when a resumed run is given more steps."""
        write_atomic(self.path / "config.json", json.dumps(dict(config), indent=2))

    def read(self) -> RunInfo:
        """Return the content of ``config.json`` and ``run.json``. Raises CoachError if they are not readable."""
        try:
            about: dict[str, Any] = json.loads((self.path / "run.json").read_text())
            if about["format"] != FORMAT or about["version"] != VERSION:
                raise CoachError(f"The run {self.path} was written by another version of Replay Coach.")
            config = json.loads((self.path / "config.json").read_text())
            if not isinstance(config, dict):
                raise TypeError("config.json is not a JSON object")
            return RunInfo(config, tuple(map(str, about["action_meanings"])), about.get("from_run"), about.get("carry"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CoachError(f"The run {self.path} is not readable ({error}).") from error

    def checkpoint_paths(self) -> list[Path]:
        """Return the folders of the checkpoints, oldest first."""
        return sorted(self.checkpoints.glob("[0-9]*"), key=lambda path: int(path.name))

    def newest_checkpoint(self) -> Path | None:
        """Return the folder of the newest checkpoint, or None."""
        found = self.checkpoint_paths()
        return found[-1] if found else None

    def set_checkpoint_aside(self, checkpoint: Path) -> Path:
        """Rename a damaged checkpoint so that the one before it is the newest; return its new path."""
        aside = checkpoint.with_name(f"damaged-{checkpoint.name}")
        shutil.rmtree(aside, ignore_errors=True)
        checkpoint.rename(aside)
        return aside

    def newest_state(self) -> tuple[Path, dict[str, Any]] | None:
        """Return folder and ``state.json`` of the newest checkpoint, or None. Raises CoachError if not readable."""
        newest = self.newest_checkpoint()
        if newest is None:
            return None
        try:
            state: dict[str, Any] = json.loads((newest / "state.json").read_text())
        except (OSError, ValueError) as error:
            raise CoachError(f"The checkpoint {newest} is not readable ({error}).") from error
        return newest, state

    # ---- its training --------------------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the run for this process. Raises CoachError if another process trains it."""
        with hold_lock(self.lock_file) as held:
            if held is None:
                raise CoachError(f"The run {self.name!r} is being trained by another process.")
            yield

    def is_trained(self) -> bool:
        """Return whether a process on this machine trains the run now."""
        return is_locked(self.lock_file)

    def training(self) -> ProgressReport | None:
        """Return the last report of the run's training, or None if it does not run or has not reported."""
        report = read_progress(self.progress_file)
        return report if report is not None and self.is_trained() else None

    def was_interrupted(self) -> bool:
        """Return whether the last training ended without removing its progress file, as after a kill."""
        report = read_progress(self.progress_file)
        return report is not None and not self.is_trained() and not is_alive(report.process)


@dataclass(frozen=True)
class RunSummary:
    """What lists and windows show of a run, including one that waits or failed before its folder was created."""

    name: str
    state: RunState
    path: Path = Path()
    game: str = ""
    seed_from: tuple[str, ...] = ()
    """The sources of its seeding, as ``coach train --seed-from`` takes them."""
    comparison: str = ""
    """Name of its comparison, which alone can stop and resume it, or ""."""
    step: int = 0
    """Own steps done: at the newest checkpoint, or as last reported while it is trained."""
    steps: int = 0
    """Own steps requested."""
    mean_score: float | None = None
    """Of the last 100 own episodes, points."""
    progress: Progress | None = None
    """While it is trained, if its training reports any."""
    queue_position: int = 0
    """While it waits: 1 is next."""
    error: str = ""
    """Why it failed or was interrupted, in one sentence."""
    log: str = ""
    """Path of the output of its training."""
    note: str = ""
    """What a person should know about it, such as how much its demonstrations taught; in sentences."""
    supplied: bool = False
    """Whether it is installed with the package. Its mean score is then that of its card's evaluation."""

    @property
    def seeding(self) -> str:
        """Where its seeding comes from, in words."""
        return ", ".join(SOURCE_WORDS.get(spec, spec) for spec in self.seed_from) or "from scratch"

    @property
    def is_active(self) -> bool:
        """Whether it waits, starts, trains or stops."""
        return self.state in ACTIVE_STATES

    @property
    def is_training(self) -> bool:
        return self.state in ("training", "stopping")

    @property
    def can_watch(self) -> bool:
        """Whether it has an agent to watch."""
        return self.step > 0 or self.is_training

    @property
    def can_resume(self) -> bool:
        is_unreadable = self.path != Path() and not self.steps
        return not (self.comparison or self.is_active or is_unreadable or self.supplied)

    @property
    def phase(self) -> str:
        """The phase of its training, "" while it is not trained."""
        if self.progress is not None:
            return self.progress.phase
        return "training" if self.is_training else ""

    @property
    def share_done(self) -> float:
        """Share of the whole training that is done, 0 to 1."""
        if self.is_training and self.progress is not None and self.progress.run_share is not None:
            return self.progress.run_share
        return min(1.0, self.step / max(1, self.steps))


def run_summary(folder: RunFolder, comparison: str = "") -> RunSummary:
    """Return what lists show of a run. Raises CoachError if it is not readable."""
    config = folder.read().config
    try:
        saved = folder.newest_state()
        state = saved[1] if saved else {}
        scores = [float(score) for score in state.get("recent_scores", [])]
        step, steps = int(state.get("step", 0)), int(config["steps"])
        game, seed_from = str(config["game"]), tuple(map(str, config["seed_from"]))
    except KeyError as error:
        raise CoachError(f"The run {folder.path} is not readable (config.json has no {error}).") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise CoachError(f"The newest checkpoint of the run {folder.path} is not readable ({error}).") from error
    mean_score = sum(scores) / len(scores) if scores else None
    if folder.is_supplied:
        steps = step  # it may be from before the end of its training
    report = folder.training()
    run_state: RunState = "done" if step >= steps else "stopped"
    if report is not None:
        run_state = "stopping" if report.stopping else "training"
        if report.progress.own_steps:
            step, steps = report.progress.own_step, report.progress.own_steps
        if report.progress.mean_score is not None:
            mean_score = report.progress.mean_score
    elif folder.is_trained():
        run_state = "training"  # by a comparison, whose progress is published elsewhere
    elif folder.was_interrupted():
        run_state = "interrupted"
    return RunSummary(
        name=folder.name,
        state=run_state,
        path=folder.path,
        game=game,
        seed_from=seed_from,
        comparison=comparison,
        step=step,
        steps=steps,
        mean_score=mean_score,
        progress=None if report is None else report.progress,
        note=(report.progress.note if report is not None else "") or str(state.get("note", "")),
        supplied=folder.is_supplied,
    )


def move_run(folder: RunFolder, target: RunFolder) -> None:
    """Move a run, with its log, to another name or folder. Raises CoachError while it is trained, or if that exists."""
    if folder.is_trained():
        raise CoachError(f"The run {folder.name!r} is being trained; stop it first.")
    if target.path.exists():
        raise CoachError(f"There is a run {target.name!r} in {target.path.parent} already.")
    try:
        target.path.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder.path, target.path)
        with suppress(FileNotFoundError):
            os.replace(folder.log, target.log)
    except OSError as error:
        raise CoachError(f"Cannot move the run {folder.path} to {target.path} ({error.strerror or error}).") from error
    for leftover in (folder.lock_file, folder.progress_file):
        remove_quietly(leftover)


# ---- the runs of a library, and supplied ones ----------------------------------------------------------------------


def run_folder(library: Library, name: str) -> RunFolder:
    """Return the library's folder of a run, existing or not. Raises CoachError for a name that is not a file name."""
    return RunFolder(library.run_folder(name))


def find_run(library: Library, name: str) -> RunFolder:
    """Return the folder of the supplied run of that name if the library has none itself, else ``run_folder``."""
    own, supplied = run_folder(library, name), RunFolder(SUPPLIED_RUNS / name)
    return supplied if supplied.exists and not own.exists else own


def open_run(library: Library, name: str) -> RunFolder:
    """Return the folder of an existing or supplied run. Raises CoachError, with those that exist, if there is none."""
    folder = find_run(library, name)
    if not folder.exists:
        known = [run.name for run in run_folders(library)]
        hint = f"there are {', '.join(known)}" if known else "train one first with: coach train --run NAME"
        supplied = "".join(f"; {run.name} is supplied" for run in supplied_folders(library))
        raise CoachError(f"The library {library.folder} has no run {name!r}; {hint}{supplied}.")
    return folder


def open_own_run(library: Library, name: str) -> RunFolder:
    """Return the folder of an existing run that may be changed. Raises CoachError for a supplied one."""
    folder = open_run(library, name)
    if folder.is_supplied:
        raise CoachError(
            f"The run {name!r} is supplied with Replay Coach and cannot be changed; "
            f"a new run starts with its weights: coach train --run NAME --from {name}."
        )
    return folder


def run_folders(library: Library) -> list[RunFolder]:
    """Return the folders of all runs of a library, by name."""
    return _runs_in(library.runs)


def supplied_folders(library: Library) -> list[RunFolder]:
    """Return the folders of the supplied runs, by name, without those whose name a run of the library has."""
    return [folder for folder in _runs_in(SUPPLIED_RUNS) if not run_folder(library, folder.name).exists]


def _runs_in(parent: Path) -> list[RunFolder]:
    if not parent.is_dir():
        return []
    folders = (RunFolder(path) for path in sorted(parent.iterdir()) if path.is_dir())
    return [folder for folder in folders if folder.exists]


def list_runs(library: Library) -> list[RunSummary]:
    """Return the summaries of all readable runs of a library, by name."""
    return survey_runs(library)[0]


def supplied_runs(library: Library) -> list[RunSummary]:
    """Return the summaries of ``supplied_folders``."""
    return [run_summary(folder) for folder in supplied_folders(library)]


def supplied_games() -> frozenset[str]:
    """Return the games of all supplied runs."""
    return frozenset(str(folder.read().config["game"]) for folder in _runs_in(SUPPLIED_RUNS))


def survey_runs(library: Library) -> tuple[list[RunSummary], list[RunSummary]]:
    """Return the readable runs of a library, and the unreadable ones with name, path and error; each by name."""
    found, unreadable = [], []
    comparisons = compared_runs(library)
    for folder in run_folders(library):
        try:
            found.append(run_summary(folder, comparisons.get(folder.name, "")))
        except CoachError as error:
            unreadable.append(RunSummary(folder.name, "failed", folder.path, error=str(error)))
    return found, unreadable
