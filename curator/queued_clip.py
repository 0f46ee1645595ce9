"""A clip that waits for a verdict, and the names that a verdict can remember of where its clip came from."""

from __future__ import annotations

from dataclasses import dataclass

from data.clip import Clip, Verdict

SECOND_LOOK = "second look"
"""How the note of a verdict begins whose clip the curator wants to see again later."""
BY_HAND = "by hand"
"""The "queue" of clips that the curator cut."""
REPEAT_PREFIX = "repeat:"
"""How the queue of a verdict begins whose clip was shown a second time, to measure the curator's self-agreement."""


@dataclass(frozen=True)
class QueuedClip:
    """A clip that waits for a verdict."""

    clip: Clip
    queue: str
    """The queue that it comes from, such as "before-reward" or "uniform"."""
    reason: str
    """Why it is shown, in words: "20 points at 0:41"."""

    @property
    def is_repeat(self) -> bool:
        return self.queue.startswith(REPEAT_PREFIX)


def is_repeat(verdict: Verdict) -> bool:
    """Whether a verdict was given on a clip that the queue showed a second time."""
    return verdict.queue.startswith(REPEAT_PREFIX)
