"""Keeping Python's own habits out of the game's way while somebody plays."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.0005
"""How long another thread may go on with its Python once the game's thread wants to. Python's 5 ms are a third of a
frame: each frame that wakes up while a block is being packed or the journal written would be late."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """No full garbage collection of what lives before the first frame, and no long wait for other threads."""
    gc.collect()
    gc.freeze()  # what lives now lives on: a full collection in mid-game would cost frames
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()
