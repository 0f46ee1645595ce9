"""The trash: what is discarded can be restored, verdicts included, until it is emptied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import coach
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.runs import RunFolder, list_runs
from data.trash import Trash
from data.verification import verify
from tests.replay_episodes import record


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three episodes, of which each test gets a copy."""
    found = Library(tmp_path_factory.mktemp("recorded"))
    for seed in range(3):
        record(found, frames=40, seed=seed)
    return found.folder


@pytest.fixture
def library(recorded: Path, tmp_path: Path) -> Library:
    return Library(shutil.copytree(recorded, tmp_path / "library"))


def ids(library: Library) -> list[str]:
    return [episode.episode_id for episode in library.episodes()]


def test_what_is_thrown_away_leaves_the_library_and_comes_back_unchanged(library: Library) -> None:
    first, second, third = ids(library)
    before = (library.replays / f"{second}.h5").read_bytes()
    assert Trash(library).discard([second]).episode_ids == (second,)
    assert ids(library) == [first, third]
    assert [episode.episode_id for episode in Trash(library).episodes()] == [second]
    assert Trash(library).restore([second]).episode_ids == (second,)
    assert ids(library) == [first, second, third]
    assert (library.replays / f"{second}.h5").read_bytes() == before
    assert verify(library.replays / f"{second}.h5").ok
    assert Trash(library).episodes() == []


def test_verdicts_outlive_the_trash(library: Library) -> None:
    first = ids(library)[0]
    verdict = Verdict(Clip(first, 0, 40), "Ada", "good")
    with LabelDatabase(library.labels) as labels:
        labels.record(verdict)
    Trash(library).discard([first])
    Trash(library).restore([first])
    with LabelDatabase(library.labels) as labels:
        assert labels.verdicts(episode_id=first) == [verdict]


def test_a_file_that_cannot_be_read_can_be_thrown_away_too(library: Library) -> None:
    (library.replays / "strange.h5").write_bytes(b"no replay file")
    assert Trash(library).discard(["strange"]).episode_ids == ("strange",)
    assert library.broken() == []
    assert [path.name for path, _ in Trash(library).broken()] == ["strange.h5"]


def test_what_is_not_there_is_told_and_the_others_are_moved(library: Library) -> None:
    first, second, _ = ids(library)
    moved = Trash(library).discard([first, "nobody", second])
    assert moved.episode_ids == (first, second)
    assert "nobody" in moved.problem


def test_an_episode_that_the_library_holds_again_is_not_overwritten(library: Library) -> None:
    first = ids(library)[0]
    Trash(library).discard([first])
    again = library.replays / f"{first}.h5"
    again.write_bytes(b"another")
    moved = Trash(library).restore([first])
    assert moved.episode_ids == ()
    assert "again" in moved.problem
    assert again.read_bytes() == b"another"
    assert Trash(library).names() == [first]


@pytest.mark.parametrize("name", ["../labels", "/etc/passwd", "a/b"])
def test_an_id_does_not_lead_out_of_the_library(library: Library, name: str) -> None:
    with pytest.raises(CoachError):
        Trash(library).discard([name])


def test_an_emptied_trash_is_gone_for_ever(library: Library) -> None:
    first = ids(library)[0]
    Trash(library).discard([first])
    assert Trash(library).empty() == 1
    assert Trash(library).names() == []
    assert Trash(library).restore([first]).episode_ids == ()


def test_the_command_line_tells_of_the_trash_and_brings_back(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ids(library)[0]
    where = ["--library", str(library.folder)]
    assert coach.main([*where, "trash", "--put", first]) == 0
    capsys.readouterr()
    assert coach.main([*where, "library", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trash"] == 1
    assert coach.main([*where, "trash", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"][0]["episode_id"] == first
    assert coach.main([*where, "trash", "--restore", "all"]) == 0
    assert first in ids(library)
    assert coach.main([*where, "trash", "--restore", first]) == 2
    assert coach.main([*where, "trash", "--put", first]) == 0
    assert coach.main([*where, "trash", "--empty"]) == 0
    assert Trash(library).names() == []


def make_run(library: Library, name: str) -> RunFolder:
    folder = RunFolder(library.run_folder(name))
    folder.create({"steps": 10, "game": "SpaceInvaders", "seed_from": []}, ("NOOP",))
    folder.log.write_text("log of " + name)
    return folder


def test_a_run_goes_to_the_trash_and_comes_back_with_its_log(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(library, "first")
    words = ["--library", str(library.folder), "trash"]
    assert coach.main([*words, "--put", "first", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == ["first"]
    assert (folder.exists, folder.log.exists(), list_runs(library)) == (False, False, [])
    assert coach.main(words) == 0
    assert "Run first" in capsys.readouterr().out
    assert coach.main([*words, "--restore", "all"]) == 0
    assert folder.log.read_text() == "log of first"
    assert [run.name for run in list_runs(library)] == ["first"]
    Trash(library).discard_run("first")
    assert Trash(library).empty() == 1
    assert Trash(library).run_names() == []


def test_a_run_that_is_trained_or_whose_name_is_taken_is_not_moved(library: Library) -> None:
    folder = make_run(library, "first")
    with folder.locked(), pytest.raises(CoachError, match="is being trained"):
        Trash(library).discard_run("first")
    Trash(library).discard_run("first")
    make_run(library, "first")
    for move in (Trash(library).discard_run, Trash(library).restore_run):
        with pytest.raises(CoachError, match="already"):
            move("first")
    with pytest.raises(CoachError, match="no run 'other' in the trash"):
        Trash(library).restore_run("other")
