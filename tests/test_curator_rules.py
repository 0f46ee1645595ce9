"""Rules: their clips on small episodes, and their verdicts on a library of random play."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_episodes import record_random_play

from curator.rules import Rule, apply_rule, before_death, before_reward, parse_rule
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile


def rewards_at(frame_count: int, *rows: int) -> np.ndarray:
    rewards = np.zeros(frame_count, np.float32)
    rewards[list(rows)] = 5
    return rewards


def test_a_clip_is_the_last_frames_up_to_the_points_and_holds_the_rewarded_frame() -> None:
    assert before_reward(rewards_at(100, 50), "e", frames=10) == [Clip("e", 41, 51)]


def test_points_in_the_very_first_frame_make_a_clip_of_one_frame() -> None:
    assert before_reward(rewards_at(100, 0), "e", frames=10) == [Clip("e", 0, 1)]


def test_points_in_the_very_last_frame_make_a_clip_that_ends_with_the_episode() -> None:
    assert before_reward(rewards_at(100, 99), "e", frames=10) == [Clip("e", 90, 100)]


def test_clips_that_overlap_are_merged_and_clips_that_only_touch_are_not() -> None:
    assert before_reward(rewards_at(100, 30, 39), "e", frames=10) == [Clip("e", 21, 40)]
    assert before_reward(rewards_at(100, 30, 40), "e", frames=10) == [Clip("e", 21, 31), Clip("e", 31, 41)]


def test_three_clips_in_a_chain_become_one() -> None:
    assert before_reward(rewards_at(100, 20, 25, 30), "e", frames=8) == [Clip("e", 13, 31)]


def test_an_episode_shorter_than_a_clip_is_one_clip_from_its_start() -> None:
    assert before_reward(rewards_at(5, 4), "e", frames=120) == [Clip("e", 0, 5)]


def test_no_points_no_clip() -> None:
    assert before_reward(np.zeros(100, np.float32), "e") == []
    assert before_reward(np.zeros(0, np.float32), "e") == []


def test_losing_points_is_no_reward() -> None:
    assert before_reward(-rewards_at(100, 50), "e") == []


def test_a_life_lost_on_the_way_to_the_next_frame_ends_the_clip_there() -> None:
    lives = np.array([3] * 51 + [2] * 50, np.uint8)  # row 50 leads from frame 50 (3 lives) to frame 51 (2 lives)
    assert before_death(lives, "e", frames=10) == [Clip("e", 41, 51)]


def test_a_life_won_is_no_death_and_unsigned_counts_do_not_wrap_around() -> None:
    assert before_death(np.array([2, 3, 3, 0], np.uint8), "e", frames=2) == [Clip("e", 1, 3)]


def test_a_game_that_counts_no_lives_has_no_deaths() -> None:
    assert before_death(np.zeros(101, np.uint8), "e") == []


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 50))
def test_a_frame_is_covered_exactly_when_points_follow_in_time(rewarded: list[bool], frames: int) -> None:
    clips = before_reward(np.array(rewarded, np.float32), "e", frames)
    covered = {t for clip in clips for t in range(clip.start, clip.stop)}
    assert covered == {t for t in range(len(rewarded)) if any(rewarded[t : t + frames])}
    assert sum(clip.stop - clip.start for clip in clips) == len(covered)


def test_rules_are_read_with_and_without_frames() -> None:
    assert parse_rule("before-reward") == Rule("before-reward", 120)
    assert parse_rule("before-death:frames=60") == Rule("before-death", 60)
    assert (parse_rule("before-reward").verdict, parse_rule("before-death").verdict) == ("good", "bad")


def test_a_rule_has_one_curator_whatever_its_frames_are() -> None:
    assert parse_rule("before-reward:frames=60").curator == parse_rule("before-reward").curator == "rule:before-reward"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no rule called ''"),
        ("after-reward", "no rule called 'after-reward'"),
        ("before-reward:60", "write it as before-reward:frames=60"),
        ("before-reward:frames=", "write it as"),
        ("before-reward:frames=-1", "write it as"),
        ("before-reward:frames=²", "write it as"),
        ("before-death:length=3", "write it as before-death:frames=60"),
        ("before-death:frames=0", "between 1 and"),
        ("before-death:frames=99999999999999999999", "between 1 and"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_what_to_write(text: str, complaint: str) -> None:
    with pytest.raises(CoachError, match=complaint):
        parse_rule(text)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    for seed in range(2):
        record_random_play(library, 1500, seed)
    record_random_play(library, 900, 2, game="Qbert")
    return library


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "labels.sqlite") as database:
        yield database


def test_exactly_the_frames_before_points_are_judged_good(library: Library, labels: LabelDatabase) -> None:
    summary = apply_rule(library, labels, Rule("before-reward", 60))
    judged = 0
    for episode in library.episodes():
        with ReplayFile(episode.path) as replay:
            rewards = replay.rewards
        covered = np.zeros(len(rewards), bool)
        for verdict in labels.verdicts(episode.episode_id):
            assert (verdict.curator, verdict.verdict) == ("rule:before-reward", "good")
            covered[verdict.clip.start : verdict.clip.stop] = True
        expected = [bool((rewards[t : t + 60] > 0).any()) for t in range(len(rewards))]
        assert covered.tolist() == expected
        judged += int(covered.sum())
    assert judged > 0
    assert (summary.frames, summary.clips, summary.episodes) == (judged, len(labels.verdicts()), 3)
    assert 0 < summary.share == judged / summary.frames_in_all < 1


def test_frames_before_a_lost_life_are_judged_bad(library: Library, labels: LabelDatabase) -> None:
    summary = apply_rule(library, labels, Rule("before-death", 30), game="SpaceInvaders")
    deaths = 0
    for episode in library.episodes("SpaceInvaders"):
        with ReplayFile(episode.path) as replay:
            ends = [int(t) + 1 for t in np.flatnonzero(np.diff(replay.lives.astype(int)) < 0)]
        assert [verdict.clip.stop for verdict in labels.verdicts(episode.episode_id)] == ends
        deaths += len(ends)
    assert deaths > 0
    assert (summary.clips, summary.verdict, summary.episodes) == (deaths, "bad", 2)


def test_running_a_rule_again_adds_no_duplicates(library: Library, labels: LabelDatabase) -> None:
    first = apply_rule(library, labels, Rule("before-reward"))
    once = labels.verdicts()
    assert apply_rule(library, labels, Rule("before-reward")) == first
    assert labels.verdicts() == once
    assert len(labels.history()) == len(once)


def test_other_parameters_replace_what_the_rule_said(library: Library, labels: LabelDatabase) -> None:
    apply_rule(library, labels, Rule("before-reward", 60))
    apply_rule(library, labels, Rule("before-reward", 10))
    assert {verdict.note for verdict in labels.verdicts()} == {"frames=10"}
    assert labels.curators() == ["rule:before-reward"]


def test_a_rule_for_one_game_leaves_its_verdicts_on_others(library: Library, labels: LabelDatabase) -> None:
    apply_rule(library, labels, Rule("before-reward", 60))
    qbert = {episode.episode_id for episode in library.episodes("Qbert")}
    before = [verdict for verdict in labels.verdicts() if verdict.clip.episode_id in qbert]
    apply_rule(library, labels, Rule("before-reward", 10), game="SpaceInvaders")
    assert before
    assert [verdict for verdict in labels.verdicts() if verdict.clip.episode_id in qbert] == before


def test_a_persons_verdicts_are_left_alone(library: Library, labels: LabelDatabase) -> None:
    mine = Verdict(Clip(library.episodes()[0].episode_id, 0, 100), "Ann", "bad")
    labels.record(mine)
    apply_rule(library, labels, Rule("before-reward"))
    assert labels.verdicts(curator="Ann") == [mine]


def test_progress_is_reported_from_the_first_episode_to_the_last(library: Library, labels: LabelDatabase) -> None:
    told: list[tuple[int, int]] = []
    apply_rule(library, labels, Rule("before-reward"), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_library_without_episodes_is_an_error_that_says_what_to_do(
    library: Library, labels: LabelDatabase, tmp_path: Path
) -> None:
    with pytest.raises(CoachError, match="has no episodes; run `coach play`"):
        apply_rule(Library(tmp_path), labels, Rule("before-reward"))
    with pytest.raises(CoachError, match="has no episodes of Pong"):
        apply_rule(library, labels, Rule("before-reward"), game="Pong")
