"""The supplied agent in the commands and windows: ready in an empty library, and read-only."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pygame
import pytest

import coach
from agent.evaluation import PROTOCOLS
from agent.live_weights import newest_agent
from commands.comparison_controller import LibraryComparisonController
from commands.overview import read_overview, run_to_watch
from commands.seeding_preview import preview
from commands.supplied_play import record_supplied_play, unrecorded_players
from commands.training_controller import LibraryTrainingController
from commands.watch import watched_run
from data.errors import CoachError
from data.library import Library
from data.run_progress import Progress
from data.runs import SUPPLIED_RUNS, find_run, open_run
from data.trash import Trash
from recorder.game_picker import GamePicker
from recorder.game_pictures import GamePictures
from recorder.watch_view import facts_of
from screen.canvas import Canvas
from screen.layout import Box
from tests.agent_episodes import record_episode


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def state_of_package() -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in SUPPLIED_RUNS.rglob("*")}


def test_it_is_evaluated_watched_and_recorded_at_once_and_the_package_is_unchanged(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PROTOCOLS, "nature", dataclasses.replace(PROTOCOLS["nature"], max_frames=120))
    before = state_of_package()
    here = ["--library", str(library.folder)]
    assert coach.main(["evaluate", "teacher", "--episodes", "2", "--json", *here]) == 0
    assert json.loads(capsys.readouterr().out)["run"] == "teacher"
    assert coach.main(["watch", "teacher", "--gif", str(tmp_path / "a.gif"), "--seconds", "1", *here]) == 0
    assert newest_agent(open_run(library, "teacher")).step > 0, "as the Watch window asks for it"
    assert not library.folder.exists(), "evaluating and watching copy nothing into the library"
    assert coach.main(["record", "--by", "agent:teacher", "--max-frames", "120", *here]) == 0
    [episode] = library.episodes()
    assert (episode.demonstrator, episode.player) == ("agent", "teacher")
    assert not any(library.runs.iterdir())
    assert state_of_package() == before


def test_it_is_marked_in_the_list_of_the_library(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert coach.main(["library", "--library", str(library.folder)]) == 0
    assert "Run teacher: Space Invaders" in (printed := capsys.readouterr().out)
    assert "supplied with Replay Coach" in printed
    assert coach.main(["library", "--library", str(library.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], [run["name"] for run in found["supplied_runs"]]) == ([], ["teacher"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--run", "teacher", "--resume"],
        ["add", "teacher", "an-episode"],
        ["record", "--by", "planner", "--correct", "teacher"],
        ["watch", "teacher", "--coach"],
        ["trash", "--put", "teacher"],
    ],
)
def test_what_would_change_it_is_refused_with_one_sentence(
    library: Library, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert coach.main([*arguments, "--library", str(library.folder)]) == 2
    assert capsys.readouterr().err.startswith("coach: The run 'teacher' is supplied with Replay Coach and cannot be ")


def test_the_windows_neither_rename_nor_delete_nor_resume_it(library: Library) -> None:
    library.prepare()
    controller = LibraryTrainingController(library, "SpaceInvaders")
    for change in (lambda: controller.rename("teacher", "mine"), lambda: controller.delete("teacher")):
        with pytest.raises(CoachError, match="is supplied"):
            change()
    with pytest.raises(CoachError, match="is supplied"):
        controller.resume("teacher")
    with pytest.raises(CoachError, match="is supplied"):
        Trash(library).discard_run("teacher")


def test_a_run_of_the_library_with_its_name_hides_it(library: Library) -> None:
    library.prepare()
    assert open_run(library, "teacher").is_supplied
    shutil.copytree(SUPPLIED_RUNS / "teacher", library.run_folder("teacher"))
    assert not find_run(library, "teacher").is_supplied
    [run] = LibraryTrainingController(library, "SpaceInvaders").runs()
    assert (run.name, run.supplied) == ("teacher", False)
    assert read_overview(library, "SpaceInvaders").supplied is None
    Trash(library).discard_run("teacher")
    assert open_run(library, "teacher").is_supplied


def test_an_unknown_run_is_reported_with_the_supplied_one(library: Library) -> None:
    with pytest.raises(CoachError, match=r"no run 'x'; train one first with: .*; teacher is supplied\."):
        open_run(library, "x")


def test_home_watches_it_where_there_is_no_other_agent_of_the_game(library: Library) -> None:
    assert run_to_watch(library, "SpaceInvaders") == "teacher"
    assert run_to_watch(library, "Breakout") is None
    assert read_overview(library, "Breakout").supplied is None


def test_the_watch_window_and_the_list_of_games_say_in_words_that_it_is_supplied(library: Library) -> None:
    watched = watched_run(open_run(library, "teacher"), step=1)
    assert facts_of(watched).startswith("supplied, scores ")
    pictures = GamePictures()
    picker = GamePicker(["Pong", "SpaceInvaders"], "SpaceInvaders", pictures)
    said: list[str] = []
    canvas = Canvas(pygame.Surface((1280, 800)), 1.0)
    canvas.text = lambda text, *_, **__: said.append(text) or Box(0, 0, 0, 0)  # type: ignore[method-assign,func-returns-value]
    picker._draw_head(canvas, picker._grid(Box(0, 0, 1280, 800)))
    pictures.close()
    assert "Space Invaders, with a trained agent to watch" in said


def test_its_play_is_a_source_and_an_arm_before_it_is_recorded_and_after(library: Library) -> None:
    library.prepare()
    training = LibraryTrainingController(library, "SpaceInvaders")
    [offer] = [source for source in training.sources() if source.spec == "agent:teacher"]
    assert (offer.available, offer.detail) == (True, "recorded at the start")
    assert "agent:teacher" in [arm.spec for arm in LibraryComparisonController(library, "SpaceInvaders").arms()]
    assert "agent:teacher" not in [s.spec for s in LibraryTrainingController(library, "Breakout").sources()]
    found = preview(library, "SpaceInvaders", ("agent:teacher", "random:100"))
    assert (found.recorded_first, found.kept, found.random) == (("teacher",), 0, 100)
    assert found.transitions == 13_500 + 100


def test_its_play_is_recorded_before_a_training_that_is_seeded_with_it_and_only_once(library: Library) -> None:
    record_episode(library, 120, kind="human", player="teacher")  # a person of that name
    sources = ("human", "agent:teacher")
    assert unrecorded_players(library, "SpaceInvaders", sources) == ["teacher"]
    assert unrecorded_players(library, "Breakout", sources) == []
    reported: list[Progress] = []
    paths = record_supplied_play(library, "SpaceInvaders", sources, reported.append, seconds=3)
    assert sum(e.seconds for e in library.episodes() if e.demonstrator == "agent") == 3.0
    assert (reported[-1].phase, reported[-1].step, reported[-1].total) == ("recording", 3, 3)
    assert len(paths) == 1
    assert record_supplied_play(library, "SpaceInvaders", sources) == []
    assert preview(library, "SpaceInvaders", ("agent:teacher",)).episodes == 1
