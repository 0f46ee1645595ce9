"""A disk that fails, at whatever point, costs no published episode, and what was played can be had back."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replay_episodes import RANDOM, begin, play, record

from data import background_writer
from data.errors import CoachError
from data.journal import Journal, rescue_folder
from data.library import Library
from data.recovery import recover, unfinished
from data.replay_file import ReplayFile
from data.replay_writer import ReplayWriter
from data.simulation import Emulator
from data.verification import verify

FRAMES = 150
CALLS = ("write", "fsync", "ftruncate", "fchmod", "replace", "open")
JOURNAL_CALLS = ("fsync", "ftruncate")
"""What only the journal calls while an episode is recorded."""


@pytest.fixture(autouse=True)
def _own_rescue_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class FailingDisk:
    """Lets ``good`` calls that change the disk pass; then fails one call, or all of them."""

    def __init__(self, good: int, permanently: bool) -> None:
        self.good = good
        self.permanently = permanently
        self.calls = 0

    @property
    def has_failed(self) -> bool:
        return self.calls > self.good

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **options)
            self.calls += 1
            if self.calls == self.good + 1 or (self.permanently and self.has_failed):
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)

        return call


@contextmanager
def failing(disk: FailingDisk, calls: tuple[str, ...] = CALLS) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in calls:
            patch.setattr(os, name, disk.wrap(name))
        yield


def play_on(library: Library, disk: FailingDisk, emulator: Emulator) -> tuple[ReplayWriter | None, str]:
    """Record an episode on a failing disk: the writer (None if it could not begin), and the message to the user."""
    emulator.reset()
    with failing(disk):
        try:
            writer = library.begin_episode(emulator.origin(), "random", emulator.state())
        except CoachError as error:
            return None, str(error)
        for part in range(3):
            play(writer, emulator, FRAMES // 3, np.random.default_rng(part))
            writer._journal.sync()
        try:
            writer.publish("abandoned", emulator.palette)
        except CoachError as error:
            return writer, str(error)
    return writer, ""


@pytest.mark.parametrize("permanently", [False, True], ids=["once", "permanently"])
def test_a_write_that_fails_at_any_point_leaves_the_library_whole_and_the_episode_recoverable(
    permanently: bool, tmp_path: Path
) -> None:
    library = Library(tmp_path / "library")
    library.prepare()
    emulator = Emulator("SpaceInvaders")
    before = record(library, 60)
    whole = before.read_bytes()
    good = 0
    outcomes = {"refused to begin": 0, "published anyway": 0, "recovered": 0}
    while True:
        disk = FailingDisk(good, permanently)
        writer, told = play_on(library, disk, emulator)
        if not disk.has_failed:
            break
        if writer is None:
            outcomes["refused to begin"] += 1
            assert "choose another folder" in told
        elif not told:
            outcomes["published anyway"] += 1
            assert verify(writer.path).frames_checked == FRAMES + 1
        else:
            outcomes["recovered"] += 1
            assert "No space left" in told
            assert "coach recover" in told
            assert not writer.path.exists()
            if permanently:
                writer.publish("abandoned", emulator.palette)
            else:
                assert recover(library) == [writer.path]
                writer.discard()
            assert verify(writer.path).frames_checked == FRAMES + 1
        leftover = [path.name for path in library.replays.iterdir() if path.suffix != ".h5"]
        assert leftover == [], f"after {good} good calls"
        assert {path.name for path in library.replays.iterdir()} <= {before.name, writer.path.name if writer else ""}
        assert before.read_bytes() == whole
        if writer is not None:
            writer.path.unlink()
        good += 1
    assert good > 12
    assert all(outcomes.values()), outcomes
    assert unfinished(library) == []


def test_trouble_is_told_while_playing_and_the_actions_go_elsewhere(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    writer, emulator = begin(library)
    play(writer, emulator, 100, np.random.default_rng(0))
    assert writer.trouble is None
    with failing(FailingDisk(0, permanently=False), JOURNAL_CALLS):
        writer._journal.sync()
    assert writer.trouble is not None
    assert "No space left" in writer.trouble
    assert writer.journal_path.parent == rescue_folder()
    assert str(writer.journal_path) in writer.trouble
    play(writer, emulator, 50, np.random.default_rng(1))
    assert verify(writer.publish("abandoned", emulator.palette)).frames_checked == 151
    assert list(rescue_folder().iterdir()) == []


def test_a_thread_that_syncs_waits_until_another_one_has_moved_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = Emulator("SpaceInvaders")
    (tmp_path / "replays").mkdir()
    journal = Journal(tmp_path / "replays" / "a.journal", tmp_path, emulator.origin())
    moving, may_move = threading.Event(), threading.Event()
    move = Journal._move

    def slowly(self: Journal, reason: str) -> None:
        moving.set()
        assert may_move.wait(60)
        move(self, reason)

    monkeypatch.setattr(Journal, "_move", slowly)
    with failing(FailingDisk(0, permanently=False), JOURNAL_CALLS):
        first = threading.Thread(target=journal.sync)
        first.start()
        assert moving.wait(60)
        second = threading.Thread(target=journal.sync)
        second.start()
        second.join(0.3)
        assert second.is_alive()
        may_move.set()
        first.join(60)
        second.join(60)
    assert journal.path.parent == rescue_folder()
    assert "No space left" in (journal.trouble or "")
    journal.close(keep=False)


def test_a_library_that_vanishes_while_playing_is_noticed_and_the_episode_goes_to_another(tmp_path: Path) -> None:
    library, other = Library(tmp_path / "library"), Library(tmp_path / "other")
    writer, emulator = begin(library)
    play(writer, emulator, 100, np.random.default_rng(0))
    shutil.rmtree(library.folder)
    writer._journal.sync()
    assert writer.trouble is not None
    assert "moved or deleted" in writer.trouble
    play(writer, emulator, 100, np.random.default_rng(1))
    with pytest.raises(CoachError, match="coach recover"):
        writer.publish("abandoned", emulator.palette)
    (path,) = recover(library, [writer.journal_path], into=other)
    assert verify(path).frames_checked == 201
    writer.discard()


def test_a_disk_that_is_too_slow_costs_memory_up_to_a_limit_and_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_writer, "MAX_WAITING_BLOCKS", 4)
    monkeypatch.setattr(background_writer, "SLOW_WAITING_BLOCKS", 2)
    monkeypatch.setattr(background_writer, "HURRIED_BLOCK_SECONDS", 0.0)
    writer, emulator = begin(Library(tmp_path))
    keeper = writer._background
    # Nothing is taken from the queue while the disk "stalls": the thread is kept busy elsewhere.
    keeper.stop()
    play(writer, emulator, 64 * 3, np.random.default_rng(0))
    assert writer.trouble is not None
    assert "slow" in writer.trouble
    shown = play(writer, emulator, 64 * 7 + 10, np.random.default_rng(1))
    assert "too slow" in (writer.trouble or "")
    held = [block for block in writer._blocks if block.screens is not None]
    assert len(held) <= 4 + 1
    while not keeper._queue.empty():
        block = keeper._queue.get()
        assert block is not None
        keeper.pack(block)
    path = writer.publish("abandoned", emulator.palette)
    assert verify(path).ok
    with ReplayFile(path) as replay:
        assert np.array_equal(replay.frames(64 * 3 + 1), np.stack([state.screen for state in shown]))


def test_blocks_are_read_while_others_are_written(tmp_path: Path) -> None:
    spool = background_writer.Spool(tmp_path)
    places: list[background_writer.SpoolPlace] = []

    def put() -> None:
        for number in range(4000):
            places.append(spool.put(number.to_bytes(4, "little") * 512))

    writing = threading.Thread(target=put)
    writing.start()
    rng, wrong = np.random.default_rng(0), 0
    while writing.is_alive() or not places:
        if places:
            number = int(rng.integers(len(places)))
            wrong += spool.get(places[number]) != number.to_bytes(4, "little") * 512
    assert wrong == 0
    assert all(spool.get(place) == number.to_bytes(4, "little") * 512 for number, place in enumerate(places))
    spool.close()


def test_a_recorder_that_is_faster_than_the_disk_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_writer, "MAX_WAITING_BLOCKS", 2)
    writer, emulator = begin(Library(tmp_path))
    pack = writer._background.pack

    def slowly(block: background_writer.Block) -> None:
        time.sleep(0.05)
        pack(block)

    monkeypatch.setattr(writer._background, "pack", slowly)
    play(writer, emulator, 64 * 12, np.random.default_rng(0))
    assert writer.trouble is None
    assert not any(block.dropped for block in writer._blocks)
    assert verify(writer.publish("abandoned", emulator.palette)).ok


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a small disk needs root's rights")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Take the last byte of a disk."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_in_the_middle_of_an_episode(small_disk: Path, tmp_path: Path) -> None:
    library, other = Library(small_disk / "library"), Library(tmp_path / "other")
    before = record(library, 100)
    writer, emulator = begin(library, seed=3)
    play(writer, emulator, 100, np.random.default_rng(0))
    fill(small_disk / "filler")
    play(writer, emulator, 400, np.random.default_rng(1))
    writer._journal.sync()
    assert writer.trouble is not None
    with pytest.raises(CoachError, match=r"No space left.*coach recover"):
        writer.publish("abandoned", emulator.palette)
    assert verify(before).ok
    (path,) = recover(library, [writer.journal_path], into=other)
    assert verify(path).frames_checked == 501
    (small_disk / "filler").unlink()
    assert verify(writer.publish("abandoned", emulator.palette)).frames_checked == 501


def test_appending_takes_no_time_worth_speaking_of_beside_the_emulator(tmp_path: Path) -> None:
    """A relation, not a limit in seconds: the emulator's own step costs more than keeping what it shows."""
    writer, emulator = begin(Library(tmp_path))
    stepping, keeping = [], []
    for at in range(1500):
        began = time.perf_counter()
        state = emulator.step(at // 4 % 6)
        middle = time.perf_counter()
        writer.append(at // 4 % 6, RANDOM, state)
        stepping.append(middle - began)
        keeping.append(time.perf_counter() - middle)
    writer.discard()
    assert np.median(keeping) < np.median(stepping)
