"""The stages of a sitting at the recorder, and the small things that it shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from data.continuation import Unended
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.simulation import Emulator

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
COUNTDOWN_TICKS = 90
"""3-2-1, half a second each."""
NOTICE_TICKS = 180
POP_TICKS = 60
REWIND_DECISIONS = (1, 2, 4)
"""Decisions that go back at every tick while rewinding, in the first second, the second and after that."""
FRAMES_BROUGHT_BACK = 60
"""Frames of an episode that are played again at every tick while it comes back: sixty times as fast as a person."""
BACK_FROM_THE_END_FRAMES = 3 * FRAMES_PER_SECOND


class SessionState(Enum):
    """What the player is in."""

    READY = "ready"
    COMING_BACK = "coming back"
    PLAYING = "recording"
    PAUSED = "paused"
    REWINDING = "rewinding"
    COUNTDOWN = "starting again"
    ENDED = "keep or discard"


@dataclass(frozen=True)
class SessionEpisode:
    """An episode of this sitting that is over."""

    score: float
    seconds: float
    kept: bool


@dataclass(frozen=True)
class Next:
    """What the player goes over to, in the same window: a game, or an episode to go on with."""

    game: str
    unended: Unended | None = None
    notice: str = ""
    """What is to be told there first."""


@dataclass
class Pop:
    """Points that were just made, shown for a second."""

    points: float
    ticks: int = POP_TICKS


def settings_for_people(game: str, settings: EmulatorSettings) -> EmulatorSettings:
    """The same settings, with all actions where the game's own set has no NOOP: letting go must do nothing."""
    if "NOOP" in Emulator(game, settings).action_meanings:
        return settings
    return replace(settings, full_action_set=True)


def clock_text(frames: int) -> str:
    """Minutes and seconds of so many frames, such as "1:05"."""
    seconds = frames // FRAMES_PER_SECOND
    return f"{seconds // 60}:{seconds % 60:02d}"
