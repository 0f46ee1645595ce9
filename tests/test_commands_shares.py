"""Sharing and importing on the command line, as students and their teacher do it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import coach
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
from data.library import Library
from tests.agent_episodes import record_episode

STUDENTS = ("Ada", "Bo", "Cy")


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a share of each student, made by the command."""
    folder = tmp_path_factory.mktemp("handed in")
    for number, student in enumerate(STUDENTS):
        library = Library(tmp_path_factory.mktemp(student))
        episode = record_episode(library, 120, number, "Pong", "human", student)
        record_episode(library, 60, number + 10, "Pong", "random", "")
        with LabelDatabase(library.labels) as labels:
            labels.record(Verdict(Clip(episode, 0, 60), student, "good"))
        share = ["library", "--demonstrator", "human", "--share", str(folder / f"{student}.zip"), "--json"]
        assert coach.main(["--library", str(library.folder), *share]) == 0
    return folder


def teach(folder: Path, *arguments: str | Path) -> int:
    return coach.main(["--library", str(folder / "library"), *map(str, arguments)])


def test_a_folder_of_shares_comes_in_with_a_table_and_twice_is_once(
    handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert teach(tmp_path, "import", handed_in, "--jobs", "2") == 0
    told = capsys.readouterr().out
    for student in STUDENTS:
        assert any(line.split()[:3] == [f"{student}.zip", student, "1"] for line in told.splitlines()), told
    assert "3 new episodes" in told and "3 new verdicts" in told
    assert teach(tmp_path, "import", handed_in, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["ok"], again["imported"], again["new_verdicts"]) == (True, [], 0)
    assert [len(share["already_here"]) for share in again["shares"]] == [1, 1, 1]


def test_one_bad_share_among_many_costs_the_others_nothing(
    handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("../evil.h5", b"evil")
    capsys.readouterr()
    assert teach(tmp_path, "import", handed_in / "Ada.zip", bad, "--json") == 1
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert len(facts["imported"]) == 1 and not facts["ok"]
    assert "evil" in facts["shares"][1]["problem"]
    assert told.err == "coach: A part was refused (whole shares: 1); everything else is in the library.\n"
    assert teach(tmp_path, "import", bad) == 2
    alone = capsys.readouterr()
    assert alone.out == "" and alone.err.count("\n") == 1


def test_a_share_says_who_is_behind_which_pseudonym(
    handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teach(tmp_path, "import", handed_in / "Ada.zip") == 0
    capsys.readouterr()
    assert teach(tmp_path, "library", "--share", tmp_path / "world.zip", "--pseudonyms") == 0
    told = capsys.readouterr().out
    assert "stands for Ada" in told and "1 episode, 1 verdict" in told


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        ("library --share x.tar", "name it"),
        ("library --share x.zip", "nothing to share"),
        ("library --player Nobody --share x.zip", "nothing to share"),
        ("library --pseudonyms", "add --share"),
        ("library --episode nobody", "There is no replay file nobody"),
        ("library --demonstrator teacher", "invalid choice"),
        ("import", "required"),
        ("import nobody.zip", "There is no share"),
        ("import nobody.h5", "The format of nobody.h5"),
        ("import a.npz b.npz --from npz", "several at a time"),
        ("import a.zip --jobs 0", "--jobs must be at least 1"),
        ("import .", "has no shares"),
    ],
)
def test_mistakes_are_one_sentence(
    arguments: str, because: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert coach.main(arguments.split()) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.count("\n") == 1 and because in told.err, told.err


def test_the_library_lists_only_what_was_asked_for(
    handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert teach(tmp_path, "import", handed_in) == 0
    capsys.readouterr()
    assert teach(tmp_path, "library", "--player", "Ada", "--player", "Bo", "--json") == 0
    assert {episode["player"] for episode in json.loads(capsys.readouterr().out)["episodes"]} == {"Ada", "Bo"}
    assert teach(tmp_path, "library", "--min-score", "10000") == 0
    assert " matches." in capsys.readouterr().out
