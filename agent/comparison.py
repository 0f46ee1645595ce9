"""The plan of a comparison: arms, random seeds and what is frozen at its start. Every process of it reads the plan."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.arms import Arm
from agent.config import TrainConfig
from data.comparisons import ComparisonFolder, compared_run_name
from data.errors import CoachError
from data.files import write_atomic
from data.library import Library

FORMAT = "replay-coach-comparison"
VERSION = 1


@dataclass(frozen=True)
class Task:
    """One run of a comparison."""

    run: str
    arm: str
    """The slug of its arm."""
    seed: int


@dataclass(frozen=True)
class Plan:
    """All that determines the runs of a comparison and its report."""

    name: str
    question: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    evaluation_episodes: int = 30
    """Episodes that evaluate each finished run, the same for all."""
    most_seconds: float | None = None
    """Limit of the seconds of training, including pretraining; None: no limit."""
    reach: tuple[float, ...] = ()
    """Scores, in points, for which the report states the number of steps to reach them."""
    command: tuple[str, ...] = ()
    """The command line that repeats it, ``coach`` included."""
    labels: dict[str, str | None] = field(default_factory=dict)
    """Slug of an arm to the file in the comparison's folder with the verdicts that the arm uses."""
    episodes: tuple[str, ...] = ()
    """Ids of the episodes in the library at the start. Later ones are not used."""
    seedings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Slug of an arm to what its seeding selects; see ``agent.seeding_facts``."""
    provenance: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Slug of an arm to the provenance of its experience; see ``agent.provenance``."""

    @property
    def game(self) -> str:
        return self.arms[0].config.game

    def tasks(self) -> list[Task]:
        """Return all runs: every arm with the first seed, then with the second, so early results are comparable."""
        return [
            Task(compared_run_name(self.name, arm.slug, seed), arm.slug, seed)
            for seed in self.seeds
            for arm in self.arms
        ]

    def arm(self, slug: str) -> Arm:
        return next(arm for arm in self.arms if arm.slug == slug)

    def labels_file(self, folder: ComparisonFolder, slug: str) -> Path | None:
        """Return the database with the verdicts that an arm uses, or None if it uses none."""
        file = self.labels.get(slug)
        return None if file is None else folder.path / file

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, "version": VERSION, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan in a JSON text. Raises CoachError if it is not readable or of another version."""
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


def read_plan(folder: ComparisonFolder) -> Plan | None:
    """Return the plan, or None if the comparison has not been started. Raises CoachError if it is not readable."""
    try:
        text = folder.plan_file.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CoachError(f"Cannot read {folder.plan_file} ({error.strerror or error}).") from error
    return Plan.from_json(text)


def write_plan(folder: ComparisonFolder, plan: Plan) -> None:
    """Write ``plan.json`` atomically. Raises OSError."""
    write_atomic(folder.plan_file, plan.to_json())


class FrozenLibrary(Library):
    """A library as it was when a comparison started, without later episodes.

    A person who plays while a comparison runs would otherwise change the seedings of its remaining runs.
    """

    def __init__(self, folder: Path, episodes: tuple[str, ...]) -> None:
        super().__init__(folder)
        self._frozen = frozenset(episodes)

    def episodes(self, game: str | None = None) -> list[Any]:
        found = [summary for summary in super().episodes() if summary.episode_id in self._frozen]
        missing = self._frozen - {summary.episode_id for summary in found}
        if missing:
            raise CoachError(
                f"The library {self.folder} has lost {len(missing)} of the episodes that this comparison started with, "
                f"such as {min(missing)}; restore them or start another comparison."
            )
        return [summary for summary in found if game in (None, summary.game)]
