"""The states of a recorder session, and the small values that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from data.continuation import Unended
from data.episode import FRAMES_PER_SECOND

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
VOLUME_STEP = 0.1
COUNTDOWN_TICKS = 90
"""3-2-1, half a second each. A tick is 1/60 s at any speed of the game."""
NOTICE_TICKS = 180
SCORE_CHANGE_TICKS = 60
REWIND_DECISIONS = (1, 2, 4)
"""Decisions per tick of a rewind, in its first second, its second one and after that."""
RESTORED_FRAMES_PER_TICK = 60
"""Frames of a resumed episode that are played again at every tick: 60 times as fast as a person plays."""
BACK_FROM_THE_END_FRAMES = 3 * FRAMES_PER_SECOND
"""How far the key to go back rewinds after a game over."""


class SessionState(Enum):
    """What the session is doing; the value is shown in the window's title."""

    READY = "ready"
    RESTORING = "restoring"
    PLAYING = "recording"
    PAUSED = "paused"
    REWINDING = "rewinding"
    COUNTDOWN = "resuming"
    ENDED = "save or discard"


@dataclass(frozen=True)
class SessionEpisode:
    """A finished episode of this session."""

    score: float
    frames: int
    saved: bool


@dataclass(frozen=True)
class Next:
    """What follows a session in the same window: another game, or an episode to resume."""

    game: str
    unended: Unended | None = None
    notice: str = ""
    """What the next session shows first."""


@dataclass
class ScoreChange:
    """Points that the player has just made, shown for a second."""

    points: float
    ticks: int = SCORE_CHANGE_TICKS
