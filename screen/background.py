"""Work in a thread of its own, so that a window stays responsive."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from data.errors import CoachError

Result = TypeVar("Result")


class Stopped(Exception):
    """Raised inside the work by its ``report`` function after ``Background.stop``."""


END_SECONDS = 10.0
"""How long the program waits at its end for work that cannot be interrupted."""

_running: weakref.WeakSet[Background[Any]] = weakref.WeakSet()


def _end_all() -> None:
    """Stop all work: Python kills remaining threads at its end, which within the emulator's C++ aborts the program."""
    left = list(_running)
    for background in left:
        background.stop()
    deadline = time.monotonic() + END_SECONDS
    for background in left:
        background.join(max(0.0, deadline - time.monotonic()))


atexit.register(_end_all)


class Background(Generic[Result]):
    """One piece of work in a thread of its own.

    ``work`` is passed a function that reports its progress, (done, total), which it may call from any of its threads.
    A CoachError that it raises becomes ``problem``; any other exception is raised again by ``result``.
    """

    def __init__(self, work: Callable[[Callable[[int, int], None]], Result], name: str = "background work") -> None:
        self.done_parts, self.total_parts = 0, 0
        self.problem = ""
        self._started = time.monotonic()
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        _running.add(self)
        self._thread.start()

    def _run(self, work: Callable[[Callable[[int, int], None]], Result]) -> None:
        try:
            self._result = work(self._report)
        except Stopped:
            self.problem = "It was stopped."
        except CoachError as error:
            self.problem = str(error)
        except BaseException as error:  # noqa: BLE001 - raised again by ``result``
            self._error = error

    def _report(self, done: int, total: int) -> None:
        self.done_parts, self.total_parts = done, total
        if self._stop.is_set():
            raise Stopped

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self._started

    @property
    def result(self) -> Result | None:
        """What the work returned; None while it runs, or where there is a ``problem``."""
        if self._error is not None:
            raise self._error
        return self._result if self.is_done else None

    def stop(self) -> None:
        """Ask it to end the next time it reports its progress."""
        self._stop.set()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)
