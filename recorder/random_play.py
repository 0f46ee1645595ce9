"""Random play: the demonstrator that everything else is compared with, and the one that explores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.demonstrator import Demonstrator
from data.episode import FrameState
from data.errors import CoachError
from data.simulation import Emulator


class RandomPlay:
    """Every decision is drawn evenly from the game's actions."""

    kind = "random"

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self._rng = rng
        self._action_count = len(emulator.action_meanings)

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002 - random play looks at nothing
        return int(self._rng.integers(self._action_count))


class WithExploration:
    """Another demonstrator whose decisions are replaced, with probability ``epsilon``, by random ones.

    Its ``kind`` is that of who made the last decision, so a replay file tells the random decisions apart and a
    seeding never takes them for demonstrated ones.
    """

    def __init__(self, demonstrator: Demonstrator, epsilon: float) -> None:
        if not 0.0 <= epsilon <= 1.0:
            raise CoachError(f"Epsilon, the share of random decisions, must lie between 0 and 1, not {epsilon}.")
        self._demonstrator = demonstrator
        self._epsilon = epsilon
        self._random = RandomPlay()
        self.kind = demonstrator.kind

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self._rng = rng
        self._random.begin(emulator, rng)
        self._demonstrator.begin(emulator, rng)

    def choose(self, frames: Sequence[FrameState]) -> int:
        wanted = self._demonstrator.choose(frames)  # always asked: it must see every frame
        if self._rng.random() < self._epsilon:
            self.kind = self._random.kind
            return self._random.choose(frames)
        self.kind = self._demonstrator.kind
        return wanted
