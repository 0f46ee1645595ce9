"""The tour on small numbers: every step is real, and a second tour goes on where the first one ended."""

from __future__ import annotations

import re

import pytest

from commands.tour import TourResult, TourSize, take_tour
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
    assert len(result.episodes) == 2


def test_the_page_shows_both_agents_and_says_how_small_the_run_was(result: TourResult) -> None:
    page = result.report.read_text()
    assert "far too small to conclude anything" in page
    assert "24 steps of training" in page
    assert [arm.title for arm in result.arms] == ["seeded", "unseeded"]
    for arm in result.arms:
        assert f"<td>{arm.title}</td>" in page
        assert f"{arm.mean:.0f}</td>" in page


def test_the_page_needs_no_other_file(result: TourResult) -> None:
    page = result.report.read_text()
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert page.count("data:image/gif;base64,") == 1


def test_both_agents_are_trained_alike_but_for_the_seeding(result: TourResult, library: Library) -> None:
    from agent.config import run_config

    seeded, unseeded = (run_config(open_run(library, arm.name)) for arm in result.arms)
    assert seeded.seed_from == ("planner",)
    assert unseeded.seed_from == ()
    assert (seeded.steps, seeded.learning_rate, seeded.seed) == (unseeded.steps, unseeded.learning_rate, unseeded.seed)


def test_the_seeded_agent_is_on_film(result: TourResult) -> None:
    assert result.gif.read_bytes()[:6] == b"GIF89a"


def test_a_second_tour_trains_nothing_again(result: TourResult, library: Library) -> None:
    def steps() -> list[int]:
        return [run.step for run in list_runs(library)]

    assert steps() == [24, 24]
    again = take_tour(library, "SpaceInvaders", 2, SMALL)
    assert steps() == [24, 24]
    assert [arm.scores for arm in again.arms] == [arm.scores for arm in result.arms]
