"""Epsilon-greedy acting: from frames to observations to an action."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from agent.preprocessing import ObservationStack, Preprocessor
from data.episode import FrameState
from data.simulation import Emulator

QFunction = Callable[[np.ndarray], np.ndarray]
"""From a stack (S, 84, 84) uint8 to values (A,) float32."""


class ActingAgent:
    """Acts epsilon-greedily by a Q-function. Its actions are indices of the Q-function's outputs."""

    def __init__(
        self,
        q_function: QFunction,
        action_count: int,
        preprocessing: str,
        ages: Sequence[int],
        rng: np.random.Generator,
    ) -> None:
        """ages: of the observations in a stack, in decisions, newest first."""
        self.epsilon = 0.0
        """Probability of a random action."""
        self.rng = rng
        self.observation = np.zeros(0, np.uint8)
        """The newest observation, (84, 84) uint8."""
        self._q_function = q_function
        self._action_count = action_count
        self._preprocessor = Preprocessor(preprocessing)
        self._stack = ObservationStack(ages)
        self._values: np.ndarray | None = None
        self.acted_value: float | None = None
        """Greatest value at the last decision, where it was computed: seldom for one made at random."""

    def observe_start(self, emulator: Emulator) -> None:
        """Start an episode; the emulator is at its frame 0."""
        self.observation = self._preprocessor.observe([emulator.screen()], emulator.palette)
        self._stack.begin(self.observation)
        self._values = None

    def observe(self, frames: list[FrameState], emulator: Emulator) -> None:
        """Take in the frames of the last decision, oldest first."""
        self.observation = self._preprocessor.observe([frame.screen for frame in frames], emulator.palette)
        self._stack.push(self.observation)
        self._values = None

    def take_over(self, observations: np.ndarray) -> None:
        """Continue in the middle of an episode with these newest ``observations`` (N, 84, 84) uint8, oldest first.

        They are all that a stack can have, an episode's first one repeated.
        """
        self._stack.fill(observations)
        self.observation = observations[-1]
        self._values = None

    def act(self) -> int:
        if self.epsilon > 0.0 and self.rng.random() < self.epsilon:
            self.acted_value = None if self._values is None else float(self._values.max())
            return int(self.rng.integers(self._action_count))
        values = self.q_values()
        self.acted_value = float(values.max())
        return int(np.argmax(values))

    def q_values(self) -> np.ndarray:
        """Return the (A,) float32 values of the present stack, computed once for each stack."""
        if self._values is None:
            self._values = self._q_function(self._stack.array())
        return self._values

    def observation_stack(self) -> np.ndarray:
        """Return the network's present input, (S, 84, 84) uint8, oldest observation first."""
        return self._stack.array()
