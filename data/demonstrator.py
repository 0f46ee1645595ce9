"""The interface of everything that plays a game, the random player, and random decisions of any player."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from data.episode import DEEPEST_STACK, FrameState
from data.errors import CoachError
from data.simulation import Emulator


class Demonstrator(Protocol):
    """A player: receives frames and returns actions.

    ``choose`` is called once per decision. Its action is repeated for ``frame_skip`` frames.
    """

    kind: str
    """One of ``data.episode.DEMONSTRATOR_KINDS``, recorded with each action."""

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Start an episode. ``emulator`` is at frame 0; snapshots of it may be taken, but it must not be stepped."""

    def choose(self, frames: Sequence[FrameState]) -> int:
        """Return the next action, an index into ``emulator.action_meanings``.

        frames: the states since the last decision, oldest first. The first call receives frame 0 alone, later calls
        one state for each frame of the last decision.
        """
        ...


def remembered_decisions(demonstrator: Demonstrator) -> int:
    """Return how many decisions a demonstrator must receive again after a rewind, to choose as it did before.

    It is the attribute of that name, or as many as the newest observations of any agent for a demonstrator without it.
    """
    return int(getattr(demonstrator, "remembered_decisions", DEEPEST_STACK))


class RandomPlay:
    """A demonstrator that chooses every action with the same probability."""

    kind = "random"

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Start an episode with this generator."""
        self._rng = rng
        self._action_count = len(emulator.action_meanings)

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002 - the same whatever is on the screen
        """Return a random action; see ``Demonstrator``."""
        return int(self._rng.integers(self._action_count))


class WithExploration:
    """A demonstrator whose decisions are replaced, with probability ``epsilon``, by random ones.

    ``kind`` is that of the demonstrator that made the last decision, so a replay file marks the random decisions as
    such and a seeding never imitates them.
    """

    def __init__(self, demonstrator: Demonstrator, epsilon: float) -> None:
        if not 0.0 <= epsilon <= 1.0:
            raise CoachError(f"Epsilon, the probability of a random decision, must be between 0 and 1, not {epsilon}.")
        self._demonstrator = demonstrator
        self._epsilon = epsilon
        self._random = RandomPlay()
        self.kind = demonstrator.kind
        self.remembered_decisions = remembered_decisions(demonstrator)

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self._rng = rng
        self._random.begin(emulator, rng)
        self._demonstrator.begin(emulator, rng)

    def choose(self, frames: Sequence[FrameState]) -> int:
        wanted = self._demonstrator.choose(frames)  # always: it must see every frame
        if self._rng.random() < self._epsilon:
            self.kind = self._random.kind
            return self._random.choose(frames)
        self.kind = self._demonstrator.kind
        return wanted
