"""The loop of an episode: it alternates demonstrator and emulator, and does nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data.demonstrator import Demonstrator
from data.episode import FrameState, demonstrator_index
from data.simulation import Emulator


@dataclass(frozen=True)
class PlayedFrame:
    """One frame as it was played: the action chosen, the action executed, and the state that it led to."""

    chosen: int
    """The demonstrator's action, an index into the emulator's ``action_meanings``."""
    executed: int
    """The action that the emulator executed; with sticky actions it may differ from ``chosen``."""
    demonstrator: int
    """Who chose, an index into DEMONSTRATOR_KINDS."""
    after: FrameState


def play_frames(emulator: Emulator, demonstrator: Demonstrator, seen: Sequence[FrameState]) -> Iterator[PlayedFrame]:
    """Play from the emulator's current frame until the game is over.

    ``seen`` has the frames for the first choice: only frame 0 at an episode's start (after ``demonstrator.begin``).
    Each choice is repeated for ``emulator.settings.frame_skip`` frames. The loop only stores the decision that is being
    executed, so a caller that moves the emulator to the start of another decision starts a new loop.
    """
    while True:
        chosen = demonstrator.choose(seen)
        kind = demonstrator_index(demonstrator.kind)
        seen = states = []
        for _ in range(emulator.settings.frame_skip):
            executed = emulator.executed(chosen)
            states.append(emulator.step(executed))
            yield PlayedFrame(chosen, executed, kind, states[-1])
            if states[-1].game_over:
                return
