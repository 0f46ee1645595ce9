"""A run: the folder of one training in the library, and what is written there while it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.array_file import write_bytes
from agent.config import TrainConfig
from data.errors import CoachError
from data.file_lock import holding, is_held
from data.library import Library

FORMAT = "replay-coach-run"
VERSION = 1
MONITOR_COLUMNS = "r,l,t"
TRACE_COLUMNS = ("step", "loss", "mean_value", "seeded_share", "epsilon", "steps_per_second")
"""Pretraining lies before step 0: its rows have steps below 0."""


@dataclass(frozen=True)
class RunFolder:
    """``config.json``, ``run.json``, ``monitor.csv``, ``trace.csv``, ``tensorboard/``, ``evaluations.jsonl``,
    ``seeding.json``, ``best.npz``, ``checkpoints/``, ``memory/``; while somebody looks on, ``live.picture``."""

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
        return self.path / "monitor.csv"

    @property
    def trace(self) -> Path:
        """How learning went, a row every few updates: ``TRACE_COLUMNS``."""
        return self.path / "trace.csv"

    @property
    def evaluations(self) -> Path:
        return self.path / "evaluations.jsonl"

    @property
    def best(self) -> Path:
        """Weights of the best evaluation while training."""
        return self.path / "best.npz"

    @property
    def exists(self) -> bool:
        return (self.path / "run.json").is_file()

    def create(
        self, config: TrainConfig, action_meanings: tuple[str, ...], from_run: str | None, carry: str | None = None
    ) -> None:
        """Make the folder; raises CoachError where it cannot be written."""
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
            self.change_config(config)
            write_bytes(self.path / "run.json", json.dumps(about, indent=2).encode())
        except OSError as error:
            raise CoachError(f"The run {self.path} cannot be written ({error.strerror or error}).") from error

    def read(self) -> RunInfo:
        """What the run is; raises CoachError where it is not readable."""
        try:
            about: dict[str, Any] = json.loads((self.path / "run.json").read_text())
            if about["format"] != FORMAT or about["version"] != VERSION:
                raise CoachError(f"The run {self.path} was written by another version of Replay Coach.")
            return RunInfo(
                self._config(), tuple(map(str, about["action_meanings"])), about.get("from_run"), about.get("carry")
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CoachError(f"The run {self.path} is not readable ({error}).") from error

    def _config(self) -> TrainConfig:
        text = (self.path / "config.json").read_text()
        try:
            return TrainConfig.from_json(text)
        except CoachError as error:
            raise CoachError(f"The run {self.path} is not readable ({str(error).rstrip('.')}).") from error

    def change_config(self, config: TrainConfig) -> None:
        """Note the configuration, which changes when a resumed run is given more steps."""
        write_bytes(self.path / "config.json", config.to_json().encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; raises CoachError while another one trains it. A kill lets go."""
        with holding(_lock_of(self.path)) as held:
            if held is None:
                raise CoachError(f"The run {self.name!r} is being trained by another process.")
            yield


def _lock_of(run_folder: Path) -> Path:
    return run_folder.with_name(f".{run_folder.name}.lock")


def is_trained(run_folder: Path) -> bool:
    """Whether a process, on this machine, is training the run of this folder now."""
    return is_held(_lock_of(run_folder))


@dataclass(frozen=True)
class RunInfo:
    """What a run's ``config.json`` and ``run.json`` say."""

    config: TrainConfig
    action_meanings: tuple[str, ...]
    from_run: str | None
    carry: str | None = None
    """What of that run's network it began with, one of ``transfer.CARRIES``."""


def open_run(library: Library, name: str) -> RunFolder:
    """The folder of an existing run; raises CoachError, with the names that there are, where it is none."""
    folder = RunFolder(library.run_folder(name))
    if not folder.exists:
        known = [run.name for run in run_folders(library)]
        hint = f"there are {', '.join(known)}" if known else "train one first with: coach train --run NAME"
        raise CoachError(f"The library {library.folder} has no run {name!r}; {hint}.")
    return folder


def run_folders(library: Library) -> list[RunFolder]:
    """All runs of a library, by name."""
    if not library.runs.is_dir():
        return []
    folders = (RunFolder(path) for path in sorted(library.runs.iterdir()) if path.is_dir())
    return [folder for folder in folders if folder.exists]


def saved_config(library: Library, name: str) -> TrainConfig:
    """The configuration that a run was begun with; raises CoachError where there is no such run."""
    return open_run(library, name).read().config
