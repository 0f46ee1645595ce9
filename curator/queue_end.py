"""Where a queue ends: what is said there, and which queue may follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from curator.queued_clip import QueuedClip
from curator.sitting import told_unreadable

QUEUES_TO_FOLLOW = ("second-look", "before-reward", "before-death", "markers", "uniform")
"""In this order the queues are looked at that need nothing but the episodes."""


@dataclass(frozen=True)
class FollowingQueue:
    """A queue in which clips wait, after another one is done."""

    name: str
    clips: tuple[QueuedClip, ...]


def following_queue(done: str, build: Callable[[str], Iterable[QueuedClip]]) -> FollowingQueue | None:
    """The first queue but ``done`` that has clips. ``build``: a queue's waiting clips by its name."""
    for name in QUEUES_TO_FOLLOW:
        if name != done and (clips := tuple(build(name))):
            return FollowingQueue(name, clips)
    return None


def nothing_left(
    queue: str, has_judged: bool, following: FollowingQueue | None, unreadable: int = 0
) -> tuple[str, str]:
    """Title and text where no clip waits. ``unreadable``: so many were passed over, because they cannot be shown."""
    if queue == "second-look":
        title, text = "Nothing waits for a second look.", "Press V while judging to put a clip aside. "
    elif has_judged:
        which = "All readable clips" if unreadable else "All clips of this queue"
        title, text = f"{which} are judged.", "Backspace takes the last verdict back. "
    elif unreadable:
        title, text = "No clip of this queue can be read.", ""
    else:
        title, text = "No clips in this queue.", "Nothing in these episodes calls for it. "
    if unreadable:
        text += f"{told_unreadable(unreadable)} "
    if following is not None:
        number = len(following.clips)
        text += f"Tab goes on with the queue {following.name}: {number} clip{'s' * (number != 1)}."
    elif not unreadable:
        text += "Every clip of this library is judged: play or record more episodes."
    return title, text.rstrip()
