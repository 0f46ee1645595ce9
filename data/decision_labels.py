"""Choosing the action that represents a decision in which several actions were executed.

A person taps a key for one to three frames, and the action held longest in the decision's four frames is then often a
no-op, although the tap moved something. The emulator can tell which single action has the most similar effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data.decisions import decisions_of
from data.episode import DEFAULT_FRAME_SKIP
from data.simulation import Emulator

LONGEST, CLOSEST = "longest", "closest"
LABELS_BY = (LONGEST, CLOSEST)
PIXELS_PER_BYTE = 40
"""With RAM alone, pictures differed more than with the action held longest; with 40, RAM and pictures differ less in
three games (``benchmarks/decision_labels.py``)."""
PROGRESS_DECISIONS = 200

OnProgress = Callable[[int, int], None]
"""Called with the frames done and the total."""


@dataclass(frozen=True)
class Effect:
    """How a state that one held action leads to differs from the recorded state."""

    ram_bytes: int
    """Bytes of RAM that differ, of 128."""
    pixels: int
    """Pixels of the picture that differ."""

    @property
    def distance(self) -> float:
        """A byte of RAM counts as much as PIXELS_PER_BYTE pixels."""
        return self.ram_bytes + self.pixels / PIXELS_PER_BYTE


@dataclass(frozen=True)
class MixedDecision:
    """A decision in which several actions were executed, and the effect of holding one action instead."""

    first_frame: int
    longest: int
    """The action that was held longest; of equals, the first."""
    closest: int
    """The action whose effect is closest to what was recorded; of equals, the one held longest."""
    effect_of_longest: Effect
    effect_of_closest: Effect


def mixed_decisions(
    emulator: Emulator, actions: np.ndarray, game_over: bool, on_progress: OnProgress | None = None
) -> list[MixedDecision]:
    """Return the mixed decisions of an episode, with their closest actions.

    emulator: at frame 0 of the episode; it is moved to its end. actions: (T,) uint8, one for each frame. game_over:
    whether the game was over at frame T. From the state in which a mixed decision starts, each action is held for the
    decision's frames; the closest one has the smallest ``Effect.distance``.
    """
    nothing = np.zeros(len(actions) + 1)
    decisions = decisions_of(actions, nothing[1:], nothing, np.zeros(len(actions), np.uint8), game_over)
    if not decisions.mixed.any():
        return []
    trial = Emulator(emulator.game, emulator.settings, emulator.action_meanings)
    found = []
    for number, (first, length) in enumerate(zip(decisions.first_frame, decisions.length, strict=True)):
        held = actions[first : first + length].tolist()
        state = emulator.snapshot() if decisions.mixed[number] else None
        for action in held:
            emulator.act(action)
        if state is not None:
            longest = int(decisions.action[number])
            found.append(_compared(emulator, trial, state, int(first), held, longest))
        if on_progress is not None and number % PROGRESS_DECISIONS == 0:
            on_progress(int(first), len(actions))
    return found


def _compared(
    emulator: Emulator, trial: Emulator, state: object, first: int, held: list[int], longest: int
) -> MixedDecision:
    """Hold each action from ``state`` and compare the result with the state of ``emulator``."""
    ram, screen = emulator.ram(), emulator.screen()
    executed = sorted(set(held), key=lambda action: (action != longest, held.index(action)))
    others = [action for action in range(len(trial.action_meanings)) if action not in executed]
    effects: dict[int, Effect] = {}
    for action in (*executed, *others):
        trial.restore(state)
        for _ in held:
            trial.act(action)
        effects[action] = Effect(
            int(np.count_nonzero(trial.ram() != ram)), int(np.count_nonzero(trial.screen() != screen))
        )
        if effects[action] == Effect(0, 0):
            break
    closest = min(effects, key=lambda action: effects[action].distance)
    return MixedDecision(first, longest, closest, effects[longest], effects[closest])


def labels_of(actions: np.ndarray, mixed: list[MixedDecision]) -> np.ndarray:
    """Return (T,) uint8: in the frames of a mixed decision its closest action, elsewhere the action executed."""
    labels = np.array(actions, np.uint8)
    for decision in mixed:
        labels[decision.first_frame : decision.first_frame + DEFAULT_FRAME_SKIP] = decision.closest
    return labels
