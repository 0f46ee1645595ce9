"""The process that reads strangers' files: its limits, and what is said when it ends or cannot begin."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replay_episodes import record

from data.errors import CoachError
from data.library import Library
from data.quarantine import MEMORY_BYTES, Quarantine, ReaderUnavailable


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("recorded")), 80, "Pong")


SIGINT_BIT = 1 << (signal.SIGINT - 1)


class ReaderThatEnds(Quarantine):
    """Its child is sent a signal in mid-answer, the first ``times`` times. A real crash cannot be had on demand."""

    def __init__(self, how: signal.Signals, times: int) -> None:
        super().__init__()
        self.starts = 0
        self._how, self._left = how, times

    def _started(self) -> Any:
        self.starts += 1
        return super()._started()

    def _next_message(self, timeout: float) -> dict[str, Any]:
        message = super()._next_message(timeout)
        if "answer" in message and self._left:
            self._left -= 1
            child = self._child
            assert child is not None
            child.send_signal(self._how)
            child.wait(timeout=60)
            message = super()._next_message(timeout)
        return message


def test_a_file_that_brings_its_reader_down_is_refused_and_the_next_one_is_read(recorded: Path) -> None:
    with ReaderThatEnds(signal.SIGSEGV, times=1) as quarantine:
        answer = quarantine.verify(recorded)
        assert (answer.ok, answer.kind) == (False, "structure")
        assert "crashed the reader" in answer.sentence
        assert quarantine.verify(recorded).ok
        assert quarantine.starts == 2


def test_a_reader_that_the_system_ends_is_no_fault_of_the_file(recorded: Path) -> None:
    with ReaderThatEnds(signal.SIGKILL, times=1) as quarantine:
        assert quarantine.verify(recorded).ok
        assert quarantine.starts == 2


def test_a_file_whose_reader_is_ended_twice_is_refused(recorded: Path) -> None:
    with ReaderThatEnds(signal.SIGKILL, times=2) as quarantine:
        assert "crashed the reader" in quarantine.verify(recorded).sentence
        assert quarantine.starts == 2


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["heeded", "ignored"])
def interrupts(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What this process does at Ctrl-C, which its children inherit; a shell starts what is in the background deaf."""
    before = signal.signal(signal.SIGINT, request.param)
    yield request.param
    signal.signal(signal.SIGINT, before)


def test_a_reader_that_is_interrupted_does_not_begin_again(recorded: Path, interrupts: Any) -> None:
    """Ctrl-C reaches the readers, too, and must end at once what would take minutes; but not where it is ignored."""
    ignored = interrupts is signal.SIG_IGN
    with ReaderThatEnds(signal.SIGINT, times=0 if ignored else 1) as quarantine:
        assert quarantine.verify(recorded).ok is ignored
        assert quarantine.starts == 1
    with Quarantine() as quarantine:
        quarantine.summary(recorded)
        assert SIGINT_BIT & signals_of(quarantine._running_child().pid, "SigCgt") == 0  # no code of ours runs first
        assert bool(SIGINT_BIT & signals_of(quarantine._running_child().pid, "SigIgn")) is ignored


def signals_of(process: int, kind: str) -> int:
    """The set of signals that Linux tells under that name."""
    [found] = re.findall(rf"^{kind}:\s*(\w+)$", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(found, 16)


def test_a_reader_that_cannot_be_started_is_told_and_not_held_against_the_files(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path / "library")
    library.prepare()
    shutil.copy(recorded, library.replays / recorded.name)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Quarantine() as quarantine, pytest.raises(ReaderUnavailable, match="Cannot start"):
        quarantine.verify(recorded)
    [(_, problem)] = library.broken()
    assert "Cannot start" in problem
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Quarantine() as quarantine, pytest.raises(ReaderUnavailable, match="No such file"):
        quarantine.vet(recorded)
    monkeypatch.undo()
    assert library.broken() == []
    assert [episode.frame_count for episode in library.episodes()] == [80]


def test_the_reader_finds_what_this_process_finds_by_its_pythonpath(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On many a computing cluster, packages are found in that way alone."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Quarantine() as quarantine:
        assert quarantine.summary(recorded).frame_count == 80
        environment = Path(f"/proc/{quarantine._running_child().pid}/environ").read_text().split("\0")
    [found] = [line for line in environment if line.startswith("PYTHONPATH=")]
    assert found.endswith(f"{os.pathsep}{tmp_path}")


def test_a_file_that_never_ends_is_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "endless.h5"
    os.mkfifo(pipe)
    began = time.monotonic()
    with Quarantine(silence_seconds=2.0) as quarantine, pytest.raises(CoachError, match="did not end"):
        quarantine.summary(pipe)
    assert time.monotonic() - began < 60


def test_the_reader_has_little_memory_and_no_right_to_write(recorded: Path) -> None:
    with Quarantine() as quarantine:
        quarantine.vet(recorded)
        child = quarantine._running_child()
        assert resource.prlimit(child.pid, resource.RLIMIT_AS)[0] == MEMORY_BYTES
        assert resource.prlimit(child.pid, resource.RLIMIT_FSIZE)[0] == 0
