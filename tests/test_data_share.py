"""Shares carry episodes and verdicts from one library to another: whole, proved, once, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode
from replay_episodes import record

from data import share_export
from data.clip import Clip, Verdict
from data.episode import EpisodeSummary
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.label_exchange import labels_text
from data.library import EpisodeChoice, Library
from data.replay_file import ReplayFile, renamed_image
from data.share_archive import ShareArchive
from data.share_export import Pseudonyms, write_share
from data.share_import import ShareImport, ShareImporter, shares_in
from data.verification import verify

ROOT = Path(__file__).parent.parent
KILLS = 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with two games by two players, and verdicts of two curators and a rule."""
    library = Library(tmp_path_factory.mktemp("home"))
    first = record_episode(library, 120, 0, "Pong", "human", "Ada")
    second = record_episode(library, 160, 1, "Pong", "human", "Bo")
    third = record_episode(library, 900, 2, "SpaceInvaders", "agent", "run-7")
    with LabelDatabase(library.labels) as labels:
        labels.record(Verdict(Clip(first, 0, 60), "Ada", "good", note="Ada was here"))
        labels.record(Verdict(Clip(second, 60, 120), "Ada", "bad"))
        labels.record(Verdict(Clip(third, 0, 60), "rule:before-reward", "good", note="frames=60"))
    return library


@pytest.fixture
def away(tmp_path: Path) -> Library:
    return Library(tmp_path / "away")


@pytest.fixture(scope="module")
def share(home: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared(home, tmp_path_factory.mktemp("share") / "all.zip")


def shared(library: Library, path: Path, choice: EpisodeChoice | None = None, pseudonyms: bool = False) -> Path:
    key = Pseudonyms.of_library(library) if pseudonyms else None
    with LabelDatabase(library.labels) as labels:
        episodes = (choice or EpisodeChoice()).episodes(library, labels)
        write_share(path, episodes, labels.verdicts(), key)
    return path


def take(library: Library, path: Path) -> ShareImport:
    with ShareImporter(library) as importer:
        return importer.import_share(path)


def contents(library: Library) -> dict[str, str]:
    """Every file in the library and the SHA-256 of its bytes."""
    files = (path for path in sorted(library.folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(library.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def verdicts(library: Library) -> list[Verdict]:
    with LabelDatabase(library.labels) as labels:
        return labels.verdicts()


def test_what_was_shared_arrives_as_it_was(home: Library, away: Library, share: Path) -> None:
    result = take(away, share)
    assert (result.ok, len(result.imported), result.new_verdicts) == (True, 3, 3)
    for episode in home.episodes():
        arrived = away.episode_path(episode.episode_id)
        assert arrived.read_bytes() == Path(episode.path).read_bytes()
        assert not arrived.stat().st_mode & 0o222
    assert sorted(verdicts(away), key=lambda v: v.clip) == sorted(verdicts(home), key=lambda v: v.clip)
    assert [replace(e, path="") for e in away.episodes()] == [replace(e, path="") for e in home.episodes()]


def test_importing_twice_changes_nothing(away: Library, share: Path) -> None:
    take(away, share)
    verdicts(away)
    before = contents(away)
    again = take(away, share)
    assert (again.ok, again.imported, len(again.already_here), again.new_verdicts) == (True, [], 3, 0)
    assert contents(away) == before


def test_the_same_choice_makes_the_same_bytes(home: Library, tmp_path: Path) -> None:
    for pseudonyms in (False, True):
        first, second = (shared(home, tmp_path / f"{n}.zip", pseudonyms=pseudonyms).read_bytes() for n in (1, 2))
        assert first == second


CHOICES = {
    "a game": (EpisodeChoice(game="Pong"), {"Ada", "Bo"}),
    "a player": (EpisodeChoice(players=("Bo",)), {"Bo"}),
    "two players": (EpisodeChoice(players=("Bo", "run-7")), {"Bo", "run-7"}),
    "a demonstrator": (EpisodeChoice(demonstrators=("agent",)), {"run-7"}),
    "a score": (EpisodeChoice(least_score=5.0), {"run-7"}),
    "a verdict": (EpisodeChoice(verdict="bad"), {"Bo"}),
    "a game and a verdict": (EpisodeChoice(game="Pong", verdict="good"), {"Ada"}),
}


@pytest.mark.parametrize("what", CHOICES)
def test_episodes_are_chosen_by(what: str, home: Library) -> None:
    choice, players = CHOICES[what]
    with LabelDatabase(home.labels) as labels:
        chosen = choice.episodes(home, labels)
    assert {episode.player for episode in chosen} == players


def test_episodes_are_chosen_by_name_and_as_files_from_elsewhere(home: Library, tmp_path: Path) -> None:
    inside = home.episodes()[0]
    outside = tmp_path / "mine.h5"
    shutil.copyfile(inside.path, outside)
    for name in (inside.episode_id, inside.path):
        assert EpisodeChoice(names=(name,)).episodes(home, None) == [inside]
    (chosen,) = EpisodeChoice(names=(str(outside),)).episodes(home, None)
    assert (chosen.episode_id, chosen.path) == (inside.episode_id, str(outside))
    with pytest.raises(CoachError, match="There is no replay file nobody"):
        EpisodeChoice(names=("nobody",)).episodes(home, None)


def test_only_verdicts_of_the_chosen_episodes_travel(home: Library, away: Library, tmp_path: Path) -> None:
    take(away, shared(home, tmp_path / "bo.zip", EpisodeChoice(players=("Bo",))))
    assert [verdict.verdict for verdict in verdicts(away)] == ["bad"]


def test_pseudonyms_replace_people_but_neither_runs_nor_rules(home: Library, away: Library, tmp_path: Path) -> None:
    path = shared(home, tmp_path / "nameless.zip", pseudonyms=True)
    assert take(away, path).ok
    players = {episode.player for episode in away.episodes()}
    curators = {verdict.curator for verdict in verdicts(away)}
    ada = Pseudonyms.of_library(home).of("Ada")
    assert "run-7" in players and "rule:before-reward" in curators
    assert ada in players and ada in curators
    raw = b"".join(file.read_bytes() for file in away.folder.rglob("*.h5"))
    with ShareArchive(path) as archive:
        labels = b"".join(archive.parts_of_labels())
    for name in (b"Ada", b"Bo\0"):
        assert name not in raw + labels
    assert all(verify(Path(episode.path)).ok for episode in away.episodes())


def test_a_pseudonym_is_another_one_in_another_library(tmp_path: Path) -> None:
    here, there = (Pseudonyms.of_library(Library(tmp_path / name)) for name in ("here", "there"))
    assert here.of("Ada") == Pseudonyms.of_library(Library(tmp_path / "here")).of("Ada")
    assert here.of("Ada") != there.of("Ada")
    assert here.of(here.of("Ada")) == here.of("Ada")
    assert here.of("") == ""


def test_what_comes_home_under_pseudonyms_changes_nothing(home: Library, tmp_path: Path) -> None:
    path = shared(home, tmp_path / "nameless.zip", pseudonyms=True)
    before = verdicts(home)
    result = take(home, path)
    assert (result.ok, len(result.already_here), result.new_verdicts) == (True, 3, 0)
    assert verdicts(home) == before


def test_a_renamed_file_holds_the_same_play_and_no_trace_of_the_name(home: Library, tmp_path: Path) -> None:
    original = Path(home.episodes()[0].path)
    renamed = tmp_path / "renamed.h5"
    with ReplayFile(original) as before:
        renamed.write_bytes(renamed_image(before, {before.origin.player: "x" * 40}))
        assert renamed.read_bytes() == renamed_image(before, {before.origin.player: "x" * 40})
        with ReplayFile(renamed) as after:
            assert after.origin == replace(before.origin, player="x" * 40)
            np.testing.assert_array_equal(after.frames(), before.frames())
            np.testing.assert_array_equal(after.demonstrator, before.demonstrator)
    assert b"Ada" in original.read_bytes() and b"Ada" not in renamed.read_bytes()
    assert verify(renamed).ok


def test_another_episode_of_the_same_name_is_refused(home: Library, away: Library, share: Path, tmp_path: Path) -> None:
    away.prepare()
    name = home.episodes()[0].episode_id
    other = away.replays / f"{name}.h5"
    shutil.copyfile(record(Library(tmp_path / "other"), 60, "Pong", 9), other)
    before = other.read_bytes()
    result = take(away, share)
    assert [refusal.episode for refusal in result.refused] == [name]
    assert "is another episode" in result.refused[0].reason
    assert len(result.imported) == 2
    assert other.read_bytes() == before


def test_a_false_episode_is_refused_by_name_and_the_others_come(home: Library, away: Library, tmp_path: Path) -> None:
    episodes = home.episodes()
    false = falsified(episodes[0], tmp_path)
    write_share(tmp_path / "partly.zip", [false, *episodes[1:]], verdicts(home))
    result = take(away, tmp_path / "partly.zip")
    assert [refusal.episode for refusal in result.refused] == [false.episode_id]
    assert (
        "differs from what the emulator does" in result.refused[0].reason and "incoming" not in result.refused[0].reason
    )
    assert {e.episode_id for e in away.episodes()} == {e.episode_id for e in episodes[1:]}
    assert len(verdicts(away)) == 2, "verdicts on what was refused stay outside"


def falsified(episode: EpisodeSummary, folder: Path) -> EpisodeSummary:
    """The episode with one reward raised."""
    import h5py
    import hdf5plugin  # noqa: F401

    path = folder / Path(episode.path).name
    shutil.copyfile(episode.path, path)
    path.chmod(0o644)
    with h5py.File(path, "r+") as file:
        file["rewards"][7] = 100.0
    return replace(episode, path=str(path))


BAD_VERDICTS = {
    "of an episode that is not in the share": Verdict(Clip("somewhere-else", 0, 60), "Eve", "good"),
    "beyond the episode's end": Verdict(Clip("{first}", 0, 100_000), "Eve", "good"),
    "by somebody with control characters": Verdict(Clip("{first}", 0, 60), "Eve\x1b[2J", "good"),
}


@pytest.mark.parametrize("what", BAD_VERDICTS)
def test_verdicts_are_refused_but_not_the_episodes(
    what: str, home: Library, away: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    episodes = home.episodes("Pong")[:1]
    bad = BAD_VERDICTS[what]
    clip = replace(bad.clip, episode_id=bad.clip.episode_id.format(first=episodes[0].episode_id))
    monkeypatch.setattr(share_export, "labels_text", lambda told: labels_text([*told, replace(bad, clip=clip)]))
    write_share(tmp_path / "s.zip", episodes, verdicts(home))
    result = take(away, tmp_path / "s.zip")
    assert "labels.jsonl in" in result.problem and result.problem.count("\n") == 0
    assert len(result.imported) == 1
    assert not away.labels.exists()


def test_a_share_never_replaces_a_file_that_is_none(home: Library, tmp_path: Path) -> None:
    homework = tmp_path / "homework.zip"
    homework.write_bytes(b"PK my thesis")
    with pytest.raises(CoachError, match="is not a share; choose another name"):
        shared(home, homework)
    assert homework.read_bytes() == b"PK my thesis"


def test_a_folder_stands_for_the_zips_in_it(tmp_path: Path) -> None:
    for name in ("b.zip", "a.ZIP", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in shares_in([tmp_path, tmp_path / "b.zip"])] == ["a.ZIP", "b.zip"]
    with pytest.raises(CoachError, match="no share"):
        shares_in([tmp_path / "nobody.zip"])


def test_an_import_that_is_killed_leaves_nothing_half_and_is_finished_later(tmp_path: Path) -> None:
    many = Library(tmp_path / "many")
    for seed in range(4):
        record(many, 200, "Pong", seed)
    with LabelDatabase(many.labels) as labels:
        for episode in many.episodes():
            labels.record(Verdict(Clip(episode.episode_id, 0, 60), "Ada", "good"))
    whole = shared(many, tmp_path / "many.zip")
    originals = {path.name: path.read_bytes() for path in many.replays.glob("*.h5")}
    rng = np.random.default_rng(5)
    there = Library(tmp_path / "there")
    for kill in range(KILLS):
        _import_until(there, whole, episodes=kill + 1, delay=float(rng.uniform(0, 0.05)))
        for path in there.replays.glob("*.h5"):
            assert path.read_bytes() == originals[path.name]
        if there.labels.exists():
            assert len(verdicts(there)) in (0, 4)
    result = take(there, whole)
    assert result.ok
    assert {path.name: path.read_bytes() for path in there.replays.iterdir()} == originals
    assert len(verdicts(there)) == 4


def _import_until(library: Library, share: Path, episodes: int, delay: float) -> None:
    """Import in a process of its own, and kill it and its children once so many episodes are there."""
    code = (
        "import sys; from pathlib import Path; from data.library import Library; "
        "from data.share_import import ShareImporter; "
        "ShareImporter(Library(sys.argv[1])).import_share(Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(library.folder), str(share)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and len(list(library.replays.glob("*.h5"))) < episodes:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(delay)
    finally:
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
