"""What the Train window shows and asks for, without a window: runs, curves, previews of seedings, and wishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

RunState = Literal["waiting", "starting", "training", "stopping", "done", "stopped", "failed", "broke off"]
GOING_ON: tuple[RunState, ...] = ("waiting", "starting", "training", "stopping")


@dataclass(frozen=True)
class RunFacts:
    """One run, or one that waits for its turn or failed before there was any."""

    name: str
    state: RunState
    seeding: str = ""
    """Where its seeding comes from, in words."""
    comparison: str = ""
    """Name of the comparison that it belongs to, which alone stops it and goes on with it."""
    step: int = 0
    """Own steps done."""
    steps: int = 0
    """Own steps asked for."""
    phase: str = ""
    """While it trains: "filling", "pretraining", "training" or "evaluating"."""
    phase_step: int = 0
    phase_total: int = 0
    steps_per_second: float = 0.0
    """Of the phase."""
    seconds_left: float | None = None
    """Of the whole training."""
    mean_score: float | None = None
    epsilon: float | None = None
    episodes: int = 0
    place: int = 0
    """While it waits: 1 is next."""
    complaint: str = ""
    """Why it failed, in one sentence."""
    log: str = ""
    """Path of what the training said."""

    @property
    def is_going_on(self) -> bool:
        return self.state in GOING_ON

    @property
    def can_resume(self) -> bool:
        return not self.comparison and self.state in ("stopped", "done", "failed", "broke off")

    @property
    def share_done(self) -> float:
        """Of the phase while it trains, else of all steps; 0 to 1."""
        if self.state in ("training", "stopping") and self.phase != "training":
            return self.phase_step / max(1, self.phase_total)
        return self.step / max(1, self.steps)


@dataclass(frozen=True)
class Evaluated:
    """An evaluation while training: mean score and its 95% interval."""

    step: int
    mean: float
    low: float
    high: float


def _none() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class Curves:
    """A run's curves, (N,) arrays over own steps; pretraining lies below 0."""

    episode_steps: np.ndarray = field(default_factory=_none)
    episode_scores: np.ndarray = field(default_factory=_none)
    running_mean: np.ndarray = field(default_factory=_none)
    evaluations: tuple[Evaluated, ...] = ()
    trace_steps: np.ndarray = field(default_factory=_none)
    loss: np.ndarray = field(default_factory=_none)
    mean_value: np.ndarray = field(default_factory=_none)
    seeded_share: np.ndarray = field(default_factory=_none)
    rate: np.ndarray = field(default_factory=_none)


@dataclass(frozen=True)
class GamePicture:
    """One moment of a training agent's game, with what it expects of each action."""

    frame: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    actions: tuple[str, ...] = ()
    values: np.ndarray = field(default_factory=_none)
    """(A,) float32"""
    score: float = 0.0
    evaluating: bool = False


@dataclass(frozen=True)
class SourceOffer:
    """A source that a seeding may take from."""

    spec: str
    """As ``coach train --seed-from`` takes it."""
    label: str
    detail: str
    """How much there is, in words."""
    offers: bool = True
    """Whether there is anything."""


@dataclass(frozen=True)
class SeedingFacts:
    """What a seeding would put into the replay memory."""

    decisions: int
    seconds: float
    episodes: int
    random: int
    """Decisions of fresh random play among them."""
    reward_share: float
    """Share of the recorded decisions that bring points."""
    removed_good: int
    removed_bad: int
    removed_none: int
    """Decisions that verdicts remove, by what the verdicts say."""
    kept_good: int
    kept_bad: int
    kept_none: int
    actions: tuple[tuple[str, int], ...]
    """Action and kept decisions."""
    megabytes: float


@dataclass(frozen=True)
class TrainWish:
    """What a person asks for: a training with this seeding and these settings."""

    run: str
    sources: tuple[str, ...]
    keep: str
    preset: str
    steps: int
    pretrain_steps: int
    evaluate_every: int


@dataclass(frozen=True)
class Preset:
    """A preset's own values of what the form asks."""

    name: str
    steps: int
    pretrain_steps: int
    evaluate_every: int


class TrainDesk(Protocol):
    """What the window needs from the rest of the house; ``commands.train_desk`` is the real one.

    Methods that change something raise CoachError with one sentence where they cannot.
    """

    def runs(self) -> list[RunFacts]:
        """Those that go on and wait first, then the others, newest first."""
        ...

    def curves(self, run: str) -> Curves: ...

    def picture(self, run: str) -> GamePicture | None:
        """The newest picture of the run's game, or None; asking for it says that somebody looks on."""
        ...

    def sources(self) -> list[SourceOffer]: ...

    def presets(self) -> Sequence[Preset]: ...

    def free_name(self) -> str:
        """A name for the next run."""
        ...

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingFacts:
        """Raises CoachError where nothing is selected. May take seconds: not for the thread that draws."""
        ...

    def seconds_estimate(self, wish: TrainWish) -> float | None:
        """How long such a training took before, or None where nothing is known."""
        ...

    def start(self, wish: TrainWish) -> None: ...

    def stop(self, run: str) -> None:
        """Stop a training, or take one that waits out of the queue."""
        ...

    def resume(self, run: str) -> None:
        """Go on with a stopped run; one that failed is tried again, one that is done trains as long again."""
        ...

    def dismiss(self, run: str) -> None:
        """Forget that it failed."""
        ...


def grouped(number: int) -> str:
    """A whole number as a person reads it: 12,000."""
    return f"{number:,}"


def clock(seconds: float) -> str:
    """A time left: 0:42, 12:05, 3:05:00."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
