"""Keeping Python's own habits, and other programs' work, out of the game's way while somebody plays."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SWITCH_SECONDS = 0.0005
"""How long another thread may go on with its Python once the game's thread wants to. Python's 5 ms are a third of a
frame: each frame that wakes up while a block is being packed or the journal written would be late."""
LATE_WAKING_SECONDS = 0.001
"""Half of what makes a frame late."""
PROCESSOR_FIELD = 36
"""Of what follows the name in /proc/thread-self/stat, see proc_pid_stat(5)."""


@contextmanager
def before_other_work() -> Iterator[None]:
    """This thread is given a core at once when it wakes up, however busy other programs keep them all.

    By real-time priority, where the system grants it: on Linux to root, or by a limit ``rtprio`` as musicians have it.
    Elsewhere, and with a single core, nothing changes. Threads and processes begun meanwhile are ordinary ones.
    """
    if not hasattr(os, "SCHED_RR") or len(os.sched_getaffinity(0)) < 2:  # something must be left for the screen
        yield
        return
    policy, parameters = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0)
    granted = False
    if not has_real_time_priority():
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            granted = True
    try:
        yield
    finally:
        if granted:
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameters)  # only root may take that flag back


def has_real_time_priority() -> bool:
    """Whether this thread goes before all ordinary work."""
    if not hasattr(os, "SCHED_RR"):
        return False
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR)


def rest(seconds: float) -> None:
    """Sleep. A thread with real-time priority that is woken late by its processor leaves it for another.

    Linux wakes such a thread where it fell asleep, even if the kernel itself is busy there for some milliseconds; and
    what comes every half second comes again with every 30th frame.
    """
    due = time.perf_counter() + seconds
    time.sleep(seconds)
    if time.perf_counter() - due > LATE_WAKING_SECONDS and has_real_time_priority():
        leave_processor()


def processor() -> int:
    """The number of the one that this thread runs on (Linux). Raises OSError elsewhere."""
    return int(Path("/proc/thread-self/stat").read_text().rpartition(")")[2].split()[PROCESSOR_FIELD])


def leave_processor() -> None:
    """This thread goes on on the next of the processors that it may use, and may use the same ones as before."""
    with suppress(OSError):
        here, usable = processor(), sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {next((other for other in usable if other > here), usable[0])})
        os.sched_setaffinity(0, usable)


@contextmanager
def undisturbed() -> Iterator[None]:
    """No full garbage collection of what lives before the first frame, no long wait for other threads or programs."""
    gc.collect()
    gc.freeze()  # what lives now lives on: a full collection in mid-game would cost frames
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with before_other_work():
            yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()
