"""The library lists its files, rebuilds its index, and reports broken files without failing."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from replay_episodes import record

from data.errors import CoachError
from data.library import Entry, Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library")
    record(library, 60, "Pong")
    record(library, 80, "Breakout")
    return library


def test_published_episodes_are_listed_oldest_first_without_being_opened(library: Library) -> None:
    for path in library.replays.glob("*.h5"):
        size, times = path.stat().st_size, (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        path.chmod(0o644)
        path.write_bytes(bytes(size))
        os.utime(path, ns=times)
    assert [summary.game for summary in library.episodes()] == ["Pong", "Breakout"]
    assert [summary.frame_count for summary in library.episodes("Breakout")] == [80]


def test_a_lost_or_damaged_index_is_rebuilt(library: Library) -> None:
    index = library.folder / "index.jsonl"
    before = library.episodes()
    for damage in (b"", b"nonsense\n{}\n[1]\nnull\n", index.read_bytes()[:-40]):
        index.write_bytes(damage)
        assert library.episodes() == before
        assert len(index.read_bytes().splitlines()) == 2
    index.unlink()
    assert library.episodes() == before


def test_files_that_come_and_go_by_hand_are_noticed(library: Library, tmp_path: Path) -> None:
    elsewhere = record(Library(tmp_path / "elsewhere"), 40, "Pong")
    copied = library.replays / elsewhere.name
    shutil.copy(elsewhere, copied)
    assert len(library.episodes()) == 3
    copied.unlink()
    assert len(library.episodes()) == 2
    shutil.move(library.folder, tmp_path / "moved")
    moved = Library(tmp_path / "moved")
    assert all(summary.path.startswith(str(moved.replays)) for summary in moved.episodes())


def test_a_broken_file_is_named_and_does_not_stop_the_others(library: Library) -> None:
    (library.replays / "broken.h5").write_bytes(next(library.replays.glob("*.h5")).read_bytes()[:3000])
    (library.replays / "note.h5").write_text("not an episode")
    assert len(library.episodes()) == 2
    assert [path.name for path, _ in library.broken()] == ["broken.h5", "note.h5"]
    assert all(str(path) in reason for path, reason in library.broken())


def test_two_thousand_files_are_listed_without_opening_one(library: Library) -> None:
    entry = library.index.entries()[0]
    assert entry.summary is not None
    lines = []
    for number in range(2000):
        path = library.replays / f"20200101T000000Z-Pong-random-{number:08x}.h5"
        path.touch()
        status = path.stat()
        summary = replace(entry.summary, episode_id=path.stem, path=str(path))
        lines.append(Entry(path.name, status.st_size, status.st_mtime_ns, summary, "").to_line())
    with (library.folder / "index.jsonl").open("ab") as file:
        file.writelines(lines)
    assert len(library.episodes()) == 2002
    assert library.broken() == []


def test_an_empty_or_missing_library_lists_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path / "nowhere")
    assert library.episodes() == library.broken() == []
    assert not library.folder.exists()


def test_a_library_that_cannot_be_made_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CoachError, match="--library"):
        Library(tmp_path / "file" / "library").prepare()
