"""Late frames are counted against the recorder's schedule, and those apart before which the host took no processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import evenness as module
from benchmarks.evenness import StolenTime, evenness, lateness, stolen_ticks

EVEN = [10.0 + number / 60 for number in range(600)]


def host_that_took(stolen: list[int]) -> StolenTime:
    """Looked at every quarter of a second from 9 s on."""
    host = StolenTime()
    host.times = [9.0 + module.LOOK_EVERY_SECONDS * number for number in range(len(stolen))]
    host.stolen = stolen
    return host


def test_a_frame_is_late_against_the_schedule_and_delays_none_after_it() -> None:
    times = [*EVEN[:300], EVEN[300] + 0.005, *EVEN[301:]]
    late = lateness(times)
    assert late[300] == pytest.approx(0.005)
    assert np.delete(late, 300) == pytest.approx(0.0, abs=1e-9)


def test_after_a_long_halt_the_schedule_begins_anew() -> None:
    late = lateness([*EVEN[:300], *(time + 0.3 for time in EVEN[300:])])
    assert late[300] == pytest.approx(0.3)
    assert late[301:] == pytest.approx(0.0, abs=1e-9)


def test_late_frames_are_told_apart_by_whether_the_host_took_a_processor() -> None:
    stolen = [0] * 60
    stolen[8:] = [3] * 52  # ticks taken between 10.75 and 11 s
    times = list(EVEN)
    for frame in (55, 61, 300):  # due at 10.92, 11.02 and 15 s
        times[frame] += 0.004
    found = evenness([times], host_that_took(stolen))
    assert (found.frames, found.late, found.worst_late_ms) == (600, 3, pytest.approx(4.0))
    assert found.late_left_alone == 1
    assert found.frames_left_alone == 600 - 30  # of half a second: from 10.75 to 11.25 s


def test_frames_of_several_episodes_are_no_gap_between_them() -> None:
    found = evenness([EVEN, [], [time + 30.0 for time in EVEN]], host_that_took([0] * 200))
    assert (found.frames, found.late, found.uneven) == (1200, 0, 0)
    assert found.longest_ms == pytest.approx(1000 / 60)


def test_nothing_played_is_not_a_fault() -> None:
    assert evenness([[]], host_that_took([0] * 4)).frames == 0


def test_what_the_host_takes_is_read_from_the_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  10 20 30 400 5 6 7 22 99 98\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    monkeypatch.setattr(module, "PROC_STAT", stat)
    assert stolen_ticks() == (22, 500)
    with StolenTime() as host:
        stat.write_text("cpu  10 20 30 475 5 6 7 47 99 98\n")
    assert host.share == pytest.approx(0.25)
    monkeypatch.setattr(module, "PROC_STAT", tmp_path / "none")
    assert stolen_ticks() == (0, 0)
