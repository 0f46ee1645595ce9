"""The interface of everything that plays a game, and the random player."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from data.episode import FrameState
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
