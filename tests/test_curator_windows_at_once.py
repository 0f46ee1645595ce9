"""Two curators' windows at once on one label database: SQLite, and a real PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from conftest import VirtualDisplay
from recorded_episodes import record_random_play
from test_curator_window import HOUSE, PROGRAM, VERDICT_OF_KEY, Program

from curator.outline import read_outlines
from curator.queued_clips import QueuedClip
from curator.queues import build_queue
from curator.session import Session
from data.clip import Clip
from data.label_database import JudgedElsewhere, LabelDatabase
from data.library import Library

BURSTS, KEYS_A_BURST = 4, 4


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    for seed in range(3):
        record_random_play(library, 2400, seed)
    read_outlines(library)
    return library


@pytest.fixture(params=["sqlite", "postgresql"])
def labels_at(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the verdicts go: a file, or a server's address."""
    return (
        str(tmp_path / "labels.sqlite") if request.param == "sqlite" else str(request.getfixturevalue("postgresql_url"))
    )


@contextmanager
def windows(display: VirtualDisplay, library: Library, labels: str, *curators: str) -> Iterator[list[Program]]:
    """One window in a process of its own for each curator, all started at once."""
    with ExitStack() as stack:
        found: list[Program] = []
        for curator in curators:
            command = [sys.executable, "-c", PROGRAM, str(library.folder), "uniform", "1.0", curator, labels]
            process = subprocess.Popen(
                command, cwd=HOUSE, env=display.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            found.append(Program(process, display, ""))
        display.wait_until(lambda: len(_open_windows(display)) == len(curators), "a window for each")
        for window in _open_windows(display):
            pid = int(display.xdotool("getwindowpid", window))
            next(one for one in found if one.process.pid == pid).window = window
        yield found


def _open_windows(display: VirtualDisplay) -> list[str]:
    return [window for window, title in display.windows().items() if " left" in title]


def press(program: Program, *keys: str) -> None:
    """Real keys for one of several windows, which has the keyboard while they come.

    No person types a key within a tenth of a second of changing windows, and a window ignores one that was held before.
    """
    program.display.xdotool("windowfocus", "--sync", program.window, "sleep", 0.4, "key", "--delay", 12, *keys)


def expected_queue(library: Library, curator: str) -> list[Clip]:
    return [one.clip for one in build_queue(read_outlines(library), "uniform", 1.0, 0, curator=curator)]


def test_two_curators_windows_lose_nothing_and_double_nothing(
    virtual_display: VirtualDisplay, library: Library, labels_at: str
) -> None:
    """Keys go to both in turn, faster than either answers; one is killed half-way and opened again."""
    rng = np.random.default_rng(5)
    said: dict[str, list[str]] = {"Ann": [], "Bob": []}
    queues = {name: expected_queue(library, name) for name in said}

    def judge(name: str, program: Program, last: bool = False) -> None:
        # The last keys before a wait take nothing back: so the number that is waited for was not there before them.
        choice = [*VERDICT_OF_KEY] if last else [*VERDICT_OF_KEY, "BackSpace"]
        keys = [str(key) for key in rng.choice(choice, KEYS_A_BURST)]
        press(program, *keys)
        for key in keys:
            said[name] = said[name][:-1] if key == "BackSpace" else [*said[name], VERDICT_OF_KEY[key]]

    def settle(name: str, program: Program) -> None:
        program.wait_for_left(len(queues[name]) - len(said[name]))

    with windows(virtual_display, library, labels_at, "Ann", "Bob") as (ann, bob):
        for burst in range(BURSTS // 2):
            judge("Ann", ann, last=burst == BURSTS // 2 - 1)
            judge("Bob", bob, last=burst == BURSTS // 2 - 1)
        settle("Ann", ann)
        settle("Bob", bob)
        bob.process.send_signal(signal.SIGKILL)
        bob.process.wait()
        judge("Ann", ann, last=True)
        settle("Ann", ann)
        with LabelDatabase(labels_at) as labels:
            assert {name: [v.verdict for v in labels.history(name)] for name in said} == said
    with windows(virtual_display, library, labels_at, "Ann", "Bob") as (ann, bob):
        for burst in range(BURSTS // 2):
            judge("Bob", bob, last=burst == BURSTS // 2 - 1)
            judge("Ann", ann, last=burst == BURSTS // 2 - 1)
        settle("Ann", ann)
        settle("Bob", bob)
    with LabelDatabase(labels_at) as labels:
        history = {name: labels.history(name) for name in said}
        assert {name: [v.verdict for v in found] for name, found in history.items()} == said
        assert len(labels.history()) == sum(map(len, said.values()))
    for name, found in history.items():
        assert [verdict.clip for verdict in found] == queues[name][: len(found)]


def test_two_windows_of_one_curator_keep_one_verdict_for_each_clip(labels_at: str) -> None:
    """The second learns what the first said, and replaces it only on request."""
    queue = [QueuedClip(Clip("e", start, start + 60), "uniform", "") for start in (0, 60, 120)]
    with LabelDatabase(labels_at) as here, LabelDatabase(labels_at) as there:
        first, second = Session(here, "Ann", queue), Session(there, "Ann", queue)
        first.judge("good")
        first.judge("good")
        with pytest.raises(JudgedElsewhere, match="Also judged in another window: good"):
            second.judge("bad")
        second.judge("bad")
        assert [verdict.clip for verdict in second.drop_judged_elsewhere()] == [queue[1].clip]
        assert [(v.clip, v.verdict) for v in here.verdicts()] == [(queue[1].clip, "good"), (queue[0].clip, "bad")]
