"""Work in the background: its progress, its result, its problems, and its end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from data.errors import CoachError
from screen.background import Background

Tell = Callable[[int, int], None]


def test_work_tells_how_far_it_is_and_what_it_made() -> None:
    def work(tell: Tell) -> str:
        tell(3, 4)
        return "made"

    background = Background(work)
    background.join()
    assert (background.done_parts, background.total_parts, background.result) == (3, 4, "made")


def test_a_users_mistake_becomes_a_sentence() -> None:
    def work(_: Tell) -> None:
        raise CoachError("The disk is full.")

    background = Background(work)
    background.join()
    assert background.problem == "The disk is full."
    assert background.result is None


def test_our_own_mistakes_are_not_swallowed() -> None:
    background = Background(lambda _: 1 // 0)
    background.join()
    with pytest.raises(ZeroDivisionError):
        _ = background.result


def test_stopped_work_ends_when_it_next_tells() -> None:
    def work(tell: Tell) -> None:
        while True:
            tell(0, 1)
            time.sleep(0.01)

    background = Background(work)
    background.stop()
    background.join(30)
    assert background.is_done
    assert background.result is None


LEAVES_IN_THE_MIDDLE = """
import time
from screen.background import Background
def work(tell):
    try:
        while True:
            tell(0, 1)
            time.sleep(0.01)
    finally:
        print("ended in order", flush=True)
Background(work)
time.sleep(0.05)
"""


def test_at_the_programs_end_work_is_ended_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_IN_THE_MIDDLE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "ended in order", "")
