"""A curator's session: one key, one verdict, nothing lost, everything can be taken back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from curator.queued_clips import QueuedClip
from curator.queues import queue_second_look
from curator.session import JudgingSummary, Session, verdicts_a_minute
from data.clip import VERDICTS, Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase


def queued(number: int, episode_id: str = "e") -> QueuedClip:
    return QueuedClip(Clip(episode_id, number * 60, number * 60 + 60), "uniform", f"reason {number}")


QUEUE = [queued(number) for number in range(5)]


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "labels.sqlite") as database:
        yield database


def test_the_verdict_is_in_the_database_and_the_next_clip_is_current(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    given = session.judge("good", note="a hit")
    assert labels.verdicts() == [given]
    assert (given.clip, given.curator, given.note, given.queue) == (QUEUE[0].clip, "Ann", "a hit", "uniform")
    assert session.current == QUEUE[1]
    assert session.upcoming(2) == QUEUE[2:4]


def test_after_the_last_clip_there_is_none_and_judging_is_an_error(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE[:1])
    session.judge("skip")
    assert session.current is None and session.standing is None and session.progress.left == 0
    with pytest.raises(CoachError, match="no clip to judge"):
        session.judge("good")


def test_a_queue_counts_as_judged_after_a_clip_that_was_sampled_at_random(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE[:1])
    assert not session.has_judged("before-reward")
    session.judge("good")
    assert session.has_judged("before-reward") and session.has_judged("uniform")
    session.replace_queue([])
    assert not session.has_judged("markers")


def test_undo_shows_the_clip_again_before_the_one_that_was_on_show(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    session.judge("good")
    session.judge("bad")
    undone = session.undo()
    assert undone is not None and undone.verdict == "bad"
    assert session.current is not None and session.current.clip == QUEUE[1].clip
    assert "you said bad" in session.current.reason
    assert session.upcoming(1) == [QUEUE[2]]
    assert [v.verdict for v in labels.verdicts()] == ["good"]


def test_undo_goes_on_into_earlier_sessions_and_ends_with_none(labels: LabelDatabase) -> None:
    first = Session(labels, "Ann", QUEUE)
    first.judge("good")
    first.judge("bad")
    second = Session(labels, "Ann", QUEUE[2:])
    assert second.undo() is not None and second.undo() is not None and second.undo() is None
    assert [second.current, *second.upcoming(9)][0].clip == QUEUE[0].clip
    assert [one.clip for one in second.upcoming(9)] == [one.clip for one in QUEUE[1:]]


def test_a_clip_whose_episode_is_gone_is_undone_but_not_shown(labels: LabelDatabase) -> None:
    labels.record(Verdict(Clip("gone", 0, 60), "Ann", "good"))
    session = Session(labels, "Ann", QUEUE, frame_counts={"e": 600})
    assert session.undo() is not None
    assert session.current == QUEUE[0]
    with pytest.raises(CoachError, match="gone is no longer in the library"):
        session.reopen(Verdict(Clip("gone", 0, 60), "Ann", "good"))


def test_a_reopened_clip_keeps_its_verdict_until_another_is_given(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    given = session.judge("good")
    session.reopen(given)
    assert session.standing == given
    assert session.progress.left == 4
    assert session.return_to_queue() and not session.return_to_queue()
    assert session.current == QUEUE[1] and labels.verdicts() == [given]
    session.reopen(given)
    session.judge("bad")
    assert [v.verdict for v in labels.verdicts()] == ["bad"]
    assert session.current == QUEUE[1]


def test_undoing_a_second_verdict_shows_the_clip_with_the_first_standing_again(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    session.reopen(session.judge("good"))
    session.judge("bad")
    session.undo()
    assert session.standing is not None and session.standing.verdict == "good"
    assert session.progress.left == 4


def test_the_last_verdicts_come_newest_first_and_a_new_verdict_moves_a_clip_to_the_front(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    for _ in range(3):
        session.judge("good")
    assert [v.clip for v in session.recent(2)] == [QUEUE[2].clip, QUEUE[1].clip]
    session.reopen(session.recent()[2])
    session.judge("bad")
    assert [v.clip for v in session.recent()] == [QUEUE[0].clip, QUEUE[2].clip, QUEUE[1].clip]


def test_a_clip_show_cut_comes_at_once_and_is_forgotten_if_one_turns_away(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    given = session.judge("good")
    session.show_cut(Clip("e", 30, 90))
    assert session.judge("bad").queue == "by hand"
    assert session.current == QUEUE[1]
    session.show_cut(Clip("e", 31, 91))
    session.reopen(given)
    session.return_to_queue()
    assert session.current == QUEUE[1]


def test_a_clip_put_aside_counts_as_skipped_and_waits_for_a_second_look(labels: LabelDatabase) -> None:
    Session(labels, "Ann", QUEUE).put_aside("which ship?")
    (verdict,) = labels.verdicts()
    assert (verdict.verdict, verdict.put_aside, verdict.note) == ("skip", True, "which ship?")
    second = Session(labels, "Ann", queue_second_look(labels.verdicts(curator="Ann")))
    assert (second.progress.left, second.outside_queue, second.standing) == (1, False, verdict)
    second.judge("good")
    assert second.progress.left == 0
    assert queue_second_look(labels.verdicts(curator="Ann")) == []
    second.undo()
    assert (second.progress.left, second.outside_queue) == (1, False)


def test_a_clip_that_waits_for_a_second_look_and_is_undone_waits_once(labels: LabelDatabase) -> None:
    first = Session(labels, "Ann", QUEUE)
    first.put_aside()
    first.put_aside()
    second = Session(labels, "Ann", queue_second_look(labels.verdicts(curator="Ann")))
    second.undo()
    assert second.current is not None
    assert [second.current.clip, *(one.clip for one in second.upcoming(9))] == [QUEUE[1].clip, QUEUE[0].clip]


def test_a_cut_can_be_undone_before_and_after_its_verdict(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    session.show_cut(Clip("e", 0, 70))
    session.show_cut(Clip("e", 5, 70))
    assert session.undo_cut() and session.current is not None and session.current.clip == Clip("e", 0, 70)
    session.judge("good")
    # The first two clips of the queue: more than half of the first is judged, and less of the second.
    assert (session.current, session.progress.left) == (QUEUE[1], 4)
    session.undo()
    assert session.current is not None and session.current.clip == Clip("e", 0, 70)
    assert session.undo_cut() and not session.undo_cut()
    assert (session.current, session.progress.left) == (QUEUE[0], 5)


def test_two_windows_of_one_curator_undo_only_their_own_verdicts(labels: LabelDatabase) -> None:
    labels.record(Verdict(Clip("e", 900, 960), "Ann", "skip"))
    first, second = Session(labels, "Ann", QUEUE), Session(labels, "Ann", QUEUE)
    first.judge("good")
    with pytest.raises(CoachError, match="Also judged in another window: good"):
        second.judge("bad")
    assert [v.verdict for v in labels.verdicts()] == ["skip", "good"]
    second.judge("bad")
    first.drop_judged_elsewhere()
    first.judge("skip")
    assert [v.clip for v in second.drop_judged_elsewhere()] == [QUEUE[1].clip]
    assert second.current == QUEUE[2]
    undone = [second.undo(), second.undo(), second.undo()]
    assert [one.verdict if one else None for one in undone] == ["bad", "skip", None]
    assert sorted((v.clip.start, v.verdict) for v in labels.verdicts()) == [(0, "good"), (60, "skip")]


def test_progress_counts_what_stands_over_all_sessions_and_this_one(labels: LabelDatabase) -> None:
    times = iter(range(0, 1000, 3))
    labels.record(Verdict(Clip("other", 0, 60), "Ann", "bad"))
    labels.record(Verdict(Clip("e", 0, 60), "Bob", "bad"))
    session = Session(labels, "Ann", QUEUE, now=lambda: next(times))
    assert session.progress.per_minute is None
    session.judge("good")
    session.judge("skip")
    progress = session.progress
    assert (progress.given, progress.this_session, progress.left) == ({"good": 1, "bad": 1, "skip": 1}, 2, 3)
    assert progress.per_minute == pytest.approx(20)
    session.undo()
    assert session.summary().given == {"good": 1, "bad": 0, "skip": 0}


def test_a_clip_judged_twice_counts_once_in_the_summary(labels: LabelDatabase) -> None:
    session = Session(labels, "Ann", QUEUE)
    session.reopen(session.judge("good"))
    session.judge("bad")
    assert session.summary().given == {"good": 0, "bad": 1, "skip": 0}
    session.undo()
    assert session.summary().given == {"good": 1, "bad": 0, "skip": 0}


def test_a_break_does_not_slow_the_rate() -> None:
    assert verdicts_a_minute([0.0, 3.0, 6.0, 9.0]) == pytest.approx(20)
    assert verdicts_a_minute([0.0, 3.0, 6.0, 3600.0]) == pytest.approx(3 * 60 / 66)
    assert verdicts_a_minute([0.0, 3.0]) is None


@pytest.mark.parametrize("name", ["", "  ", "rule:before-reward"])
def test_a_curator_has_a_name_and_is_no_rule(labels: LabelDatabase, name: str) -> None:
    with pytest.raises(CoachError, match="A curator needs a name"):
        Session(labels, name, QUEUE)


LONG_QUEUE = [queued(number) for number in range(6)]


class SessionMachine(RuleBasedStateMachine):
    """Judging, undoing, reopening, cutting and restarting in any order: the database holds what was said last."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "labels.sqlite"
        self.said: list[tuple[Clip, str]] = []
        self.labels = LabelDatabase(self.path)
        self._sit_down()

    def _sit_down(self) -> None:
        judged = {verdict.clip for verdict in self.labels.verdicts(curator="Ann")}
        self.session = Session(self.labels, "Ann", [one for one in LONG_QUEUE if one.clip not in judged])

    @precondition(lambda self: self.session.current is not None)
    @rule(verdict=st.sampled_from(VERDICTS))
    def judge(self, verdict: str) -> None:
        assert self.session.current is not None
        clip = self.session.current.clip
        self.session.judge(verdict)
        self.said.append((clip, verdict))

    @rule()
    def undo(self) -> None:
        undone = self.session.undo()
        if not self.said:
            assert undone is None
            return
        assert undone is not None
        assert (undone.clip, undone.verdict) == self.said.pop()
        assert self.session.current is not None and self.session.current.clip == undone.clip

    @precondition(lambda self: self.said)
    @rule(which=st.integers(0, 9))
    def reopen(self, which: int) -> None:
        recent = self.session.recent()
        self.session.reopen(recent[which % len(recent)])
        assert self.session.standing == recent[which % len(recent)]

    @rule()
    def return_to_queue(self) -> None:
        was_outside = self.session.outside_queue
        assert self.session.return_to_queue() == was_outside
        assert not self.session.outside_queue

    @rule(start=st.integers(0, 3))
    def cut(self, start: int) -> None:
        self.session.show_cut(Clip("e", 1000 + start, 1100))

    @rule()
    def restart(self) -> None:
        self.labels.close()
        self.labels = LabelDatabase(self.path)
        self._sit_down()

    @invariant()
    def the_database_holds_what_was_said_last(self) -> None:
        expected = dict(self.said)
        assert {v.clip: v.verdict for v in self.labels.verdicts()} == expected
        assert {v.clip: v.verdict for v in self.session.recent(99)} == expected

    @invariant()
    def every_clip_of_the_queue_is_judged_or_waits_once(self) -> None:
        line = [one.clip for one in self.session.upcoming(99)]
        if self.session.current and not self.session.outside_queue:
            line = [self.session.current.clip, *line]
        judged = {clip for clip, _ in self.said}
        assert len(set(line)) == len(line) == self.session.progress.left
        assert {one.clip for one in LONG_QUEUE} - judged <= set(line)
        assert not set(line) & judged

    def teardown(self) -> None:
        self.labels.close()
        self.folder.cleanup()


TestSessionMachine = SessionMachine.TestCase
TestSessionMachine.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def test_a_session_is_summed_up_in_the_right_number() -> None:
    one = JudgingSummary("Ann", {"good": 1, "bad": 0, "skip": 0}, 1, None, 1)
    assert str(one) == (
        "Ann gave 1 verdict (1 good, 0 bad, 0 skip); 1 clip is left. "
        "1 clip could not be read; `coach verify` finds what is broken."
    )
    more = JudgingSummary("Ann", {"good": 1, "bad": 1, "skip": 0}, 2, 30.0)
    assert str(more) == "Ann gave 2 verdicts (1 good, 1 bad, 0 skip) at 30 a minute; 2 clips are left."
