"""A sum tree: values at its leaves, drawn in proportion to them (Schaul et al. 2016, appendix B.2.1).

Every inner node has 64 children, so that a tree over a million leaves is four levels deep, and a whole batch goes
down or up a level in one vectorised operation.
"""

from __future__ import annotations

import numpy as np

FAN_OUT = 64


class SumTree:
    """Values of ``capacity`` leaves, at first 0. Setting and drawing cost O(log capacity)."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        sizes = [capacity]
        while sizes[-1] > FAN_OUT:
            sizes.append(-(-sizes[-1] // FAN_OUT))
        # Level 0 holds the leaves; every level is filled up to whole families of 64.
        self._levels = [np.zeros((-(-size // FAN_OUT), FAN_OUT)) for size in sizes]

    @property
    def total(self) -> float:
        return float(self._levels[-1].sum())

    def values(self, leaves: np.ndarray) -> np.ndarray:
        """(n,) float64 values of leaves (n,) int64."""
        found: np.ndarray = self._levels[0].reshape(-1)[leaves]
        return found

    def set(self, leaves: np.ndarray, values: np.ndarray | float) -> None:
        """Give leaves (n,) int64 their values (n,), which must be finite and not negative."""
        nodes = np.atleast_1d(np.asarray(leaves, np.int64))
        self._levels[0].reshape(-1)[nodes] = values
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            # Parents are summed anew, so no rounding error accumulates.
            nodes = nodes // FAN_OUT
            above.reshape(-1)[nodes] = below[nodes].sum(axis=1)

    def sum_before(self, leaf: int) -> float:
        """Sum of the values of all leaves before ``leaf``."""
        if leaf >= self.capacity:
            return self.total
        total, node = 0.0, leaf
        for level in self._levels:
            family, place = divmod(node, FAN_OUT)
            total += float(level[family, :place].sum())
            node = family
        return total

    def find(self, masses: np.ndarray) -> np.ndarray:
        """The leaves (n,) int64 at which the running sum of values first exceeds masses (n,), each in [0, total).

        A leaf of value 0 is never found, unless all are 0.
        """
        left = np.array(masses, np.float64)
        node = np.zeros(len(left), np.int64)
        rows = np.arange(len(left))
        for level in reversed(self._levels):
            sums = np.cumsum(level[node], axis=1)  # [n, 64]
            # Rounding can leave a mass at or above its family's sum: the last child that is not 0 is meant then.
            last = FAN_OUT - 1 - np.argmax(level[node][:, ::-1] > 0.0, axis=1)
            child = np.minimum((sums <= left[:, None]).sum(axis=1), last)
            left = np.maximum(left - np.where(child > 0, sums[rows, child - 1], 0.0), 0.0)
            node = node * FAN_OUT + child
        return node

    def export(self) -> np.ndarray:
        """(capacity,) float64: all values, a copy."""
        return self._levels[0].reshape(-1)[: self.capacity].copy()

    def restore(self, values: np.ndarray) -> None:
        self.set(np.arange(self.capacity), values)
