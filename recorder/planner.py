"""The planner: a demonstrator that plays any game by trying held actions on a second emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from data.episode import FrameState
from data.errors import CoachError
from data.simulation import Emulator

DISCOUNT = 0.99
"""Per decision. Early points are better than late ones, and a life lost later may still be saved."""
LIFE_IN_REWARDS = 20.0
"""The value of a life, in average rewards of this game."""
LONGEST_RUN = 8
"""The most decisions for which a sampled action is held."""
WORTH_A_CHANGE = 0.5
"""By how many average rewards a plan must be better, so that a planner that holds its actions changes to it."""
FAR_HORIZONS = 3
"""How many horizons ahead one action is tried where no plan leads to any points."""
FAR_LOOK_SHARE = 0.25
"""Share of those decisions at which it is tried: it costs as much as six plans, and a plan that it finds is kept."""
COARSE_SIZE = (16, 10)
"""Width and height to which a screen is shrunk to distinguish places where no points are in sight."""
COARSE_SHADES = 8
FINE_BLOCK = 10
"""Side in pixels of the blocks whose brightest and darkest pixels also distinguish places, so small objects count."""


@dataclass
class _Plan:
    """Actions to hold, one a decision, and their results on the second emulator.

    ``worths[d]`` is the undiscounted value of decision d, ``snapshots[d]`` the emulator before decision d (one more
    than actions), both shorter where the game ended.
    """

    actions: list[int]
    worths: list[float] = field(default_factory=list)
    snapshots: list[Any] = field(default_factory=list)
    value: float = 0.0
    scores: bool = False
    """Whether any points or losses are in sight."""
    novelty: float = 0.0
    """How new its last screen would be, 0 to 2; only where no plan scores."""


class Planner:
    """Random-shooting search over held actions, with the best plan kept, shifted and improved.

    At each decision, ``rollouts`` plans of ``horizon`` decisions are tried from the current state: variants of the
    best plan so far, which differ from it from some decision on, and the best one is followed for one decision. A
    plan's value is its discounted points less a penalty for lives lost. Where no plan leads to any points, the planner
    follows the plan whose last screen was visited least, so that it explores. Screens are counted in cells, as in
    Ecoffet et al. 2021, "First return, then explore" (a shrunk, coarsened screen), and also in finer ones, in which a
    small ball counts. A new coarse cell and a new fine one weigh the same, so a game whose clock makes every fine cell
    new is still explored by the coarse ones.

    It plans on a second emulator; of the recorded one it only takes snapshots. It plans as if its actions were
    executed as chosen: after a sticky action it makes a new plan from the current state.
    """

    kind = "planner"

    def __init__(self, rollouts: int = 12, horizon: int = 30, frame_skip: int | None = None, hold: int = 1) -> None:
        """``frame_skip``: frames for which a planned action is held; None: as many as in the recorded emulator.

        ``hold``: the fewest decisions for which an action is held, after which it plans again. Above 1 its play is
        smoother, as a person's is, and takes less time: the action is continued unless another is clearly better.
        """
        if rollouts < 1 or horizon < 1:
            raise CoachError(f"The planner needs at least one rollout and a horizon of one, not {rollouts}, {horizon}.")
        if not 1 <= hold <= horizon:
            raise CoachError(
                f"The planner must hold actions for 1 decision up to its horizon of {horizon}, not {hold}."
            )
        self.rollouts = rollouts
        self.horizon = horizon
        self.frame_skip = frame_skip
        self.hold = hold

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Start an episode, with no plan and no visited screens."""
        self._real = emulator
        self._rng = rng
        self._model = Emulator(emulator.game, emulator.settings, emulator.action_meanings)
        self._held_frames = self.frame_skip or emulator.settings.frame_skip
        self._action_count = len(emulator.action_meanings)
        self._visits: dict[bytes, int] = {}
        self._reward_sum, self._reward_count = 0.0, 0
        self._best: _Plan | None = None
        self._decision = 0

    def choose(self, frames: Sequence[FrameState]) -> int:
        """Return the first action of the best plan found; see ``Demonstrator``."""
        for cell in _cells(frames[-1].screen):
            self._visits[cell] = self._visits.get(cell, 0) + 1
        best = self._evaluated(self._continued(frames[-1]))
        if self._decision % self.hold == 0:
            best = self._steadied(self._searched(best))
        self._decision += 1
        self._best = best
        return best.actions[0]

    def _searched(self, best: _Plan) -> _Plan:
        """Return the best of a plan and of variants of it."""
        for _ in range(self.rollouts):
            variant = self._evaluated(self._variant(best))
            if self._better(variant, best):
                best = variant
        if not best.scores and self._rng.random() < FAR_LOOK_SHARE:
            far = self._evaluated(self._far_look(best))
            best = far if far.value > 0 else best
        return best

    def _steadied(self, best: _Plan) -> _Plan:
        """Continue the current action, where actions are held, unless the best plan is clearly better."""
        if self.hold == 1 or self._best is None or not best.scores:
            return best
        actions = self._best.actions[:1] * self.hold + best.actions[self.hold :]
        steady = self._evaluated(_Plan(actions, snapshots=best.snapshots[:1]))
        return steady if steady.value >= best.value - WORTH_A_CHANGE * self._mean_reward else best

    def _continued(self, present: FrameState) -> _Plan:
        """Return the best plan so far without its first decision, if the game went as planned."""
        old = self._best
        if old is None:
            return _Plan(self._runs(self.horizon), snapshots=[self._real.snapshot()])
        actions = old.actions[1:]
        actions += self._runs(self.horizon - len(actions), actions[-1] if actions else None)
        if len(old.snapshots) > 1:
            self._model.restore(old.snapshots[1])
            if np.array_equal(self._model.ram(), present.ram):
                return _Plan(actions, old.worths[1:], old.snapshots[1:])
        return _Plan(actions, snapshots=[self._real.snapshot()])

    def _variant(self, best: _Plan) -> _Plan:
        """Return a plan that differs from the best one from some decision on; the rest is not simulated again."""
        first = int(self._rng.integers(min(self.horizon, len(best.snapshots)))) // self.hold * self.hold
        actions = best.actions[:first] + self._runs(self.horizon - first)
        if self._rng.random() < 0.5:  # a short change, then as before
            length = self._run_length()
            actions[first + length :] = best.actions[first + length :]
        return _Plan(actions, best.worths[:first], best.snapshots[: first + 1])

    def _far_look(self, best: _Plan) -> _Plan:
        """Return a plan of one action, held much longer than usual: some points are beyond the horizon."""
        action = int(self._rng.integers(self._action_count))
        return _Plan([action] * (FAR_HORIZONS * self.horizon), snapshots=best.snapshots[:1])

    def _runs(self, length: int, begin_with: int | None = None) -> list[int]:
        """Return ``length`` actions in runs: each is sampled and held for 1 to LONGEST_RUN decisions."""
        actions: list[int] = []
        action = begin_with
        while len(actions) < length:
            if action is None:
                action = int(self._rng.integers(self._action_count))
            actions += [action] * self._run_length()
            action = None
        return actions[:length]

    def _run_length(self) -> int:
        """Sample the decisions for which an action is held: up to LONGEST_RUN, a multiple of ``hold``."""
        return self.hold * int(self._rng.integers(1, max(1, LONGEST_RUN // self.hold) + 1))

    def _evaluated(self, plan: _Plan) -> _Plan:
        """Simulate the plan from its newest snapshot on, and return it with its value."""
        model = self._model
        model.restore(plan.snapshots[-1])
        lives = model.lives
        for action in plan.actions[len(plan.worths) :]:
            if model.game_over:
                break
            points = 0.0
            for _ in range(self._held_frames):
                points += model.act(action)
            if points:
                self._reward_sum += abs(points)
                self._reward_count += 1
            lost = max(0, lives - model.lives)
            lives = model.lives
            plan.worths.append(points - lost * self._life_worth)
            plan.snapshots.append(model.snapshot())
        plan.value = sum(worth * DISCOUNT**d for d, worth in enumerate(plan.worths))
        plan.scores = any(plan.worths)
        if not plan.scores:
            plan.novelty = sum(1 / (1 + self._visits.get(cell, 0)) for cell in _cells(model.screen()))
        return plan

    @property
    def _mean_reward(self) -> float:
        return self._reward_sum / self._reward_count if self._reward_count else 1.0

    @property
    def _life_worth(self) -> float:
        return LIFE_IN_REWARDS * self._mean_reward

    def _better(self, plan: _Plan, best: _Plan) -> bool:
        if plan.scores or best.scores:
            return plan.value > best.value
        return plan.novelty > best.novelty


def _cells(screen: np.ndarray) -> tuple[bytes, bytes]:
    """Return a coarse and a fine key of a screen, (H, W) uint8."""
    small = cv2.resize(screen, COARSE_SIZE, interpolation=cv2.INTER_AREA)
    coarse = small // (256 // COARSE_SHADES)
    side = FINE_BLOCK
    block = np.ones((side, side), np.uint8)
    middle = slice(side // 2, None, side)
    fine = np.stack([cv2.dilate(screen, block)[middle, middle], cv2.erode(screen, block)[middle, middle]])
    return b"c" + coarse.tobytes(), b"f" + fine.tobytes()
