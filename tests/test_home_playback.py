"""Playing back: time, pause, steps, speed, and the ends."""

from __future__ import annotations

import pytest

from home.playback import Playback


def test_sixty_frames_go_by_in_a_second_and_more_at_a_higher_speed() -> None:
    playback = Playback(1000)
    playback.advance(1.0)
    assert playback.frame == 60
    playback.change_speed(1)
    playback.advance(1.0)
    assert (playback.speed, playback.frame) == (2.0, 180)


def test_a_step_pauses_and_time_then_stands_still() -> None:
    playback = Playback(1000)
    playback.advance(1.0)
    playback.step(-1)
    playback.advance(5.0)
    assert (playback.frame, playback.paused) == (59, True)


@pytest.mark.parametrize(("by", "frame"), [(-500, 0), (5000, 1000)])
def test_the_ends_hold(by: int, frame: int) -> None:
    playback = Playback(1000)
    playback.seek(100)
    playback.step(by)
    assert playback.frame == frame


def test_at_the_end_it_stands_and_begins_again_when_asked() -> None:
    playback = Playback(30)
    playback.advance(9.0)
    assert (playback.frame, playback.is_at_end) == (30, True)
    playback.toggle()
    assert (playback.frame, playback.paused) == (0, False)


def test_an_episode_without_frames_is_at_its_end() -> None:
    playback = Playback(0)
    playback.advance(1.0)
    assert (playback.frame, playback.is_at_end) == (0, True)


def test_speed_has_its_ends() -> None:
    playback = Playback(10)
    playback.change_speed(-100)
    assert playback.speed == 0.25
    playback.change_speed(100)
    assert playback.speed == 16.0
