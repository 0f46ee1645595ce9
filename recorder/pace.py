"""The pace of play: when each frame is due, and the priority that keeps it in time."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from data.episode import FRAMES_PER_SECOND, PaceCount, PaceReport

GIVE_UP_SECONDS = 0.1
"""A frame later than this starts a new schedule: a game that ran fast to catch up could not be played."""
SWITCH_SECONDS = 0.0005
"""How long another thread may keep the interpreter while the game's thread waits for it. Python's default of 5 ms is a
third of a frame: every frame that fell due while a block was compressed or the journal written would be late."""


class Pace:
    """A schedule of frames: frame n is due at ``start + n / rate``, so the delay of one frame is not added to the next.

    Times are seconds of any monotonic clock, passed in by the caller. A caller that ``begin_frame`` reports a very
    late frame to calls ``restart``.
    """

    def __init__(self, now: float, speed: float = 1.0) -> None:
        self._count = PaceCount()
        self.restart(now, speed)

    def restart(self, now: float, speed: float | None = None) -> None:
        """Start a new schedule whose first frame is due now; ``speed`` 1 is 60 frames a second."""
        if speed is not None:
            self._period = 1.0 / (FRAMES_PER_SECOND * speed)
        self._start = now
        self._number = 0

    def seconds_to_next(self, now: float) -> float:
        """Return the seconds until the next frame is due; 0 or less when it is due."""
        return self._start + self._number * self._period - now

    def begin_frame(self, now: float) -> bool:
        """Count the due frame as started; return whether it is so late that the schedule must be restarted."""
        late = -self.seconds_to_next(now)
        self._count.add(late)
        self._number += 1
        return late > GIVE_UP_SECONDS

    @property
    def report(self) -> PaceReport:
        return self._count.report


@contextmanager
def realtime() -> Iterator[None]:
    """Keep garbage collection, other threads and other programs from delaying frames."""
    gc.collect()
    gc.freeze()  # objects that exist now are not collected: a full collection in mid-game would cost frames
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with realtime_priority():
            yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()


@contextmanager
def realtime_priority() -> Iterator[None]:
    """Give this thread real-time priority where the system grants it: on Linux to root, or by a limit ``rtprio``.

    Without the permission, on other systems and with a single core (the screen needs time too) nothing changes.
    Threads and processes started meanwhile are ordinary ones.
    """
    if not hasattr(os, "sched_setscheduler") or len(os.sched_getaffinity(0)) < 2 or has_realtime_priority():
        yield
        return
    policy, parameters = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0)
    granted = False
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        granted = True
    try:
        yield
    finally:
        if granted:
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameters)  # only root may drop that flag


def has_realtime_priority() -> bool:
    """Return whether this thread runs before all ordinary work."""
    if not hasattr(os, "sched_getscheduler"):
        return False
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR)
