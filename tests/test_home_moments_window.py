"""The window of a training's worst moments: pictures, keys and mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.errors import CoachError
from data.moments import Moment, frames_of, write_moments
from data.runs import RunFolder
from home.moments_window import MomentsWindow
from screen.events import KeyDown, PointerDown
from screen.window import Window

NAMES = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("test") as opened:
        yield opened


def run_with_moments(folder: Path) -> RunFolder:
    run = RunFolder(folder / "run-1")
    run.create({"game": "SpaceInvaders", "frame_skip": 4}, NAMES)
    moments = [
        Moment(reason, 240 + step, step, 1.5, 2.5, 30.0, seed=step, noop_start=3, actions=bytes([3] * (240 + step)))
        for reason, step in (("life", 400), ("fall", 800))
    ]
    write_moments(run, moments)
    return run


def press(moments: MomentsWindow, *keys: str) -> None:
    moments._update()
    moments.draw(moments._window.canvas)
    for key in keys:
        moments._handle(KeyDown(key))


def test_enter_plays_from_the_selected_moment_and_the_newest_is_first(window: Window, tmp_path: Path) -> None:
    played: list[int] = []
    moments = MomentsWindow(window, run_with_moments(tmp_path), lambda moment: played.append(moment.step))
    press(moments, "return", "down", "return")
    assert played == [800, 400]
    press(moments, "escape")
    assert moments._leaving
    moments.run()


def test_a_second_click_plays_from_a_moment(window: Window, tmp_path: Path) -> None:
    played: list[int] = []
    moments = MomentsWindow(window, run_with_moments(tmp_path), lambda moment: played.append(moment.step))
    press(moments)
    (_, first), (_, second) = moments._rows.rows()
    for box in (second, second, first):
        moments._handle(PointerDown(*box.centre, 1))
    assert played == [400]


def test_an_error_of_playing_is_shown_and_the_window_stays(window: Window, tmp_path: Path) -> None:
    def fail(_: Moment) -> None:
        raise CoachError("The disk is full.")

    moments = MomentsWindow(window, run_with_moments(tmp_path), fail)
    press(moments, "return")
    assert moments._message == "The disk is full."
    assert not moments._leaving


def test_a_run_without_moments_has_nothing_to_play(window: Window, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run-1")
    run.create({"game": "SpaceInvaders"}, NAMES)
    press(MomentsWindow(window, run, lambda _: pytest.fail("there is nothing to play")), "return")


def test_a_moment_is_simulated_from_its_seed_and_actions(tmp_path: Path) -> None:
    run = run_with_moments(tmp_path)
    moment = Moment("life", 100, 5, 1.0, 1.0, 0.0, seed=2, noop_start=0, actions=bytes(100))
    states = [state for state, _ in frames_of(run, moment, 1.0)]
    assert len(states) == 61
    again = [state for state, _ in frames_of(run, moment, 0.0)]
    assert (again[0].ram == states[-1].ram).all()
