"""Reporting the progress of a training, and how much work is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.config import TrainConfig
from data.run_progress import Progress

if TYPE_CHECKING:
    from agent.learner import Update
    from agent.trainer import Trainer

REPORT_SECONDS = 0.2
RATE_SECONDS = 10.0
"""Time over which a rate is averaged."""
SMOOTHING = 0.98
FILLED_DECISION_UPDATES = 0.006
EVALUATED_EPISODE_UPDATES = 60.0
"""Approximate duration of filling in a decision (0.2 ms) and of an evaluated episode (2 s), in updates (33 ms each)."""


@dataclass(frozen=True)
class TrainSummary:
    """The result of a call of ``train``."""

    run: str
    path: Path
    step: int
    """Own steps done."""
    steps: int
    """Own steps requested."""
    updates: int
    episodes: int
    mean_score: float | None
    """Of the last 100 own episodes, points."""
    best_evaluation: float | None
    """Highest mean score of the evaluations during training, points."""
    best_step: int | None
    """Own steps before that evaluation."""
    seconds: float
    """Of training, those before a resume included."""
    stopped: bool
    """Whether it was asked to stop before the end."""
    seeded_decisions: int
    """Seeded transitions in the memory."""
    note: str = ""
    """What a person should know about the start, such as a damaged checkpoint that was left out; a sentence."""


class ProgressReporter:
    """Calls ``report`` about five times a second with the progress of the current phase."""

    def __init__(self, report: Callable[[Progress], None] | None, config: TrainConfig | None = None) -> None:
        """config: of the training, for its share of the whole."""
        self._report = report
        self._config = config
        self._updates_per_second = self._episodes_per_second = 0.0
        self._filled = 0
        self.note = ""
        """A note for a person about the start; a sentence."""
        self._share = 0.0
        self.trainer: Trainer | None = None
        """None while the memory is filled."""
        self.loss: float | None = None
        """Running mean of the loss."""
        self.mean_value: float | None = None
        """Running mean of the values of the actions in the batches."""
        self.start_phase("filling", 0, 0)

    def start_phase(self, name: str, step: int, total: int) -> None:
        """Start a phase at ``step`` of ``total``. The first update compiles, so the rate leaves it out."""
        self.phase, self.total = name, total
        learns = name in ("pretraining", "training")
        self._marks: list[tuple[float, int]] = [] if learns else [(time.monotonic(), step)]
        self._last_report = 0.0

    @property
    def rate(self) -> float:
        """Steps of the phase per second, over the last ten seconds."""
        if not self._marks:
            return 0.0
        (t0, s0), (t1, s1) = self._marks[0], self._marks[-1]
        return (s1 - s0) / (t1 - t0) if t1 > t0 else 0.0

    def updated(self, update: Update, step: int) -> None:
        """Take in an update of the network, made at this step of the phase."""
        self.loss = _smoothed(self.loss, update.loss)
        self.mean_value = _smoothed(self.mean_value, update.mean_value)
        self.stepped(step)

    def stepped(self, step: int) -> None:
        """Report that this step of the phase is done, unless the last report is recent."""
        now = time.monotonic()
        if now - self._last_report < REPORT_SECONDS and step < self.total:
            return
        self._last_report = now
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[1][0] > RATE_SECONDS:
            self._marks.pop(0)
        if self._report is not None:
            self._report(self._progress(step))

    def _progress(self, step: int) -> Progress:
        trainer, rate = self.trainer, self.rate
        if self.phase in ("pretraining", "training") and rate > 0.0 and trainer is not None:
            self._updates_per_second = rate * (1.0 if self.phase == "pretraining" else 1.0 / trainer.config.train_every)
        if self.phase == "evaluating" and rate > 0.0:
            self._episodes_per_second = rate
        if self.phase == "filling":
            self._filled = self.total
        scores = trainer.recent_scores if trainer is not None else ()
        held_out = trainer.held_out if trainer is not None and not trainer.pretraining_ended else None
        fit = held_out.fit if held_out is not None else None
        return Progress(
            phase=self.phase,
            step=step,
            total=self.total,
            steps_per_second=rate,
            mean_score=float(np.mean(scores)) if scores else None,
            epsilon=trainer.epsilon if trainer is not None else None,
            seeded_share=trainer.batches.newest_seeded_share if trainer is not None else None,
            loss=self.loss,
            seconds_left=0.0 if step >= self.total else (self.total - step) / rate if rate > 0.0 else None,
            episodes=trainer.episodes if trainer is not None else 0,
            mean_value=self.mean_value,
            own_step=trainer.step if trainer is not None else 0,
            own_steps=trainer.config.steps if trainer is not None else 0,
            run_seconds_left=self._run_seconds_left(step),
            run_share=self._run_share(step),
            agreement=None if fit is None else fit.agreement,
            return_error=None if fit is None else fit.return_error,
            note=self.note,
        )

    def _run_seconds_left(self, step: int) -> float | None:
        """Return the time for the missing updates and evaluations, at the present rates."""
        trainer = self.trainer
        if trainer is None or self._updates_per_second <= 0.0:
            return None
        seconds = updates_left(trainer.config, _pretrained(trainer), trainer.step) / self._updates_per_second
        episodes = self._episodes_left(trainer.config, step, trainer.step)
        rate = self._episodes_per_second or self._updates_per_second / EVALUATED_EPISODE_UPDATES
        return seconds + episodes / rate

    def _episodes_left(self, config: TrainConfig, step: int, own_step: int) -> float:
        """Return the episodes that the missing evaluations will play."""
        if not config.evaluate_every:
            return 0.0
        made = own_step // config.evaluate_every
        if self.phase in ("training", "evaluating"):  # the first one is made before the first own step
            made += 1
        missing = 1 + config.steps // config.evaluate_every - made
        running = config.evaluation_episodes - step if self.phase == "evaluating" else 0
        return float(missing * config.evaluation_episodes + running)

    def _run_share(self, step: int) -> float | None:
        """Return how much of the whole training is done: filling, pretraining, own steps and evaluations."""
        config, trainer = self._config, self.trainer
        if config is None:
            return None
        every = config.evaluate_every
        evaluated = (1 + config.steps // every) * config.evaluation_episodes if every else 0
        filling = FILLED_DECISION_UPDATES * max(1, self._filled)
        whole = filling + all_updates(config) + EVALUATED_EPISODE_UPDATES * evaluated
        pretrained, own_step = (_pretrained(trainer), trainer.step) if trainer is not None else (0, 0)
        left = updates_left(config, pretrained, own_step)
        left += EVALUATED_EPISODE_UPDATES * self._episodes_left(config, step, own_step)
        if self.phase == "filling":
            left += filling * (1.0 - step / max(1, self.total))
        self._share = max(self._share, 1.0 - left / whole)
        return self._share


def _pretrained(trainer: Trainer) -> int:
    """Return the updates of pretraining, as if it had not ended early."""
    return trainer.config.pretrain_steps if trainer.pretraining_ended else trainer.pretrained


def _smoothed(before: float | None, now: float) -> float:
    return now if before is None else SMOOTHING * before + (1.0 - SMOOTHING) * now


# ---- the work of a training, counted in updates of the network: nearly all its time goes into them -----------------


def updates(pretraining: int, own_steps: int, per_step: float) -> float:
    """Return the updates of this pretraining and these own steps, with so many updates for each of these."""
    return max(0, pretraining) + max(0, own_steps) * per_step


def all_updates(config: TrainConfig) -> float:
    """Return the updates of a whole training: pretraining, where it has a seeding, and those of its own steps."""
    return updates_left(config, 0, 0)


def updates_left(config: TrainConfig, pretrained: int, step: int) -> float:
    """Return the updates that are left after these updates of pretraining and these own steps."""
    pretraining = config.pretrain_steps - pretrained if config.seed_from else 0
    return updates(pretraining, config.steps - step, config.gradient_steps / config.train_every)
