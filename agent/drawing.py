"""How transitions are drawn from the replay memory: evenly, or by priority."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from agent.sum_tree import SumTree

Regions = list[tuple[int, int]]
"""Slots [start, stop) among which to draw; none is empty."""


class Drawing(Protocol):
    """What the replay memory asks of a way to draw. Only slots that are ready are ever drawn."""

    def became(self, slot: int, ready: bool, weight: float) -> None:
        """A slot can, or can no longer, be drawn; ``weight``: how often its source is to be drawn."""

    def learned(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        """The absolute TD errors (B,) of ready slots (B,), of which some are seeded (B,) bool."""

    def draw(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,
        exponent: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """``count`` slots of the regions, drawn with replacement, and their importance weights, both (count,).

        ready, weight: of all slots. At least one slot of the regions must be ready.
        """
        ...

    def export(self, filled: int) -> dict[str, np.ndarray]:
        """Everything that drawing remembers of the first ``filled`` slots."""
        ...

    def restore(self, arrays: dict[str, np.ndarray]) -> None: ...


class EvenDrawing:
    """All transitions alike, but for the weights of their sources."""

    def __init__(self) -> None:
        self._heaviest = 1.0

    def became(self, slot: int, ready: bool, weight: float) -> None:  # noqa: ARG002 - as the protocol has it
        self._heaviest = max(self._heaviest, weight)

    def learned(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        """Errors do not count here."""

    def draw(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,
        exponent: float,  # noqa: ARG002 - there is no bias to mend
    ) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.array([stop - start for start, stop in regions])
        starts = np.array([start for start, _ in regions])
        before = np.cumsum(lengths) - lengths
        heaviest = self._heaviest
        if heaviest != 1.0:
            # The weights that are there, so that less is drawn in vain.
            heaviest = max(float((weight[start:stop] * ready[start:stop]).max()) for start, stop in regions)
        found: list[np.ndarray] = []
        missing = count
        while missing > 0:
            place = rng.integers(lengths.sum(), size=2 * missing + 8)
            region = np.searchsorted(before, place, side="right") - 1
            slots = starts[region] + place - before[region]
            good = ready[slots]
            if self._heaviest != 1.0:
                good = good & (rng.random(len(slots)) * heaviest < weight[slots])
            found.append(slots[good][:missing])
            missing -= len(found[-1])
        return np.concatenate(found), np.ones(count)

    def export(self, filled: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {"heaviest": np.array(self._heaviest)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._heaviest = float(arrays["heaviest"])


class PrioritisedDrawing:
    """In proportion to priorities, with importance weights (Schaul et al. 2016, section 3.3 and 3.4)."""

    def __init__(self, slots: int, exponent: float, bonus: float, seeded_bonus: float) -> None:
        """A priority is (absolute TD error + bonus) to the power of ``exponent``; bonuses: Hester et al. 2018."""
        self._tree = SumTree(slots)
        self._exponent = exponent
        self._bonus = bonus
        self._seeded_bonus = seeded_bonus
        self._greatest = 1.0

    def became(self, slot: int, ready: bool, weight: float) -> None:
        # What was never learned from has the greatest priority that there was (Schaul et al. 2016, algorithm 1).
        self._tree.set(np.array([slot]), self._greatest * weight if ready else 0.0)

    def learned(self, slots: np.ndarray, errors: np.ndarray, seeded: np.ndarray, weights: np.ndarray) -> None:
        bonus = np.where(seeded, self._seeded_bonus, self._bonus)
        priorities = (errors.astype(np.float64) + bonus) ** self._exponent
        self._greatest = max(self._greatest, float(priorities.max()))
        self._tree.set(slots, priorities * weights)

    def draw(
        self,
        rng: np.random.Generator,
        regions: Regions,
        count: int,
        ready: np.ndarray,
        weight: np.ndarray,  # noqa: ARG002 - it is part of the priorities
        exponent: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        edges = np.array([(self._tree.sum_before(start), self._tree.sum_before(stop)) for start, stop in regions])
        masses = edges[:, 1] - edges[:, 0]
        total = float(masses.sum())
        # One draw from each of ``count`` equal parts of the sum (Schaul et al. 2016, appendix B.2.1).
        at = (np.arange(count) + rng.random(count)) / count * total
        before = np.cumsum(masses) - masses
        region = np.searchsorted(before, at, side="right") - 1
        slots = self._tree.find(edges[region, 0] + at - before[region])
        inside = np.zeros(count, bool)
        drawable = 0
        for start, stop in regions:
            inside |= (slots >= start) & (slots < stop)
            drawable += int(np.count_nonzero(ready[start:stop]))
        if not inside.all():
            # Rounding at a region's edge found a neighbour's slot; any drawable one stands in for it.
            ours = np.concatenate([start + np.flatnonzero(ready[start:stop]) for start, stop in regions])
            slots[~inside] = rng.choice(ours, int((~inside).sum()))
        return slots, (drawable * self._tree.values(slots) / total) ** -exponent

    def export(self, filled: int) -> dict[str, np.ndarray]:
        return {"priority": self._tree.export()[:filled], "greatest_priority": np.array(self._greatest)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self._tree.set(np.arange(len(arrays["priority"])), arrays["priority"])
        self._greatest = float(arrays["greatest_priority"])
