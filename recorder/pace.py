"""Even pace: which frame is due, by an absolute schedule. Pure: the clock is handed in."""

from __future__ import annotations

from data.episode import FRAMES_PER_SECOND
from data.pace_report import PaceCount, PaceReport

GIVE_UP_SECONDS = 0.1
"""This far behind, the schedule should start anew: a game that suddenly ran fast to catch up could not be played."""


class Pace:
    """Frame n is due at ``start + n / rate``, whatever the frames before it took, so no delay adds up.

    Times are seconds of any steady clock. A caller who is told that a frame was far too late calls ``restart``.
    """

    def __init__(self, now: float, speed: float = 1.0) -> None:
        self._count = PaceCount()
        self.restart(now, speed)

    def restart(self, now: float, speed: float | None = None) -> None:
        """The next frame is due now, and the others after it; ``speed`` 1 is 60 frames a second."""
        if speed is not None:
            self._period = 1.0 / (FRAMES_PER_SECOND * speed)
        self._start = now
        self._number = 0

    def seconds_to_next(self, now: float) -> float:
        """Seconds until the next frame is due; 0 or less: it is due."""
        return self._start + self._number * self._period - now

    def begin_frame(self, now: float) -> bool:
        """The frame that was due begins now. Returns whether it is so late that the schedule must start anew."""
        late = -self.seconds_to_next(now)
        self._count.add(late)
        self._number += 1
        return late > GIVE_UP_SECONDS

    @property
    def report(self) -> PaceReport:
        return self._count.report
