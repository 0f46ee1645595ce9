"""Demonstrators: a person at the controls, a person taking over from another demonstrator, and exploration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.demonstrator import Demonstrator, RandomPlay
from data.episode import FrameState
from data.errors import CoachError
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
