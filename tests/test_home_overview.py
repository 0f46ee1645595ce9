"""The next useful action, and the state of the library in a few words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.comparisons import ComparisonSummary
from data.run_progress import Progress
from data.runs import RunSummary
from home.overview import HomeAction, Overview, action_lines, next_action, offers_first_steps

EMPTY = Overview("SpaceInvaders", "library")
PLAYED = replace(EMPTY, episodes=3, seconds=400.0, best_score=640, clips_waiting=12)
JUDGED = replace(PLAYED, good=25, bad=5)
DONE = RunSummary("first", "done", step=1000, steps=1000, mean_score=312.0)
TRAINING = replace(DONE, state="training", progress=Progress("training", run_seconds_left=90))


@pytest.mark.parametrize(
    ("overview", "action"),
    [
        (EMPTY, "play"),
        (PLAYED, "curate"),
        (replace(PLAYED, clips_waiting=0, seconds=60), "play"),
        (JUDGED, "train"),
        (replace(JUDGED, seconds=100), "play"),
        (replace(JUDGED, runs=(DONE,)), "watch"),
        (replace(PLAYED, runs=(TRAINING,)), "watch"),
    ],
)
def test_the_next_action_is_the_first_thing_that_is_missing(overview: Overview, action: HomeAction) -> None:
    assert next_action(overview)[0] == action


def test_one_clip_is_singular() -> None:
    assert next_action(replace(PLAYED, clips_waiting=1))[1] == "1 clip to judge."


def test_a_training_is_shown_with_its_phase_and_time_left() -> None:
    assert action_lines(replace(JUDGED, runs=(DONE, TRAINING)))["train"] == ("first: training", "2 min left")


def test_the_last_run_is_shown_with_its_steps() -> None:
    assert action_lines(replace(JUDGED, runs=(DONE,)))["train"] == ("1 run", "first: 1,000 steps")


def test_an_empty_library_says_so_at_every_action() -> None:
    lines = action_lines(EMPTY)
    assert [lines[action][0] for action in ("play", "curate", "train", "watch")] == [
        "No episodes yet",
        "No verdicts yet",
        "No runs yet",
        "No agent yet",
    ]


def test_the_supplied_agent_can_be_watched_until_there_is_another() -> None:
    supplied = replace(DONE, name="teacher", supplied=True)
    empty = replace(EMPTY, supplied=supplied)
    assert action_lines(empty)["watch"] == ("The trained agent", "mean score 312")
    assert next_action(empty)[0] == "play"
    assert offers_first_steps(empty)
    assert not offers_first_steps(replace(empty, episodes=1))
    assert action_lines(replace(empty, runs=(DONE,)))["watch"][0] == "first"
    assert next_action(replace(JUDGED, supplied=supplied))[0] == "train", "watching it is no substitute for training"


def test_the_run_of_a_comparison_is_not_the_training_to_watch() -> None:
    compared = replace(TRAINING, name="compared", comparison="which")
    assert replace(JUDGED, runs=(compared, DONE)).training is None
    assert replace(JUDGED, runs=(compared, TRAINING)).training == TRAINING


def test_the_state_of_a_comparison_is_shown() -> None:
    assert action_lines(EMPTY)["compare"] == ("No comparisons yet", "")
    done = ComparisonSummary("first", "done", done=4, total=4)
    running = ComparisonSummary("second", "running", done=1, total=4, seconds_left=300.0)
    assert action_lines(replace(EMPTY, comparisons=(done,)))["compare"] == ("1 comparison", "first: done")
    assert action_lines(replace(EMPTY, comparisons=(running, done)))["compare"] == (
        "second: running",
        "1 of 4 runs, 5 min left",
    )


def test_a_run_without_an_agent_is_not_offered_to_watch() -> None:
    waiting = RunSummary("second", "waiting", steps=1000)
    assert action_lines(replace(JUDGED, runs=(waiting,)))["watch"][0] == "No agent yet"
    assert next_action(replace(JUDGED, runs=(waiting,)))[0] == "train"
