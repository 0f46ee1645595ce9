"""Keeping Python's own habits, and other programs' work, out of the game's way while somebody plays."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_SECONDS = 0.0005
"""How long another thread may go on with its Python once the game's thread wants to. Python's 5 ms are a third of a
frame: each frame that wakes up while a block is being packed or the journal written would be late."""


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
    if policy not in (os.SCHED_FIFO, os.SCHED_RR):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            granted = True
    try:
        yield
    finally:
        if granted:
            os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, parameters)  # only root may take that flag back


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
