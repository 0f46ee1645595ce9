"""How a training stands, for whoever shows it: values, not pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.config import TrainConfig
from agent.learner import Update
from agent.trainer import Trainer
from agent.work_left import updates_left

REPORT_SECONDS = 0.2
RATE_SECONDS = 10.0
"""Time over which a rate is averaged."""
SMOOTHING = 0.98


@dataclass(frozen=True)
class Progress:
    """How things stand."""

    phase: str
    """"filling", "pretraining", "training" or "evaluating"."""
    step: int
    """Of the phase: decisions filled in, updates, own steps, or episodes."""
    total: int
    steps_per_second: float
    """Of the phase."""
    mean_score: float | None
    """Of the last 100 own episodes, points."""
    epsilon: float | None
    seeded_share: float | None
    """Share of the newest batch that was seeded."""
    loss: float | None
    """Running mean."""
    seconds_left: float | None
    """Of the phase."""
    episodes: int
    """Own episodes so far."""
    mean_value: float | None = None
    """Running mean of the values (Q) of the actions in the batches."""
    own_step: int = 0
    """Own steps done, whatever the phase."""
    own_steps: int = 0
    """Own steps asked for; 0 while filling."""
    run_seconds_left: float | None = None
    """Of the whole training, without evaluations; None while filling."""


@dataclass(frozen=True)
class TrainSummary:
    """What a call of ``train`` came to."""

    run: str
    path: Path
    step: int
    """Own steps done."""
    steps: int
    """Own steps asked for."""
    updates: int
    episodes: int
    mean_score: float | None
    """Of the last 100 own episodes, points."""
    best_evaluation: float | None
    """Highest mean score of the evaluations while training, points."""
    seconds: float
    """Of training, those before a resume included."""
    stopped: bool
    """Whether it was asked to stop before the end."""
    seeded_decisions: int
    """Seeded transitions in the memory."""


class Reporter:
    """Tells ``report`` about five times a second how a phase goes."""

    def __init__(self, report: Callable[[Progress], None] | None) -> None:
        self._report = report
        self._updates_per_second = 0.0
        self.phase("filling", 0, 0)

    def phase(self, name: str, step: int, total: int) -> None:
        """A phase begins at ``step`` of ``total``. Of learning, the first step, which compiles, is not in the pace."""
        self.name, self.total = name, total
        learns = name in ("pretraining", "training")
        self._marks: list[tuple[float, int]] = [] if learns else [(time.monotonic(), step)]
        self._told = 0.0

    @property
    def rate(self) -> float:
        """Steps of the phase a second, over the last seconds."""
        if not self._marks:
            return 0.0
        (t0, s0), (t1, s1) = self._marks[0], self._marks[-1]
        return (s1 - s0) / (t1 - t0) if t1 > t0 else 0.0

    def filled(self, step: int) -> None:
        """So many decisions are filled in."""
        if self.due(step):
            self.tell(step, None, None)

    def due(self, step: int) -> bool:
        """Whether it is time to tell, at this step of the phase."""
        now = time.monotonic()
        if now - self._told < REPORT_SECONDS and step < self.total:
            return False
        self._told = now
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_SECONDS:
            self._marks.pop(0)
        return True

    def tell(self, step: int, trainer: Trainer | None, loss: float | None, mean_value: float | None = None) -> None:
        if self._report is None:
            return
        rate = self.rate
        if self.name in ("pretraining", "training") and rate > 0.0 and trainer is not None:
            per_update = 1.0 if self.name == "pretraining" else 1.0 / trainer.config.train_every
            self._updates_per_second = rate * per_update
        scores = trainer.recent_scores if trainer is not None else ()
        self._report(
            Progress(
                phase=self.name,
                step=step,
                total=self.total,
                steps_per_second=rate,
                mean_score=float(np.mean(scores)) if scores else None,
                epsilon=trainer.epsilon if trainer is not None else None,
                seeded_share=trainer.batch_seeded_share if trainer is not None else None,
                loss=loss,
                seconds_left=0.0 if step >= self.total else (self.total - step) / rate if rate > 0.0 else None,
                episodes=trainer.episodes if trainer is not None else 0,
                mean_value=mean_value,
                own_step=trainer.step if trainer is not None else 0,
                own_steps=trainer.config.steps if trainer is not None else 0,
                run_seconds_left=self._whole_left(trainer),
            )
        )

    def _whole_left(self, trainer: Trainer | None) -> float | None:
        """Updates that are missing, at the pace of the newest."""
        if trainer is None or self._updates_per_second <= 0.0:
            return None
        return updates_left(trainer.config, trainer.pretrained, trainer.step) / self._updates_per_second


class Tracker:
    """Running figures of a training, told through a reporter."""

    def __init__(self, config: TrainConfig, trainer: Trainer, reporter: Reporter) -> None:
        self._config = config
        self._trainer = trainer
        self._reporter = reporter
        self.loss: float | None = None
        """Running mean of the loss."""
        self.mean_value: float | None = None
        """Running mean of the values of the actions in the batches."""

    @property
    def rate(self) -> float:
        return self._reporter.rate

    def begin(self, phase: str, step: int, total: int) -> None:
        self._reporter.phase(phase, step, total)

    def updated(self, update: Update, step: int) -> None:
        self.loss = _smoothed(self.loss, update.loss)
        self.mean_value = _smoothed(self.mean_value, update.mean_value)
        self.stepped(step)

    def stepped(self, step: int) -> None:
        if self._reporter.due(step):
            self._reporter.tell(step, self._trainer, self.loss, self.mean_value)


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else SMOOTHING * before + (1.0 - SMOOTHING) * now
