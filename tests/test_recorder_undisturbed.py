"""A thread that works in Python beside the game does not hold its frames up."""

from __future__ import annotations

import gc
import sys
import threading
import time

import numpy as np

from recorder.undisturbed import undisturbed


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
