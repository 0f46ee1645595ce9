"""How evenly the frames of an episode came while it was played: what a replay file says of it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

LATE_SECONDS = 0.002
"""A frame that begins this much after its time is counted as late."""


@dataclass(frozen=True)
class PaceReport:
    """How evenly frames came."""

    frames: int
    """Frames that had a time to come at, also those that were dropped by a rewind later."""
    late_frames: int
    """Those that came more than LATE_SECONDS after their time."""
    worst_seconds: float

    @property
    def late_share(self) -> float:
        """Share of the frames that were late."""
        return self.late_frames / self.frames if self.frames else 0.0

    def __str__(self) -> str:
        return f"{self.late_frames} of {self.frames} frames late, worst {self.worst_seconds * 1000:.1f} ms"

    def __add__(self, other: PaceReport) -> PaceReport:
        worst = max(self.worst_seconds, other.worst_seconds)
        return PaceReport(self.frames + other.frames, self.late_frames + other.late_frames, worst)

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: object) -> PaceReport | None:
        """What a file says; None where it says nothing or nothing that makes sense (it is only an extra)."""
        try:
            told = json.loads(str(text))
            report = cls(int(told["frames"]), int(told["late_frames"]), float(told["worst_seconds"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        sound = 0 <= report.late_frames <= report.frames and math.isfinite(report.worst_seconds)
        return report if sound and report.worst_seconds >= 0 else None


NO_FRAMES = PaceReport(0, 0, 0.0)


class PaceCount:
    """Counts frames as they come."""

    def __init__(self) -> None:
        self._frames, self._late, self._worst = 0, 0, 0.0

    def add(self, late_seconds: float) -> None:
        """One frame, so many seconds after its time."""
        self._frames += 1
        self._late += late_seconds > LATE_SECONDS
        self._worst = max(self._worst, late_seconds)

    @property
    def report(self) -> PaceReport:
        return PaceReport(self._frames, self._late, self._worst)
