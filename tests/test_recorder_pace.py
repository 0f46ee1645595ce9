"""The schedule of frames, on a clock of our own."""

from __future__ import annotations

import pytest

from recorder.pace import Pace


def test_a_late_frame_does_not_delay_the_next_ones() -> None:
    pace = Pace(10.0)
    pace.begin_frame(10.0)
    pace.begin_frame(10.0 + 1 / 60 + 0.010)
    assert pace.seconds_to_next(10.0) == pytest.approx(2 / 60)


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_frames_come_sixty_times_the_speed_a_second(speed: float) -> None:
    pace, now, frames = Pace(0.0, speed), 0.0, 0
    while now < 2.0:
        now = max(now, now + pace.seconds_to_next(now))
        if now < 2.0:
            pace.begin_frame(now)
            frames += 1
    assert frames == pytest.approx(120 * speed, abs=1)


def test_frames_over_two_milliseconds_late_are_counted_and_the_worst_is_kept() -> None:
    pace = Pace(0.0)
    for frame, late in enumerate([0.0, 0.0019, 0.0021, 0.030]):
        pace.begin_frame(frame / 60 + late)
    report = pace.report
    assert (report.frames, report.late_frames) == (4, 2)
    assert report.worst_seconds == pytest.approx(0.030)
    assert str(report) == "2 of 4 frames late, worst 30.0 ms"


def test_a_frame_that_is_far_too_late_asks_for_a_new_schedule() -> None:
    pace = Pace(0.0)
    assert not pace.begin_frame(0.05)
    assert pace.begin_frame(1.0)
    pace.restart(1.0)
    assert pace.seconds_to_next(1.0) == 0.0
