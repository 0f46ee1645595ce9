"""The checks of one training: after each pretraining, what the demonstrations are used for next, and the best agent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from agent.array_file import part_of
from agent.seeding_fill import Source
from agent.trainer import Trainer
from agent.trust import IMITATION, NOTHING, Check, check, sentence, used_next
from data.episode import FRAMES_PER_SECOND

LEAST_CHECKED_UPDATES = 500
"""A shorter pretraining is a try, not a training: its agent is not compared with random play."""
BEST = "best"
"""Prefix of the checkpoint's arrays of the best agent that failed its check."""


class PretrainingChecks:
    """Compares each pretrained agent with random play, and keeps the best one where none passes.

    sources: of the seeding. The caller may add to the list.
    """

    def __init__(self, trainer: Trainer, sources: list[Source]) -> None:
        self._trainer, self._sources = trainer, sources
        self._made: list[Check] = []
        self._best: dict[str, np.ndarray] = {}
        """Arrays of the learner after the best pretraining so far; empty: none failed, or pretraining has ended."""
        self._set_points()

    def may_continue(self, played: Callable[[int], None], watch: Callable[..., None] | None = None) -> bool:
        """Check the pretrained agent; return whether to continue with it, or with the best one, which is restored.

        False: it is to be pretrained again, for which the trainer is ready. played: called with the number of episodes
        played. watch: called after each step; what it raises ends the check, and nothing has changed.
        """
        trainer, config = self._trainer, self._trainer.config
        meanings = trainer.emulator.action_meanings
        self._made.append(check(config, meanings, trainer.learner.q_values, trainer.imitation.trust, played, watch))
        self._set_points()
        imitates = config.imitates or config.pretrain_on != "returns"
        following = used_next(self._made, imitates, self._scores())
        last, best = self._made[-1], max(self._made, key=lambda made: made.agent)
        if following is not None:
            if following == NOTHING:
                self._best = {}
            elif best is last:
                self._best = trainer.learner.arrays()
            trainer.pretrain_again(following, len(self._made))
            return False
        if best is not last and not last.passed and self._best:  # checkpoints of older versions lack it
            trainer.learner.load(self._best)
            trainer.imitation.trust = best.trust
        self._best = {}
        return True

    def _scores(self) -> list[float]:
        """Return the points of each seeded episode, without new random play."""
        return [source.score for source in self._sources if source.score is not None]

    def _set_points(self) -> None:
        """Set the points between which own episodes make imitation worth while."""
        scores = self._scores()
        self._trainer.imitation.demonstrated_score = float(np.mean(scores)) if scores else None
        self._trainer.imitation.chance_score = self._made[-1].chance if self._made else None

    @property
    def sentence(self) -> str:
        """The result in words; empty before pretraining has ended, and where nothing was checked."""
        if not self._trainer.pretraining_ended:
            return ""
        played = [source.decisions for source in self._sources if not source.name.startswith("random:")]
        seconds = sum(played) * self._trainer.config.frame_skip / FRAMES_PER_SECOND
        return sentence(self._made, seconds, len(played), self._trainer.imitation.trust)

    def facts(self) -> dict[str, Any]:
        """Return what the account of the seeding says of the checks."""
        if not self._made:
            return {}
        return {"trust": self._trainer.imitation.trust, "checks": self.state(), "sentence": self.sentence}

    def state(self) -> list[dict[str, Any]]:
        """Return the checks for a checkpoint's state; the best agent is in ``arrays()``."""
        return [dataclasses.asdict(made) for made in self._made]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the best agent's arrays for a checkpoint, by names that no array of the learner has."""
        return {f"{BEST}/{name}": array for name, array in self._best.items()}

    def restore(self, state: list[dict[str, Any]], learned: dict[str, np.ndarray]) -> None:
        """Continue from ``state()`` and the arrays of the checkpoint."""
        self._made = [Check(**made) for made in state]
        self._best = part_of(learned, BEST)
        self._set_points()


def is_checked(trainer: Trainer, from_run: str | None) -> bool:
    """Return whether the pretrained agent is to be checked; not one that starts from another run."""
    if trainer.pretrained < LEAST_CHECKED_UPDATES and trainer.imitation.trust == IMITATION:
        return False
    return bool(trainer.config.check_episodes) and from_run is None and trainer.imitation.trust != NOTHING
