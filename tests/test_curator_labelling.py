"""Rules over a whole library of really played episodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded_episodes import record_random_play

from curator.rules import Rule, apply_rule
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile


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


def test_running_a_rule_again_makes_nothing_double(library: Library, labels: LabelDatabase) -> None:
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


def test_progress_is_told_from_the_first_episode_to_the_last(library: Library, labels: LabelDatabase) -> None:
    told: list[tuple[int, int]] = []
    apply_rule(library, labels, Rule("before-reward"), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_library_without_episodes_is_an_error_that_says_what_to_do(
    library: Library, labels: LabelDatabase, tmp_path: Path
) -> None:
    with pytest.raises(CoachError, match="holds no episodes; run `coach play`"):
        apply_rule(Library(tmp_path), labels, Rule("before-reward"))
    with pytest.raises(CoachError, match="holds no episodes of Pong"):
        apply_rule(library, labels, Rule("before-reward"), game="Pong")
