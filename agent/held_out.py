"""A part of the demonstrations that is held out of pretraining, and decides when pretraining stops.

One contiguous stretch of each source is held out, so that what is measured has no neighbours among what is learned:
frames a sixtieth of a second apart are nearly equal. After pretraining it is learned from like the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agent.batch import action_mask
from agent.replay_memory import ReplayMemory
from agent.slots import OWN

CHECK_UPDATES = 250
"""Updates of pretraining between two measurements."""
PATIENCE = 3
"""Measurements in a row without any improvement after which pretraining stops."""
MOST_MEASURED = 512
"""Decisions that a measurement uses at most."""
LEAST_MEASURED = 32
"""A part with fewer decisions is too small to decide by, so nothing is held out."""


@dataclass(frozen=True)
class HeldOutFit:
    """How well the agent fits the held-out decisions."""

    agreement: float
    """Share of the decisions in which it would act as demonstrated, averaged over actions: a rare one counts alike."""
    return_error: float | None
    """Mean absolute difference of value and recorded return; None if no episode was played to its end."""


@dataclass
class HeldOut:
    """The held-out decisions, by slot of the replay memory, and the best fit so far."""

    slots: list[int]
    """All that is held out."""
    measured: list[int]
    """Those that share no frame with what is learned from."""
    fit: HeldOutFit | None = None
    """The newest one."""
    best_agreement: float = -np.inf
    best_error: float = np.inf
    without_improvement: int = 0
    """Measurements since the last improvement."""

    @property
    def stops_pretraining(self) -> bool:
        return self.without_improvement >= PATIENCE

    def measure(self, memory: ReplayMemory, q_values: Callable[[np.ndarray], np.ndarray]) -> None:
        """Measure the fit of ``q_values``, from a stack (S, 84, 84) uint8 to (A,) float32."""
        slots = np.array(self.measured)
        self.fit = held_out_fit(memory, slots, np.stack([q_values(stack) for stack in memory.stacks(slots)]))
        error = np.inf if self.fit.return_error is None else self.fit.return_error
        improved = self.fit.agreement > self.best_agreement or error < self.best_error
        self.without_improvement = 0 if improved else self.without_improvement + 1
        self.best_agreement = max(self.best_agreement, self.fit.agreement)
        self.best_error = min(self.best_error, error)

    def start_again(self) -> None:
        """Discard what was measured, for another pretraining."""
        self.fit, self.best_agreement, self.best_error, self.without_improvement = None, -np.inf, np.inf, 0

    def state(self) -> dict[str, Any]:
        """Return plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> HeldOut:
        fit = state["fit"]
        return cls(**{**state, "fit": None if fit is None else HeldOutFit(**fit)})


def held_out_fit(memory: ReplayMemory, slots: np.ndarray, q: np.ndarray) -> HeldOutFit:
    """Return the fit of values q (n, A) for the decisions at slots (n,)."""
    actions, recorded = memory.columns["action"][slots], memory.columns["recorded"][slots]
    sets = memory.columns["equivalent"][slots] if memory.rules.equivalent else np.zeros(len(slots), np.uint32)
    agrees = action_mask(sets, actions, q.shape[1])[np.arange(len(slots)), q.argmax(axis=1)]
    agreement = float(np.mean([agrees[actions == action].mean() for action in np.unique(actions)]))
    known = np.isfinite(recorded)
    errors = np.abs(q[np.arange(len(slots)), actions] - recorded)[known]
    return HeldOutFit(agreement, float(errors.mean()) if len(errors) else None)


def hold_out(memory: ReplayMemory, share: float, rng: np.random.Generator) -> HeldOut | None:
    """Take a contiguous stretch of ``share`` of each source's imitated decisions out of sampling.

    Returns None, and holds nothing out, if that is too little to decide by.
    """
    columns, rules = memory.columns, memory.rules
    slots: list[int] = []
    measured: list[int] = []
    ready = columns["ready"][: memory.seeded_end]
    for source in np.unique(columns["source"][: memory.seeded_end][ready]):
        of_source = ready & (columns["source"][: memory.seeded_end] == source)
        imitated = np.flatnonzero(of_source & (columns["imitate"][: memory.seeded_end] > 0))
        length = round(share * len(imitated))
        if source == OWN or length <= rules.reach + 1 + rules.n_steps:
            continue
        first = int(rng.integers(len(imitated) - length + 1))
        stretch = imitated[first : first + length]
        slots += [slot for slot in range(stretch[0], stretch[-1] + 1) if of_source[slot]]
        # Returns before the stretch end within it, and stacks after it begin within it.
        inside = (stretch >= stretch[0] + rules.n_steps) & (stretch <= stretch[-1] - rules.reach - 1)
        measured += stretch[inside].tolist()
    if len(measured) < LEAST_MEASURED:
        return None
    chosen = np.linspace(0, len(measured) - 1, min(len(measured), MOST_MEASURED)).round().astype(int)
    memory.set_available(np.array(slots), False)
    return HeldOut([int(slot) for slot in slots], [int(measured[row]) for row in chosen])
