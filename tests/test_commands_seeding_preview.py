"""The preview of a seeding, which must equal what a training fills in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
from agent_episodes import record_episode

import coach
from agent.config import TrainConfig
from agent.memory_of_config import new_memory
from agent.seeding import plan_with_labels
from agent.seeding_fill import fill
from agent.slots import OWN
from commands.seeding_preview import only_game, parse_seeding, preview, preview_of_text, sentences
from commands.training_controller import LibraryTrainingController
from data.checked_files import DamageCheck
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.trash import Trash
from home.seeding_pane import damaged_words
from home.train_window import TrainWindow
from screen.events import KeyDown
from screen.layout import Box

MEANINGS = Emulator("SpaceInvaders").action_meanings


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Two episodes by a person, one by random play; good, bad, disputed and skipped clips."""
    made = Library(tmp_path_factory.mktemp("library"))
    first = record_episode(made, 900, seed=1, kind="human")
    second = record_episode(made, 600, seed=2, kind="human", abandoned=True)
    record_episode(made, 400, seed=3, kind="random")
    with LabelDatabase(made.labels) as labels:
        for clip, curator, verdict in (
            (Clip(first, 0, 180), "Grace", "good"),
            (Clip(first, 200, 380), "Grace", "bad"),
            (Clip(first, 300, 480), "rule:before-death", "bad"),
            (Clip(second, 100, 220), "Grace", "bad"),
            (Clip(second, 100, 220), "Alan", "good"),
            (Clip(second, 300, 400), "Alan", "skip"),
        ):
            labels.record(Verdict(clip, curator, verdict))
    return made


@pytest.mark.parametrize("keep", ["all", "not-bad", "good"])
@pytest.mark.parametrize("specs", [("human",), ("all",), ("human", "random:70")])
def test_the_preview_equals_what_a_training_fills_in(library: Library, specs: tuple[str, ...], keep: str) -> None:
    told = preview(library, "SpaceInvaders", specs, keep)
    config = TrainConfig(seed_from=specs, keep=keep)
    plan = plan_with_labels(config, library, MEANINGS, library.labels)
    memory = new_memory(config, plan.slots(config))
    sources = fill(memory, config, plan, np.random.default_rng(0), lambda _: None)
    recorded = [number for number, source in enumerate(sources) if not source.name.startswith("random:")]
    columns = memory.columns
    rows = np.flatnonzero(columns["ready"] & (columns["source"] != OWN) & np.isin(columns["source"], recorded))
    assert memory.seeded_ready == told.transitions
    assert len(rows) == told.kept == sum(told.kept_by_verdict.values())
    assert told.actions == dict(zip(MEANINGS, np.bincount(columns["action"][rows], minlength=6).tolist(), strict=True))
    assert told.rewarded == np.count_nonzero(columns["points"][rows] > 0)
    assert told.points == columns["points"][rows].sum()
    assert told.found == told.kept + sum(told.removed.values())
    assert told.seconds == pytest.approx(told.kept * 4 / 60)


def test_each_verdict_removes_the_decisions_that_it_covers(library: Library) -> None:
    """Grace's bad clip covers rows 200 to 379, the rule's ends at 479; the tie removes none."""
    told = preview(library, "SpaceInvaders", ("human",), "not-bad")
    assert told.removed_by_verdict == {"good": 0, "bad": (480 - 200) // 4, "none": 0}
    assert told.kept_by_verdict["good"] == 180 // 4
    strict = preview(library, "SpaceInvaders", ("human",), "good")
    assert (strict.kept, strict.removed_by_verdict["bad"]) == (45, 70)
    assert strict.removed_by_verdict["none"] == told.kept_by_verdict["none"]


def test_another_label_database_gives_another_preview(library: Library) -> None:
    told = preview(library, "SpaceInvaders", ("human",), "not-bad", library.folder / "missing.sqlite")
    assert told.kept == told.found


def test_a_seeding_is_written_as_sources_and_what_to_keep() -> None:
    assert parse_seeding("human,keep=good") == (("human",), "good")
    assert parse_seeding("human, planner@2") == (("human", "planner@2"), "not-bad")


@pytest.mark.parametrize("text", ["", "keep=good", "human,keep=best", "human,hold=all", "dreams", "agent:nobody"])
def test_a_wrong_seeding_is_reported_with_the_option_that_was_typed(library: Library, text: str) -> None:
    with pytest.raises(CoachError) as told:
        preview_of_text(library, "SpaceInvaders", text)
    assert "--seed-from" not in str(told.value)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_library_command_prints_and_plots_a_seeding(
    library: Library, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "seeding.png"
    words = ["--library", str(library.folder), "library", "--seeding", "human,keep=good", "--picture", str(picture)]
    assert coach.main([*words, *arguments]) == 0
    told = capsys.readouterr().out
    if arguments:
        facts = json.loads(told)
        assert (facts["kept"], facts["removed_by_verdict"]["bad"], facts["picture"]) == (45, 70, str(picture))
    else:
        assert "45 transitions of Space Invaders from human (keep good)" in told
    assert imageio.imread(picture).std() > 10
    assert coach.main([*words[:-1], str(tmp_path / "seeding.docx")]) == 2


def test_without_a_game_the_only_one_of_the_library_is_chosen(library: Library, tmp_path: Path) -> None:
    assert only_game(library) == only_game(Library(tmp_path)) == "SpaceInvaders"
    other = Library(tmp_path / "other")
    record_episode(other, 60, game="Breakout")
    assert only_game(other) == "Breakout"


def damage_frames(path: Path) -> None:
    """Overwrite a block of pictures. The library's index, which knows size and time of the file, does not notice."""
    with ReplayFile(path) as replay:
        block = replay.h5py_file["frames"].id.get_chunk_info(1)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.chmod(0o644)
    with path.open("rb+") as file:
        file.seek(block.byte_offset)
        file.write(bytes(range(64)))
    os.utime(path, ns=times)


@pytest.fixture
def damaged(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Library, Path]:
    """A copy of the library in which one of the two episodes by a person is damaged, and the path of that."""
    monkeypatch.setattr("data.checked_files.cache_folder", lambda: tmp_path / "cache")
    made = Library(shutil.copytree(library.folder, tmp_path / "library"))
    path = Path(next(e.path for e in made.episodes() if e.demonstrator == "human"))
    damage_frames(path)
    return made, path


def test_a_damaged_file_is_left_out_of_the_preview_and_of_the_training(damaged: tuple[Library, Path]) -> None:
    library, path = damaged
    found = preview(library, "SpaceInvaders", ("human",))
    assert (found.episodes, list(found.damaged)) == (1, [str(path)])
    [sentence] = [sentence for sentence in sentences(found) if "damaged" in sentence]
    assert path.name in sentence
    config = TrainConfig(seed_from=("human",))
    plan = plan_with_labels(config, library, MEANINGS, library.labels)
    assert plan.note.startswith(f"A damaged replay file is left out: {path.name} is damaged")
    memory = new_memory(config, plan.slots(config))
    fill(memory, config, plan, np.random.default_rng(0), lambda _: None)
    assert memory.seeded_ready == found.transitions > 0
    path.unlink()
    assert not preview(library, "SpaceInvaders", ("human",)).damaged


def test_the_command_does_not_count_a_damaged_file(
    damaged: tuple[Library, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    library, _ = damaged
    assert coach.main(["--library", str(library.folder), "library", "--seeding", "human", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 1


def test_a_file_is_read_whole_only_once(damaged: tuple[Library, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    library, path = damaged
    with DamageCheck() as check:
        problem = check.problem(path)
    assert problem
    monkeypatch.setattr("data.checked_files._problem", lambda _: "read again")
    with DamageCheck() as check:
        assert check.problem(path) == problem
        os.utime(path, (1, 1))
        assert check.problem(path) == "read again"
    assert library


def test_a_damaged_file_goes_to_the_trash_from_the_form(damaged: tuple[Library, Path]) -> None:
    library, path = damaged

    class NoWindow:
        title = ""
        size_units = Box(0, 0, 1280, 800)

    window = TrainWindow(NoWindow(), LibraryTrainingController(library, "SpaceInvaders"))  # type: ignore[arg-type]
    window._open_form()
    assert window._preview is not None
    window._preview.preview = preview(library, "SpaceInvaders", ("human",))
    assert path.stem.split("-", 1)[1] in damaged_words(window._preview.preview)
    window._handle(KeyDown("delete"))
    assert Trash(library).names() == [path.stem]
    assert "trash" in window._message
    window._close_form()
