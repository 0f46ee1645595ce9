"""Work that a window waits for without standing still."""

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
    """Raised inside the work by ``tell`` once nobody wants it any more."""


LEAVING_SECONDS = 10.0
"""For how long the program waits at its end for work that cannot be broken off."""

_going_on: weakref.WeakSet[Background[Any]] = weakref.WeakSet()


def _end_all() -> None:
    """Python ends threads that are left at its own end by force; within the emulator's C++ that aborts the program."""
    left = list(_going_on)
    for background in left:
        background.stop()
    deadline = time.monotonic() + LEAVING_SECONDS
    for background in left:
        background.join(max(0.0, deadline - time.monotonic()))


atexit.register(_end_all)


class Background(Generic[Result]):
    """One piece of work in a thread of its own.

    ``work`` is given a function to tell how far it is, (done, total), which it may call from any of its threads. What
    it raises is kept: a CoachError's sentence in ``problem``, anything else is raised again by ``result``.
    """

    def __init__(self, work: Callable[[Callable[[int, int], None]], Result], name: str = "background work") -> None:
        self.done_parts, self.total_parts = 0, 0
        self.problem = ""
        self._began = time.monotonic()
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name=name, daemon=True)
        _going_on.add(self)
        self._thread.start()

    def _run(self, work: Callable[[Callable[[int, int], None]], Result]) -> None:
        try:
            self._result = work(self._tell)
        except Stopped:
            self.problem = "It was stopped."
        except CoachError as error:
            self.problem = str(error)
        except BaseException as error:  # noqa: BLE001 (whoever asks for the result gets it)
            self._error = error

    def _tell(self, done: int, total: int) -> None:
        self.done_parts, self.total_parts = done, total
        if self._stop.is_set():
            raise Stopped

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._began

    @property
    def result(self) -> Result | None:
        """What the work returned; None while it goes on, or where there is a ``problem``."""
        if self._error is not None:
            raise self._error
        return self._result if self.is_done else None

    def stop(self) -> None:
        """Ask it to end the next time it tells how far it is."""
        self._stop.set()

    def join(self, seconds: float | None = None) -> None:
        self._thread.join(seconds)
