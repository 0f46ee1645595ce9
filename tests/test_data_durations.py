"""Durations as text."""

from __future__ import annotations

import pytest

from data.durations import clock, frame_clock, rounded_duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (41.6, "0:42"), (725, "12:05"), (3599.7, "1:00:00"), (11_100, "3:05:00")]
)
def test_a_clock_has_hours_only_where_there_are_any(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_clock_of_a_frame_counts_seconds_that_have_passed() -> None:
    assert [frame_clock(frame) for frame in (0, 59, 60, 2460, 36_059)] == ["0:00", "0:00", "0:01", "0:41", "10:00"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min"), (160, "3 min"), (3590, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_a_rounded_duration_has_its_largest_units(seconds: float, text: str) -> None:
    assert rounded_duration(seconds) == text
