"""Find moments of own games that are worth a correction: lives lost after a high value, and falls in the value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.config import TrainConfig
from agent.returns import REWARDS
from agent.run_loop import Step
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.moments import Moment

WINDOW_SECONDS = 1.0
"""A life is lost after the greatest value of this long; the value falls within it."""


@dataclass(frozen=True)
class _Decision:
    frame: int
    value: float
    reward: float
    points: float
    """Of the game, before it."""
    life_lost: bool


class MomentFinder:
    """Follows own games and finds at most two moments in each. It changes nothing that is learned.

    Values are those by which the agent acted, so decisions at random have none unless the value was known.
    """

    def __init__(self, config: TrainConfig) -> None:
        self._reward = REWARDS[config.reward]
        self._window = max(1, round(WINDOW_SECONDS * FRAMES_PER_SECOND / config.frame_skip))
        self._game: list[_Decision] = []
        self._points = 0.0
        self.found: list[Moment] = []
        """Moments of finished games; they are removed when they are written."""

    def begin(self, points: float = 0.0) -> None:
        """Start a game, or continue with one that has so many points after a resume; what was before is not known."""
        self._game, self._points = [], points

    def decided(self, value: float | None, frame: int, step: Step) -> None:
        """Record a decision: its greatest value if it is known, its first frame, and its outcome."""
        reward = float(self._reward(np.array([step.reward], np.float32))[0])
        self._game.append(_Decision(frame, np.nan if value is None else value, reward, self._points, step.life_lost))
        self._points += step.reward

    def ended(self, settings: EmulatorSettings, actions: bytes, own_step: int) -> None:
        """End a game. settings: how it started; actions: all executed ones, one a frame."""
        game = self._game
        self.begin()
        if len(game) < 2:
            return
        values = np.array([decision.value for decision in game])
        rewards = np.array([decision.reward for decision in game])
        for reason, row, severity in (self._lost_life(game, values), self._fall(values, rewards)):
            if row < 0 or not severity > 0.0:
                continue
            before = values[max(0, row - self._window) : row + 1]
            frame = game[row].frame
            moment = Moment(
                reason=reason,
                frame=frame,
                step=own_step,
                severity=float(severity),
                value=float(np.nanmax(before)),
                points=game[row].points,
                seed=settings.seed,
                noop_start=settings.noop_start,
                actions=actions[:frame],
                initial_ram=settings.initial_ram,
            )
            self.found.append(moment)

    def _lost_life(self, game: list[_Decision], values: np.ndarray) -> tuple[str, int, float]:
        """Return the lost life before which the value was greatest: row and that value; row -1: none."""
        best = "life", -1, 0.0
        for row, decision in enumerate(game):
            before = values[max(0, row - self._window) : row + 1]
            if decision.life_lost and np.isfinite(before).any() and np.nanmax(before) > best[2]:
                best = "life", row, float(np.nanmax(before))
        return best

    def _fall(self, values: np.ndarray, rewards: np.ndarray) -> tuple[str, int, float]:
        """Return where the value fell most within the window, beyond the rewards that were earned meanwhile."""
        size = self._window
        if len(values) <= size:
            return "fall", -1, 0.0
        earned = np.concatenate(([0.0], np.cumsum(rewards)))
        falls = values[:-size] - values[size:] - (earned[size:-1] - earned[: -size - 1])
        if not np.isfinite(falls).any():
            return "fall", -1, 0.0
        row = int(np.nanargmax(falls))
        return "fall", row + size, float(falls[row])
