"""What the Train window shows and asks for, without a window: runs, curves, previews of seedings, and wishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from data.live_view import LivePicture
from data.run_curves import RunCurves
from data.runs import RunSummary
from data.seeding_preview import SeedingPreview


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

    def runs(self) -> list[RunSummary]:
        """Those that go on and wait first, then the others, newest first."""
        ...

    def curves(self, run: str) -> RunCurves: ...

    def picture(self, run: str) -> LivePicture | None:
        """The newest picture of the run's game, or None; asking for it says that somebody looks on."""
        ...

    def sources(self) -> list[SourceOffer]: ...

    def presets(self) -> Sequence[Preset]: ...

    def free_name(self) -> str:
        """A name for the next run."""
        ...

    def preview(self, sources: tuple[str, ...], keep: str) -> SeedingPreview:
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
