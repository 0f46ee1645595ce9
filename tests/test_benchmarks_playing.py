"""Late frames and uneven gaps are counted against the recorder's schedule."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.playing import evenness, lateness

EVEN = [10.0 + number / 60 for number in range(600)]


def test_a_frame_is_late_against_the_schedule_and_delays_none_after_it() -> None:
    times = [*EVEN[:300], EVEN[300] + 0.005, *EVEN[301:]]
    late = lateness(times)
    assert late[300] == pytest.approx(0.005)
    assert np.delete(late, 300) == pytest.approx(0.0, abs=1e-9)
    found = evenness([times])
    assert (found.frames, found.late, found.worst_late_ms, found.uneven) == (600, 1, pytest.approx(5.0), 1)


def test_after_a_long_halt_the_schedule_starts_anew() -> None:
    late = lateness([*EVEN[:300], *(time + 0.3 for time in EVEN[300:])])
    assert late[300] == pytest.approx(0.3)
    assert late[301:] == pytest.approx(0.0, abs=1e-9)


def test_the_time_between_two_episodes_is_no_gap() -> None:
    found = evenness([EVEN, [], [time + 30.0 for time in EVEN]])
    assert (found.frames, found.late, found.uneven) == (1200, 0, 0)
    assert found.longest_ms == pytest.approx(1000 / 60)


def test_nothing_played_is_not_an_error() -> None:
    assert evenness([[]]).frames == 0
