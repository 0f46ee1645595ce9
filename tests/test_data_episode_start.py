"""Episodes that start inside another one: self-contained, verified, recovered, and with the names of all who played."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay_episodes import play, record, writable_copy

from data.continuation import start_inside
from data.episode import EmulatorSettings, Origin
from data.episode_start import StartedFrom, action_runs, actions_of_runs
from data.errors import CoachError
from data.journal import origin_from_dict, origin_to_dict
from data.library import Library
from data.recovery import recover
from data.replay_file import ReplayFile, renamed_image
from data.replay_format import ATTRIBUTES_CHECK, attributes_digest
from data.simulation import Emulator
from data.verification import verify

PLAYERS = (("agent", "run-1"), ("human", "Ada"))


def continued(library: Library, parent: Path, frame: int, frames: int = 60) -> Path:
    """Record random play from a frame of ``parent`` on."""
    with ReplayFile(parent) as replay:
        settings, start = start_inside(replay, frame)
        emulator = Emulator(replay.origin.game, settings, replay.origin.action_meanings)
    origin = emulator.origin("run-1", players=PLAYERS, started_from=start)
    writer = library.begin_episode(origin, "random", emulator.state())
    play(writer, emulator, frames, np.random.default_rng(1))
    return writer.publish("truncated", emulator.palette)


@given(st.binary(max_size=300))
def test_actions_come_back_from_their_runs(actions: bytes) -> None:
    assert actions_of_runs(json.loads(json.dumps(action_runs(actions)))) == actions


@pytest.mark.parametrize("runs", [[[0, 0]], [[0, -1]], [[256, 1]], [[0, 10**9]], [[0]], [["0", 1]], 5])
def test_runs_that_are_not_valid_are_refused(runs: object) -> None:
    with pytest.raises(CoachError, match="not readable"):
        EmulatorSettings.from_json(json.dumps({"actions_before": runs}))


def test_settings_without_actions_before_are_stored_as_ever() -> None:
    assert "actions_before" not in EmulatorSettings().to_json()


@pytest.mark.parametrize("game", ["SpaceInvaders", "Breakout", "Pong"])
def test_an_episode_from_any_frame_of_another_verifies(game: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    parent = record(library, 240, game, seed=3)
    for frame in np.random.default_rng(0).integers(0, 241, 3):
        path = continued(library, parent, int(frame))
        assert verify(path).ok, verify(path).sentence
        with ReplayFile(path) as child, ReplayFile(parent) as whole:
            first = int(frame) - int(frame) % 4
            np.testing.assert_array_equal(child.frames(0, 1)[0], whole.frames(first, first + 1)[0])
            assert child.origin.started_from == StartedFrom(first, parent.stem, whole.digest)


def test_an_episode_verifies_without_the_one_it_starts_in(tmp_path: Path) -> None:
    library = Library(tmp_path)
    parent = record(library, 100)
    path = continued(library, continued(library, parent, 80), 40)
    os.remove(parent)
    assert verify(path).ok


def test_a_changed_start_is_noticed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    copy = writable_copy(continued(library, record(library, 200), 160), tmp_path)
    with h5py.File(copy, "r+") as file:
        settings = json.loads(file.attrs["settings"])
        settings["actions_before"] = [[1, 160]]
        file.attrs["settings"] = json.dumps(settings)
        attributes = {n: v.tolist() if hasattr(v, "tolist") else v for n, v in file.attrs.items()}
        file.attrs[ATTRIBUTES_CHECK] = attributes_digest(attributes)
    assert (verify(copy).kind, verify(copy).frame) in (("frame", 0), ("ram", 0))


def test_an_action_that_the_game_does_not_have_is_one_sentence() -> None:
    with pytest.raises(CoachError, match="there is no action 9"):
        Emulator("Pong", EmulatorSettings(actions_before=b"\x00\x09"))


def test_a_frame_that_the_episode_does_not_have_is_refused(tmp_path: Path) -> None:
    with ReplayFile(record(Library(tmp_path), 100)) as replay, pytest.raises(CoachError, match="frames 0 to 100"):
        start_inside(replay, 101)


def test_a_journal_keeps_the_start_and_all_players(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with ReplayFile(record(library, 100)) as replay:
        settings, start = start_inside(replay, 60)
    emulator = Emulator("SpaceInvaders", settings)
    origin = emulator.origin("run-1", players=PLAYERS, started_from=start)
    assert origin_from_dict(json.loads(json.dumps(origin_to_dict(origin)))) == origin
    writer = library.begin_episode(origin, "human", emulator.state())
    play(writer, emulator, 40, np.random.default_rng(0))
    writer._journal.close(keep=True)  # as a crash leaves it
    (path,) = recover(library)
    assert verify(path).ok
    with ReplayFile(path) as recovered:
        assert recovered.origin == dataclasses.replace(origin, created=recovered.origin.created)


def test_each_player_has_their_own_frames_and_name(tmp_path: Path) -> None:
    library = Library(tmp_path)
    emulator = Emulator("SpaceInvaders")
    writer = library.begin_episode(emulator.origin("run-1", players=PLAYERS), "agent", emulator.state())
    for kind in (0, 0, 0, 0, 0, 1, 1, 1):
        for _ in range(4):
            writer.append(0, kind, emulator.step(0))
    path = writer.publish("abandoned", emulator.palette)
    (episode,) = library.episodes()
    assert (episode.player, episode.demonstrator) == ("Ada", "human")
    assert (episode.player_of("agent"), episode.player_of("human")) == ("run-1", "Ada")
    with ReplayFile(path) as replay:
        assert replay.origin.player == "run-1"
        image = renamed_image(replay, {"Ada": "player-1"})
    renamed = tmp_path / "renamed.h5"
    renamed.write_bytes(image)
    with ReplayFile(renamed) as replay:
        assert dict(replay.origin.players) == {"agent": "run-1", "human": "player-1"}
    assert b"Ada" not in image


def test_nonsense_about_the_start_is_passed_over() -> None:
    for text in (None, "", "[]", "3", '{"frame": -1}', '{"frame": "x"}', '{"episode": "a"}'):
        assert StartedFrom.from_json(text) is None
    start = StartedFrom(40, run="run-1", step=300)
    assert StartedFrom.from_json(start.to_json()) == start
    assert "run-1" in str(start)
    assert Origin("Pong", EmulatorSettings(), ("NOOP",), "", "").player_of("human") == ""
