"""One frame of a clip and what belongs to it: action, points, lives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curator.frame_reader import FrameReader
from curator.rules import death_frames
from data.clip import Clip

STAYING_FRAMES = 36
"""For so many frames the points and the loss of a life stay to be read."""


@dataclass(frozen=True)
class ShownFrame:
    """One frame and what belongs to it."""

    picture: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    number: int
    action: str
    """Name of the action that led to this frame, such as "RIGHTFIRE"."""
    reward: float
    """The points that came last, with this frame or a moment before; 0 for none."""
    lives: int
    life_lost: bool
    """Whether one was lost at this frame or a moment before."""


def read_shown_frame(reader: FrameReader, clip: Clip, frame: int) -> ShownFrame:
    """A frame of the clip's episode; raises CoachError if it cannot be read."""
    replay = reader.episode(clip.episode_id)
    row = max(0, frame - 1)
    # What happened in a sixtieth of a second could not be read, so it stays for a moment: from this row on.
    since = max(frame - STAYING_FRAMES, clip.start if clip.start <= frame else 0)
    rewarded = np.flatnonzero(replay.rewards[since:frame])
    return ShownFrame(
        picture=reader.frame(clip.episode_id, frame),
        palette=replay.palette,
        number=frame,
        action=replay.origin.action_meanings[int(replay.actions[row])],
        reward=float(replay.rewards[since + rewarded[-1]]) if len(rewarded) else 0.0,
        lives=int(replay.lives[frame]),
        life_lost=bool(death_frames(replay.lives[since : frame + 1])),
    )
