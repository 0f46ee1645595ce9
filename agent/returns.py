"""Rewards and returns: from points to rewards, n-step returns and recorded returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

UNKNOWN = np.float32(-np.inf)
"""Recorded return of a decision whose return's end is not known."""

REWARDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": np.sign,
    # Hester et al. 2018, "Experimental setup".
    "log": lambda points: np.sign(points) * np.log1p(np.abs(points)),
    # Losing a few points many times counts less than winning many at once, other than with "sign" and "log".
    "root": lambda points: np.sign(points) * np.sqrt(np.abs(points)) / 10.0,
    "points": lambda points: points,
}
"""From points, float32 of any shape, to rewards of the same shape."""


def discounted_returns(rewards: np.ndarray, terminal: np.ndarray, discount: float) -> np.ndarray:
    """Return the discounted sum of rewards from each decision to the end, (D,) float32; UNKNOWN without an end.

    rewards: (D,) float32. terminal: (D,) bool, True where the return ends.
    """
    found = np.full(len(rewards), UNKNOWN, np.float32)
    total = -np.inf
    for row in range(len(rewards) - 1, -1, -1):
        following = 0.0 if terminal[row] else total
        total = float(rewards[row]) + discount * following
        found[row] = total
    return found


def n_step_return(rewards: np.ndarray, discount: float) -> np.ndarray:
    """Return the discounted sum of rewards, the first one undiscounted (Sutton and Barto 2018, equation 7.1).

    rewards: (n,) or (n, B); the sum is () or (B,) float64.
    """
    total = np.zeros(rewards.shape[1:])
    for reward in rewards[::-1]:
        total = reward + discount * total
    return total
