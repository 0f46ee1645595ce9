"""Charts: round numbers on the axes, thinned curves, and a picture that is drawn again only for a change."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screen.canvas import Canvas
from screen.chart import (
    Chart,
    ChartFacts,
    Series,
    nice_ticks,
    short_number,
    step_range,
    step_ticks,
    thinned,
    value_range,
    values_at,
)
from screen.layout import Box
from screen.theme import GREEN, ORANGE

CURVE = Series(np.arange(-100, 400, 5), np.linspace(1.0, 3.0, 100), GREEN)


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 1, 3, [0, 0.5, 1]),
        (0, 317, 4, [0, 100, 200, 300]),
        (-2500, 97_500, 4, [0, 50_000]),
        (0.12, 0.19, 5, [0.12, 0.14, 0.16, 0.18]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert nice_ticks(low, high, most) == pytest.approx(ticks)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 12))
def test_ticks_are_in_the_range_and_not_too_many(low: float, width: float, most: int) -> None:
    ticks = nice_ticks(low, low + width, most)
    air = 1e-6 * (abs(low) + width)
    assert len(ticks) <= most
    assert all(low - air <= tick <= low + width + air for tick in ticks)


def test_steps_have_whole_numbers_also_at_the_start_of_a_training() -> None:
    assert step_ticks(0, 1, 10) == [0, 1]
    assert step_ticks(0, 2000, 4) == [0, 1000, 2000]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.05, "0.05"), (250, "250"), (2500, "2,500"), (20_000, "20k"), (1_500_000, "1.5M")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def test_thinning_keeps_the_mean_and_leaves_out_nan() -> None:
    ys = np.arange(1000.0)
    ys[10] = np.nan
    xs, thin = thinned(np.arange(1000), ys, 100)
    assert len(xs) == 100
    assert np.average(thin, weights=np.diff(np.linspace(0, 999, 101).astype(int))) == pytest.approx(np.nanmean(ys))


def test_an_axis_that_begins_at_0_still_shows_values_below_it() -> None:
    below = dataclasses.replace(CURVE, ys=CURVE.ys - 10)
    assert value_range(ChartFacts("", series=(CURVE,), lowest=0))[0] == 0
    assert value_range(ChartFacts("", series=(below,), lowest=0))[0] < -9


def test_all_charts_share_the_longest_axis() -> None:
    short = Series(np.array([50]), np.array([1.0]), GREEN, "dots")
    assert step_range([ChartFacts("", series=(CURVE,)), ChartFacts("", series=(short,))]) == (-100, 395)


BOX = Box(10, 10, 380, 200)
STEPS = (-100.0, 400.0)
WHISKERS = dataclasses.replace(CURVE, style="whiskers", lows=CURVE.ys - 0.5, highs=CURVE.ys + 0.5)
FACTS = ChartFacts("Loss", "0.1", (WHISKERS,))


def drawn(chart: Chart, facts: ChartFacts, steps: tuple[float, float] = STEPS) -> bytes:
    canvas = Canvas(pygame.Surface((800, 400)), 1.0)
    chart.draw(canvas, BOX, facts, steps)
    return pygame.image.tobytes(canvas.surface, "RGB")


def with_series(**changes: Any) -> ChartFacts:
    return dataclasses.replace(FACTS, series=(dataclasses.replace(WHISKERS, **changes),))


def test_a_chart_is_not_drawn_again_while_nothing_changes() -> None:
    chart = Chart()
    drawn(chart, FACTS)
    picture = chart._picture
    drawn(chart, dataclasses.replace(FACTS, series=(dataclasses.replace(WHISKERS, ys=WHISKERS.ys.copy()),)))
    assert chart._picture is picture


@pytest.mark.parametrize(
    "changed",
    [
        dataclasses.replace(FACTS, title="TD error"),
        dataclasses.replace(FACTS, newest="0.2"),
        dataclasses.replace(FACTS, colour=ORANGE),
        dataclasses.replace(FACTS, lowest=-20.0),
        dataclasses.replace(FACTS, highest=20.0),
        dataclasses.replace(FACTS, series=()),
        dataclasses.replace(FACTS, series=(WHISKERS, dataclasses.replace(CURVE, colour=ORANGE))),
        with_series(xs=WHISKERS.xs + 20),
        with_series(ys=WHISKERS.ys + 0.3),
        with_series(lows=WHISKERS.ys - 0.1),
        with_series(highs=WHISKERS.ys + 0.1),
        with_series(colour=ORANGE),
        with_series(style="line"),
    ],
    ids=[
        "title",
        "newest",
        "colour",
        "lowest",
        "highest",
        "empty",
        "added",
        "xs",
        "ys",
        "lows",
        "highs",
        "series-colour",
        "style",
    ],
)
def test_a_chart_shows_every_change_of_its_facts_at_once(changed: ChartFacts) -> None:
    chart = Chart()
    before = drawn(chart, FACTS)
    assert drawn(chart, changed) == drawn(Chart(), changed) != before


def test_a_chart_follows_its_horizontal_axis() -> None:
    chart = Chart()
    drawn(chart, FACTS)
    assert drawn(chart, FACTS, (-100.0, 800.0)) == drawn(Chart(), FACTS, (-100.0, 800.0))


def test_a_chart_without_points_shows_its_hint() -> None:
    empty = ChartFacts("Loss")
    hinted = dataclasses.replace(empty, hint="Nothing was learned yet.")
    chart = Chart()
    assert drawn(chart, empty) != drawn(chart, hinted)


def test_the_values_under_the_pointer_are_those_of_the_nearest_step() -> None:
    curve = Series(np.array([0.0, 100.0, 200.0]), np.array([1.0, np.nan, 3.0]), (0, 0, 0), name="loss")
    tests = Series(
        np.array([0.0, 200.0]),
        np.array([10.0, 20.0]),
        (0, 0, 0),
        "whiskers",
        np.array([5.0, 15.0]),
        np.array([15.0, 25.0]),
        name="test",
    )
    facts = ChartFacts("Score", series=(curve, tests))
    assert values_at(facts, 40.0) == (0.0, ["loss 1", "test 10 (5 to 15)"])
    assert values_at(facts, 160.0) == (200.0, ["loss 3", "test 20 (15 to 25)"])
    assert values_at(ChartFacts("Empty"), 5.0) is None


def test_a_pointer_changes_only_what_is_drawn_over_the_chart() -> None:
    facts = ChartFacts("Loss", series=(Series(np.arange(5.0), np.arange(5.0), (255, 255, 255), name="loss"),))
    chart, pictures = Chart(), []
    for pointer in ((-1.0, -1.0), (200.0, 100.0), (-1.0, -1.0)):
        canvas = Canvas(pygame.Surface((400, 200)), 1.0)
        chart.draw(canvas, canvas.box, facts, (0.0, 4.0), pointer)
        pictures.append(pygame.surfarray.array3d(canvas.surface))
    assert (pictures[0] == pictures[2]).all()
    assert (pictures[0] != pictures[1]).any()
