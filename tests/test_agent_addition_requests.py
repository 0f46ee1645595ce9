"""Requests to add an episode to a training: which are made, which are refused, and how they are read."""

from __future__ import annotations

import concurrent.futures
import errno
import json
import os
import shutil
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from added_episodes import added, additions_of, library_of_two, lines, make_run
from agent_episodes import record_episode

import agent.addition_requests as requests_module
import agent.additions as additions_module
import coach
from agent.addition_requests import request_episode
from agent.array_file import read_arrays
from commands.add import giver
from commands.training_controller import LibraryTrainingController
from data.additions import Addition, AdditionsFolder
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import open_run


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    return library_of_two(tmp_path / "library", monkeypatch)


def test_the_training_continues_while_a_large_request_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(library)
    monkeypatch.setattr(additions_module, "READING_SECONDS", 0.0)
    may_read, read = threading.Event(), additions_module.read_arrays

    def slow(path: Path) -> dict[str, np.ndarray]:
        assert may_read.wait(60)
        return read(path)

    monkeypatch.setattr(additions_module, "read_arrays", slow)
    additions, trainer = additions_of(library)
    added(library, "run-1")
    for trainer.step in (1, 2):
        assert additions.take(trainer, []) == []
    may_read.set()
    trainer.step, deadline = 3, time.monotonic() + 60
    while not (found := additions.take(trainer, [])):
        assert time.monotonic() < deadline
    assert [(line.kind, line.decisions, line.step) for line in found] == [("episode", 60, 3)]


def test_an_addition_that_is_due_does_not_mix_with_one_that_is_being_read(library: Library) -> None:
    make_run(library)
    first, second = (added(library, "run-1", kind).request for kind in ("planner", "human"))
    folder = AdditionsFolder(library.run_folder("run-1"))
    folder.record(Addition(first, "episode", 60, step=8, pretrained=4))  # taken by a training that was killed
    additions, trainer = additions_of(library)
    additions._known.add(second)
    additions._waiting.append(second)
    additions._reading = additions._reader.submit(additions._read, second)
    concurrent.futures.wait([additions._reading])
    trainer.step = 8
    assert [line.request for line in additions.take(trainer, [])] == [first, second]
    assert additions.memory is not None
    rows = 0
    for name in (first, second):
        raw = zlib.decompress(read_arrays(folder.requests / name)["observations"].tobytes())
        expected = np.frombuffer(raw, np.uint8).reshape(-1, 84 * 84)
        np.testing.assert_array_equal(additions.memory.observations[rows : rows + len(expected)], expected)
        rows += len(expected)
    assert additions.state() == [first, second]


def test_an_episode_of_another_game_is_refused_in_one_sentence(library: Library) -> None:
    make_run(library, game="Pong")
    with pytest.raises(CoachError, match="is an episode of SpaceInvaders, and run-1 plays Pong"):
        added(library, "run-1")
    assert AdditionsFolder(library.run_folder("run-1")).request_names() == []


def test_two_people_who_add_at_the_same_moment_are_both_taken_once(library: Library) -> None:
    make_run(library)
    with concurrent.futures.ThreadPoolExecutor(2) as people:
        requests = [one.request for one in people.map(lambda kind: added(library, "run-1", kind), ("human", "planner"))]
    additions, trainer = additions_of(library)
    assert [line.request for line in additions.take(trainer, [])] == sorted(requests)
    assert additions.take(trainer, []) == []
    assert [line.decisions for line in lines(library, "run-1")] in ([100, 60], [60, 100])


def test_what_was_played_for_a_run_that_was_deleted_meanwhile_is_kept(library: Library) -> None:
    make_run(library)
    give = giver(library, open_run(library, "run-1"))
    path = Path(library.episodes()[0].path)
    shutil.rmtree(library.run_folder("run-1"))
    with pytest.raises(CoachError, match=f"There is no run run-1 any more; {path.stem} is kept in the library"):
        give(path)
    assert path.is_file()


def test_a_request_that_was_made_for_another_run_is_refused_in_one_sentence(library: Library) -> None:
    make_run(library)
    request = added(library, "run-1").request
    path = AdditionsFolder(library.run_folder("run-1")).requests / request
    arrays = read_arrays(path)
    about = json.loads(arrays["about"].tobytes()) | {"action_meanings": ["NOOP", "UP"]}
    np.savez(path, **{**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)})
    additions, trainer = additions_of(library)
    (line,) = additions.take(trainer, [])
    assert line.kind == "refused"
    assert line.sentence().endswith("was made for another run: its game, actions or settings differ.")
    assert additions.memory is None


def test_a_request_that_a_full_disk_refuses_adds_nothing_and_says_so(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(library)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(requests_module, "write_arrays", full)
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "planner"]
    assert coach.main(["--library", str(library.folder), "add", "run-1", episode]) == 2
    assert "No space left on device); nothing was added." in capsys.readouterr().err
    assert AdditionsFolder(library.run_folder("run-1")).waiting() == []


def test_only_the_persons_decisions_of_an_episode_are_added_and_no_bad_ones(library: Library) -> None:
    make_run(library, keep="good")
    choices = iter([0] * 10**6)
    mixed = record_episode(library, 200, seed=9, kind="agent", choose=lambda *_: next(choices))
    with ReplayFile(library.episode_path(mixed)) as replay:
        verdicts = [Verdict(Clip(mixed, 0, 100), "Ada", "bad")]
        assert request_episode(open_run(library, "run-1"), replay, lambda _: verdicts, dry_run=True).decisions == 25
        with pytest.raises(CoachError, match="50 were not chosen by human"):
            request_episode(open_run(library, "run-1"), replay, by="human")
        with pytest.raises(CoachError, match="--by must be one of"):
            request_episode(open_run(library, "run-1"), replay, by="nobody")


def test_the_command_says_what_becomes_of_an_episode(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(library)
    (episode,) = [e.episode_id for e in library.episodes() if e.demonstrator == "planner"]
    command = ["--library", str(library.folder), "add", "run-1", episode]
    assert coach.main(command) == 0
    assert "run-1 is not being trained; it will add 60 decisions when it is resumed." in capsys.readouterr().out
    shown = LibraryTrainingController(library, "SpaceInvaders").additions("run-1")
    assert shown == "1 addition waits until the training is resumed."
    assert coach.main([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["running"], said["additions"][0]["already_here"], said["additions"][0]["taken"]) == (False, True, None)


def test_one_damaged_file_among_several_adds_nothing(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(library)
    whole = Path(library.episodes()[0].path)
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(whole.read_bytes()[:-5000])
    assert coach.main(["--library", str(library.folder), "add", "run-1", str(whole), str(damaged)]) == 2
    assert "damaged.h5" in capsys.readouterr().err
    assert AdditionsFolder(library.run_folder("run-1")).request_names() == []


def test_a_line_that_a_kill_left_incomplete_is_removed(tmp_path: Path) -> None:
    folder = AdditionsFolder(tmp_path)
    line = Addition("a.npz", "episode", 5, step=4, pretrained=0)
    folder.record(line)
    with folder.log.open("a") as file:
        file.write('{"request": "b.npz", "kind"')
    assert folder.taken() == [line]
    folder.mend()
    folder.record(line)
    assert folder.taken() == [line, line]
    assert line.sentence() == "5 decisions added at step 4."
