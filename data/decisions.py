"""Group frames into decisions: one action repeated for ``frame_skip`` frames, the agent's time step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.episode import DEFAULT_FRAME_SKIP


@dataclass(frozen=True)
class Decisions:
    """The decisions of one episode, as columns of length D.

    Decision d leads from frame ``first_frame[d]`` to frame ``first_frame[d] + length[d]``. Only the last decision
    of an episode that ended by game over may be shorter than the frame skip. An incomplete decision at the end of
    another episode is left out.
    """

    first_frame: np.ndarray
    """(D,) int64."""
    length: np.ndarray
    """(D,) uint8, frames."""
    action: np.ndarray
    """(D,) uint8: the action executed in most frames; on a tie, the first one."""
    reward: np.ndarray
    """(D,) float32: points, unclipped, summed over the decision's frames."""
    demonstrator: np.ndarray
    """(D,) uint8: who chose the first frame's action."""
    mixed: np.ndarray
    """(D,) bool: whether more than one action was executed."""
    life_lost: np.ndarray
    """(D,) bool: whether a life was lost."""
    terminal: np.ndarray
    """(D,) bool: whether the game was over at its end."""

    def __len__(self) -> int:
        return len(self.action)


def decisions_of(
    actions: np.ndarray,
    rewards: np.ndarray,
    lives: np.ndarray,
    demonstrator: np.ndarray,
    game_over: bool,
    frame_skip: int = DEFAULT_FRAME_SKIP,
) -> Decisions:
    """Group an episode's frames into decisions of ``frame_skip`` frames, aligned to frame 0.

    actions, demonstrator: (T,) uint8. rewards: (T,) float32. lives: (T+1,) uint8. game_over: whether the episode
    ended by game over at frame T.
    """
    total = len(actions)
    count = -(-total // frame_skip) if game_over else total // frame_skip
    first = np.arange(count, dtype=np.int64) * frame_skip
    used = min(total, count * frame_skip)
    last = np.minimum(first + frame_skip, total)
    length = (last - first).astype(np.uint8)

    # Pad the last decision to full length; the padding must not count.
    padded = np.full(count * frame_skip, -1, np.int64)
    padded[:used] = actions[:used]
    held = padded.reshape(count, frame_skip)  # [D, frame_skip]
    times_held = (held[:, :, None] == held[:, None, :]).sum(axis=2)  # [D, frame_skip]
    times_held[held < 0] = 0
    chosen = np.take_along_axis(held, times_held.argmax(axis=1)[:, None], axis=1)[:, 0] if count else np.zeros(0)
    terminal = np.zeros(count, bool)
    if game_over and count:
        terminal[-1] = True
    summed = np.add.reduceat(np.asarray(rewards[:used], np.float32), first) if count else np.zeros(0)
    drops = np.asarray(lives[1 : used + 1], np.int16) < np.asarray(lives[:used], np.int16)
    return Decisions(
        first_frame=first,
        length=length,
        action=chosen.astype(np.uint8),
        reward=summed.astype(np.float32),
        demonstrator=np.asarray(demonstrator, np.uint8)[first],
        mixed=((held != held[:, :1]) & (held >= 0)).any(axis=1),
        life_lost=np.logical_or.reduceat(drops, first) if count else np.zeros(0, bool),
        terminal=terminal,
    )
