"""A thread that works in Python beside the game does not hold its frames up."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from recorder.undisturbed import leave_processor, processor, rest, undisturbed


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


def test_a_busy_thread_holds_a_frame_up_for_much_less_time() -> None:
    as_it_is = median_oversleep()
    with undisturbed():
        in_a_game = median_oversleep()
    assert in_a_game < as_it_is / 2


def test_afterwards_python_is_as_it_was() -> None:
    before = sys.getswitchinterval()
    with undisturbed():
        assert sys.getswitchinterval() < before and gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == before and gc.get_freeze_count() == 0


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


@LINUX_ONLY
def test_the_game_goes_before_other_work_where_that_is_granted_and_only_the_game() -> None:
    before = policy()
    allowed = in_a_thread(granted) and len(os.sched_getaffinity(0)) > 1
    with undisturbed():
        assert policy() == (os.SCHED_RR if allowed else before)
        assert in_a_thread(policy) == before
    assert policy() == before


@LINUX_ONLY
def test_a_system_that_grants_no_priority_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = policy()
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with undisturbed():
        assert policy() == before


@LINUX_ONLY
def test_with_a_single_core_the_screen_keeps_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    before = policy()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    with undisturbed():
        assert policy() == before


@LINUX_ONLY
def test_a_game_that_is_woken_late_goes_on_on_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = in_a_thread(granted) and len(os.sched_getaffinity(0)) > 1
    usable, sleep = os.sched_getaffinity(0), time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds + 0.005))
    with undisturbed():
        for _ in range(2 * len(usable)):
            before = processor()
            rest(0.001)
            assert processor() != before or not allowed  # an ordinary thread goes where Linux puts it
            assert os.sched_getaffinity(0) == usable


@LINUX_ONLY
def test_a_game_that_is_woken_in_time_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[object] = []
    monkeypatch.setattr(os, "sched_setaffinity", lambda *asked: moves.append(asked))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with undisturbed():
        for _ in range(50):
            rest(0.01)
    assert moves == []


@LINUX_ONLY
def test_an_ordinary_thread_that_is_woken_late_is_left_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[object] = []
    sleep = time.sleep
    monkeypatch.setattr(os, "sched_setaffinity", lambda *asked: moves.append(asked))
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(seconds + 0.005))
    rest(0.001)
    assert moves == []


@LINUX_ONLY
def test_with_a_single_processor_there_is_none_to_go_to() -> None:
    def ask() -> set[int]:
        os.sched_setaffinity(0, {processor()})
        leave_processor()
        return os.sched_getaffinity(0)

    assert len(in_a_thread(ask)) == 1  # type: ignore[arg-type]
