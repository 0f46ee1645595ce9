"""A library that can only be read, such as a teacher's shared folder: reading works, and writing says why it cannot."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coach import main
from commands.home import HomeActions
from commands.training_controller import LibraryTrainingController
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.files import write_atomic
from data.label_database import LabelDatabase
from data.library import Library
from data.trash import Trash
from home.home_window import HomeWindow
from home.library_controller import LibraryController
from home.settings import Settings
from home.train_form import TrainingRequest
from tests.replay_episodes import record
from tests.test_home_library_controller import until_idle


@contextmanager
def mounted_read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only: for root by a mount, for others by its permissions."""
    if os.geteuid() == 0:
        steps = (["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder])
        for step in steps:
            if shutil.which("mount") is None or subprocess.run(step, capture_output=True, check=False).returncode:
                pytest.skip("this system mounts nothing")
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)
        return
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    try:
        yield
    finally:
        for path in folders:
            path.chmod(0o755)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Two episodes and a verdict, which is still in SQLite's -wal file, as after a session that was interrupted."""
    made = Library(tmp_path_factory.mktemp("teacher") / "library")
    for seed in range(2):
        record(made, frames=40, seed=seed)
    episode = made.episodes()[0].episode_id
    with LabelDatabase(made.labels):
        pass
    connection = sqlite3.connect(made.labels)
    connection.execute("PRAGMA journal_mode=WAL")
    with LabelDatabase(made.labels) as labels:
        labels.record(Verdict(Clip(episode, 0, 30), "Ada", "good"))
        copies = {name: Path(f"{made.labels}{name}").read_bytes() for name in ("", "-wal")}
    connection.close()
    for name, content in copies.items():
        write_atomic(Path(f"{made.labels}{name}"), content)
    assert copies["-wal"]
    Path(f"{made.labels}-shm").unlink(missing_ok=True)
    with mounted_read_only(made.folder):
        yield made


def coach(library: Library, *words: object) -> int:
    return main(["--library", str(library.folder), *map(str, words)])


def test_reading_commands_work(library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replay = next(library.replays.glob("*.h5"))
    assert coach(library, "library", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed["episodes"]) == 2
    assert listed["verdicts"]["Ada"]["good"] == 1
    assert coach(library, "info", replay.stem) == 0
    assert coach(library, "verify", replay) == 0
    assert coach(library, "export", replay.stem, "--to", "npz", "--out", tmp_path / "exported") == 0
    assert coach(library, "export", "--to", "labels", "--out", tmp_path / "labels.csv") == 0
    assert coach(library, "trash") == 0
    capsys.readouterr()
    assert coach(library, "library", "--seeding", "random:10", "--json") == 0
    assert json.loads(capsys.readouterr().out)["picture"] is None


@pytest.mark.parametrize("words", ["record --by random", "label --rule before-reward", "recover", "trash --empty"])
def test_commands_that_write_say_so_in_one_sentence(
    library: Library, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    before = sorted(library.folder.rglob("*"))
    if words != "trash --empty":  # there is nothing in it
        assert coach(library, *words.split()) == 2
        [sentence] = capsys.readouterr().err.strip().splitlines()
        assert "read-only" in sentence
    assert sorted(library.folder.rglob("*")) == before


def test_the_home_window_opens_and_its_actions_say_why_they_cannot(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = []
    chosen = iter(["play", "curate", None])

    def choose(home: HomeWindow) -> str | None:
        messages.append(home.message)
        return next(chosen)

    monkeypatch.setattr(HomeWindow, "choose", choose)

    class NoWindow:
        closing = False

    HomeActions(NoWindow(), library, Settings()).run()  # type: ignore[arg-type]
    assert len(messages) == 3
    assert all("read-only" in message for message in messages)


def test_the_library_window_browses_and_deletes_nothing(library: Library) -> None:
    controller = LibraryController(library, {})
    until_idle(controller)
    assert len(controller.rows) == 2
    assert sum(row.good for row in controller.rows) == 1
    controller.delete()
    until_idle(controller)
    assert "read-only" in controller.message
    assert len(controller.rows) == 2
    controller.verify()
    until_idle(controller)
    assert controller.message.startswith("Verified")


def test_a_training_cannot_be_started(library: Library) -> None:
    controller = LibraryTrainingController(library, "SpaceInvaders")
    assert [run.name for run in controller.runs() if not run.supplied] == []
    with pytest.raises(CoachError, match="read-only"):
        controller.start(TrainingRequest("a", (), "all", "default", 100, 0, 0))
    assert not Trash(library).names()
