"""Takes: played forward, looked back at, and played on from there as one straight episode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from played_sessions import Watcher, assert_simulates_equal

from data.demonstrator import RandomPlay
from data.episode import EmulatorSettings
from data.library import Library
from data.replay_file import ReplayFile
from recorder import take as take_module
from recorder.take import Take


def a_take(folder: Path, demonstrator: object = None, **settings: float) -> Take:
    chosen = demonstrator or RandomPlay()
    rng = np.random.default_rng(1)
    return Take(Library(folder), "SpaceInvaders", EmulatorSettings(**settings), chosen, rng)


def play_on(take: Take, frames: int) -> None:
    for _ in range(frames):
        take.advance()


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_a_take_that_was_rewound_often_is_one_straight_episode(tmp_path: Path, sticky: float) -> None:
    take = a_take(tmp_path, repeat_action_probability=sticky)
    for forward, back in [(200, 140), (130, 7), (5, 100), (64, 0), (250, 61), (9, 240)]:
        play_on(take, forward)
        take.look_at(take.frame - back)
    play_on(take, 33)
    assert_simulates_equal(take.keep())


def test_looking_back_and_coming_forward_again_drops_nothing(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 150)
    screen, score = take.state.screen, take.score
    for frame in (0, 70, 10_000):
        take.look_at(frame)
    assert np.array_equal(take.state.screen, screen)
    assert (take.frame, take.recorded_frames, take.score) == (150, 150, score)
    play_on(take, 50)
    path = take.keep()
    with ReplayFile(path) as replay:
        assert replay.frame_count == 200
        assert replay.decisions().mixed_share == 0.0
    assert_simulates_equal(path)


def test_what_is_looked_at_is_what_was_recorded_there(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    states = [take.state]
    for _ in range(300):
        states.append(take.advance().after)
    for frame in (299, 123, 60, 59, 0, 244):
        take.look_at(frame)
        assert take.frame == frame - frame % 4
        assert np.array_equal(take.state.screen, states[take.frame].screen)
        assert take.score == sum(state.reward for state in states[: take.frame + 1])


def test_a_take_can_be_played_on_after_game_over_by_looking_back(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    while not take.over:
        take.advance()
    end = take.recorded_frames
    take.look_at(end - 200)
    assert not take.over
    play_on(take, 40)
    path = take.keep()
    with ReplayFile(path) as replay:
        assert (replay.ended_by, replay.frame_count) == ("abandoned", end - 200 - (end - 200) % 4 + 40)
    assert_simulates_equal(path)


def test_an_episode_kept_while_looking_back_is_kept_whole(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 100)
    take.look_at(20)
    with ReplayFile(take.keep()) as replay:
        assert replay.frame_count == 100


def test_markers_beyond_the_rewound_frame_are_gone(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 40)
    take.mark()
    play_on(take, 40)
    take.mark()
    take.look_at(60)
    assert take.marker_count == 1
    play_on(take, 8)
    with ReplayFile(take.keep()) as replay:
        assert replay.markers.tolist() == [40]


def test_after_a_rewind_a_demonstrator_has_seen_the_frames_that_led_here(tmp_path: Path) -> None:
    watcher = Watcher()
    take = a_take(tmp_path, watcher)
    play_on(take, 200)
    before = list(watcher.seen)
    take.look_at(100)
    take.advance()
    led_here = before[100 // 4 - take_module.MEMORY_DECISIONS : 100 // 4 + 1]
    assert len(watcher.seen) == len(led_here)
    for seen, expected in zip(watcher.seen, led_here, strict=True):
        assert np.array_equal(seen.screen, expected.screen)
