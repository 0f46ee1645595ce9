"""A demonstrator with a person's limits: it acts late, holds keys, and often does nothing.

It replaces a person in trials of learning from little or passive play. It imitates these three limits only, so its play
is not a model of a person's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from data.demonstrator import Demonstrator
from data.episode import FRAMES_PER_SECOND, FrameState
from data.simulation import Emulator

DELAY_SECONDS = 0.2
"""Reaction time: a simple visual reaction takes 0.2 to 0.25 s (Woods et al. 2015)."""
HOLD_SECONDS = 0.25
"""Shortest time for which a key is held."""
IDLE_SHARE = 0.5
"""Share of the time in which nothing is pressed. In an episode that a person played it was 47%."""
SPELL_SECONDS = 0.5, 1.5
"""Shortest and longest period of pressing keys or of doing nothing."""


class WithHumanLimits:
    """Another demonstrator whose choices are executed late, are held, and are left out half of the time.

    Periods of pressing keys and of doing nothing alternate. ``kind`` is that of the other demonstrator.
    """

    def __init__(self, demonstrator: Demonstrator) -> None:
        self._demonstrator = demonstrator
        self.kind = demonstrator.kind

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self._rng = rng
        self._demonstrator.begin(emulator, rng)
        self._noop = emulator.action_meanings.index("NOOP")
        decisions_per_second = FRAMES_PER_SECOND / emulator.settings.frame_skip
        self._hold = max(1, round(HOLD_SECONDS * decisions_per_second))
        self._spell = tuple(max(1, round(seconds * decisions_per_second)) for seconds in SPELL_SECONDS)
        self._seen = deque([self._noop] * round(DELAY_SECONDS * decisions_per_second))
        self._idle = bool(rng.random() < IDLE_SHARE)
        self._spell_left = self._hold_left = 0
        self._held = self._noop

    def choose(self, frames: Sequence[FrameState]) -> int:
        """Return the held action, or what the other demonstrator chose earlier; see ``Demonstrator``."""
        self._seen.append(self._demonstrator.choose(frames))
        wanted = self._seen.popleft()
        if self._spell_left == 0:
            self._idle = not self._idle
            length = self._rng.integers(self._spell[0], self._spell[1] + 1)
            share = IDLE_SHARE if self._idle else 1.0 - IDLE_SHARE
            self._spell_left = max(1, round(2.0 * share * length))
            self._hold_left = 0
        self._spell_left -= 1
        if self._idle:
            return self._noop
        if self._hold_left == 0:
            self._held, self._hold_left = wanted, self._hold
        self._hold_left -= 1
        return self._held
