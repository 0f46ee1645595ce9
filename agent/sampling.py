"""Sampling from the replay memory: uniform, or prioritised with importance weights (Schaul et al. 2016)."""

from __future__ import annotations

from typing import Protocol

import numpy as np

Regions = list[tuple[int, int]]
"""Slots [start, stop) to sample from; none is empty."""

FAN_OUT = 64
"""Children of an inner node of the sum tree: a million leaves make four levels."""


def annealed_beta(start: float, end: float, step: int, steps: int) -> float:
    """Return the importance-sampling exponent beta at own step ``step`` of ``steps``, annealed linearly.

    Schaul et al. 2016, section 3.4.
    """
    done = min(1.0, step / steps) if steps else 0.0
    return start + done * (end - start)


class Sampler(Protocol):
    """Chooses slots for the replay memory. Only slots that are ready are ever sampled."""

    def set_ready(self, slots: np.ndarray, ready: bool, weights: np.ndarray) -> None:
        """Allow or forbid sampling slots (n,); ``weights`` (n,): how often their sources are to be sampled."""

    def update_priorities(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        """Take in absolute TD errors (B,) of ready slots (B,); ``seeded`` (B,) bool, ``weights`` (B,) of sources."""

    def sample(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,
        beta: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Sample ``count`` slots of the regions with replacement; return them and their importance weights (count,).

        ready, weight: of all slots. At least one slot of the regions must be ready.
        """
        ...

    def export(self, filled: int) -> dict[str, np.ndarray]:
        """Return the sampler's whole state for the first ``filled`` slots."""
        ...

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``export`` returned."""


class UniformSampler:
    """All transitions with the same probability, apart from the weights of their sources."""

    def __init__(self) -> None:
        self._greatest_weight = 1.0

    def set_ready(self, slots: np.ndarray, ready: bool, weights: np.ndarray) -> None:  # noqa: ARG002 - the protocol's
        self._greatest_weight = max(self._greatest_weight, float(weights.max(initial=0.0)))

    def update_priorities(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        """Do nothing: TD errors do not matter here."""

    def sample(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,
        beta: float,  # noqa: ARG002 - there is no bias to correct
    ) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.array([stop - start for start, stop in regions])
        starts = np.array([start for start, _ in regions])
        before = np.cumsum(lengths) - lengths
        greatest = self._greatest_weight
        if greatest != 1.0:
            # The greatest weight that is present, so that fewer candidates are rejected.
            greatest = max(float((weight[start:stop] * ready[start:stop]).max()) for start, stop in regions)
        accepted: list[np.ndarray] = []
        missing = count
        while missing > 0:
            place = rng.integers(lengths.sum(), size=2 * missing + 8)
            region = np.searchsorted(before, place, side="right") - 1
            slots = starts[region] + place - before[region]
            usable = ready[slots]
            if self._greatest_weight != 1.0:
                usable = usable & (rng.random(len(slots)) * greatest < weight[slots])
            accepted.append(slots[usable][:missing])
            missing -= len(accepted[-1])
        return np.concatenate(accepted), np.ones(count)

    def export(self, filled: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {"heaviest": np.array(self._greatest_weight)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._greatest_weight = float(arrays["heaviest"])


class PrioritisedSampler:
    """In proportion to priorities, with importance weights (Schaul et al. 2016, sections 3.3 and 3.4)."""

    def __init__(self, slots: int, exponent: float, bonus: float, seeded_bonus: float) -> None:
        """A priority is (absolute TD error + bonus) to the power of ``exponent``; bonuses: Hester et al. 2018."""
        self._tree = SumTree(slots)
        self._exponent = exponent
        self._bonus = bonus
        self._seeded_bonus = seeded_bonus
        self._greatest = 1.0

    def set_ready(self, slots: np.ndarray, ready: bool, weights: np.ndarray) -> None:
        # A new transition gets the greatest priority so far (Schaul et al. 2016, algorithm 1).
        self._tree.set(slots, self._greatest * weights.astype(np.float64) if ready else 0.0)

    def update_priorities(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        bonus = np.where(seeded, self._seeded_bonus, self._bonus)
        priorities = (errors.astype(np.float64) + bonus) ** self._exponent
        self._greatest = max(self._greatest, float(priorities.max()))
        self._tree.set(slots, priorities * weights)

    def sample(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,  # noqa: ARG002 - part of the priorities
        beta: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        edges = np.array([(self._tree.sum_before(start), self._tree.sum_before(stop)) for start, stop in regions])
        masses = edges[:, 1] - edges[:, 0]
        total = float(masses.sum())
        # One sample from each of ``count`` equal parts of the sum (Schaul et al. 2016, appendix B.2.1).
        at = (np.arange(count) + rng.random(count)) / count * total
        before = np.cumsum(masses) - masses
        region = np.searchsorted(before, at, side="right") - 1
        slots = self._tree.find(edges[region, 0] + at - before[region])
        inside = np.zeros(count, bool)
        candidates = 0
        for start, stop in regions:
            inside |= (slots >= start) & (slots < stop)
            candidates += int(np.count_nonzero(ready[start:stop]))
        if not inside.all():
            # Rounding at a region's edge found a slot outside of it; any ready slot of the regions replaces it.
            allowed = np.concatenate([start + np.flatnonzero(ready[start:stop]) for start, stop in regions])
            slots[~inside] = rng.choice(allowed, int((~inside).sum()))
        return slots, (candidates * self._tree.values(slots) / total) ** -beta

    def export(self, filled: int) -> dict[str, np.ndarray]:
        return {"priority": self._tree.export()[:filled], "greatest_priority": np.array(self._greatest)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._tree.set(np.arange(len(arrays["priority"])), arrays["priority"])
        self._greatest = float(arrays["greatest_priority"])


class SumTree:
    """Values at ``capacity`` leaves, at first 0, sampled in proportion to them (Schaul et al. 2016, appendix B.2.1).

    Setting and finding cost O(log capacity); a whole batch moves down or up a level in one vectorised operation.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        sizes = [capacity]
        while sizes[-1] > FAN_OUT:
            sizes.append(-(-sizes[-1] // FAN_OUT))
        # Level 0 holds the leaves; every level is padded to whole families of FAN_OUT.
        self._levels = [np.zeros((-(-size // FAN_OUT), FAN_OUT)) for size in sizes]

    @property
    def total(self) -> float:
        return float(self._levels[-1].sum())

    def values(self, leaves: np.ndarray) -> np.ndarray:
        """Return the (n,) float64 values of leaves (n,) int64."""
        found: np.ndarray = self._levels[0].reshape(-1)[leaves]
        return found

    def set(self, leaves: np.ndarray, values: np.ndarray | float) -> None:
        """Set leaves (n,) int64 to values (n,), which must be finite and not negative."""
        nodes = np.atleast_1d(np.asarray(leaves, np.int64))
        self._levels[0].reshape(-1)[nodes] = values
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            # Parents are summed from their children each time, so no rounding error accumulates.
            nodes = nodes // FAN_OUT
            if len(nodes) > FAN_OUT:
                nodes = np.unique(nodes)
            above.reshape(-1)[nodes] = below[nodes].sum(axis=1)

    def sum_before(self, leaf: int) -> float:
        """Return the sum of the values of all leaves before ``leaf``."""
        if leaf >= self.capacity:
            return self.total
        total, node = 0.0, leaf
        for level in self._levels:
            family, place = divmod(node, FAN_OUT)
            total += float(level[family, :place].sum())
            node = family
        return total

    def find(self, masses: np.ndarray) -> np.ndarray:
        """Return the leaves (n,) int64 at which the cumulative sum first exceeds masses (n,), each in [0, total).

        A leaf of value 0 is never found, unless all are 0.
        """
        left = np.array(masses, np.float64)
        node = np.zeros(len(left), np.int64)
        rows = np.arange(len(left))
        for level in reversed(self._levels):
            sums = np.cumsum(level[node], axis=1)  # [n, 64]
            # Rounding can leave a mass at or above its family's sum; then the last child that is not 0 is meant.
            last = FAN_OUT - 1 - np.argmax(level[node][:, ::-1] > 0.0, axis=1)
            child = np.minimum((sums <= left[:, None]).sum(axis=1), last)
            left = np.maximum(left - np.where(child > 0, sums[rows, child - 1], 0.0), 0.0)
            node = node * FAN_OUT + child
        return node

    def export(self) -> np.ndarray:
        """Return all values, (capacity,) float64, as a copy."""
        return self._levels[0].reshape(-1)[: self.capacity].copy()
