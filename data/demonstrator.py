"""Who chooses the actions: the one thin interface between a player of any kind and whatever records it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from data.episode import FrameState
from data.simulation import Emulator


class Demonstrator(Protocol):
    """Frames in, action out.

    ``choose`` is called once a decision, and its answer is held for ``frame_skip`` frames.
    """

    kind: str
    """One of ``data.episode.DEMONSTRATOR_KINDS``: what the replay file says of the frames it chooses."""

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """An episode begins. ``emulator`` stands at frame 0; it may be asked for snapshots but never be stepped."""

    def choose(self, frames: Sequence[FrameState]) -> int:
        """The next action, an index into ``emulator.action_meanings``.

        ``frames`` are the states since the last decision, oldest first: frame 0 alone at the first call, then as
        many as the decision had frames.
        """
        ...


class RandomPlay:
    """A demonstrator that chooses every action with the same probability."""

    kind = "random"

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Use this generator for the episode."""
        self._rng = rng
        self._action_count = len(emulator.action_meanings)

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002 - the same whatever is on the screen
        """Return a random action; see ``Demonstrator``."""
        return int(self._rng.integers(self._action_count))
