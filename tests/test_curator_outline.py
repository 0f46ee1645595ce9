"""Outlines are read once and kept; what is kept may be lost or spoilt without harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_episodes import record_random_play

from curator import outline as outline_module
from curator.outline import CACHE_NAME, read_outlines
from data.library import Library


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    record_random_play(library, 900, 1, markers=[300])
    record_random_play(library, 900, 2)
    return library


@pytest.fixture
def library(played: Library) -> Library:
    (played.folder / CACHE_NAME).unlink(missing_ok=True)
    return played


def test_the_second_time_no_replay_file_is_opened(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_outlines(library)

    def opened(path: Path) -> None:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(outline_module, "ReplayFile", opened)
    assert read_outlines(library) == first
    assert len(first) == 2 and first[0].rewards and first[0].markers == (300,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "nonsense\n" + text,
        lambda text: text.replace('"deaths"', '"deeds"'),
        lambda text: text.replace('"frame_count": 900', '"frame_count": "many"'),
        lambda _: "[]\nnull\n{}\n" + '{"outline": 5, "stamp": []}\n',
        lambda _: "\x00\x01",
    ],
)
def test_a_damaged_cache_is_read_again_from_the_replay_files(library: Library, spoil: object) -> None:
    first = read_outlines(library)
    cache = library.folder / CACHE_NAME
    cache.write_text(spoil(cache.read_text()))
    assert read_outlines(library) == first
    assert read_outlines(library) == first


def test_a_cache_that_is_no_text_or_no_file_does_no_harm(library: Library) -> None:
    first = read_outlines(library)
    cache = library.folder / CACHE_NAME
    cache.write_bytes(b"\xff\xfe\x80")
    assert read_outlines(library) == first
    cache.unlink()
    cache.mkdir()
    assert read_outlines(library) == first
    cache.rmdir()


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    library = Library(tmp_path)
    name = record_random_play(library, 300, 1)
    before = read_outlines(library)[0]
    path = library.episode_path(name)
    other = Library(tmp_path / "other")
    longer = other.episode_path(record_random_play(other, 600, 1)).read_bytes()
    path.chmod(0o644)
    path.write_bytes(longer)
    after = read_outlines(library)
    assert not after or after[0].frame_count == 600 != before.frame_count


def test_progress_is_reported_for_each_episode(library: Library) -> None:
    told: list[tuple[int, int]] = []
    read_outlines(library, on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2)]
