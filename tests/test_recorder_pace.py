"""The schedule of frames on a simulated clock, and what keeps other work from delaying them."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from recorder.pace import Pace, has_realtime_priority, realtime


def test_a_late_frame_does_not_delay_the_next_ones() -> None:
    pace = Pace(10.0)
    pace.begin_frame(10.0)
    pace.begin_frame(10.0 + 1 / 60 + 0.010)
    assert pace.seconds_to_next(10.0) == pytest.approx(2 / 60)


@pytest.mark.parametrize("speed", [0.25, 1.0, 4.0])
def test_there_are_sixty_frames_a_second_times_the_speed(speed: float) -> None:
    pace, now, frames = Pace(0.0, speed), 0.0, 0
    while now < 2.0:
        now = max(now, now + pace.seconds_to_next(now))
        if now < 2.0:
            pace.begin_frame(now)
            frames += 1
    assert frames == pytest.approx(120 * speed, abs=1)


def test_frames_over_two_milliseconds_late_are_counted_and_the_worst_is_recorded() -> None:
    pace = Pace(0.0)
    for frame, late in enumerate([0.0, 0.0019, 0.0021, 0.030]):
        pace.begin_frame(frame / 60 + late)
    report = pace.report
    assert (report.frames, report.late_frames) == (4, 2)
    assert report.worst_seconds == pytest.approx(0.030)
    assert str(report) == "2 of 4 frames late, worst 30.0 ms"


def test_a_very_late_frame_asks_for_a_new_schedule() -> None:
    pace = Pace(0.0)
    assert not pace.begin_frame(0.05)
    assert pace.begin_frame(1.0)
    pace.restart(1.0)
    assert pace.seconds_to_next(1.0) == 0.0


def median_oversleep(frames: int = 40) -> float:
    """Seconds by which a sleep of a frame's length is too long, while another thread computes."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            sum(range(500))

    worker = threading.Thread(target=work)
    worker.start()
    over = []
    for _ in range(frames):
        begin = time.perf_counter()
        time.sleep(1 / 60)
        over.append(time.perf_counter() - begin - 1 / 60)
    stop.set()
    worker.join()
    return float(np.median(over))


def test_a_busy_thread_delays_a_frame_much_less() -> None:
    ordinary = median_oversleep()
    with realtime():
        in_a_game = median_oversleep()
    assert in_a_game < ordinary / 2


def test_afterwards_python_is_as_it_was() -> None:
    before = sys.getswitchinterval()
    with realtime():
        assert sys.getswitchinterval() < before and gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == before and gc.get_freeze_count() == 0


def test_systems_without_such_priorities_play_at_ordinary_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sched_setscheduler", "sched_getscheduler", "sched_getaffinity", "SCHED_RR", "SCHED_FIFO"):
        monkeypatch.delattr(os, name, raising=False)
    with realtime():
        assert not has_realtime_priority()


LINUX_ONLY = pytest.mark.skipif(not hasattr(os, "SCHED_RR"), reason="the system has no such priorities")


def policy() -> int:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK


def in_a_thread(ask: Callable[[], object]) -> object:
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    thread.join()
    return answers[0]


def granted() -> bool:
    """Whether a thread of this process may have real-time priority."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        return False
    return True


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Policies that were asked of a system with two cores which grants them all; the last one is in force."""
    policies = [os.SCHED_OTHER]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: policies[-1])
    monkeypatch.setattr(os, "sched_setscheduler", lambda _who, asked, _parameters: policies.append(asked))
    return policies


@LINUX_ONLY
def test_the_game_has_real_time_priority_while_it_is_played(scheduler: list[int]) -> None:
    with realtime():
        assert has_realtime_priority()
    assert [asked & ~os.SCHED_RESET_ON_FORK for asked in scheduler] == [os.SCHED_OTHER, os.SCHED_RR, os.SCHED_OTHER]


@LINUX_ONLY
def test_threads_and_processes_started_meanwhile_are_ordinary_ones(scheduler: list[int]) -> None:
    with realtime():
        assert scheduler[-1] & os.SCHED_RESET_ON_FORK


@LINUX_ONLY
def test_with_a_single_core_nothing_is_asked_for(scheduler: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with realtime():
        assert not has_realtime_priority()
    assert scheduler == [os.SCHED_OTHER]


@LINUX_ONLY
def test_a_system_that_refuses_priority_lets_the_game_play_on(
    scheduler: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with realtime():
        assert not has_realtime_priority()
    assert scheduler == [os.SCHED_OTHER]


@LINUX_ONLY
def test_where_the_system_grants_priority_only_the_games_thread_has_it() -> None:
    if not in_a_thread(granted) or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this system grants no real-time priority")
    before = policy()
    with realtime():
        assert policy() == os.SCHED_RR
        assert in_a_thread(policy) == before
    assert policy() == before
