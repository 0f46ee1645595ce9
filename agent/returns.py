"""Sums of rewards: what the points become, n-step returns and recorded returns. Pure functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

UNKNOWN = np.float32(-np.inf)
"""Recorded return of a decision whose episode's end is not known."""

REWARDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": np.sign,
    # Hester et al. 2018, "Experimental setup".
    "log": lambda points: np.sign(points) * np.log1p(np.abs(points)),
    "points": lambda points: points,
}
"""How points, float32 of any shape, become rewards of the same shape."""


def discounted_returns(rewards: np.ndarray, terminal: np.ndarray, discount: float) -> np.ndarray:
    """Discounted sum of rewards from each decision to the end: (D,) float32; UNKNOWN where no end follows.

    rewards: (D,) float32. terminal: (D,) bool, True where the return ends.
    """
    found = np.full(len(rewards), UNKNOWN, np.float32)
    total = -np.inf
    for row in range(len(rewards) - 1, -1, -1):
        following = 0.0 if terminal[row] else total
        total = float(rewards[row]) + discount * following
        found[row] = total
    return found


def n_step_return(rewards: np.ndarray, discount: float) -> float:
    """Discounted sum of (n,) rewards, the first undiscounted (Sutton and Barto 2018, equation 7.1)."""
    total = 0.0
    for reward in rewards[::-1]:
        total = float(reward) + discount * total
    return total
