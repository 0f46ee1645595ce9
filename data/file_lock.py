"""Locks that a process holds on a file for as long as it lives: a kill or a power cut lets go."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PATIENCE_SECONDS = 1.0
"""Whoever only looks whether a lock is held holds it for a moment (``is_held``)."""


@contextmanager
def holding(path: Path) -> Iterator[IO[str] | None]:
    """Hold the lock of ``path`` while this lasts, or be given None where another process holds it.

    A child process to which the file's descriptor is passed on holds the lock too, until it ends.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    yield None
                    return
            time.sleep(0.02)
        yield file


def is_held(path: Path) -> bool:
    """Whether any process on this machine holds the lock of ``path``."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
