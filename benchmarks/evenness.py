"""How evenly frames came, and how much of what went wrong was the fault of a virtual machine's host: see playing.py."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.episode import FRAMES_PER_SECOND
from data.pace_report import LATE_SECONDS
from recorder.pace import Pace

LOOK_EVERY_SECONDS = 0.25
PROC_STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Evenness:
    """How the frames of one window came."""

    frames: int
    seconds: float
    late: int
    worst_late_ms: float
    uneven: int
    longest_ms: float
    p999_ms: float
    frames_left_alone: int
    """Those before which the host had taken no processor for up to 0.5 s, see ``StolenTime``."""
    late_left_alone: int


class StolenTime:
    """Looks, four times a second, how much of the processors' time the host has taken for others so far.

    The kernel counts it in ticks of 10 ms; elsewhere than on Linux nothing is ever taken.
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        """Seconds of ``time.perf_counter``, which on Linux is the same clock in all programs."""
        self.stolen: list[int] = []
        """Ticks of all processors that were taken until then."""
        self.ticks: list[int] = []
        """Ticks of all processors until then, whoever had them."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> StolenTime:
        self._note()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._note()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            self._note()

    def _note(self) -> None:
        stolen, ticks = stolen_ticks()
        self.times.append(time.perf_counter())
        self.stolen.append(stolen)
        self.ticks.append(ticks)

    @property
    def share(self) -> float:
        """Of the processors' time that was taken in all."""
        return (self.stolen[-1] - self.stolen[0]) / max(1, self.ticks[-1] - self.ticks[0])

    def left_alone(self, times: np.ndarray) -> np.ndarray:
        """(N,) times to (N,) bool: nothing was taken between the looks around each, and in the quarter before."""
        after = np.clip(np.searchsorted(self.times, times), 2, len(self.times) - 1)
        stolen = np.array(self.stolen)
        return np.asarray(stolen[after] == stolen[after - 2])


def stolen_ticks() -> tuple[int, int]:
    """Ticks of all processors that the host of a virtual machine gave to others, and all ticks; (0, 0) elsewhere."""
    if not PROC_STAT.is_file():
        return 0, 0
    ticks = [int(field) for field in PROC_STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


def lateness(times: list[float]) -> np.ndarray:
    """Seconds (N,) by which each of N frames was late, by the recorder's own schedule."""
    pace = Pace(times[0])
    late = []
    for now in times:
        late.append(-pace.seconds_to_next(now))
        if pace.begin_frame(now):
            pace.restart(now + 1 / FRAMES_PER_SECOND)
    return np.array(late)


def evenness(segments: list[list[float]], host: StolenTime) -> Evenness:
    """``segments``: times of the frames of each episode, in seconds."""
    segments = [times for times in segments if times]
    seconds = np.concatenate([lateness(times) for times in segments]) if segments else np.zeros(0)
    gaps = np.concatenate([np.diff(times) for times in segments]) if segments else np.zeros(1)
    alone = host.left_alone(np.concatenate(segments)) if segments else np.zeros(0, bool)
    late = seconds > LATE_SECONDS
    return Evenness(
        len(seconds),
        float(gaps.sum()),
        int(late.sum()),
        1e3 * max(0.0, float(seconds.max(initial=0.0))),
        int(np.sum(gaps > 1 / FRAMES_PER_SECOND + LATE_SECONDS)),
        1e3 * float(gaps.max()),
        1e3 * float(np.quantile(gaps, 0.999)),
        int(alone.sum()),
        int((late & alone).sum()),
    )
