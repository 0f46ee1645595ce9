"""Charts: round numbers on the axes, curves thinned truly, and a picture that is drawn anew only for a change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pygame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from screen.canvas import Canvas
from screen.chart import Chart, ChartFacts, Series, nice_ticks, short_number, step_range, thinned, value_range
from screen.layout import Box
from screen.theme import GREEN

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
def test_ticks_lie_in_the_range_and_are_not_too_many(low: float, width: float, most: int) -> None:
    ticks = nice_ticks(low, low + width, most)
    air = 1e-6 * (abs(low) + width)
    assert len(ticks) <= most
    assert all(low - air <= tick <= low + width + air for tick in ticks)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.05, "0.05"), (250, "250"), (2500, "2,500"), (20_000, "20k"), (1_500_000, "1.5M")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short_number(value) == text


def test_thinning_keeps_the_mean_and_leaves_out_what_is_no_number() -> None:
    ys = np.arange(1000.0)
    ys[10] = np.nan
    xs, thin = thinned(np.arange(1000), ys, 100)
    assert len(xs) == 100
    assert np.average(thin, weights=np.diff(np.linspace(0, 999, 101).astype(int))) == pytest.approx(np.nanmean(ys))


def test_an_axis_that_begins_at_0_still_shows_what_lies_below() -> None:
    below = dataclasses.replace(CURVE, ys=CURVE.ys - 10)
    assert value_range(ChartFacts("", series=(CURVE,), lowest=0))[0] == 0
    assert value_range(ChartFacts("", series=(below,), lowest=0))[0] < -9


def test_all_charts_share_the_longest_axis() -> None:
    short = Series(np.array([50]), np.array([1.0]), GREEN, "dots")
    assert step_range([ChartFacts("", series=(CURVE,)), ChartFacts("", series=(short,))]) == (-100, 395)


def test_a_chart_is_drawn_anew_only_when_something_changes() -> None:
    canvas = Canvas(pygame.Surface((800, 400)), 1.0)
    chart, facts, box = Chart(), ChartFacts("Loss", "0.1", (CURVE,)), Box(10, 10, 380, 200)
    chart.draw(canvas, box, facts, (-100, 400))
    first = chart._picture
    chart.draw(canvas, box, facts, (-100, 400))
    assert chart._picture is first
    chart.draw(canvas, box, dataclasses.replace(facts, series=(dataclasses.replace(CURVE, ys=-CURVE.ys),)), (-100, 400))
    assert chart._picture is not first
    assert first is not None and chart._picture is not None
    assert pygame.image.tobytes(first, "RGB") != pygame.image.tobytes(chart._picture, "RGB")


def test_a_chart_without_points_says_why() -> None:
    canvas = Canvas(pygame.Surface((800, 400)), 1.0)
    Chart().draw(canvas, Box(0, 0, 380, 200), ChartFacts("Loss", hint="Nothing was learned yet."), (0, 1))
    assert pygame.transform.average_color(canvas.surface)[:3] != (0, 0, 0)
