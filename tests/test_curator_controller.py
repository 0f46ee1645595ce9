"""What the curator's keys do, with real replay files, a real database and no window."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from recorded_episodes import record_random_play

from curator.controller import KEY_LIST, CuratorController
from curator.frame_reader import FrameReader
from curator.outline import read_outlines
from curator.queues import FollowingQueue, QueuedClip, build_queue
from curator.session import Session
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
    return library


@dataclass
class Sat:
    """A curator at the desk."""

    desk: CuratorController
    labels: LabelDatabase
    clips: list[Clip]

    def press(self, keys: str) -> None:
        for key in keys.split():
            self.desk.press(key)

    @property
    def said(self) -> list[str]:
        return [verdict.verdict for verdict in self.labels.verdicts()]

    @property
    def on_show(self) -> Clip | None:
        current = self.desk.sitting.current
        return current.clip if current else None


@pytest.fixture
def sat(library: Library, tmp_path: Path) -> Iterator[Sat]:
    outlines = {outline.episode_id: outline for outline in read_outlines(library)}
    queue = build_queue(list(outlines.values()), "uniform", 3.0, 0)
    paths = {name: outline.path for name, outline in outlines.items()}
    with LabelDatabase(tmp_path / "labels.sqlite") as labels, FrameReader(paths) as reader:
        sitting = Session(labels, "Ann", queue, outlines)
        desk = CuratorController(sitting, reader, outlines, "uniform", now=lambda: 0.0)
        yield Sat(desk, labels, [one.clip for one in queue])


def test_each_verdict_key_gives_its_verdict_and_shows_the_next_clip(sat: Sat) -> None:
    sat.press("g b s space")
    assert sat.said == ["good", "bad", "skip", "skip"]
    assert [verdict.clip for verdict in sat.labels.verdicts()] == sat.clips[:4]
    assert sat.on_show == sat.clips[4]
    assert sat.desk.title == f"Replay Coach - curating, {len(sat.clips) - 4} left"


def test_a_key_that_is_held_judges_once(sat: Sat) -> None:
    for key in ("g", "b", "v"):
        sat.desk.press(key)
        for _ in range(5):
            sat.desk.press(key, repeat=True)
    assert sat.said == ["good", "bad", "skip"]
    sat.desk.press("backspace")
    for _ in range(5):
        sat.desk.press("backspace", repeat=True)
    assert sat.said == ["good", "bad"]


def test_backspace_and_control_z_take_back_and_a_plain_z_does_nothing(sat: Sat) -> None:
    sat.press("g b s z")
    assert len(sat.said) == 3
    sat.desk.press("z", control=True)
    sat.press("backspace")
    assert sat.said == ["good"]
    assert sat.on_show == sat.clips[1]
    sat.press("backspace backspace")
    assert sat.said == []
    assert "no verdict left" in sat.desk.view().flash


def test_control_with_a_verdict_key_judges_nothing(sat: Sat) -> None:
    sat.desk.press("s", control=True)
    assert sat.said == []


def test_the_picture_is_the_frame_of_the_replay_file(sat: Sat, library: Library) -> None:
    clip = sat.on_show
    assert clip is not None
    with ReplayFile(library.episode_path(clip.episode_id)) as replay:
        for _ in range(40):
            sat.desk.advance(1 / 60)
            shown = sat.desk.view().shown
            assert shown is not None
            np.testing.assert_array_equal(shown.picture, replay.frames(shown.number, shown.number + 1)[0])
            row = max(0, shown.number - 1)
            assert shown.action == replay.origin.action_meanings[replay.actions[row]]
            assert shown.lives == replay.lives[shown.number]


def test_points_and_a_lost_life_stay_to_be_read_for_a_moment(sat: Sat) -> None:
    outline = next(one for one in sat.desk._outlines.values() if one.deaths and one.gains)
    row, amount = outline.gains[0]
    death = outline.deaths[0]
    sat.desk.sitting.cut_by_hand(Clip(outline.episode_id, max(0, row - 60), row + 60))
    sat.desk._begin()
    told = {}
    for frame in (row, row + 1, row + 20, row + 50):
        sat.desk.scrub(frame)
        sat.desk.advance(0)
        told[frame - row] = sat.desk.view().shown.reward
    assert told[0] == 0 and told[1] == told[20] == amount and told[50] in (0, *dict(outline.gains).values())
    sat.desk.scrub(death)
    sat.desk.advance(0)
    assert not sat.desk.view().shown.life_lost
    sat.desk.scrub(death + 1)
    sat.desk.advance(0)
    assert sat.desk.view().shown.life_lost


def test_arrows_step_by_a_frame_and_pause_also_while_held(sat: Sat) -> None:
    start = sat.desk.player.frame
    sat.press("right right")
    sat.desk.press("right", repeat=True)
    sat.press("left")
    sat.desk.press("right", shift=True)
    sat.desk.advance(1.0)
    assert sat.desk.player.frame == start + 2 + 15
    assert sat.desk.view().paused
    sat.press("end")
    assert sat.desk.player.frame == sat.on_show.stop


def test_a_note_goes_with_the_next_verdict_and_with_no_other(sat: Sat) -> None:
    sat.press("n")
    sat.desk.write("a good shop")
    sat.press("backspace g b")  # Letters are text now, not verdicts.
    sat.desk.write("t ")
    assert sat.said == []
    sat.press("return g b")
    assert [verdict.note for verdict in sat.labels.verdicts()] == ["a good shot", ""]


def test_escape_forgets_a_note_and_does_not_leave(sat: Sat) -> None:
    sat.press("n")
    sat.desk.write("nonsense")
    sat.press("escape g")
    assert (sat.labels.verdicts()[0].note, sat.desk.leaving) == ("", False)


def test_v_puts_a_clip_aside(sat: Sat) -> None:
    sat.press("v")
    assert [(v.verdict, v.note) for v in sat.labels.verdicts()] == [("skip", "second look")]


def test_digits_reopen_the_last_verdicts_and_escape_goes_back_to_the_queue(sat: Sat) -> None:
    sat.press("g b s 3")
    assert sat.on_show == sat.clips[0]
    assert sat.desk.view().standing.verdict == "good"
    sat.press("escape")
    assert (sat.on_show, sat.desk.leaving) == (sat.clips[3], False)
    sat.press("3 b")
    assert sat.said == ["bad", "skip", "bad"]
    sat.press("9 escape")
    assert sat.desk.leaving


def test_a_clip_is_cut_by_hand_from_either_end(sat: Sat) -> None:
    first = sat.on_show
    assert first is not None
    sat.desk.scrub(900)
    sat.press("o")
    assert "press I" in sat.desk.view().cut_hint
    sat.desk.scrub(750)
    sat.press("i")
    assert sat.on_show == Clip(first.episode_id, 750, 900)
    sat.press("g")
    assert [(v.clip.start, v.clip.stop, v.queue) for v in sat.labels.verdicts()] == [(750, 900, "by hand")]
    assert sat.on_show == first


def test_a_cut_of_another_length_than_one_to_five_seconds_is_refused_and_one_end_can_be_moved(sat: Sat) -> None:
    first = sat.on_show
    for start, stop in ((100, 130), (100, 500)):
        sat.desk.scrub(start)
        sat.press("i")
        sat.desk.scrub(stop)
        sat.press("o")
        assert "1 to 5 seconds" in sat.desk.view().flash
        assert sat.on_show == first
    sat.desk.scrub(400)
    sat.press("o")
    assert sat.on_show == Clip(first.episode_id, 100, 400)


def test_escape_forgets_a_cut_that_was_begun_and_leaves_only_then(sat: Sat) -> None:
    sat.press("i right right escape")
    assert (sat.desk.view().cut_hint, sat.desk.view().cut_from, sat.desk.leaving) == ("", None, False)
    sat.press("escape")
    assert sat.desk.leaving


def test_the_hint_of_a_cut_stays_while_one_goes_to_its_end(sat: Sat) -> None:
    sat.press("i right right , .")
    assert "press O" in sat.desk.view().cut_hint


def test_a_note_waits_for_its_clip_while_another_is_on_show(sat: Sat) -> None:
    sat.press("g n")
    sat.desk.write("well aimed")
    sat.press("return 1")
    assert sat.desk.view().note == ""
    sat.press("escape")
    assert sat.desk.view().note == "well aimed"
    sat.press("b g")
    assert [(v.verdict, v.note) for v in sat.labels.verdicts()][1:] == [("bad", "well aimed"), ("good", "")]


def test_the_goal_is_told_when_it_is_reached_and_not_before(sat: Sat) -> None:
    sat.desk._goal = 2
    sat.press("g")
    assert sat.desk.view().flash == ""
    sat.press("b")
    assert "your goal: 2 verdicts" in sat.desk.view().flash


def test_of_a_clip_that_comes_again_nothing_is_told_before_it_is_judged(sat: Sat) -> None:
    first = sat.on_show
    sat.press("b")
    repeat = QueuedClip(first, "repeat:uniform", "drawn by chance")
    sat.desk.sitting.go_on_with([repeat, *sat.desk.sitting.upcoming(5)])
    sat.desk._begin()
    view = sat.desk.view()
    assert (sat.on_show, view.standing, view.verdicts) == (first, None, [])
    assert "bad" not in view.queued.reason
    sat.press("g")
    assert sat.desk.view().flash == "You saw that clip before, and said bad then."


def test_where_a_queue_ends_tab_goes_on_with_the_next(sat: Sat) -> None:
    last = QueuedClip(sat.clips[-1], "markers", "marked by the player")
    sat.desk._find_following = lambda done: FollowingQueue("markers", (last,)) if done == "uniform" else None
    sat.desk.sitting.go_on_with([])
    sat.desk._begin()
    assert "Tab goes on with the queue markers: 1 clip." in sat.desk.view().nothing_left[1]
    sat.press("tab")
    assert (sat.on_show, sat.desk.view().queue) == (last.clip, "markers")
    sat.press("g tab")
    assert "record more episodes" in sat.desk.view().nothing_left[1]


def test_help_takes_all_keys_until_it_is_closed(sat: Sat) -> None:
    sat.press("f1 g")
    assert sat.desk.help_open and sat.said == []
    sat.press("escape g")
    assert (sat.desk.help_open, sat.desk.leaving, sat.said) == (False, False, ["good"])


def test_when_all_is_judged_keys_judge_nothing_and_undo_still_works(sat: Sat) -> None:
    for _ in sat.clips:
        sat.press("g")
    sat.press("g b n p left i 1 escape")
    assert sat.on_show is None
    assert (len(sat.said), sat.desk.title) == (len(sat.clips), "Replay Coach - curating, nothing left")
    assert sat.desk.view().nothing_left[0] == "All clips of this queue are judged."
    sat.press("backspace")
    assert sat.on_show == sat.clips[-1]


def test_a_verdict_that_cannot_be_written_is_told_and_the_clip_stays(sat: Sat, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Verdict) -> int:
        raise CoachError("The disk is full.")

    monkeypatch.setattr(sat.labels, "record", full)
    sat.press("g")
    assert (sat.on_show, sat.desk.view().flash) == (sat.clips[0], "The disk is full.")
    monkeypatch.undo()
    sat.press("g")
    assert (sat.said, sat.on_show) == (["good"], sat.clips[1])


@pytest.mark.parametrize("broken_first", [True, False], ids=["first", "last"])
def test_a_clip_that_cannot_be_read_is_passed_over_and_told(tmp_path: Path, broken_first: bool) -> None:
    copy = Library(tmp_path / "copy")
    whole, broken = (record_random_play(copy, 400, seed) for seed in (5, 6))
    outlines = {outline.episode_id: outline for outline in read_outlines(copy)}
    path = copy.episode_path(broken)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:2000])
    queue = build_queue(list(outlines.values()), "uniform", 3.0, 0)
    queue.sort(key=lambda queued: (queued.clip.episode_id == broken) != broken_first)
    passed_over = sum(queued.clip.episode_id == broken for queued in queue)
    assert passed_over > 1
    with (
        LabelDatabase(tmp_path / "labels.sqlite") as labels,
        FrameReader({name: outline.path for name, outline in outlines.items()}) as reader,
    ):
        desk = CuratorController(Session(labels, "Ann", queue, outlines), reader, outlines, "uniform")
        flashes = {desk.view().flash}
        while desk.sitting.current is not None:
            desk.press("g")
            flashes.add(desk.view().flash)
        title, text = desk.view().nothing_left
        assert {verdict.clip.episode_id for verdict in labels.verdicts()} == {whole}
    assert f"Passed over: {path.name} is cut off: the end of the file is missing." in " ".join(flashes)
    assert title == "All readable clips are judged."
    assert f"{passed_over} clips could not be read; `coach verify` finds what is broken." in text
    assert str(desk.sitting.summary()).endswith(f"; 0 clips are left. {text.partition('back. ')[2]}")


def test_the_next_clips_are_decoded_before_they_are_needed(sat: Sat) -> None:
    reader = sat.desk._reader
    upcoming = [one.clip for one in sat.desk.sitting.upcoming(3)]
    for _ in range(500):
        if all(reader.is_prepared(clip) for clip in upcoming):
            break
        time.sleep(0.01)
    assert all(reader.is_prepared(clip) for clip in upcoming)
    assert not reader.is_prepared(sat.clips[-1])


def test_every_key_of_the_list_does_something(sat: Sat) -> None:
    names = {
        "Bksp": "backspace",
        "Ctrl+Z": "z",
        "←": "left",
        "→": "right",
        "Esc": "escape",
        "…": "",
        "F11": "",
        "Tab": "",
    }
    for keys, meaning in KEY_LIST:
        for cap in keys.split():
            key = names.get(cap, cap.lower())
            if not key:
                continue
            sat.desk.player.show(sat.clips[0], 1500)
            sat.desk.scrub(700)
            sat.press("g g b g g g g g g g")
            sat.desk.scrub(700)
            sat.desk.advance(0)
            before = (sat.desk.view(), sat.desk.help_open, sat.desk.note_text, sat.desk.leaving)
            sat.desk.press(key, control=cap == "Ctrl+Z")
            sat.desk.advance(0)
            after = (sat.desk.view(), sat.desk.help_open, sat.desk.note_text, sat.desk.leaving)
            assert str(before) != str(after), f"{cap} is to do: {meaning}"
            sat.desk.help_open, sat.desk.note_text, sat.desk.leaving = False, None, False
            sat.desk.sitting.leave_visit()
            for _ in range(12):
                sat.press("backspace")
