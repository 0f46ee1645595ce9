"""Rules that judge by what the game itself says: points are good news, a lost life is bad news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.spans import windows_ending_at
from data.clip import RULE_PREFIX, Clip
from data.episode import MAX_EPISODE_FRAMES
from data.errors import CoachError

DEFAULT_RULE_FRAMES = 120
RULE_VERDICTS = {"before-reward": "good", "before-death": "bad"}


@dataclass(frozen=True)
class Rule:
    """One rule with its parameters."""

    name: str
    """One of RULE_VERDICTS."""
    frames: int = DEFAULT_RULE_FRAMES
    """Length of a clip, in frames, that ends with the frame in which it happened."""

    @property
    def verdict(self) -> str:
        return RULE_VERDICTS[self.name]

    @property
    def curator(self) -> str:
        """The same for all parameters, so that a rule run again with others replaces what it said before."""
        return RULE_PREFIX + self.name

    @property
    def note(self) -> str:
        return f"frames={self.frames}"

    def clips(self, rewards: np.ndarray, lives: np.ndarray, episode_id: str) -> list[Clip]:
        """The clips of one episode to which the verdict goes. rewards: (T,) float32; lives: (T+1,) uint8."""
        if self.name == "before-reward":
            return before_reward(rewards, episode_id, self.frames)
        return before_death(lives, episode_id, self.frames)


def parse_rule(text: str) -> Rule:
    """Read ``before-reward``, ``before-death:frames=60`` and the like; raises CoachError for anything else."""
    name, _, parameters = text.strip().partition(":")
    if name not in RULE_VERDICTS:
        raise CoachError(f"There is no rule called {name!r}; the rules are {' and '.join(RULE_VERDICTS)}.")
    if not parameters:
        return Rule(name)
    key, _, value = parameters.partition("=")
    if key.strip() != "frames" or not value.strip().isascii() or not value.strip().isdigit():
        raise CoachError(f"The rule {text!r} cannot be read; write it as {name}:frames=60.")
    frames = int(value)
    if not 1 <= frames <= MAX_EPISODE_FRAMES:
        raise CoachError(f"The frames of a rule must lie between 1 and {MAX_EPISODE_FRAMES}, not {frames}.")
    return Rule(name, frames)


def before_reward(rewards: np.ndarray, episode_id: str, frames: int = DEFAULT_RULE_FRAMES) -> list[Clip]:
    """The last ``frames`` frames up to each frame that brought points, that frame included.

    rewards: (T,) float32, unclipped; losing points is no reward. Clips that overlap are merged, and the episode's
    start cuts them short.
    """
    return [Clip(episode_id, *span) for span in windows_ending_at(rewarded_frames(rewards), frames)]


def before_death(lives: np.ndarray, episode_id: str, frames: int = DEFAULT_RULE_FRAMES) -> list[Clip]:
    """The last ``frames`` frames up to each frame in which a life was lost, that frame included.

    lives: (T+1,) uint8. Clips that overlap are merged, and the episode's start cuts them short. A game that counts no
    lives has none.
    """
    return [Clip(episode_id, *span) for span in windows_ending_at(death_frames(lives), frames)]


def rewarded_frames(rewards: np.ndarray) -> list[int]:
    """Rows t of (T,) rewards at which points came, in order."""
    return [int(t) for t in np.flatnonzero(np.asarray(rewards) > 0)]


def death_frames(lives: np.ndarray) -> list[int]:
    """Rows t at which the (T+1,) lives went down on the way from frame t to frame t+1, in order."""
    counted = np.asarray(lives, np.int16)
    return [int(t) for t in np.flatnonzero(counted[1:] < counted[:-1])]
