"""Judging, undoing, reopening and SIGKILL at any moment, in any order: what was acknowledged is in the database."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from curator.queued_clips import QueuedClip
from curator.session import Session
from data.clip import VERDICTS, Clip
from data.label_database import LabelDatabase

QUEUE = [QueuedClip(Clip("e", number * 60, number * 60 + 60), "uniform", f"reason {number}") for number in range(6)]
Said = list[tuple[Clip, str]]


def curator_process(path: Path, connection: Connection) -> None:
    """A curator without a window: follows commands, and answers with the current clip."""
    with LabelDatabase(path) as labels:
        judged = {verdict.clip for verdict in labels.verdicts(curator="Ann")}
        session = Session(labels, "Ann", [one for one in QUEUE if one.clip not in judged])
        while True:
            connection.send(session.current.clip if session.current else None)
            order, argument = connection.recv()
            if order == "judge":
                session.judge(argument)
            elif order == "undo":
                session.undo()
            elif order == "reopen":
                recent = session.recent()
                session.reopen(recent[argument % len(recent)])


def reading(path: Path) -> LabelDatabase:
    """The database, opened without what only a writer needs: it is opened after each step."""
    labels = LabelDatabase.open_existing(path)
    assert labels is not None
    return labels


class KilledSession(RuleBasedStateMachine):
    """The curator lives in a process of its own, which is killed and started again."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "labels.sqlite"
        self.said: Said = []
        # A fork has everything imported and starts in milliseconds.
        self.context = multiprocessing.get_context("fork")
        self._start()

    def _start(self) -> None:
        self.ours, theirs = self.context.Pipe()
        self.process = self.context.Process(target=curator_process, args=(self.path, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.on_show: Clip | None = self.ours.recv()

    def _do(self, order: str, argument: object = None) -> None:
        """Give an order and wait until it is acknowledged."""
        self.ours.send((order, argument))
        self.on_show = self.ours.recv()

    def _kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.ours.close()

    @precondition(lambda self: self.on_show is not None)
    @rule(verdict=st.sampled_from(VERDICTS))
    def judge(self, verdict: str) -> None:
        assert self.on_show is not None
        self.said.append((self.on_show, verdict))
        self._do("judge", verdict)

    @rule()
    def undo(self) -> None:
        self._do("undo")
        if self.said:
            undone, _ = self.said.pop()
            assert self.on_show == undone

    @precondition(lambda self: self.said)
    @rule(which=st.integers(0, 9))
    def reopen(self, which: int) -> None:
        self._do("reopen", which)
        assert self.on_show in {clip for clip, _ in self.said}

    @rule()
    def kill(self) -> None:
        self._kill()
        self._start()

    @precondition(lambda self: self.on_show is not None)
    @rule(order=st.sampled_from([*VERDICTS, "undo"]), milliseconds=st.sampled_from([0, 0.3, 1, 3]))
    def kill_amid_an_order(self, order: str, milliseconds: float) -> None:
        """An order that was not acknowledged was carried out in full or not at all."""
        assert self.on_show is not None
        before = self.said
        after: Said = before[:-1] if order == "undo" else [*before, (self.on_show, order)]
        self.ours.send(("undo", None) if order == "undo" else ("judge", order))
        time.sleep(milliseconds / 1000)
        self._kill()
        with reading(self.path) as labels:
            found = [(verdict.clip, verdict.verdict) for verdict in labels.history("Ann")]
        assert found in (before, after)
        self.said = found
        self._start()

    @invariant()
    def the_database_holds_what_was_acknowledged(self) -> None:
        with reading(self.path) as labels:
            assert [(verdict.clip, verdict.verdict) for verdict in labels.history("Ann")] == self.said
            assert {verdict.clip: verdict.verdict for verdict in labels.verdicts()} == dict(self.said)

    def teardown(self) -> None:
        if hasattr(self, "process"):
            self._kill()
            self.folder.cleanup()


TestKilledSession = KilledSession.TestCase
TestKilledSession.settings = settings(max_examples=4, stateful_step_count=12, deadline=None)


@pytest.mark.soak
class TestSessionKilledManyTimes(KilledSession.TestCase):  # type: ignore[misc]
    """More and longer sessions."""

    settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
