"""Durations as text: a clock such as "1:05" and a rounded duration such as "12 min"."""

from __future__ import annotations

from data.episode import FRAMES_PER_SECOND


def clock(seconds: float) -> str:
    """Return minutes and seconds, with hours where there are any: "0:42", "12:05", "3:05:00"."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def frame_clock(frames: int) -> str:
    """Return the time of a frame in its episode, rounded down to seconds: frame 59 is "0:00"."""
    return clock(frames // FRAMES_PER_SECOND)


def rounded_duration(seconds: float) -> str:
    """Return a duration in its largest units: "40 s", "12 min", "3 h 05 min"."""
    if round(seconds) < 60:
        return f"{round(seconds)} s"
    minutes = int(seconds / 60 + 0.5)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
