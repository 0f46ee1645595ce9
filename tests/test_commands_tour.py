"""A small tour: every step is real, and a second tour repeats no training."""

from __future__ import annotations

import json
import re

import pytest

import coach
from commands.output import print_json
from commands.tour import SIZES, TOUR_GAME, TourResult, TourSize, take_tour
from data.errors import CoachError
from data.library import Library
from data.runs import list_runs, open_run

SMALL = TourSize(episodes=2, rollouts=1, horizon=1, steps=24, pretrain_steps=4, evaluation_episodes=2, film_seconds=2)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(tmp_path_factory.mktemp("tour"))


@pytest.fixture(scope="module")
def result(library: Library) -> TourResult:
    return take_tour(library, "SpaceInvaders", 2, SMALL)


def test_two_planner_episodes_are_recorded_and_used(result: TourResult, library: Library) -> None:
    assert [episode.demonstrator for episode in library.episodes()] == ["planner", "planner"]
    assert len(result.facts.episodes) == 2


def test_the_report_shows_both_agents_and_says_how_small_the_run_was(result: TourResult) -> None:
    page = result.report.read_text()
    assert "far too small to conclude anything" in page
    assert "24 steps of training" in page
    assert "no interval over trainings can be given" in page
    for arm in result.facts.arms():
        assert f'<td>{arm["title"]}</td><td class="number">{arm["mean"]:.0f}</td>' in page


def test_the_printed_json_has_the_scores_of_both_agents(result: TourResult, capsys: pytest.CaptureFixture[str]) -> None:
    print_json(result.to_json())
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["report", "gif", "episodes", "arms", "seconds"]
    assert [arm["name"] for arm in printed["arms"]] == ["tour-seeded", "tour-unseeded"]
    for arm in printed["arms"]:
        assert arm.keys() == {
            *("name", "title", "pretrain_steps", "steps", "training_seconds", "training_scores"),
            *("scores", "mean", "median", "low", "high"),
        }
        assert arm["low"] <= arm["mean"] <= arm["high"]
        assert len(arm["scores"]) == 2


def test_the_report_needs_no_other_file(result: TourResult) -> None:
    page = result.report.read_text()
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert page.count("data:image/gif;base64,") == 1


def test_both_agents_are_trained_alike_except_for_the_seeding(result: TourResult, library: Library) -> None:
    from agent.config import run_config

    seeded, unseeded = (run_config(open_run(library, arm.runs[0])) for arm in result.facts.summary.arms)
    assert seeded.seed_from == ("planner",)
    assert unseeded.seed_from == ()
    assert (seeded.steps, seeded.learning_rate, seeded.seed) == (unseeded.steps, unseeded.learning_rate, unseeded.seed)


def test_the_seeded_agent_is_filmed(result: TourResult) -> None:
    assert result.gif.read_bytes()[:6] == b"GIF89a"


def test_without_a_display_the_tour_plays_a_game_that_has_its_own_size(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    toured = []

    def tour_taken(_: Library, game: str, *__: object) -> TourResult:
        toured.append(game)
        raise CoachError("far enough")

    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setattr("commands.tour.take_tour", tour_taken)
    for command in ([], ["tour"]):
        assert coach.main(["--library", str(library.folder), *command]) == CoachError.exit_code
    assert "The tour runs instead" in capsys.readouterr().err
    assert toured == [TOUR_GAME] * 2
    assert TOUR_GAME in SIZES


def test_a_second_tour_repeats_no_training(result: TourResult, library: Library) -> None:
    def steps() -> list[int]:
        return [run.step for run in list_runs(library)]

    assert steps() == [24, 24]
    again = take_tour(library, "SpaceInvaders", 1, SMALL)
    assert steps() == [24, 24]
    assert [arm["scores"] for arm in again.facts.arms()] == [arm["scores"] for arm in result.facts.arms()]
