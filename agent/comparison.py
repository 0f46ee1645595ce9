"""A comparison: its plan, which is written once and read by every process that works on it, and where things lie.

``<library>/comparisons/<name>/`` holds ``plan.json``, the verdicts as they stood at the beginning, and in ``runs/``
what each run's process tells: ``<run>.progress.json`` while it works, then ``<run>.result.json`` or
``<run>.failure.json``, and its ``<run>.log``. The runs themselves are normal runs of the library, called
``<name>-<arm>-s<seed>``. A cluster needs nothing but the library on storage that all its machines share.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.arms import Arm
from agent.array_file import write_bytes
from agent.config import TrainConfig
from data.errors import CoachError
from data.files import hold_lock, write_atomic
from data.library import Library
from data.runs import compared_run_name

FORMAT = "replay-coach-comparison"
VERSION = 1


@dataclass(frozen=True)
class Task:
    """One run of a comparison."""

    run: str
    arm: str
    """Slug of its arm."""
    seed: int


@dataclass(frozen=True)
class Plan:
    """Everything that decides a comparison's runs and its report."""

    name: str
    question: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    evaluation_episodes: int = 30
    """Of each finished run: the same for all."""
    most_seconds: float | None = None
    """Seconds of training after which a run ends, pretraining included."""
    reach: tuple[float, ...] = ()
    """Scores of which the report says after how many steps they were reached."""
    command: tuple[str, ...] = ()
    """What to type to repeat it."""
    labels: dict[str, str | None] = field(default_factory=dict)
    """Slug of an arm to the file, in the comparison's folder, with the verdicts that it goes by."""
    episodes: tuple[str, ...] = ()
    """Ids of the episodes that the library held at the beginning; later ones seed nothing."""
    seedings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Slug of an arm to what its seeding selects; see ``agent.seeding_facts``."""
    provenance: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Slug of an arm to where its experience comes from; see ``agent.provenance``."""

    @property
    def game(self) -> str:
        return self.arms[0].config.game

    def tasks(self) -> list[Task]:
        """All runs: every arm with the first seed, then with the second, so that early results can be compared."""
        return [
            Task(compared_run_name(self.name, arm.slug, seed), arm.slug, seed)
            for seed in self.seeds
            for arm in self.arms
        ]

    def arm(self, slug: str) -> Arm:
        return next(arm for arm in self.arms if arm.slug == slug)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, "version": VERSION, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Read a plan; raises CoachError where it is not readable or of another version."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("format") != FORMAT or values.pop("version") != VERSION:
                raise CoachError("The comparison was written by another version of Replay Coach.")
            arms = []
            for arm in values.pop("arms"):
                config = TrainConfig.from_json(json.dumps(arm.pop("config")))
                arms.append(Arm(config=config, **arm))
            lists: dict[str, Any] = {key: tuple(values.pop(key)) for key in ("seeds", "reach", "command", "episodes")}
            return cls(arms=tuple(arms), **lists, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CoachError(f"The comparison's plan is not readable ({error}).") from error


@dataclass(frozen=True)
class ComparisonFolder:
    """Where the processes of one comparison meet."""

    library: Library
    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", self.name):
            raise CoachError(
                f"A comparison's name may hold at most 40 letters, digits, dots, hyphens and underscores, "
                f"not {self.name!r}; choose one with --name."
            )

    @property
    def path(self) -> Path:
        return self.library.folder / "comparisons" / self.name

    @property
    def plan_file(self) -> Path:
        return self.path / "plan.json"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def stop_file(self) -> Path:
        """While it is there, every run ends at its next step with a checkpoint."""
        return self.path / "stop"

    def result(self, run: str) -> Path:
        return self.runs / f"{run}.result.json"

    def failure(self, run: str) -> Path:
        return self.runs / f"{run}.failure.json"

    def progress(self, run: str) -> Path:
        return self.runs / f"{run}.progress.json"

    def log(self, run: str) -> Path:
        return self.runs / f"{run}.log"

    def claim(self, run: str) -> Path:
        """Made by the worker that takes a run on."""
        return self.runs / f"{run}.claim"

    def labels(self, plan: Plan, slug: str) -> Path | None:
        file = plan.labels.get(slug)
        return None if file is None else self.path / file

    def prepare(self) -> None:
        """Make the folder; raises CoachError where it cannot be made."""
        self.library.prepare()
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CoachError(f"The folder {self.runs} cannot be made ({error.strerror or error}).") from error

    def read_plan(self) -> Plan | None:
        """The plan, or None where the comparison was not begun."""
        try:
            text = self.plan_file.read_text()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CoachError(f"{self.plan_file} cannot be read ({error.strerror or error}).") from error
        return Plan.from_json(text)

    def write_plan(self, plan: Plan) -> None:
        write_bytes(self.plan_file, plan.to_json().encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the comparison for this process; raises CoachError while another one has it. A kill lets go."""
        with hold_lock(self.path / ".lock") as held:
            if held is None:
                raise CoachError(f"The comparison {self.name!r} is being worked on by another process.")
            yield


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none (yet)."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: Path, value: object) -> None:
    """Write a JSON file that is whole at every moment, if the disk lets us."""
    write_atomic(path, json.dumps(value), durable=False)


class FrozenLibrary(Library):
    """A library as it was when a comparison began: episodes that came later are not seen.

    Else a person who plays on while a comparison runs would change the seedings of the runs that are still to come.
    """

    def __init__(self, folder: Path, episodes: tuple[str, ...]) -> None:
        super().__init__(folder)
        self._frozen = frozenset(episodes)

    def episodes(self, game: str | None = None) -> list[Any]:
        found = [summary for summary in super().episodes() if summary.episode_id in self._frozen]
        missing = self._frozen - {summary.episode_id for summary in found}
        if missing:
            raise CoachError(
                f"The library {self.folder} has lost {len(missing)} of the episodes that this comparison began with, "
                f"such as {min(missing)}; bring them back, or begin another comparison."
            )
        return [summary for summary in found if game in (None, summary.game)]
