"""How much the imitation of demonstrations counts in a training, and which own episodes are imitated, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from agent.batch import Batch, fade_imitation
from agent.config import TrainConfig
from agent.trust import IMITATION

LEAST_COMPARED_EPISODES, COMPARED_EPISODES = 3, 10
"""How many of the newest own episodes are compared with the demonstrated ones."""


class Imitation:
    """What the demonstrations are used for, and by how much their imitation counts at each step."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.trust = IMITATION
        """What the demonstrations are used for."""
        self.demonstrated_score: float | None = None
        """Mean points of the seeded episodes; None: of no episode known."""
        self.chance_score: float | None = None
        """Mean points of random play in the check after pretraining; None: there was no check."""
        self._by_points = 1.0  # where points decide

    def weight(self, step: int) -> float:
        """Return by how much the imitation of the seeding counts at an own step, 0 to 1."""
        config = self.config
        if self.trust != IMITATION or not config.margin_anneal_steps:
            return float(self.trust == IMITATION)
        if config.margin_anneal_rule == "points" and self.demonstrated_score is not None:
            return self._by_points
        return max(0.0, 1.0 - step / config.margin_anneal_steps)

    def stepped(self, scores: Sequence[float]) -> None:
        """After an own step, let imitation fade or return by the points of the newest own episodes, the last ones."""
        config = self.config
        if config.margin_anneal_rule != "points" or not config.margin_anneal_steps:
            return
        if self.demonstrated_score is None or len(scores) < LEAST_COMPARED_EPISODES:
            return
        score = float(np.mean(list(scores)[-COMPARED_EPISODES:]))
        helps = self.chance_score is None or score > self.chance_score
        change = (1.0 if helps and score < self.demonstrated_score else -1.0) / config.margin_anneal_steps
        self._by_points = min(1.0, max(0.0, self._by_points + change))

    def apply(self, batch: Batch, added: int, step: int, newest_added: int) -> Batch:
        """Return the batch with the imitation of its rows faded, those of own episodes included.

        added: how many of its last rows were added during the training, the newest at the own step ``newest_added``.
        They fade from then on.
        """
        of_added = 1.0
        if self.config.margin_anneal_steps:
            of_added = max(self.weight(step), 1.0 - (step - newest_added) / self.config.margin_anneal_steps)
        left = np.full(len(batch.slots), self.weight(step))
        left[len(left) - added :] = of_added
        return fade_imitation(batch, left)

    def is_of_best(self, score: float, scores: Sequence[float]) -> bool:
        """Return whether an own episode with this score is one of the best in ``scores`` and joins the demonstrations.

        None does where the demonstrations are not imitated.
        """
        if self.trust != IMITATION:
            return False
        equal_or_better = sum(other >= score for other in scores)
        is_among_best = equal_or_better <= self.config.imitate_own * len(scores)
        return is_among_best and (self.chance_score is None or score > self.chance_score)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs; the points are set again from the checks and the sources."""
        return {"trust": self.trust, "imitation": self._by_points}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from ``state()``; checkpoints of older versions lack it."""
        self.trust = state.get("trust", IMITATION)
        self._by_points = state.get("imitation", 1.0)
