"""A person as the demonstrator: at the controls, or taking over from another demonstrator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.demonstrator import Demonstrator, remembered_decisions
from data.episode import FrameState
from data.simulation import Emulator
from recorder.controls import Controls


class HumanPlay:
    """A person: each decision is what the keys say, every tap since the last decision included."""

    kind = "human"

    def __init__(self, controls: Controls) -> None:
        self.controls = controls

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Nothing to prepare: keys that are down stay down."""

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002 - the person sees the screen
        return self.controls.decide()


class TakeOver:
    """Another demonstrator plays until the person takes the controls, and again after they are handed back.

    The other one chooses at every decision, also while the person plays: it must see every frame, and its choice is
    shown as advice. ``kind`` is that of the demonstrator that made the last decision.
    """

    def __init__(self, other: Demonstrator, person: HumanPlay) -> None:
        self.other = other
        self._person = person
        self.person_plays = False
        self.advice: int | None = None
        """What the other one chose at the last decision, executed or not."""
        self.kind = other.kind
        self.remembered_decisions = remembered_decisions(other)

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self.advice = None
        self.other.begin(emulator, rng)
        self._person.begin(emulator, rng)

    def choose(self, frames: Sequence[FrameState]) -> int:
        self.advice = self.other.choose(frames)
        if self.person_plays:
            self.kind = self._person.kind
            return self._person.choose(frames)
        self.kind = self.other.kind
        return self.advice
