"""Clips, verdicts, and the majority of several curators' verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.clip import VERDICTS, Clip, Verdict, verdict_of_frames
from data.errors import CoachError


def says(curator: str, verdict: str, start: int = 0, stop: int = 4) -> Verdict:
    return Verdict(Clip("e", start, stop), curator, verdict)


def came_to(*verdicts: Verdict, frame_count: int = 4) -> list[int]:
    return verdict_of_frames(verdicts, frame_count).tolist()


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (4, 4), (5, 4)])
def test_a_clip_has_at_least_one_frame_from_0_on(start: int, stop: int) -> None:
    with pytest.raises(CoachError, match="A clip must start at frame 0"):
        Clip("e", start, stop)


def test_a_verdict_is_good_bad_or_skip_and_somebody_gives_it() -> None:
    with pytest.raises(CoachError, match="one of good, bad, skip, not 'fine'"):
        says("Ann", "fine")
    with pytest.raises(CoachError, match="name of its curator"):
        says(" ", "good")


def test_a_verdict_covers_its_frames_and_no_others() -> None:
    assert came_to(says("Ann", "good", 1, 3)) == [0, 1, 1, 0]


def test_a_clip_that_ends_past_the_episode_covers_what_there_is() -> None:
    assert came_to(says("Ann", "bad", 2, 99)) == [0, 0, -1, -1]


def test_the_majority_decides_and_a_tie_is_no_verdict() -> None:
    ann, bob, eve = says("Ann", "good"), says("Bob", "bad", 0, 2), says("Eve", "bad", 0, 1)
    assert came_to(ann, bob, eve) == [-1, 0, 1, 1]


def test_a_curator_has_one_voice_at_each_frame_however_many_clips_they_judged() -> None:
    assert came_to(says("Ann", "good"), says("Ann", "good", 0, 3), says("Bob", "bad")) == [0, 0, 0, 0]


def test_skip_is_no_voice() -> None:
    assert came_to(says("Ann", "skip"), says("Bob", "bad")) == [-1] * 4


def test_a_persons_verdict_wins_over_any_number_of_rules() -> None:
    rules = [says(f"rule:{n}", "good") for n in range(5)]
    assert came_to(says("Ann", "bad", 0, 2), *rules) == [-1, -1, 1, 1]


def test_a_tie_of_persons_is_no_verdict_whatever_the_rules_say() -> None:
    assert came_to(says("Ann", "good"), says("Bob", "bad"), says("rule:x", "good")) == [0] * 4


def test_rules_are_heard_where_a_person_took_back_what_they_said_with_an_opposite_clip() -> None:
    assert came_to(says("Ann", "good"), says("Ann", "bad"), says("rule:x", "good")) == [1] * 4


@given(
    st.lists(
        st.builds(
            lambda curator, verdict, start, length: says(curator, verdict, start, start + length),
            st.sampled_from(["Ann", "Bob", "Eve", "rule:a", "rule:b"]),
            st.sampled_from(VERDICTS),
            st.integers(0, 9),
            st.integers(1, 9),
        ),
        max_size=12,
    )
)
def test_frame_by_frame_it_is_the_vote_that_the_rules_describe(verdicts: list[Verdict]) -> None:
    def voice(curator: str, frame: int) -> int:
        said = [v for v in verdicts if v.curator == curator and v.clip.start <= frame < v.clip.stop]
        balance = sum({"good": 1, "bad": -1, "skip": 0}[v.verdict] for v in said)
        return (balance > 0) - (balance < 0)

    def outcome(frame: int) -> int:
        voices = {v.curator: voice(v.curator, frame) for v in verdicts}
        people = [value for name, value in voices.items() if not name.startswith("rule:")]
        heard = people if any(people) else [value for name, value in voices.items() if name.startswith("rule:")]
        return (sum(heard) > 0) - (sum(heard) < 0)

    assert came_to(*verdicts, frame_count=20) == [outcome(frame) for frame in range(20)]
