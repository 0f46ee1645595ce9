"""What the Compare window shows and asks for, without a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from data.runs import ComparedRun
from home.form import SourceOption

ComparisonState = Literal["starting", "running", "stopping", "stopped", "done", "failed", "broke off"]
AT_WORK: tuple[ComparisonState, ...] = ("starting", "running", "stopping")


@dataclass(frozen=True)
class ComparisonFacts:
    """One comparison as it stands."""

    name: str
    state: ComparisonState
    question: str = ""
    share: float = 0.0
    done: int = 0
    failed: int = 0
    total: int = 0
    seconds_left: float | None = None
    runs: tuple[ComparedRun, ...] = ()
    complaint: str = ""
    log: str = ""
    report: str = ""
    """Path of the page, once it is written."""

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def can_resume(self) -> bool:
        return self.state in ("stopped", "failed", "broke off") or (self.state == "done" and self.failed > 0)


@dataclass(frozen=True)
class ArmResult:
    """One arm's finished runs."""

    arm: str
    scores: tuple[float, ...]
    """Mean points of each finished run's final evaluation, by seed."""

    @property
    def mean(self) -> float:
        return sum(self.scores) / len(self.scores)


@dataclass(frozen=True)
class ComparisonWish:
    """What a person asks for."""

    name: str
    arms: tuple[str, ...]
    seeds: int
    steps: int
    pretrain_steps: int
    final_episodes: int


class ComparisonDesk(Protocol):
    """What the window needs from the rest of the house; ``commands.comparison_desk`` is the real one.

    Methods that change something raise CoachError with one sentence where they cannot.
    """

    def comparisons(self) -> list[ComparisonFacts]:
        """Those at work first, then the others, newest first."""
        ...

    def arms(self) -> list[SourceOption]: ...

    def free_name(self) -> str: ...

    def seconds_estimate(self, wish: ComparisonWish) -> float | None:
        """How long all runs will take, or None where nothing is known."""
        ...

    def start(self, wish: ComparisonWish) -> None: ...

    def stop(self, name: str) -> None: ...

    def resume(self, name: str) -> None: ...

    def open_report(self, name: str) -> str:
        """Show the page in a browser; returns a sentence that says where it is."""
        ...


def results(facts: ComparisonFacts) -> list[ArmResult]:
    """Of each arm with a finished run, best first."""
    arms = dict.fromkeys(run.arm for run in facts.runs)
    found = []
    for arm in arms:
        finished = [run for run in facts.runs if run.arm == arm and run.state == "done" and run.score is not None]
        scores = [run.score for run in sorted(finished, key=lambda run: run.seed) if run.score is not None]
        if scores:
            found.append(ArmResult(arm, tuple(scores)))
    return sorted(found, key=lambda result: -result.mean)
