"""The settings of the study of learning and its result files, shared by its command, processes and report.

Imports neither Keras nor PyTorch, because the processes of both sides import it.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.files import write_atomic

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results" / "learning"
GAME = "SpaceInvaders"
STEPS = 100_000
SEEDS = (0, 1, 2)
EVALUATE_EVERY = 25_000
EPISODES = 30
EVALUATION_SEED = 2**20
"""As in ``agent.training``: all arms are evaluated on the same episodes."""
DEMONSTRATION_FRAMES = 15 * 60 * 60
"""15 minutes at 60 frames a second."""
DEMONSTRATION_SEED = 1000
HOLD = 3
"""Least number of decisions for which the planner holds an action: smoother play, more like a person's."""
STOPPED = 3
"""Exit status of a process that saved a checkpoint and stopped on request."""

ARMS = {
    "seeded": "seeded by 15 minutes of the planner's play",
    "unseeded": "the same agent without a seeding",
    "sb3": "Stable-Baselines3's DQN",
}


@dataclass(frozen=True)
class Evaluated:
    """The agent at one point of its training."""

    step: int
    """Own steps."""
    scores: tuple[float, ...]
    """Points of each episode, under the protocol "nature"."""
    seconds: float | None = None
    """Wall clock of the training until then, without evaluations; None in results of older versions."""

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class Result:
    """One complete training of one arm."""

    arm: str
    seed: int
    steps: int
    settings: dict[str, object]
    """The differences from that side's defaults."""
    evaluations: tuple[Evaluated, ...]
    seconds: float
    """Wall clock, evaluations included, in one thread."""
    machine: str

    def write(self, folder: Path = RESULTS) -> Path:
        """Save it atomically and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = result_path(self.arm, self.seed, folder)
        write_atomic(path, json.dumps(asdict(self), indent=1) + "\n")
        return path


def result_path(arm: str, seed: int, folder: Path = RESULTS) -> Path:
    return folder / f"{arm}-{seed}.json"


def evaluated(rows: list[dict[str, Any]]) -> tuple[Evaluated, ...]:
    """Return the evaluations that rows of JSON files describe."""
    return tuple(Evaluated(row["step"], tuple(row["scores"]), row.get("seconds")) for row in rows)


def read_results(folder: Path = RESULTS) -> list[Result]:
    """Return all finished trainings, by arm and seed."""
    found = []
    for arm in ARMS:
        for path in sorted(folder.glob(f"{arm}-*.json")):
            row = json.loads(path.read_text())
            row["evaluations"] = evaluated(row["evaluations"])
            found.append(Result(**row))
    return found


def missing(folder: Path = RESULTS) -> list[tuple[str, int]]:
    """Return arms and seeds that are not trained yet, every arm's first seed before any second one."""
    return [(arm, seed) for seed in SEEDS for arm in ARMS if not result_path(arm, seed, folder).is_file()]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows measured so far; none if there is no such file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Append a row to the file and print it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)


def this_machine() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
