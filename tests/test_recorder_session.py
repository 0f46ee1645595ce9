"""Sessions without a window: starting, pausing, saving, discarding, taking over, and resuming unfinished episodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from played_sessions import Player, Watcher, assert_simulates_equal, files_in

from data.clip import Clip, Verdict
from data.continuation import read_unended
from data.episode import PaceReport
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.recovery import recover
from data.replay_file import ReplayFile
from data.verification import verify
from recorder.controls import KeyMap
from recorder.session_state import COUNTDOWN_TICKS, SessionState


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    player = Player(tmp_path)
    yield player
    if not player.session.closed:
        player.session.close()


def test_nothing_is_recorded_before_the_first_game_key(player: Player, tmp_path: Path) -> None:
    player.ticks(30)
    player.press("m", "k", "x")
    assert (player.session.state, player.session.take.frame) == (SessionState.READY, 0)
    assert files_in(tmp_path) == []


def test_the_key_that_starts_the_episode_is_its_first_action(player: Player) -> None:
    player.press("space")
    player.ticks(8)
    player.press("escape", "return")
    assert player.actions() == ["FIRE"] * 4 + ["NOOP"] * 4


def test_keys_are_latched_at_decisions(player: Player) -> None:
    player.press("return")
    player.ticks(6)
    player.keys.down("left")
    player.ticks(4)
    player.keys.up("left")
    player.ticks(6)
    player.press("escape", "return")
    assert player.actions() == ["NOOP"] * 8 + ["LEFT"] * 4 + ["NOOP"] * 4


def test_with_a_frame_skip_of_one_keys_act_at_every_frame(tmp_path: Path) -> None:
    player = Player(tmp_path, settings={"frame_skip": 1})
    player.press("return")
    player.ticks(2)
    player.keys.down("left")
    player.ticks(1)
    player.keys.up("left")
    player.ticks(2)
    player.session.close()
    assert player.actions() == ["NOOP", "NOOP", "LEFT", "NOOP", "NOOP"]


def test_a_pause_leaves_no_trace_in_the_episode(player: Player) -> None:
    player.press("return")
    player.ticks(10)
    player.press("p")
    player.keys.down("left")
    player.ticks(50)
    player.keys.up("left")
    player.press("p")
    player.ticks(10)
    player.press("escape", "return")
    assert player.episodes() == [(20, "abandoned")]
    assert set(player.actions()) == {"NOOP"}


def test_a_window_that_loses_the_keyboard_pauses_and_releases_all_keys(player: Player) -> None:
    player.press("return")
    player.keys.down("left")
    player.ticks(4)
    player.session.pause()
    assert player.session.state is SessionState.PAUSED
    player.press("p")
    player.ticks(4)
    player.press("escape", "return")
    assert player.actions() == ["LEFT"] * 4 + ["NOOP"] * 4


def test_space_counts_down_and_the_space_does_not_fire(player: Player) -> None:
    player.press("return")
    player.ticks(8)
    player.press("p", "space")
    player.ticks(COUNTDOWN_TICKS - 1)
    assert (player.session.state, player.session.take.frame) == (SessionState.COUNTDOWN, 8)
    player.ticks(9)
    player.press("escape", "return")
    assert player.episodes() == [(16, "abandoned")]
    assert set(player.actions()) == {"NOOP"}


def test_holding_backspace_rewinds_and_space_resumes_from_there(player: Player) -> None:
    player.press("return")
    player.keys.down("left")
    player.ticks(120)
    player.keys.up("left")
    player.keys.down("backspace")
    player.ticks(10)
    player.keys.up("backspace")
    assert (player.session.state, player.session.take.frame) == (SessionState.PAUSED, 80)
    player.press("space")
    player.ticks(COUNTDOWN_TICKS - 1 + 21)
    player.press("escape", "return")
    assert player.episodes() == [(100, "abandoned")]
    assert player.actions() == ["LEFT"] * 80 + ["NOOP"] * 20


def test_forward_shows_what_is_recorded_and_then_plays_decision_by_decision(player: Player) -> None:
    player.press("return")
    player.ticks(20)
    player.press("p")
    player.session.take.seek(12)
    player.press("n", "n")
    assert (player.session.take.frame, player.session.take.recorded_frames) == (20, 20)
    player.keys.down("left")
    player.press("n")
    player.keys.up("left")
    player.press("n", "escape", "return")
    assert player.actions() == ["NOOP"] * 20 + ["LEFT"] * 4 + ["NOOP"] * 4


def test_a_restart_discards_the_take_and_can_be_undone(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(20)
    player.press("r")
    assert player.session.state is SessionState.READY
    player.press("u")
    assert (player.session.state, player.session.take.frame) == (SessionState.PAUSED, 20)
    player.press("r", "return")
    player.ticks(8)
    player.press("escape", "return")
    player.session.close()
    assert player.episodes() == [(8, "abandoned")]
    assert files_in(tmp_path) == [player.session.paths[0].name]


@pytest.mark.parametrize("key", ["delete", "backspace"])
def test_a_discarded_episode_leaves_no_file_but_can_be_brought_back(player: Player, tmp_path: Path, key: str) -> None:
    player.press("return")
    player.ticks(20)
    player.press("escape")
    assert player.session.state is SessionState.ENDED
    player.press(key, "u", "escape", key)
    assert [episode.saved for episode in player.session.episodes] == [False]
    player.session.close()
    assert player.session.paths == []
    assert files_in(tmp_path) == []


def test_game_over_ends_the_episode_and_asks(player: Player) -> None:
    player.press("return")
    while player.session.state is SessionState.PLAYING:
        player.ticks(1)
    assert (player.session.state, player.session.take.ended_by) == (SessionState.ENDED, "game_over")
    player.press("return")
    assert player.episodes()[0][1] == "game_over"
    assert player.session.state is SessionState.READY


def test_from_game_over_one_can_go_back_into_the_episode(player: Player) -> None:
    player.press("return")
    while player.session.state is SessionState.PLAYING:
        player.ticks(1)
    player.press("p")
    assert player.session.state is SessionState.PAUSED
    assert not player.session.take.over
    player.press("p")
    player.ticks(8)
    player.session.close()
    assert player.episodes()[0][1] == "abandoned"


def test_closing_during_an_episode_saves_it_as_abandoned(player: Player) -> None:
    player.press("return")
    player.ticks(30)
    player.session.close()
    assert player.episodes() == [(30, "abandoned")]


def test_closing_before_the_first_decision_saves_nothing(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(3)
    player.session.close()
    assert (player.session.paths, files_in(tmp_path)) == ([], [])


def test_escape_with_no_episode_quits(player: Player) -> None:
    player.press("escape")
    assert player.session.closed


def test_markers_are_in_the_file(player: Player) -> None:
    player.press("return")
    player.ticks(20)
    player.press("k", "k")
    player.ticks(10)
    player.press("k", "escape", "return")
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.markers.tolist() == [20, 30]


def test_how_evenly_the_frames_came_is_in_the_file(player: Player) -> None:
    player.press("return")
    for late in (0.0, 0.0005, 0.0021, 0.030, 0.0):
        player.session.frame_due(late)
    player.press("escape", "return")
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.pace == PaceReport(5, 2, 0.030)
    assert verify(player.session.paths[0]).ok


@pytest.mark.parametrize(
    "text", [None, 7, "{}", "[]", '{"frames": 2, "late_frames": 3, "worst_seconds": 0}', "[" * 100_000]
)
def test_an_invalid_pace_is_ignored(text: object) -> None:
    assert PaceReport.from_json(text) is None


def test_changed_keys_play(tmp_path: Path) -> None:
    player = Player(tmp_path, KeyMap().with_key("left", "j").with_key("marker", "x"))
    player.press("left")
    assert player.session.state is SessionState.READY
    player.press("j")
    player.ticks(4)
    player.press("x")
    player.session.close()
    assert player.actions() == ["LEFT"] * 4
    with ReplayFile(player.session.paths[0]) as replay:
        assert replay.markers.tolist() == [4]


def test_each_frame_says_who_chose_it_when_the_controls_are_taken_over(tmp_path: Path) -> None:
    player = Player(tmp_path, other=Watcher())
    player.press("return")
    player.ticks(20)
    player.press("t")
    player.keys.down("left")
    player.ticks(20)
    player.press("t")
    player.keys.up("left")
    player.ticks(20)
    player.session.close()
    ((frames, _),) = player.episodes()
    with ReplayFile(player.session.paths[0]) as replay:
        kinds = [replay.demonstrator_kinds[kind] for kind in replay.demonstrator]
        assert frames == 60
        assert kinds == ["agent"] * 20 + ["human"] * 20 + ["agent"] * 20
        assert {player.actions()[frame] for frame in range(20, 40)} == {"LEFT"}


def test_an_episode_that_was_only_watched_is_not_saved_when_the_window_closes(tmp_path: Path) -> None:
    player = Player(tmp_path, other=Watcher())
    player.press("return")
    player.ticks(20)
    player.session.close()
    assert (player.session.paths, files_in(tmp_path)) == ([], [])


def test_a_library_that_becomes_unwritable_is_reported_and_nothing_is_lost(player: Player, tmp_path: Path) -> None:
    player.press("return")
    player.ticks(20)
    player.press("escape")
    hidden = (tmp_path / "replays").rename(tmp_path / "elsewhere")
    player.press("return")
    assert player.session.state is SessionState.ENDED
    assert "Cannot write" in player.session.save_problem
    hidden.rename(tmp_path / "replays")
    player.press("return")
    assert player.episodes() == [(20, "abandoned")]


def abandoned(folder: Path, frames: int = 42) -> Path:
    """Play an unfinished episode of so many frames: LEFT held, with a marker at frame 20."""
    player = Player(folder, player="Ann")
    player.keys.down("left")
    player.ticks(20)
    player.press("k")
    player.ticks(frames - 20)
    player.session.close()
    return player.session.paths[0]


def resumed(folder: Path, old: Path, frames: int = 42) -> Player:
    player = Player(folder, unended=read_unended(old))
    while player.session.state is SessionState.RESTORING:
        player.ticks(1)
    assert (player.session.state, player.session.take.frame) == (SessionState.PAUSED, frames - frames % 4)
    return player


def test_a_resumed_episode_is_saved_as_one_episode(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    verdict = Verdict(Clip(old.stem, 0, 40), "Cy", "good")
    with LabelDatabase(Library(tmp_path).labels) as labels:
        labels.record(verdict)
    player = resumed(tmp_path, old)
    player.press("p")
    player.ticks(20)
    player.press("escape", "return")
    assert player.episodes() == [(60, "abandoned")]
    assert player.actions() == ["LEFT"] * 40 + ["NOOP"] * 20
    (new,) = player.session.paths
    with ReplayFile(new) as replay:
        assert (replay.markers.tolist(), replay.origin.player) == ([20], "Ann")
    assert verify(new).ok
    assert [episode.path for episode in Library(tmp_path).episodes()] == [str(new)]
    assert (tmp_path / "continued" / old.name).is_file()
    with LabelDatabase(Library(tmp_path).labels) as labels:
        assert [found.clip for found in labels.verdicts(new.stem)] == [Clip(new.stem, 0, 40)]
    assert player.session.next is not None
    assert player.session.next.unended is None, "ordinary play follows"


def test_a_resumed_episode_can_be_rewound_into_what_was_played_before(tmp_path: Path) -> None:
    player = resumed(tmp_path, abandoned(tmp_path))
    player.session.take.seek(24)
    player.press("p")
    player.ticks(8)
    player.session.close()
    assert player.session.take.common_frames == 24
    assert player.actions() == ["LEFT"] * 24 + ["NOOP"] * 8
    assert_simulates_equal(player.session.paths[0])


def test_an_episode_that_was_restored_and_not_played_on_is_unchanged(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    resumed(tmp_path, old).session.close()
    player = resumed(tmp_path, old)
    player.press("p")
    player.ticks(8)
    player.press("escape", "delete")
    player.session.close()
    left = Player(tmp_path, unended=read_unended(old))
    left.press("escape")
    left.session.close()
    assert files_in(tmp_path) == [old.name]


def crash(player: Player) -> None:
    """Leave the session as a kill would: the journal is on the disk, and no process holds it."""
    writer = player.session.take._writer
    assert writer is not None
    writer._background.stop()
    writer._journal.close(keep=True)


def test_a_crash_in_a_resumed_episode_leaves_it_once(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    player = resumed(tmp_path, old)
    player.press("p")
    player.ticks(20)
    crash(player)
    (new,) = recover(Library(tmp_path))
    assert verify(new).ok
    assert [(e.path, e.frame_count) for e in Library(tmp_path).episodes()] == [(str(new), 60)]
    assert (tmp_path / "continued" / old.name).is_file()


def test_a_crash_before_anything_new_was_played_leaves_the_episode_unchanged(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    crash(resumed(tmp_path, old))
    assert recover(Library(tmp_path)) == []
    assert files_in(tmp_path) == [old.name]


def test_only_an_unfinished_episode_can_be_resumed(tmp_path: Path) -> None:
    player = Player(tmp_path)
    player.press("return")
    while player.session.state is SessionState.PLAYING:
        player.ticks(1)
    player.press("return")
    with pytest.raises(CoachError, match="is over"):
        read_unended(player.session.paths[0])


def test_an_episode_that_this_emulator_does_not_reproduce_is_unchanged(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    unended = read_unended(old)
    player = Player(tmp_path, unended=replace(unended, last_ram=unended.last_ram ^ 1))
    while not player.session.closed:
        player.ticks(1)
    assert player.session.next is not None
    assert "does not reproduce" in player.session.next.notice
    player.session.close()
    assert files_in(tmp_path) == [old.name]


def rewound_and_played_on(player: Player) -> bytes:
    """Play 60 frames, rewind to frame 20 and play 12 more; return the actions of the first 60."""
    player.press("return")
    player.keys.down("left")
    player.ticks(40)
    player.press("k")
    player.ticks(20)
    player.keys.up("left")
    before = bytes(player.session.take._actions)
    player.press("p")
    player.session.seek(20)
    player.press("p")
    player.ticks(12)
    assert player.session.take.recorded_frames == 32
    return before


def test_undo_restores_what_a_rewind_discarded_and_switches_back(player: Player) -> None:
    before = rewound_and_played_on(player)
    take = player.session.take
    after = bytes(take._actions)
    player.press("u")
    player.ticks(2)
    assert (player.session.state, bytes(take._actions), take.frame) == (SessionState.PAUSED, before, 60)
    assert list(take.markers) == [40]
    player.press("u")
    player.ticks(2)
    assert (bytes(take._actions), list(take.markers)) == (after, [])
    player.press("u")
    player.ticks(2)
    player.press("escape", "return")
    assert player.episodes() == [(60, "abandoned")]
    assert_simulates_equal(player.session.paths[0])


def test_closing_while_a_rewind_is_undone_saves_all_of_it(player: Player) -> None:
    rewound_and_played_on(player)
    player.press("u")
    player.session.close()
    assert player.episodes() == [(60, "abandoned")]


def test_an_episode_that_cannot_be_saved_is_saved_elsewhere(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", str(path))

    player.press("return")
    player.ticks(20)
    player.press("escape")
    with monkeypatch.context() as broken:
        broken.setattr("data.replay_writer.write_atomic", refuse)
        player.press("return")
    assert "Read-only file system" in player.session.save_problem
    player.session.save(tmp_path / "usb stick")
    assert player.session.state is SessionState.READY
    (path,) = (tmp_path / "usb stick").iterdir()
    assert_simulates_equal(path)
    assert player.session.paths == []
