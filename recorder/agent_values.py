"""What a watched agent sees and expects: now, and at each decision of the present game."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

INTERVAL_PROBABILITY = 0.8
"""Of the interval that is shown for each action: between its 10% and its 90% quantile."""


@runtime_checkable
class ShowsItsValues(Protocol):
    """A demonstrator that can show, once an episode has started, its observation and its Q-values."""

    action_meanings: tuple[str, ...]
    """Names of the actions that ``q_values`` are of."""

    def q_values(self) -> np.ndarray:
        """Return the expected return of each action, (A,) float32."""
        ...

    def observation_stack(self) -> np.ndarray:
        """Return its present observation, (S, H, W) uint8, oldest frame first."""
        ...


@runtime_checkable
class ShowsItsIntervals(Protocol):
    """A demonstrator that can also show how far it expects returns to spread."""

    def return_interval(self, probability: float) -> np.ndarray | None:
        """Return the central interval (A, 2) that holds each action's return with this probability, or None."""
        ...


@dataclass(frozen=True)
class Expected:
    """What an agent sees and expects at one decision."""

    action_meanings: tuple[str, ...]
    values: np.ndarray
    """(A,) float64."""
    interval: np.ndarray | None
    """(A, 2) float64: the 10% and the 90% quantile of each action's return, where the network has quantiles."""
    observation: np.ndarray
    """(S, H, W) uint8, oldest frame first."""


def expected_by(demonstrator: object) -> Expected | None:
    """Return what a demonstrator sees and expects now; None for one that does not show it."""
    if not isinstance(demonstrator, ShowsItsValues):
        return None
    interval = None
    if isinstance(demonstrator, ShowsItsIntervals):
        interval = demonstrator.return_interval(INTERVAL_PROBABILITY)
    return Expected(
        demonstrator.action_meanings,
        np.asarray(demonstrator.q_values(), np.float64),
        None if interval is None else np.asarray(interval, np.float64),
        demonstrator.observation_stack(),
    )


class ValueHistory:
    """The greatest Q-value at each decision of one game; NaN where it is unknown."""

    def __init__(self) -> None:
        self._values = array("d")

    def put(self, decision: int, value: float) -> None:
        """Store the value of a decision, counted from 0, and discard those of later ones."""
        self.cut(decision)
        self._values.extend([float("nan")] * (decision - len(self._values)))
        self._values.append(value)

    def cut(self, decision: int) -> None:
        """Discard the values from this decision on."""
        del self._values[decision:]

    def at(self, decision: int) -> float:
        """Return the value of a decision."""
        return self._values[decision] if 0 <= decision < len(self._values) else float("nan")

    def values(self) -> np.ndarray:
        """Return all values, (D,) float64."""
        return np.array(self._values, np.float64)
