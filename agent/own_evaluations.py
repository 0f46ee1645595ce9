"""The evaluations during one training: when one is due, the number so far, and the weights of the best one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from agent.acting import ActingAgent
from agent.array_file import write_arrays
from agent.evaluation import episode_tasks, play_episodes, protocol_named, summarise
from agent.progress import ProgressReporter
from agent.trainer import Trainer
from agent.training_log import TrainingLog
from data.runs import RunFolder
from data.simulation import Emulator

EVALUATION_SEED = 2**20
"""Of the evaluations during training, which play the same episodes each time so that they can be compared."""


class OwnEvaluations:
    """Evaluates the weights that act, under the protocol ``nature``, on episodes that no training plays."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.best: float | None = None
        """Mean points of the best one."""
        self.best_step: int | None = None
        """Own steps before the best one."""
        self.count = 0
        self.due = False
        """Whether one is to be made before the next own step; it stays due when it is interrupted."""

    def make(
        self,
        trainer: Trainer,
        log: TrainingLog,
        progress: ProgressReporter,
        watch: Callable[[Emulator, ActingAgent, float], None],
    ) -> None:
        """Make one and log it. watch: called after each step; what it raises ends the evaluation, which stays due."""
        self.due = True
        config, protocol = trainer.config, protocol_named("nature")
        tasks = episode_tasks(protocol, config.evaluation_episodes, EVALUATION_SEED)
        started, scores = time.monotonic(), []
        progress.start_phase("evaluating", 0, len(tasks))
        meanings, q_values = trainer.emulator.action_meanings, trainer.learner.q_values
        for score in play_episodes(config, meanings, q_values, protocol, tasks, watch):
            scores.append(score)
            progress.stepped(len(scores))
        found = summarise(self._folder.name, "nature", scores, time.monotonic() - started, trainer.step)
        self.count += 1
        log.evaluation(found)
        if self.best is None or found.mean > self.best:
            self.best, self.best_step = found.mean, trainer.step
            step = np.array(trainer.step)
            write_arrays(self._folder.best, {**trainer.learner.acting_weights(), "step": step})
        self.due = False

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        best = {"best": self.best, "best_step": self.best_step}
        return {**best, "evaluations": self.count, "evaluation_due": self.due}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from ``state()``; checkpoints of older versions lack some of it."""
        self.best, self.count = state["best"], state["evaluations"]
        self.best_step = state.get("best_step")
        self.due = state.get("evaluation_due", False)
