"""What a curator is shown: which clips, in which order, and why."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_episodes import record_random_play

from curator.outline import EpisodeOutline, read_outlines
from curator.queued_clips import QueuedClip, fair_order, mixed
from curator.queues import (
    QUEUES,
    SurprisingFrame,
    build_queue,
    clips_waiting,
    queue_before_death,
    queue_before_reward,
    queue_markers,
    queue_second_look,
    queue_surprising,
    queue_uncertain,
    queue_uniform,
)
from curator.spans import Coverage, cut
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile

EPISODE_QUEUES = {kind.name: kind.of_episode for kind in QUEUES if kind.of_episode and kind.name != "coached"}


def episode(
    frame_count: int,
    rewards: dict[int, float] | None = None,
    deaths: tuple[int, ...] = (),
    markers: tuple[int, ...] = (),
    name: str = "e",
) -> EpisodeOutline:
    gains = tuple(sorted((rewards or {}).items()))
    return EpisodeOutline(
        name, f"{name}.h5", "SpaceInvaders", "Ann", frame_count, sum(p for _, p in gains), gains, deaths, markers
    )


def spans(queued: list[QueuedClip]) -> list[tuple[int, int]]:
    return [(one.clip.start, one.clip.stop) for one in queued]


def reasons(queued: list[QueuedClip]) -> list[str]:
    return [one.reason for one in queued]


def test_a_clip_ends_with_the_points_and_says_so() -> None:
    found = queue_before_reward(episode(6000, {2459: 20}), 180)
    assert found == [QueuedClip(Clip("e", 2280, 2460), "before-reward", "20 points at 0:41")]


def test_clips_that_overlap_are_one_as_long_as_that_is_no_longer_than_five_seconds() -> None:
    found = queue_before_reward(episode(6000, {999: 5, 1099: 10}), 180)
    assert (spans(found), reasons(found)) == ([(820, 1100)], ["5 points at 0:16 and 10 points at 0:18"])


def test_a_long_row_of_points_is_cut_into_clips_that_end_with_points_where_they_can() -> None:
    found = queue_before_reward(episode(6000, {999: 5, 1170: 10, 1340: 15}), 180)
    assert spans(found) == [(820, 1000), (1000, 1171), (1171, 1341)]
    assert reasons(found) == ["5 points at 0:16", "10 points at 0:19", "15 points at 0:22"]


def test_points_in_the_first_frames_make_a_clip_of_a_second_that_goes_on_after_them() -> None:
    assert spans(queue_before_reward(episode(6000, {4: 5}), 180)) == [(0, 60)]
    assert spans(queue_before_reward(episode(6000, {4: 5, 100: 5}), 60)) == [(0, 41), (41, 101)]


def test_points_in_the_last_frame_make_a_clip_that_ends_with_the_episode() -> None:
    assert spans(queue_before_reward(episode(500, {499: 5}), 180)) == [(320, 500)]


def test_an_episode_shorter_than_a_clip_is_one_clip() -> None:
    short = episode(40, {30: 5}, (39,), (20,))
    for queue in EPISODE_QUEUES.values():
        assert spans(queue(short, 180)) == [(0, 40)]


def test_an_episode_without_points_deaths_or_markers_waits_in_the_uniform_queue_alone() -> None:
    nothing = episode(600)
    assert {name: len(queue(nothing, 180)) for name, queue in EPISODE_QUEUES.items()} == {
        "before-reward": 0,
        "before-death": 0,
        "uniform": 3,
        "markers": 0,
    }


def test_losing_points_is_no_reason_to_show_a_clip() -> None:
    assert queue_before_reward(episode(600, {300: -1}), 180) == []


def test_many_points_are_summed_up() -> None:
    found = queue_before_reward(episode(600, {300: 1, 310: 1, 320: 1}), 60)
    assert reasons(found) == ["3 points in 3 gains, 0:05 to 0:05"]


def test_each_lost_life_is_named() -> None:
    found = queue_before_death(episode(6000, deaths=(999, 1099, 2000)), 180)
    assert (spans(found), reasons(found)) == (
        [(820, 1100), (1821, 2001)],
        ["2 lives lost, at 0:16 and 0:18", "a life lost at 0:33"],
    )


def test_a_clip_of_a_merged_row_without_an_event_of_its_own_says_what_it_leads_up_to() -> None:
    found = queue_before_death(episode(6000, deaths=(999, 1040)), 300)
    assert spans(found) == [(700, 870), (870, 1041)]
    assert reasons(found) == ["leads up to a life lost at 0:16", "2 lives lost, at 0:16 and 0:17"]


def test_most_of_a_clip_lies_before_its_marker_and_markers_close_together_share_one() -> None:
    found = queue_markers(episode(6000, markers=(600, 650, 700)), 180)
    assert spans(found) == [(480, 660), (660, 840)]
    assert reasons(found) == ["marked by the player at 0:10 and at 0:10", "marked by the player at 0:11"]


def test_markers_at_the_very_ends_of_an_episode_make_clips_inside_it() -> None:
    assert spans(queue_markers(episode(600, markers=(0, 600)), 180)) == [(0, 180), (420, 600)]
    assert spans(queue_markers(episode(190, markers=(0, 190)), 180)) == [(0, 180), (180, 190)]


def test_the_most_surprising_frame_comes_first_and_no_frame_is_shown_twice() -> None:
    surprises = [SurprisingFrame("e", 500, 1.0), SurprisingFrame("e", 550, -3.0), SurprisingFrame("gone", 5, 9.0)]
    found = queue_surprising([episode(600), episode(600, name="f")], surprises, 60)
    assert (spans(found), reasons(found)) == ([(520, 580)], ["surprised the agent at 0:09, TD error -3"])


def test_the_clip_of_which_the_judge_is_least_sure_comes_first_and_its_prediction_is_hidden() -> None:
    sure, unsure = Clip("e", 0, 60), Clip("e", 60, 120)
    found = queue_uncertain({sure: 0.95, unsure: 0.52})
    assert [one.clip for one in found] == [unsure, sure]
    assert not any("good" in one.reason or "52" in one.reason for one in found)


def test_clips_put_aside_wait_in_the_queue_second_look() -> None:
    aside = Verdict(Clip("e", 0, 60), "Ann", "skip", note="odd", put_aside=True)
    skipped = Verdict(Clip("e", 60, 120), "Ann", "skip", note="dull")
    assert [one.clip for one in queue_second_look([aside, skipped])] == [aside.clip]
    assert [one.clip for one in build_queue([episode(600)], "second-look", 3, 0, [aside, skipped])] == [aside.clip]


def test_a_queue_made_anew_holds_what_was_left_of_it() -> None:
    """Also random samples that clips of the queue cover: so the window and the home window count alike."""
    rows = dict.fromkeys(range(90, 5950, 100), 5.0)
    played = [episode(6000, rows, name=name) for name in "ab"]
    whole = build_queue(played, "before-reward", 3.0, 0, curator="Ann")
    judged: list[Verdict] = []
    for number, queued in enumerate(whole[:24]):
        left = build_queue(played, "before-reward", 3.0, 0, judged, curator="Ann")
        assert len([one for one in left if not one.is_repeat]) == len(
            [one for one in whole[number:] if not one.is_repeat]
        )
        judged.append(Verdict(queued.clip, "Ann", "good", queue=queued.queue))


def test_judging_continues_in_the_first_queue_with_clips() -> None:
    scored = episode(600, {100: 5.0}, deaths=(500,))
    first = clips_waiting([scored], [], "Ann")
    assert first is not None and first.name == "before-reward"
    # With nothing left before points, the clips before the lost life wait.
    judged = [Verdict(one.clip, "Ann", "good") for one in first.clips]
    second = clips_waiting([scored], judged, "Ann")
    assert second is not None and (second.name, len(second.clips)) == ("before-death", 1)
    whole = [Verdict(Clip("e", 0, 600), "Ann", "good")]
    assert clips_waiting([scored], whole, "Ann") is None


@given(
    frame_count=st.integers(1, 3000),
    rewarded=st.sets(st.integers(0, 2999), max_size=40),
    frames=st.integers(60, 300),
    queue=st.sampled_from(["before-reward", "before-death"]),
)
def test_every_event_is_in_exactly_one_clip_and_clips_are_short_and_apart(
    frame_count: int, rewarded: set[int], frames: int, queue: str
) -> None:
    rows = sorted(row for row in rewarded if row < frame_count)
    found = EPISODE_QUEUES[queue](episode(frame_count, dict.fromkeys(rows, 5.0), tuple(rows)), frames)
    assert all(0 <= one.clip.start < one.clip.stop <= frame_count for one in found)
    assert all(one.clip.stop - one.clip.start <= 300 for one in found)
    assert all(a.clip.stop <= b.clip.start for a, b in itertools.pairwise(found))
    assert all(sum(one.clip.start <= row < one.clip.stop for one in found) == 1 for row in rows)


@given(st.integers(1, 20_000), st.integers(60, 300))
def test_uniform_clips_part_an_episode_without_gap_or_overlap_into_equal_clips(frame_count: int, frames: int) -> None:
    found = spans(queue_uniform(episode(frame_count), frames))
    assert found[0][0] == 0 and found[-1][1] == frame_count
    assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
    lengths = {stop - start for start, stop in found}
    assert max(lengths) <= 300 and max(lengths) - min(lengths) <= 1
    assert frame_count <= 300 or min(lengths) >= 60


@given(st.integers(0, 50), st.integers(1, 3000), st.integers(60, 300), st.lists(st.integers(0, 3050), max_size=30))
def test_cutting_moves_cuts_but_loses_nothing(start: int, length: int, frames: int, good_cuts: list[int]) -> None:
    parts = cut((start, start + length), frames, good_cuts)
    assert parts[0][0] == start and parts[-1][1] == start + length
    assert all(a[1] == b[0] for a, b in itertools.pairwise(parts))
    assert all(0 < b - a <= 300 for a, b in parts)


@given(
    st.lists(st.tuples(st.sampled_from("ef"), st.integers(0, 50), st.integers(1, 20)), max_size=12),
    st.tuples(st.sampled_from("ef"), st.integers(0, 50), st.integers(1, 20)),
)
def test_coverage_counts_each_frame_once(clips: list[tuple[str, int, int]], asked: tuple[str, int, int]) -> None:
    covered = {(name, t) for name, start, length in clips for t in range(start, start + length)}
    name, start, length = asked
    expected = sum((name, t) in covered for t in range(start, start + length)) / length
    made = [Clip(name, start, start + length) for name, start, length in clips]
    grown = Coverage()
    for clip in made:
        grown.add(clip)
    asked_clip = Clip(name, start, start + length)
    assert math.isclose(Coverage(made).share(asked_clip), expected)
    assert math.isclose(grown.share(asked_clip), expected)


EPISODES = [
    episode(4000 + 700 * n, {200 + 400 * i + 37 * n: 5.0 for i in range(9)}, (1500, 3500), (800,), name=f"episode {n}")
    for n in range(5)
]
SAMPLED = ["before-reward", "before-death", "uniform", "markers"]


@pytest.mark.parametrize("queue", SAMPLED)
def test_a_queue_has_the_same_order_for_the_same_seed_and_another_for_another(queue: str) -> None:
    first = build_queue(EPISODES, queue, 3, seed=1)
    assert build_queue(EPISODES, queue, 3, seed=1) == first
    assert build_queue(EPISODES[::-1], queue, 3, seed=1) == first
    assert build_queue(EPISODES, queue, 3, seed=2) != first


@pytest.mark.parametrize("queue", SAMPLED)
def test_no_queue_shows_a_clip_twice(queue: str) -> None:
    clips = [one.clip for one in build_queue(EPISODES, queue, 3, seed=0)]
    assert len(set(clips)) == len(clips) > 0


def test_one_clip_in_ten_is_sampled_at_random_and_says_so() -> None:
    found = build_queue(EPISODES, "before-reward", 3, seed=0)
    drawn = [number for number, one in enumerate(found) if one.queue == "uniform"]
    assert len(found) / 10 - 1 <= len(drawn) <= len(found) / 10 + 1
    assert [number // 10 for number in drawn] == list(range(len(drawn)))
    assert all(found[number].reason.startswith("sampled at random") for number in drawn)


def test_where_chance_and_the_queue_show_the_same_the_queue_gives_way() -> None:
    found = build_queue(EPISODES, "before-reward", 3, seed=0)
    by_chance = Coverage(one.clip for one in found if one.queue == "uniform")
    assert all(by_chance.share(one.clip) <= 0.5 for one in found if one.queue != "uniform")


def test_the_uniform_queue_takes_the_episodes_in_turn() -> None:
    order = [one.clip.episode_id for one in build_queue(EPISODES, "uniform", 3, seed=0)]
    shown = [order[:60].count(one.episode_id) for one in EPISODES]
    assert max(shown) - min(shown) <= 3
    in_turn = [one.clip.episode_id for one in fair_order([queue_uniform(one, 180) for one in EPISODES], seed=0)]
    rounds = [in_turn[i : i + 5] for i in range(0, 100, 5)]
    assert all(one == rounds[0] and len(set(one)) == 5 for one in rounds)


def test_curators_have_orders_of_their_own_and_one_clip_in_twenty_is_the_same_for_all() -> None:
    long_episodes = [episode(60_000, name=f"long {n}") for n in range(3)]
    ann, bob = (
        [one.clip for one in build_queue(long_episodes, "uniform", 3, seed=0, curator=name) if not one.is_repeat]
        for name in ("Ann", "Bob")
    )
    assert ann != bob
    assert set(ann) == set(bob)
    assert len(set(ann)) == len(ann)
    assert ann[:400:20] == bob[:400:20]
    in_both = set(ann[:200]) & set(bob[:200])
    assert 10 <= len(in_both) <= 10 + 2 * 190 * 190 / len(ann)


def test_a_new_episode_does_not_shuffle_the_clips_of_the_others() -> None:
    def of_the_old(found: list[QueuedClip], name: str) -> list[Clip]:
        return [one.clip for one in found if one.clip.episode_id == name]

    before, after = (fair_order([queue_uniform(one, 180) for one in EPISODES[:n]], seed=0) for n in (4, 5))
    for one in EPISODES[:4]:
        assert of_the_old(before, one.episode_id) == of_the_old(after, one.episode_id)


@pytest.mark.parametrize("queue", SAMPLED)
def test_what_is_judged_is_left_out_and_the_rest_keeps_its_order(queue: str) -> None:
    everything = build_queue(EPISODES, queue, 3, seed=0)
    judged = [Verdict(one.clip, "Ann", "skip") for one in everything[:7]]
    left = build_queue(EPISODES, queue, 3, seed=0, judged=judged)
    assert left == [one for one in everything if one in left]
    assert not {verdict.clip for verdict in judged} & {one.clip for one in left}
    done = Coverage(verdict.clip for verdict in judged)
    assert all(done.share(one.clip) > 0.5 for one in everything if one not in left)


def test_clips_of_another_length_are_left_out_where_most_of_them_is_judged() -> None:
    judged = [Verdict(one.clip, "Ann", "good") for one in build_queue(EPISODES, "before-reward", 3, seed=0)]
    again = build_queue(EPISODES, "before-reward", 2, seed=0, judged=judged)
    assert len([one for one in again if one.queue == "before-reward"]) < len(judged) / 4


@pytest.mark.parametrize("seconds", [0.99, 5.01, 0.0, -3.0, math.inf, math.nan])
def test_a_clip_of_another_length_than_one_to_five_seconds_is_refused(seconds: float) -> None:
    with pytest.raises(CoachError, match="A clip lasts 1 to 5 seconds"):
        build_queue(EPISODES, "uniform", seconds, seed=0)


def test_an_unknown_queue_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(CoachError, match="no queue called 'best'; the queues are before-reward"):
        build_queue(EPISODES, "best", 3, seed=0)


def test_outlines_say_what_the_replay_files_say(tmp_path: Path) -> None:
    library = Library(tmp_path)
    name = record_random_play(library, 1500, seed=3, markers=[900, 300])
    outline = read_outlines(library)[0]
    with ReplayFile(library.episode_path(name)) as replay:
        assert outline.frame_count == replay.frame_count == 1500
        assert dict(outline.rewards) == {t: r for t, r in enumerate(replay.rewards.tolist()) if r}
        lives = replay.lives.tolist()
        assert list(outline.deaths) == [t for t in range(1500) if lives[t + 1] < lives[t]]
    assert outline.rewards and outline.deaths
    assert (outline.markers, outline.game, outline.player) == ((300, 900), "SpaceInvaders", "Ada")


def test_an_unreadable_file_is_left_out_by_outlines(tmp_path: Path) -> None:
    library = Library(tmp_path)
    record_random_play(library, 100)
    assert len(read_outlines(library)) == 1
    assert read_outlines(library, game="Pong") == []


@pytest.mark.parametrize("count", range(1, 25))
@pytest.mark.parametrize("covered", [0, 1, 9, 10])
def test_what_gives_way_to_chance_is_shown_by_chance(count: int, covered: int) -> None:
    """A chance clip may show what the queue shows: then one of both is shown, and never neither."""
    chosen = [QueuedClip(Clip("e", 1000 * n, 1000 * n + 180), "before-reward", "") for n in range(count)]
    same = [QueuedClip(one.clip, "uniform", "") for one in chosen[covered : covered + 2]]
    others = [QueuedClip(Clip("f", 1000 * n, 1000 * n + 180), "uniform", "") for n in range(5)]
    found = [queued.clip for queued in mixed(chosen, [*same, *others], np.random.default_rng(count))]
    assert {queued.clip for queued in chosen} <= set(found)
    assert len(found) == len(set(found))
