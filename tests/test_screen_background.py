"""Work in the background: its progress, its result, its problems, and its end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from data.errors import CoachError
from screen.background import Background

Report = Callable[[int, int], None]


def test_work_reports_its_progress_and_its_result() -> None:
    def work(report: Report) -> str:
        report(3, 4)
        return "made"

    background = Background(work)
    background.join()
    assert (background.done_parts, background.total_parts, background.result) == (3, 4, "made")


def test_a_coach_error_becomes_a_sentence() -> None:
    def work(_: Report) -> None:
        raise CoachError("The disk is full.")

    background = Background(work)
    background.join()
    assert background.problem == "The disk is full."
    assert background.result is None


def test_other_exceptions_are_raised_again() -> None:
    background = Background(lambda _: 1 // 0)
    background.join()
    with pytest.raises(ZeroDivisionError):
        _ = background.result


def test_stopped_work_ends_at_its_next_report() -> None:
    def work(report: Report) -> None:
        while True:
            report(0, 1)
            time.sleep(0.01)

    background = Background(work)
    background.stop()
    background.join(30)
    assert background.is_done
    assert background.result is None


ENDS_DURING_WORK = """
import time
from screen.background import Background
def work(report):
    try:
        while True:
            report(0, 1)
            time.sleep(0.01)
    finally:
        print("ended in order", flush=True)
Background(work)
time.sleep(0.05)
"""


def test_work_is_stopped_in_order_at_the_end_of_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS_DURING_WORK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "ended in order", "")
