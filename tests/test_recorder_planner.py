"""The planner plays by looking ahead, on an emulator of its own."""

from __future__ import annotations

import numpy as np
import pytest

from data.demonstrator import Demonstrator, RandomPlay
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.simulation import Emulator, simulate
from recorder.frame_loop import PlayedFrame, play_frames
from recorder.planner import Planner


def played(
    demonstrator: Demonstrator, frames: int, game: str = "SpaceInvaders", **settings: float
) -> tuple[Emulator, list[PlayedFrame]]:
    emulator = Emulator(game, EmulatorSettings(**settings))
    demonstrator.begin(emulator, np.random.default_rng(1))
    found = []
    for frame in play_frames(emulator, demonstrator, [emulator.state()]):
        found.append(frame)
        if len(found) == frames:
            break
    return emulator, found


def score(frames: list[PlayedFrame]) -> float:
    return sum(frame.after.reward for frame in frames)


@pytest.mark.parametrize(("rollouts", "horizon"), [(5, 25), pytest.param(12, 30, marks=pytest.mark.soak)])
def test_the_planner_keeps_its_lives_and_scores_several_times_what_random_play_does(
    rollouts: int, horizon: int
) -> None:
    _, by_planner = played(Planner(rollouts, horizon), 600)
    _, at_random = played(RandomPlay(), 600)
    assert by_planner[-1].after.lives == 3
    assert score(by_planner) > 2 * max(score(at_random), 50)


def test_planning_leaves_no_trace_in_what_is_recorded() -> None:
    emulator, frames = played(Planner(rollouts=3, horizon=10), 300, repeat_action_probability=0.25)
    states = simulate(emulator.origin(), [frame.executed for frame in frames])
    next(states)
    for state, frame in zip(states, frames, strict=True):
        assert np.array_equal(state.screen, frame.after.screen)
        assert np.array_equal(state.ram, frame.after.ram)


def test_with_sticky_actions_the_planner_plans_from_where_it_finds_itself() -> None:
    _, frames = played(Planner(4, 20), 240, repeat_action_probability=0.25)
    assert any(frame.chosen != frame.executed for frame in frames)
    assert score(frames) > 0


def test_where_nothing_scores_within_the_horizon_it_does_not_stand_still() -> None:
    _, frames = played(Planner(4, 20), 300, "Breakout")
    assert score(frames) > 0, "the ball was launched, and met"


def test_a_planner_that_holds_its_actions_changes_them_only_at_whole_holds_and_seldom() -> None:
    _, frames = played(Planner(6, hold=3), 300)
    chosen = np.array([frame.chosen for frame in frames]).reshape(-1, 12)
    assert (chosen == chosen[:, :1]).all(), "an action is held for 3 decisions of 4 frames"
    assert len(np.unique(chosen)) > 2
    assert (chosen[1:, 0] == chosen[:-1, 0]).mean() > 0.3, "at random it would be a sixth"
    assert score(frames) > 20


@pytest.mark.parametrize("values", [{"rollouts": 0}, {"horizon": 0}])
def test_a_planner_that_cannot_plan_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(CoachError, match="at least one"):
        Planner(**values)


@pytest.mark.parametrize("hold", [0, 31])
def test_a_hold_that_no_plan_has_room_for_is_refused(hold: int) -> None:
    with pytest.raises(CoachError, match="for 1 decision up to its horizon of 30"):
        Planner(hold=hold)
