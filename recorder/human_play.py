"""A person at the controls, alone or taking over from another demonstrator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.demonstrator import Demonstrator
from data.episode import FrameState
from data.simulation import Emulator
from recorder.controls import Controls


class HumanPlay:
    """The person's keys, as they are at each decision, with every tap since the last one."""

    kind = "human"

    def __init__(self, controls: Controls) -> None:
        self.controls = controls

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Nothing to prepare: keys that are down stay down."""

    def choose(self, frames: Sequence[FrameState]) -> int:  # noqa: ARG002 - the person sees the screen
        return self.controls.look()


class TakeOver:
    """Another demonstrator plays until the person takes the controls, and again once they are given back.

    The other one is asked at every decision, also while the person plays: it must see every frame, and what it would
    have done can be shown. ``kind`` is that of who made the last decision.
    """

    def __init__(self, other: Demonstrator, person: HumanPlay) -> None:
        self.other = other
        self._person = person
        self.person_plays = False
        self.advice: int | None = None
        """What the other one chose at the last decision, whether or not it was done."""
        self.kind = other.kind

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
