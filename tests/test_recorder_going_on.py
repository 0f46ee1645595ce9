"""Going on with an episode that was left before its end, and a crash while it goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from played_sessions import Player, assert_simulates_equal, files_in

from data.clip import Clip, Verdict
from data.continuation import read_unended
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.recovery import recover
from data.replay_file import ReplayFile
from data.verification import verify
from recorder.session_state import SessionState


def abandoned(folder: Path, frames: int = 42) -> Path:
    """An episode that was left, of so many frames: LEFT held, with a marker at frame 20."""
    player = Player(folder, player="Ann")
    player.keys.down("left")
    player.ticks(20)
    player.press("k")
    player.ticks(frames - 20)
    player.session.close()
    return player.session.paths[0]


def going_on(folder: Path, old: Path, frames: int = 42) -> Player:
    player = Player(folder, unended=read_unended(old))
    while player.session.state is SessionState.COMING_BACK:
        player.ticks(1)
    assert (player.session.state, player.session.take.frame) == (SessionState.PAUSED, frames - frames % 4)
    return player


def test_an_episode_that_was_left_goes_on_later_as_one_straight_episode(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    verdict = Verdict(Clip(old.stem, 0, 40), "Cy", "good")
    with LabelDatabase(Library(tmp_path).labels) as labels:
        labels.record(verdict)
    player = going_on(tmp_path, old)
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


def test_an_episode_that_goes_on_can_be_rewound_into_what_was_played_before(tmp_path: Path) -> None:
    player = going_on(tmp_path, abandoned(tmp_path))
    player.session.take.look_at(24)
    player.press("p")
    player.ticks(8)
    player.session.close()
    assert player.session.take.common_frames == 24
    assert player.actions() == ["LEFT"] * 24 + ["NOOP"] * 8
    assert_simulates_equal(player.session.paths[0])


def test_an_episode_that_was_brought_back_and_not_played_on_stays_as_it_was(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    going_on(tmp_path, old).session.close()
    player = going_on(tmp_path, old)
    player.press("p")
    player.ticks(8)
    player.press("escape", "delete")
    player.session.close()
    left = Player(tmp_path, unended=read_unended(old))
    left.press("escape")
    left.session.close()
    assert files_in(tmp_path) == [old.name]


def crash(player: Player) -> None:
    """As after a kill: the journal is on the disk, and nobody holds it."""
    writer = player.session.take._writer
    assert writer is not None
    writer._keeper.stop()
    writer._journal.close(keep=True)


def test_a_crash_while_an_episode_goes_on_leaves_it_once(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    player = going_on(tmp_path, old)
    player.press("p")
    player.ticks(20)
    crash(player)
    (new,) = recover(Library(tmp_path))
    assert verify(new).ok
    assert [(e.path, e.frame_count) for e in Library(tmp_path).episodes()] == [(str(new), 60)]
    assert (tmp_path / "continued" / old.name).is_file()


def test_a_crash_before_anything_new_was_played_leaves_the_episode_as_it_was(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    crash(going_on(tmp_path, old))
    assert recover(Library(tmp_path)) == []
    assert files_in(tmp_path) == [old.name]


def test_only_an_episode_left_before_its_end_goes_on(tmp_path: Path) -> None:
    player = Player(tmp_path)
    player.press("return")
    while player.session.state is SessionState.PLAYING:
        player.ticks(1)
    player.press("return")
    with pytest.raises(CoachError, match="is over"):
        read_unended(player.session.paths[0])


def test_an_episode_that_this_emulator_does_not_reproduce_is_left_alone(tmp_path: Path) -> None:
    old = abandoned(tmp_path)
    unended = read_unended(old)
    player = Player(tmp_path, unended=replace(unended, last_ram=unended.last_ram ^ 1))
    while not player.session.closed:
        player.ticks(1)
    assert player.session.next is not None
    assert "does not reproduce" in player.session.next.notice
    player.session.close()
    assert files_in(tmp_path) == [old.name]
