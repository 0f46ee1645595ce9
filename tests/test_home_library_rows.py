"""The library's rows: filters, searches, sorts; and thousands of them at once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from data.clip import Clip, Verdict
from data.episode import EpisodeSummary
from home.library_rows import EpisodeRow, Filter, Order, filtered, rows_of, sorted_rows, values_of

ROWS = [
    EpisodeRow("e1", "", "SpaceInvaders", "human", "Ada", "2026-01-01", 100, 60),
    EpisodeRow("e2", "", "SpaceInvaders", "planner", "", "2026-01-02", 600, 30),
    EpisodeRow("e3", "", "Breakout", "human", "Grace", "2026-01-03", 7, 90),
    EpisodeRow("e4", "", "SpaceInvaders", "human", "ada", "2026-01-04", 300, 10, good=3),
    EpisodeRow("e5", "", problem="e5.h5 is not a replay file"),
]


def names(rows: list[EpisodeRow]) -> str:
    return " ".join(row.episode_id for row in rows)


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (Filter(), "e1 e2 e3 e4 e5"),
        (Filter(game="Breakout"), "e3 e5"),
        (Filter(demonstrator="human"), "e1 e3 e4"),
        (Filter(player="Ada"), "e1"),
        (Filter(text="ADA"), "e1 e4"),
        (Filter(text="space human"), "e1 e4"),
        (Filter(text=">100"), "e2 e4"),
        (Filter(text=">= 100 <600"), "e1 e4"),
        (Filter(text="score>100 planner"), "e2"),
        (Filter(text=">"), "e1 e2 e3 e4 e5"),
        (Filter(text="no replay"), "e5"),
        (Filter(best="best quarter"), "e2"),
        (Filter(best="best half"), "e2 e4"),
        (Filter(best="best half", demonstrator="human"), "e1 e4"),
    ],
)
def test_a_filter_keeps_what_fits_it(chosen: Filter, left: str) -> None:
    assert names(filtered(ROWS, chosen)) == left


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order(), "e4 e3 e2 e1 e5"),
        (Order("recorded", reversed=True), "e1 e2 e3 e4 e5"),
        (Order("score"), "e2 e4 e1 e3 e5"),
        (Order("length", reversed=True), "e4 e2 e1 e3 e5"),
        (Order("player"), "e2 e4 e1 e3 e5"),
        (Order("verdicts"), "e4 e3 e2 e1 e5"),
    ],
)
def test_rows_are_sorted_with_the_newest_first_among_equals_and_broken_files_last(order: Order, expected: str) -> None:
    assert names(sorted_rows(ROWS, order)) == expected


def test_the_same_column_again_reverses_the_order() -> None:
    assert Order().then("score") == Order("score")
    assert Order("score").then("score") == Order("score", reversed=True)


def test_verdicts_are_counted_for_each_episode() -> None:
    summary = EpisodeSummary("e1", "p", "Pong", "human", "", "2026", 120, 3.0, "game_over", 4, 1, {"human": 120})
    verdicts = [Verdict(Clip("e1", at, at + 60), "Ada", said) for at, said in ((0, "good"), (30, "bad"), (60, "good"))]
    first, second = rows_of(
        [summary],
        [(Path("/far away/x.h5"), "/far away/x.h5 is cut off")],
        [*verdicts, replace(verdicts[0], clip=Clip("e9", 0, 1))],
    )
    assert (first.good, first.bad, first.seconds) == (2, 1, 2.0)
    assert (second.episode_id, second.problem) == ("x", "x.h5 is cut off")


def test_a_filter_offers_the_most_frequent_value_first() -> None:
    assert values_of(ROWS, "game") == ["SpaceInvaders", "Breakout"]
    assert values_of(ROWS, "player") == ["Ada", "Grace", "ada"]


def test_five_thousand_episodes_are_filtered_and_sorted_within_a_blink() -> None:
    rows = [replace(ROWS[n % 4], episode_id=f"{n}", score=float(n * 7919 % 5000)) for n in range(5000)]
    began = time.process_time()
    sorted_rows(filtered(rows, Filter(text="ada >100", best="best half")), Order("score"))
    assert time.process_time() - began < 0.5  # a tenth of that on a quiet machine
