"""What the curator's keys do, with real replay files, a real database and no window."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from recorded_episodes import record_random_play

from curator import drawing, keys
from curator.controller import CuratorController
from curator.end_of_queue import end_buttons, end_of_queue
from curator.frame_reader import FrameReader
from curator.keys import VERDICT_KEYS, key_list
from curator.layout import curator_layout
from curator.outline import EpisodeOutline, read_outlines
from curator.queued_clips import QueuedClip
from curator.queues import WaitingQueue, build_queue
from curator.session import Session
from curator.timeline import FrameRange, TimelineScale
from curator.window import WindowLoop
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from screen.events import PointerDown, PointerMoved, PointerUp, Resized, Wheel
from screen.layout import Box
from screen.window import Window


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    for seed in range(2):
        record_random_play(library, 1500, seed)
    return library


@dataclass
class Curator:
    """A curator with a controller of their own."""

    controller: CuratorController
    labels: LabelDatabase
    clips: list[Clip]

    def press(self, keys: str) -> None:
        for key in keys.split():
            self.controller.press(key)

    @property
    def said(self) -> list[str]:
        return [verdict.verdict for verdict in self.labels.verdicts()]

    @property
    def on_show(self) -> Clip | None:
        current = self.controller.session.current
        return current.clip if current else None


@pytest.fixture
def ann(library: Library, tmp_path: Path) -> Iterator[Curator]:
    outlines = {outline.episode_id: outline for outline in read_outlines(library)}
    queue = build_queue(list(outlines.values()), "uniform", 3.0, 0)
    paths = {name: outline.path for name, outline in outlines.items()}
    with LabelDatabase(tmp_path / "labels.sqlite") as labels, FrameReader(paths) as reader:
        session = Session(labels, "Ann", queue, {name: one.frame_count for name, one in outlines.items()})
        controller = CuratorController(session, reader, outlines, "uniform", now=lambda: 0.0)
        yield Curator(controller, labels, [one.clip for one in queue])


def test_each_verdict_key_gives_its_verdict_and_shows_the_next_clip(ann: Curator) -> None:
    ann.press("g b s space")
    assert ann.said == ["good", "bad", "skip", "skip"]
    assert [verdict.clip for verdict in ann.labels.verdicts()] == ann.clips[:4]
    assert ann.on_show == ann.clips[4]
    assert ann.controller.title == f"Replay Coach - curating, {len(ann.clips) - 4} left"


def test_a_held_key_judges_once(ann: Curator) -> None:
    for key in ("g", "b", "v"):
        ann.controller.press(key)
        for _ in range(5):
            ann.controller.press(key, repeat=True)
    assert ann.said == ["good", "bad", "skip"]
    ann.controller.press("backspace")
    for _ in range(5):
        ann.controller.press("backspace", repeat=True)
    assert ann.said == ["good", "bad"]


def test_backspace_and_control_z_undo_and_z_alone_does_nothing(ann: Curator) -> None:
    ann.press("g b s z")
    assert len(ann.said) == 3
    ann.controller.press("z", control=True)
    ann.press("backspace")
    assert ann.said == ["good"]
    assert ann.on_show == ann.clips[1]
    ann.press("backspace backspace")
    assert ann.said == []
    assert "no verdict to undo" in ann.controller.view().message


def test_control_with_a_verdict_key_judges_nothing(ann: Curator) -> None:
    ann.controller.press("s", control=True)
    assert ann.said == []


def test_the_picture_is_the_frame_of_the_replay_file(ann: Curator, library: Library) -> None:
    clip = ann.on_show
    assert clip is not None
    with ReplayFile(library.episode_path(clip.episode_id)) as replay:
        for _ in range(40):
            ann.controller.advance(1 / 60)
            shown = ann.controller.view().shown
            assert shown is not None
            np.testing.assert_array_equal(shown.picture, replay.frames(shown.number, shown.number + 1)[0])
            row = max(0, shown.number - 1)
            assert shown.action == replay.origin.action_meanings[replay.actions[row]]
            assert shown.lives == replay.lives[shown.number]


def gains_within(outline: EpisodeOutline, start: int, stop: int) -> bool:
    return any(start <= row < stop for row, _ in outline.gains)


def test_points_and_a_lost_life_stay_visible_for_a_moment(ann: Curator) -> None:
    rows, outline = next(
        (alone, one)
        for one in ann.controller._outlines.values()
        if one.deaths and (alone := [pair for pair in one.gains if not gains_within(one, pair[0] + 1, pair[0] + 50)])
    )
    row, amount = rows[0]
    death = outline.deaths[0]
    ann.controller.session.show_cut(Clip(outline.episode_id, max(0, row - 60), row + 60))
    ann.controller._show_current()
    shown = {}
    for frame in (row, row + 1, row + 20, row + 50):
        ann.controller.scrub(frame)
        ann.controller.advance(0)
        shown[frame - row] = ann.controller.view().shown.reward
    before = [points for gain, points in outline.gains if row - 36 <= gain < row and gain >= max(0, row - 60)]
    assert (shown[0], shown[1], shown[20], shown[50]) == (before[-1] if before else 0, amount, amount, 0)
    ann.controller.scrub(death)
    ann.controller.advance(0)
    assert not ann.controller.view().shown.life_lost
    ann.controller.scrub(death + 1)
    ann.controller.advance(0)
    assert ann.controller.view().shown.life_lost


def test_arrows_step_by_a_frame_and_pause_also_while_held(ann: Curator) -> None:
    start = ann.controller.player.frame
    ann.press("right right")
    ann.controller.press("right", repeat=True)
    ann.press("left")
    ann.controller.press("right", shift=True)
    ann.controller.advance(1.0)
    assert ann.controller.player.frame == start + 2 + 15
    assert ann.controller.view().paused
    ann.press("end")
    assert ann.controller.player.frame == ann.on_show.stop


def test_a_note_goes_with_the_next_verdict_and_with_no_other(ann: Curator) -> None:
    ann.press("n")
    ann.controller.write("a good shop")
    ann.press("backspace g b")  # Letters are text now, not verdicts.
    ann.controller.write("t ")
    assert ann.said == []
    ann.press("return g b")
    assert [verdict.note for verdict in ann.labels.verdicts()] == ["a good shot", ""]


def test_escape_cancels_a_note_and_does_not_quit(ann: Curator) -> None:
    ann.press("n")
    ann.controller.write("nonsense")
    ann.press("escape g")
    assert (ann.labels.verdicts()[0].note, ann.controller.closed) == ("", False)


def test_v_puts_a_clip_aside(ann: Curator) -> None:
    ann.press("v")
    assert [(v.verdict, v.put_aside, v.note) for v in ann.labels.verdicts()] == [("skip", True, "")]


def test_a_clip_judged_in_another_window_is_reported_and_replaced_only_on_request(ann: Curator) -> None:
    ann.labels.record(Verdict(ann.clips[0], "Ann", "bad"))  # While it is on show here.
    ann.labels.record(Verdict(ann.clips[1], "Ann", "skip"))
    ann.press("g")
    message = ann.controller.view().message
    assert message.startswith("Also judged in another window: bad.") and ann.said == ["bad", "skip"]
    assert ann.on_show == ann.clips[0]
    ann.press("g")
    assert sorted(ann.said) == ["good", "skip"]
    assert ann.controller.view().message.startswith("Also judged in another window: skip at ")
    assert ann.on_show == ann.clips[2]
    ann.press("backspace")
    assert sorted(ann.said) == ["bad", "skip"]  # The other window's verdicts stay.


def test_digits_reopen_the_last_verdicts_and_escape_goes_back_to_the_queue(ann: Curator) -> None:
    ann.press("g b s 3")
    assert ann.on_show == ann.clips[0]
    assert ann.controller.view().standing.verdict == "good"
    ann.press("escape")
    assert (ann.on_show, ann.controller.closed) == (ann.clips[3], False)
    ann.press("3 b")
    assert ann.said == ["bad", "skip", "bad"]
    ann.press("9 escape")
    assert ann.controller.closed


def test_a_clip_is_cut_from_either_end(ann: Curator) -> None:
    first = ann.on_show
    assert first is not None
    start = 0 if first.start >= 300 else 600  # Where the cut does not cover the clip that waits.
    ann.controller.scrub(start + 130)
    ann.press("o")
    assert "press I" in ann.controller.view().cut_hint
    ann.controller.scrub(start)
    ann.press("i")
    assert ann.on_show == Clip(first.episode_id, start, start + 130)
    ann.press("g")
    assert [(v.clip.start, v.clip.stop, v.queue) for v in ann.labels.verdicts()] == [(start, start + 130, "by hand")]
    assert ann.on_show == first


def test_a_cut_of_another_length_than_one_to_five_seconds_is_refused_and_one_end_can_be_moved(ann: Curator) -> None:
    first = ann.on_show
    for start, stop in ((100, 130), (100, 500)):
        ann.controller.scrub(start)
        ann.press("i")
        ann.controller.scrub(stop)
        ann.press("o")
        assert "1 to 5 seconds" in ann.controller.view().message
        assert ann.on_show == first
    ann.controller.scrub(400)
    ann.press("o")
    assert ann.on_show == Clip(first.episode_id, 100, 400)


def test_escape_discards_an_unfinished_cut_before_it_quits(ann: Curator) -> None:
    ann.press("i right right escape")
    assert (ann.controller.view().cut_hint, ann.controller.view().cut_from, ann.controller.closed) == ("", None, False)
    ann.press("escape")
    assert ann.controller.closed


def test_the_hint_of_a_cut_stays_while_stepping(ann: Curator) -> None:
    ann.press("i right right , .")
    assert "press O" in ann.controller.view().cut_hint


def test_a_note_waits_for_its_clip_while_another_is_on_show(ann: Curator) -> None:
    ann.press("g n")
    ann.controller.write("well aimed")
    ann.press("return 1")
    assert ann.controller.view().note == ""
    ann.press("escape")
    assert ann.controller.view().note == "well aimed"
    ann.press("b g")
    assert [(v.verdict, v.note) for v in ann.labels.verdicts()][1:] == [("bad", "well aimed"), ("good", "")]


def test_reaching_the_goal_is_reported_once(ann: Curator) -> None:
    ann.controller._goal = 2
    ann.press("g")
    assert ann.controller.view().message == ""
    ann.press("b")
    assert "your goal of 2 verdicts" in ann.controller.view().message


def test_a_repeated_clip_hides_its_first_verdict_until_it_is_judged(ann: Curator) -> None:
    first = ann.on_show
    ann.press("b")
    repeat = QueuedClip(first, "repeat:uniform", "sampled at random")
    ann.controller.session.replace_queue([repeat, *ann.controller.session.upcoming(5)])
    ann.controller._show_current()
    view = ann.controller.view()
    assert (ann.on_show, view.standing, view.verdicts) == (first, None, [])
    assert "bad" not in view.queued.reason
    ann.press("g")
    assert ann.controller.view().message == "You judged this clip before and said bad."


class Queues:
    """Three queues with as many clips as their names say."""

    clips: tuple[QueuedClip, ...]

    def __init__(self, clips: list[Clip]) -> None:
        self.sizes = {"uniform": 0, "markers": 1, "before-death": 2}
        self.clips = tuple(QueuedClip(clip, "markers", "marked by the player") for clip in clips)

    def names(self, current: str) -> list[str]:
        assert current in self.sizes
        return [*self.sizes, "uncertain"]

    def why_not(self, name: str) -> str:
        return "Needs a learned judge" if name == "uncertain" else ""

    def count(self, name: str) -> int:
        return self.sizes[name]

    def build(self, name: str) -> list[QueuedClip]:
        return list(self.clips[: self.sizes[name]])

    def following(self, done: str) -> WaitingQueue | None:
        return None if done == "markers" else WaitingQueue("markers", self.clips[:1])


def test_the_end_of_a_queue_offers_the_next_one_another_one_and_a_training(ann: Curator) -> None:
    ann.controller._queues = Queues(ann.clips[-2:])
    ann.controller._can_train = True
    ann.controller.session.replace_queue([])
    ann.controller._show_current()
    end = ann.controller.view().end
    room = Box(0, 0, 600, 600)
    labels = [button.label for button in end_buttons(room, end).values()]
    assert labels == ["Next: Marked moments, 1 clip", "Choose another queue", "Train an agent now"]
    ann.press("tab")
    assert (ann.on_show, ann.controller.view().queue) == (ann.clips[-2], "Marked moments")
    ann.press("g tab")
    end = ann.controller.view().end
    assert "record more episodes" in end.text and list(end_buttons(room, end)) == ["q", "t"]
    ann.press("t")
    assert ann.controller.train_requested and ann.controller.closed


def test_a_queue_is_chosen_from_a_list_with_counts(ann: Curator) -> None:
    ann.controller._queues = Queues(ann.clips[-2:])
    ann.press("q")
    for _ in range(4):
        ann.controller.advance(1 / 60)
    menu = ann.controller.menu
    assert menu is not None and menu.all_counted
    assert [(row.queue, row.count) for row in menu.rows] == [
        ("uniform", 0),
        ("markers", 1),
        ("before-death", 2),
        ("uncertain", None),
    ]
    ann.press("4")  # It cannot be chosen.
    assert ann.controller.menu is not None
    ann.press("g down down return")
    assert (ann.controller.menu, ann.said, ann.on_show) == (None, [], ann.clips[-2])
    assert ann.controller.view().queue == "Before a lost life"


def test_an_edge_dragged_on_the_timeline_makes_the_clip_that_is_judged_and_can_be_undone(
    ann: Curator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert ann.on_show is not None
    first = Clip(ann.on_show.episode_id, 300, 480)
    ann.controller.session.replace_queue([QueuedClip(first, "uniform", "sampled at random")])
    ann.controller._show_current()
    with Window("curator") as window:
        loop = WindowLoop(window, ann.controller)
        timeline = curator_layout(window.size_units, 1.0).timeline
        scale = TimelineScale(timeline, ann.controller.view().visible)

        def drag(start: float, stop: float) -> None:
            y = timeline.centre[1]
            events = (PointerDown(start, y), PointerMoved((start + stop) / 2, y), PointerMoved(stop, y))
            for event in (*events, PointerUp(stop, y)):
                loop.handle(event)
                loop.draw_changes()

        drag(scale.x_of(first.stop) + 3, scale.x_of(first.stop + 60) + 3)
        longer = ann.on_show
        assert longer.start == first.start and abs(longer.stop - first.stop - 60) <= 2
        drag(scale.x_of(first.start) - 3, scale.x_of(first.start + 40) - 3)
        shorter = ann.on_show
        assert shorter.stop == longer.stop and abs(shorter.start - first.start - 40) <= 2
        # The wheel zooms the timeline where the pointer is on it, and steps elsewhere.
        loop.handle(Wheel(2))
        assert ann.controller.view().visible != scale.visible
        ann.press("- -")
        assert ann.controller.view().visible == scale.visible
    ann.press("backspace")
    assert ann.on_show == longer
    ann.press("backspace")
    assert ann.on_show == first
    ann.controller.session.show_cut(shorter)
    ann.press("g backspace backspace")
    assert (ann.on_show, ann.said) == (first, [])


def test_the_timeline_shows_the_whole_of_each_episode_until_it_is_zoomed(ann: Curator) -> None:
    counts = {name: one.frame_count for name, one in ann.controller._outlines.items()}
    longest, shortest = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    assert counts[longest] > counts[shortest]
    for name in (shortest, longest, shortest):
        ann.controller.session.show_cut(Clip(name, 0, 180))
        ann.controller._show_current()
        assert ann.controller.view().visible == FrameRange(0, counts[name])
    ann.press("+")
    zoomed = ann.controller.view().visible
    ann.controller.session.show_cut(Clip(longest, 0, 180))
    ann.controller._show_current()
    assert ann.controller.view().visible.last == zoomed.last - zoomed.first


def test_a_window_in_which_nothing_moves_is_not_drawn_again(ann: Curator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("curator") as window:
        loop = WindowLoop(window, ann.controller)
        assert loop.draw_changes()
        ann.controller.advance(1 / 60)
        assert loop.draw_changes()
        ann.press("p")
        assert loop.draw_changes()
        for _ in range(3):
            ann.controller.advance(1 / 60)
            assert not loop.draw_changes()
        assert ann.controller.seconds_until_change == 1.0
        loop.handle(Resized())
        assert loop.draw_changes()
        for _ in ann.clips:
            ann.press("g")
        loop.draw_changes()
        ann.controller.advance(1 / 60)
        assert not loop.draw_changes() and ann.controller.seconds_until_change == 1.0


def test_help_takes_all_keys_until_it_is_closed(ann: Curator) -> None:
    ann.press("f1 g")
    assert ann.controller.help_open and ann.said == []
    ann.press("escape g")
    assert (ann.controller.help_open, ann.controller.closed, ann.said) == (False, False, ["good"])


def test_when_all_is_judged_keys_judge_nothing_and_undo_still_works(ann: Curator) -> None:
    for _ in ann.clips:
        ann.press("g")
    ann.press("g b n p left i 1 escape")
    assert ann.on_show is None
    assert (len(ann.said), ann.controller.title) == (len(ann.clips), "Replay Coach - curating, nothing left")
    assert ann.controller.view().end.title == "This queue is finished."
    ann.press("backspace")
    assert ann.on_show == ann.clips[-1]


def test_a_verdict_that_cannot_be_written_keeps_its_clip(ann: Curator, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise CoachError("The disk is full.")

    monkeypatch.setattr(ann.labels, "record_if_unchanged", full)
    ann.press("g")
    assert (ann.on_show, ann.controller.view().message) == (ann.clips[0], "The disk is full.")
    monkeypatch.undo()
    ann.press("g")
    assert (ann.said, ann.on_show) == (["good"], ann.clips[1])


@pytest.mark.parametrize("broken_first", [True, False], ids=["first", "last"])
def test_a_clip_that_cannot_be_read_is_skipped_and_reported(tmp_path: Path, broken_first: bool) -> None:
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
        controller = CuratorController(
            Session(labels, "Ann", queue, {name: one.frame_count for name, one in outlines.items()}),
            reader,
            outlines,
            "uniform",
        )
        flashes = {controller.view().message}
        while controller.session.current is not None:
            controller.press("g")
            flashes.add(controller.view().message)
        title, text = controller.view().end.title, controller.view().end.text
        assert {verdict.clip.episode_id for verdict in labels.verdicts()} == {whole}
    assert f"Skipped an unreadable clip: {path.name} is truncated: the end of the file is missing." in " ".join(flashes)
    assert title == "All readable clips are judged."
    assert f"{passed_over} clips could not be read; `coach verify` finds what is broken." in text
    assert str(controller.session.summary()).endswith(f"; 0 clips are left. {text.partition('last verdict. ')[2]}")


def test_the_next_clips_are_decoded_before_they_are_needed(ann: Curator, monkeypatch: pytest.MonkeyPatch) -> None:
    upcoming = [one.clip for one in ann.controller.session.upcoming(3)]
    reader = ann.controller._reader
    needed = {
        (clip.episode_id, block)
        for clip in upcoming
        for block in range(clip.start // CHUNK_FRAMES, clip.stop // CHUNK_FRAMES + 1)
    }
    until = time.monotonic() + 30
    while not needed <= set(reader._blocks):
        assert time.monotonic() < until
        time.sleep(0.01)

    def read(*_: object) -> None:
        raise AssertionError("a frame was read from the file")

    monkeypatch.setattr(ReplayFile, "frames", read)
    for clip in upcoming:
        for frame in range(clip.start, clip.stop + 1):
            reader.frame(clip.episode_id, frame)


def test_a_verdicts_key_is_chosen_in_one_place(ann: Curator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key for good changes in the table: the key, the button, a click and the list of keys follow."""
    changed = tuple(replace(one, key="y") if one.verdict == "good" else one for one in VERDICT_KEYS)
    for module in (keys, drawing):
        monkeypatch.setattr(module, "VERDICT_KEYS", changed)
    ann.press("g")
    assert ann.said == []
    ann.press("y")
    assert ann.said == ["good"]
    assert key_list()[0] == ("Y", "Good")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("curator") as window:
        button = drawing.verdict_buttons(curator_layout(window.size_units, 1.0), True)["good"]
        WindowLoop(window, ann.controller).handle(PointerDown(*button.box.centre, 1))
    assert (button.key, ann.said) == ("Y", ["good", "good"])


def test_no_two_rows_of_the_key_list_share_a_key() -> None:
    caps = [cap for row, _ in key_list() for cap in row.split()]
    assert len(set(caps)) == len(caps)


def test_a_clip_that_was_put_aside_keeps_the_curators_own_note_only(ann: Curator) -> None:
    ann.press("n")
    ann.controller.write("which ship?")
    ann.press("return v")
    verdict = ann.labels.verdicts()[0]
    assert (verdict.put_aside, verdict.note) == (True, "which ship?")
    assert drawing._about(verdict) == "to see again: which ship?"
    ann.press("1 n")
    assert ann.controller.note_field is not None and ann.controller.note_field.text == "which ship?"
    ann.press("return v 1 g")
    assert [(one.verdict, one.note) for one in ann.labels.verdicts()] == [("good", "which ship?")]
    ann.press("v 1 n")
    assert ann.controller.note_field.text == ""


def test_a_note_is_edited_at_its_caret(ann: Curator) -> None:
    ann.press("n")
    ann.controller.write("good sot")
    ann.press("left left")
    ann.controller.write("h")
    ann.press("return g")
    assert ann.labels.verdicts()[0].note == "good shot"


@pytest.mark.parametrize(
    ("queue", "title", "text"),
    [
        ("markers", "No clips in this queue.", "No markers yet. Press K while playing."),
        ("before-death", "No clips in this queue.", "No life was lost in these episodes."),
        ("second-look", "No clips were put aside.", "Press V while judging to see a clip again later."),
    ],
)
def test_an_empty_queue_says_why(queue: str, title: str, text: str) -> None:
    shown = end_of_queue(queue, has_judged=False)
    assert shown.title == title
    assert shown.text.startswith(text)


def shown(controller: CuratorController) -> str:
    """Everything that a key can change, as text."""
    return str((controller.view(), controller.help_open, controller.note_field, controller.menu, controller.closed))


def test_every_key_of_the_list_does_something(ann: Curator) -> None:
    names = {
        "Bksp": "backspace",
        "Ctrl+Z": "z",
        "←": "left",
        "→": "right",
        "Esc": "escape",
        "…": "",
        "F11": "",
        "Tab": "",
        "T": "",
    }
    ann.controller._queues = Queues(ann.clips[-2:])
    for caps, meaning in key_list():
        for cap in caps.split():
            key = names.get(cap, cap.lower())
            if not key:
                continue
            ann.controller.player.show(ann.clips[0], 1500)
            ann.controller.scrub(700)
            ann.press("g " * 10)
            ann.controller.scrub(700)
            ann.controller.advance(0)
            controller = ann.controller
            if cap == "-":
                controller.press("+")
            before = (
                controller.view(),
                controller.help_open,
                controller.note_field,
                controller.menu,
                controller.closed,
            )
            controller.press(key, control=cap == "Ctrl+Z")
            controller.advance(0)
            after = shown(controller)
            assert before != after, f"{cap} is to do: {meaning}"
            controller.help_open, controller.note_field, controller.closed = False, None, False
            controller.menu = None
            ann.controller.session.return_to_queue()
            for _ in range(12):
                ann.press("backspace")
