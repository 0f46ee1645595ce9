"""What a training writes to its logs: after updates, after its own episodes, and with evaluations."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from agent.config import TrainConfig
from agent.evaluation import Evaluation
from agent.progress import ProgressReporter
from agent.trainer import EpisodeDone, Trainer

if TYPE_CHECKING:
    from agent.run_log import RunLog  # it imports TensorFlow

TRACE_ROWS = 1000
"""Approximate number of rows in trace.csv at the end of a training."""
CLOSELY_TRACED_UPDATES = 100
"""The first updates are traced more often, so that the curves soon show something."""


class TrainingLog:
    """Writes a training's figures to the run's log."""

    def __init__(self, log: RunLog, trainer: Trainer, progress: ProgressReporter) -> None:
        self._log = log
        self._trainer = trainer
        self._progress = progress

    def trace(self) -> None:
        """After an update, append a row to trace.csv if it is due."""
        trainer = self._trainer
        every = max(1, _updates(trainer.config) // TRACE_ROWS)
        if trainer.learner.updates < CLOSELY_TRACED_UPDATES:
            every = min(5, every)
        if trainer.learner.updates % every:
            return
        self._log.trace(
            {
                "step": logged_step(trainer),
                "loss": self._progress.loss,
                "mean_value": self._progress.mean_value,
                "seeded_share": trainer.batches.newest_seeded_share,
                "epsilon": trainer.epsilon,
                "steps_per_second": self._progress.rate,
            }
        )

    def update(self) -> None:
        """Write TensorBoard's scalars of the newest update."""
        trainer = self._trainer
        fit = None if trainer.held_out is None else trainer.held_out.fit
        held_out = {} if fit is None else {"agreement": fit.agreement, "return_error": fit.return_error}
        self._log.scalars(
            logged_step(trainer),
            {
                "train/loss": self._progress.loss,
                "train/n_updates": trainer.learner.updates,
                "train/learning_rate": trainer.learner.learning_rate,
                "train/mean_value": self._progress.mean_value,
                "seeding/batch_share": trainer.batches.newest_seeded_share,
                **{f"held_out/{name}": value for name, value in held_out.items()},
                **trainer.batches.errors(),
            },
        )

    def episode(self, episode: EpisodeDone, seconds: float) -> None:
        """Write an own episode; seconds: of training so far."""
        trainer, memory = self._trainer, self._trainer.memory
        self._log.episode(episode.score, episode.steps, seconds)
        self._log.scalars(
            trainer.step,
            {
                "rollout/ep_rew_mean": float(np.mean(trainer.recent_scores)),
                "rollout/ep_len_mean": float(np.mean(trainer.recent_lengths)),
                "rollout/exploration_rate": trainer.epsilon,
                "seeding/imitation": trainer.imitation.weight(trainer.step),
                "time/fps": self._progress.rate,
                "memory/transitions": len(memory),
                "memory/seeded_share": memory.seeded_ready / max(1, len(memory)),
                "memory/megabytes": memory.bytes_used / 1e6,
            },
        )

    def evaluation(self, found: Evaluation) -> None:
        """Write an evaluation of the present weights."""
        trainer = self._trainer
        facts = {
            "updates": trainer.learner.updates,
            "epsilon": trainer.epsilon,
            "memory_seeded_share": trainer.memory.seeded_ready / max(1, len(trainer.memory)),
            "batch_seeded_share": trainer.batches.newest_seeded_share,
        }
        self._log.evaluation({**dataclasses.asdict(found), **facts})
        scalars = {"eval/mean_reward": found.mean, "eval/low": found.low, "eval/high": found.high}
        self._log.scalars(trainer.step, scalars)

    def drop_trace(self) -> None:
        """Start trace.csv again, for a pretraining that starts again."""
        self._log.drop_trace()


def logged_step(trainer: Trainer) -> int:
    """Return the own step; during pretraining, the number of its remaining updates below 0."""
    return trainer.step if trainer.step else trainer.pretrained - trainer.config.pretrain_steps


def _updates(config: TrainConfig) -> int:
    """Return the updates of a whole training."""
    return config.pretrain_steps + config.steps // config.train_every
