"""Clips that are shown a second time, and clips that are shown to everyone: what agreement is measured on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curator.agreement import agreement
from curator.outline import EpisodeOutline
from curator.queued_clips import FEWEST_BETWEEN, QueuedClip, is_repeat
from curator.queues import build_queue
from curator.session import Session
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase

EPISODES = [EpisodeOutline(f"e{n}", f"e{n}.h5", "SpaceInvaders", "Ada", 20_000, 0.0, (), (), ()) for n in range(8)]


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "labels.sqlite") as database:
        yield database


def waiting(labels: LabelDatabase, curator: str = "Ann") -> list[QueuedClip]:
    return build_queue(EPISODES, "uniform", 3.0, 0, labels.verdicts(curator=curator), curator=curator)


def judge(labels: LabelDatabase, verdicts: list[str], curator: str = "Ann") -> None:
    """One session that gives these verdicts in this order."""
    session = Session(labels, curator, waiting(labels, curator))
    for verdict in verdicts:
        session.judge(verdict)


def test_three_in_a_hundred_clips_come_twice_with_many_others_between_and_none_comes_thrice() -> None:
    queue = build_queue(EPISODES, "uniform", 3.0, 0, curator="Ann")
    repeats = [place for place, one in enumerate(queue) if one.is_repeat]
    assert len(repeats) / len(queue) == pytest.approx(0.03, abs=0.003)
    clips = [one.clip for one in queue]
    assert max(clips.count(clip) for clip in set(clips)) == 2
    assert all(FEWEST_BETWEEN <= place - clips.index(clips[place]) <= 40 for place in repeats)
    assert all(queue[place].reason == queue[clips.index(clips[place])].reason for place in repeats)


@pytest.mark.parametrize("session_lengths", [[330], [20, 13, 1, 98, 33, 165]])
def test_repeats_come_as_often_whether_one_judges_in_one_session_or_in_many(
    labels: LabelDatabase, session_lengths: list[int]
) -> None:
    left = len(waiting(labels))
    for length in session_lengths:
        judge(labels, ["good"] * length)
        left -= length
        assert len(waiting(labels)) == left
    history = labels.history("Ann")
    assert sum(map(is_repeat, history)) == 10
    assert agreement(history).self_agreement == {"Ann": (10, 10)}


def test_a_clip_that_was_skipped_does_not_come_again(labels: LabelDatabase) -> None:
    judge(labels, ["skip"] * 30)
    judge(labels, ["good"] * 40)
    first_thirty = {verdict.clip for verdict in labels.history("Ann")[:30]}
    repeats = [verdict for verdict in labels.history("Ann") if is_repeat(verdict)]
    assert not {verdict.clip for verdict in repeats} & first_thirty


def test_overdue_repeats_come_one_by_one(labels: LabelDatabase) -> None:
    for one in build_queue(EPISODES, "uniform", 3.0, 0)[:200]:
        labels.record(Verdict(one.clip, "Ann", "good", queue="uniform"))
    repeats = [place for place, one in enumerate(waiting(labels)) if one.is_repeat]
    assert repeats[0] == 8
    assert min(np.diff(repeats)) >= 8


def test_a_repeat_that_is_undone_comes_at_once_and_its_first_verdict_stands(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", waiting(labels))
    while not session.current.is_repeat:
        session.judge("good")
    repeat, left = session.current, session.progress.left
    session.judge("bad")
    assert labels.verdicts(curator="Ann")[-1].verdict == "bad"
    session.undo()
    assert (session.current.clip, session.current.is_repeat, session.progress.left) == (repeat.clip, True, left)
    assert {verdict.verdict for verdict in labels.verdicts(curator="Ann")} == {"good"}
    session.judge("good")
    assert agreement(labels.history("Ann")).self_agreement == {"Ann": (1, 1)}


def test_a_reopened_clip_still_comes_again_and_its_correction_is_no_disagreement(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", waiting(labels))
    repeat = next(one.clip for one in waiting(labels) if one.is_repeat)
    while not session.current.is_repeat:
        session.judge("good")
        if session.recent(1)[0].clip == repeat:
            session.reopen(session.recent(1)[0])
            session.judge("bad")
            assert agreement(labels.history("Ann")).self_agreement == {}
    assert session.current.clip == repeat
    session.judge("bad")
    assert agreement(labels.history("Ann")).self_agreement == {"Ann": (1, 1)}


def test_one_clip_in_twenty_comes_to_every_curator_and_their_agreement_is_measured_on_it(labels: LabelDatabase) -> None:
    for curator in ("Ann", "Bob", "Eve"):
        judge(labels, ["good", "bad", "good", "good"] * 25, curator)
    found = agreement(labels.history())
    by_all = {
        clip
        for clip in {verdict.clip for verdict in labels.history()}
        if all(any(v.clip == clip for v in labels.history(name)) for name in ("Ann", "Bob", "Eve"))
    }
    assert 5 <= len(by_all) <= 9
    assert found.shared_clips >= len(by_all)
    assert found.alpha is not None
    assert found.self_agreement.keys() == {"Ann", "Bob", "Eve"}


def test_clips_of_episodes_that_are_gone_do_not_come_again(labels: LabelDatabase) -> None:
    for number in range(60):
        labels.record(Verdict(Clip("gone", number * 180, number * 180 + 180), "Ann", "good", queue="uniform"))
    assert not any(one.clip.episode_id == "gone" for one in waiting(labels))
