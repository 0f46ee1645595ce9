"""A batch: the transitions drawn for one update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Transitions drawn for one update; B rows, S observations in a stack."""

    slots: np.ndarray
    """(B,) int64."""
    stacks: np.ndarray
    """(B, S, 84, 84) uint8, oldest observation first."""
    actions: np.ndarray
    """(B,) int32."""
    returns: np.ndarray
    """(B,) float32: n-step return of the rewards."""
    discounts: np.ndarray
    """(B,) float32: discount to the power of the steps summed; 0 where the return ended."""
    next_stacks: np.ndarray
    """(B, S, 84, 84) uint8: after those steps."""
    recorded: np.ndarray
    """(B,) float32: recorded return, or -inf."""
    imitate: np.ndarray
    """(B,) float32: 1 where the action is to be imitated."""
    weights: np.ndarray
    """(B,) float32: importance weights, at most 1."""
    rewards: np.ndarray
    """(B,) float32: reward of one step."""
    one_step_discounts: np.ndarray
    """(B,) float32."""
    following_stacks: np.ndarray
    """(B, S, 84, 84) uint8: after one step; ``next_stacks`` itself unless asked for."""
    seeded: np.ndarray
    """(B,) bool."""
