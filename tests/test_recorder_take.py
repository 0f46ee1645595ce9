"""Takes: played forward, rewound, and played on from there as one episode."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from played_sessions import Watcher, assert_simulates_equal

from agent.config import TrainConfig
from data.demonstrator import RandomPlay, WithExploration
from data.episode import DEEPEST_STACK, EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from recorder.take import Take


def a_take(folder: Path, demonstrator: object = None, **settings: float) -> Take:
    chosen = demonstrator or RandomPlay()
    rng = np.random.default_rng(1)
    return Take(Library(folder), "SpaceInvaders", EmulatorSettings(**settings), chosen, rng)


def play_on(take: Take, frames: int) -> None:
    for _ in range(frames):
        take.advance()


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_a_take_that_was_rewound_often_is_one_episode(tmp_path: Path, sticky: float) -> None:
    take = a_take(tmp_path, repeat_action_probability=sticky)
    for forward, back in [(200, 140), (130, 7), (5, 100), (64, 0), (250, 61), (9, 240)]:
        play_on(take, forward)
        take.seek(take.frame - back)
    play_on(take, 33)
    assert_simulates_equal(take.save())


def test_rewinding_and_coming_forward_again_discards_nothing(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 150)
    screen, score = take.state.screen, take.score
    for frame in (0, 70, 10_000):
        take.seek(frame)
    assert np.array_equal(take.state.screen, screen)
    assert (take.frame, take.recorded_frames, take.score) == (150, 150, score)
    play_on(take, 50)
    path = take.save()
    with ReplayFile(path) as replay:
        assert replay.frame_count == 200
        assert replay.decisions().mixed.mean() == 0.0
    assert_simulates_equal(path)


def test_a_rewind_shows_what_was_recorded_there(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    states = [take.state]
    for _ in range(300):
        states.append(take.advance().after)
    for frame in (299, 123, 60, 59, 0, 244):
        take.seek(frame)
        assert take.frame == frame - frame % 4
        assert np.array_equal(take.state.screen, states[take.frame].screen)
        assert take.score == sum(state.reward for state in states[: take.frame + 1])


def test_a_take_can_be_played_on_after_game_over_by_rewinding(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    while not take.over:
        take.advance()
    end = take.recorded_frames
    take.seek(end - 200)
    assert not take.over
    play_on(take, 40)
    path = take.save()
    with ReplayFile(path) as replay:
        assert (replay.ended_by, replay.frame_count) == ("abandoned", end - 200 - (end - 200) % 4 + 40)
    assert_simulates_equal(path)


def test_an_episode_saved_after_a_rewind_is_saved_whole(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 100)
    take.seek(20)
    with ReplayFile(take.save()) as replay:
        assert replay.frame_count == 100


def test_markers_after_the_frame_of_a_rewind_are_discarded(tmp_path: Path) -> None:
    take = a_take(tmp_path)
    play_on(take, 40)
    take.mark()
    play_on(take, 40)
    take.mark()
    take.seek(60)
    assert take.marker_count == 1
    play_on(take, 8)
    with ReplayFile(take.save()) as replay:
        assert replay.markers.tolist() == [40]


@pytest.mark.parametrize("frame", [160, 24])
def test_after_a_rewind_an_agent_with_the_deepest_stack_sees_what_it_saw_before(tmp_path: Path, frame: int) -> None:
    watcher = Watcher()
    take = a_take(tmp_path, watcher)
    play_on(take, 200)
    stack_before = watcher.seen[: frame // 4 + 1][-DEEPEST_STACK:]
    take.seek(frame)
    take.advance()
    for seen, before in zip(watcher.seen[-DEEPEST_STACK:], stack_before, strict=True):
        assert np.array_equal(seen.screen, before.screen)


def test_after_a_rewind_a_demonstrator_receives_as_many_decisions_as_it_remembers(tmp_path: Path) -> None:
    watcher = Watcher()
    watcher.remembered_decisions = 30  # type: ignore[attr-defined]
    take = a_take(tmp_path, WithExploration(watcher, 0.0))
    play_on(take, 200)
    before = watcher.seen[:41][-30:]
    take.seek(160)
    take.advance()
    assert len(watcher.seen) == 31
    for seen, shown in zip(watcher.seen[-30:], before, strict=True):
        assert np.array_equal(seen.screen, shown.screen)


def test_the_deepest_stack_is_the_deepest_that_a_training_may_have() -> None:
    assert TrainConfig(game="Pong", stack=DEEPEST_STACK).stack == DEEPEST_STACK
    with pytest.raises(CoachError, match="stack"):
        TrainConfig(game="Pong", stack=DEEPEST_STACK + 1)
