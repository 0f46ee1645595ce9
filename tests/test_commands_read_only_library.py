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
from data.clip import Clip, Verdict
from data.files import write_atomic
from data.label_database import LabelDatabase
from data.library import Library
from tests.driven_windows import Person, use
from tests.replay_episodes import record


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
            subprocess.run(["umount", "--lazy", folder], check=True)
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


@pytest.mark.parametrize(
    "words", ["play", "record --by random", "label --rule before-reward", "recover", "trash --empty"]
)
def test_commands_that_write_say_so_in_one_sentence(
    library: Library, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    before = sorted(library.folder.rglob("*"))
    if words != "trash --empty":  # there is nothing in it
        assert coach(library, *words.split()) == 2
        [sentence] = capsys.readouterr().err.strip().splitlines()
        assert "read-only" in sentence
    assert sorted(library.folder.rglob("*")) == before


def test_the_windows_browse_and_say_what_they_cannot_write(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    pages: dict[str, str] = {}
    before = sorted(library.folder.rglob("*"))

    def acts(person: Person) -> Iterator[None]:
        yield from person.see("Newest episodes")
        for key in ("p", "j"):
            yield from person.press(key)
            yield from person.see("read-only")
            pages[key] = person.page
        yield from person.press("l")
        yield from person.see("Good / bad")
        yield from person.see("1 / 0")
        yield from person.press("delete")
        yield from person.see("read-only")
        pages["delete"] = person.page
        yield from person.press("v")
        yield from person.see("Verified:")
        yield from person.press("escape")
        yield from person.see("home")
        yield from person.press("t")
        yield from person.see("training")
        yield from person.press("n")
        yield from person.see("Fill the replay memory")
        yield from person.press("return")
        yield from person.see("read-only")
        pages["train"] = person.page

    use(monkeypatch, acts, library.folder)
    assert list(pages) == ["p", "j", "delete", "train"]
    assert "2 episodes" in pages["delete"]
    assert sorted(library.folder.rglob("*")) == before
