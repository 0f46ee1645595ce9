"""Verdicts that fit no episode are reported, not counted, and stop nothing; ids survive renaming."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coach import main
from data.clip import Clip, Verdict
from data.fitting_verdicts import fit_verdicts, fits
from data.label_database import LabelDatabase
from data.library import EpisodeChoice, Library
from data.replay_file import ReplayFile
from data.share_export import write_share
from data.share_import import ShareImporter
from data.trash import Trash
from tests.replay_episodes import record

NOWHERE = "20200101T000000Z-Pong-human-deadbeef"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library")
    record(made, 120)
    return made


def judge(library: Library, *spans: tuple[str, int, int]) -> None:
    with LabelDatabase(library.labels) as labels:
        labels.merge(Verdict(Clip(*span), "Eve", "bad") for span in spans)


def report(library: Library, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["--library", str(library.folder), "library", "--json"]) == 0
    facts: dict[str, object] = json.loads(capsys.readouterr().out)
    return facts


def test_a_clip_fits_up_to_the_last_frame() -> None:
    assert fits(Clip("e", 0, 121), 120)
    assert not fits(Clip("e", 0, 122), 120)


def test_what_does_not_fit_is_named_and_counted_apart() -> None:
    verdicts = [Verdict(Clip(name, 0, stop), "Eve", "bad") for name, stop in (("a", 10), ("a", 99), ("b", 10))]
    fitted = fit_verdicts(verdicts, {"a": 20})
    assert fitted.fitting == verdicts[:1]
    assert fitted.facts() == {"without_episode": {"b": 1}, "beyond_end": {"a": 1}}
    assert fitted.sentences() == [
        "1 verdict is on frames that the episode does not have, and not used: a.",
        "1 verdict is on episodes that are not in this library, and not used: b.",
    ]


def test_verdicts_that_do_not_fit_are_not_counted(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    (episode,) = library.episodes()
    judge(library, (episode.episode_id, 0, 60), (episode.episode_id, 0, 999_999), (NOWHERE, 0, 60))
    facts = report(library, capsys)
    assert facts["verdicts"] == {"Eve": {"good": 0, "bad": 1, "skip": 0}}
    assert facts["verdicts_left_out"] == {"without_episode": {NOWHERE: 1}, "beyond_end": {episode.episode_id: 1}}


def test_verdicts_that_do_not_fit_do_not_stop_an_export(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (episode,) = library.episodes()
    judge(library, (episode.episode_id, 0, 60), (episode.episode_id, 500, 680), (NOWHERE, 0, 60))
    command = ["--library", str(library.folder), "export", "--verdict", "bad", "--to", "npz", "--out"]
    assert main([*command, str(tmp_path / "one.npz")]) == 0
    assert (tmp_path / "one.npz").is_file()
    assert "1 verdict is on frames that the episode does not have" in " ".join(capsys.readouterr().err.split())


def test_an_import_of_verdicts_says_which_do_not_fit(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(library, (NOWHERE, 0, 60))
    exported = tmp_path / "labels.jsonl"
    assert main(["--library", str(library.folder), "export", "--to", "labels", "--out", str(exported)]) == 0
    other = Library(tmp_path / "other")
    record(other, 40)
    capsys.readouterr()
    assert main(["--library", str(other.folder), "import", "--from", "labels", str(exported)]) == 0
    assert f"not in this library, and not used: {NOWHERE}" in " ".join(capsys.readouterr().out.split())


def test_an_exported_file_of_verdicts_leaves_out_frames_that_do_not_exist(library: Library, tmp_path: Path) -> None:
    (episode,) = library.episodes()
    judge(library, (episode.episode_id, 0, 60), (episode.episode_id, 500, 680))
    out = tmp_path / "labels.jsonl"
    assert main(["--library", str(library.folder), "export", "--to", "labels", "--out", str(out)]) == 0
    assert [json.loads(line)["stop"] for line in out.read_text().splitlines()[1:]] == [60]


def test_a_verdict_beyond_the_end_does_not_spoil_a_share(library: Library, tmp_path: Path) -> None:
    (episode,) = library.episodes()
    judge(library, (episode.episode_id, 0, 60), (episode.episode_id, 0, 999_999))
    with LabelDatabase(library.labels) as labels:
        write_share(tmp_path / "share.zip", [episode], labels.verdicts())
    with ShareImporter(Library(tmp_path / "other")) as importer:
        result = importer.import_share(tmp_path / "share.zip")
    assert (result.ok, result.new_verdicts) == (True, 1)


def rename(library: Library, name: str) -> Path:
    (episode,) = library.episodes()
    return Path(episode.path).rename(library.replays / name)


def test_a_renamed_file_keeps_its_id_and_its_verdicts(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (before,) = library.episodes()
    judge(library, (before.episode_id, 0, 60))
    renamed = rename(library, "best of all.h5")
    (after,) = library.episodes()
    assert (after.episode_id, after.path) == (before.episode_id, str(renamed))
    assert library.episode_path(before.episode_id) == renamed
    assert report(library, capsys)["verdicts"] == {"Eve": {"good": 0, "bad": 1, "skip": 0}}
    out = tmp_path / "clip.npz"
    assert main(["--library", str(library.folder), "export", "--verdict", "bad", "--to", "npz", "--out", str(out)]) == 0
    assert out.is_file()


def test_a_renamed_episode_can_be_chosen_shared_and_put_into_the_trash(library: Library, tmp_path: Path) -> None:
    (episode,) = library.episodes()
    name = episode.episode_id
    renamed = rename(library, "best of all.h5")
    for chosen in (name, "best of all", str(renamed)):
        assert [e.episode_id for e in EpisodeChoice(names=(chosen,)).episodes(library, None)] == [name]
    write_share(tmp_path / "share.zip", library.episodes(), [])
    with ShareImporter(library) as importer:
        assert importer.import_share(tmp_path / "share.zip").already_here == [name]
    trash = Trash(library)
    assert trash.discard([name]).episode_ids == (name,)
    assert not library.episodes()
    assert trash.restore([name]).episode_ids == (name,)
    assert renamed.is_file()


def test_a_file_without_a_stored_id_has_its_name_as_its_id(library: Library) -> None:
    import h5py

    renamed = rename(library, "old.h5")
    renamed.chmod(0o644)
    with h5py.File(renamed, "r+") as file:
        del file.attrs["id"]
    with ReplayFile(renamed) as replay:
        assert replay.episode_id == "old"


def test_a_copy_under_another_name_is_reported_and_not_counted_twice(library: Library) -> None:
    (episode,) = library.episodes()
    copy = library.replays / "a copy.h5"
    shutil.copyfile(episode.path, copy)
    assert library.episodes() == [episode]
    ((path, reason),) = library.broken()
    assert path == copy
    assert f"has the same id as {Path(episode.path).name}" in reason
    assert Trash(library).discard(["a copy"]).episode_ids == ("a copy",)
    assert library.broken() == [] and library.episodes() == [episode]
