"""Work in the background: its progress, its result, its problems, and its end."""

from __future__ import annotations

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
