"""The plots of the study's page: points over own steps, and over minutes of play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks.study_games import CURVE, GAMES
from benchmarks.study_tables import (
    OF_PAGE,
    SUMMARY_ARMS,
    Points,
    curves_of,
    interval_of,
    mean_of,
    of_minutes,
    of_summary,
)
from data.game_names import display_name

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SEEDED, UNSEEDED = "#2E9E6B", "#C4502E"
SUMMARY_COLOURS = (SEEDED, UNSEEDED, "#3C6EB4")
COLOURS = (*SUMMARY_COLOURS, "#8A7A22", "#8A4FA0", "#444444", "#D07BA4", "#2A8C9E")
STYLES = ("-", "--")
"""Of the lines; the second one after all colours."""
GRAY = "#666666"


def draw(curves: dict[str, Points], title: str, chance: float, path: Path) -> bool:
    """Draw points over own steps, a line for each arm that was evaluated twice; return whether there is any."""
    drawn = {arm: points for arm, points in curves.items() if len(points) > 1}
    if not drawn:
        return False
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for number, (arm, points) in enumerate(drawn.items()):
        steps = sorted(points)
        look = STYLES[number // len(COLOURS) % len(STYLES)], COLOURS[number % len(COLOURS)]
        means = [mean_of(points[step]) for step in steps]
        axes.plot(steps, means, look[0], color=look[1], marker="o", label=arm, markersize=4)
    _draw_chance(axes, chance)
    axes.set(title=title, xlabel="own steps", ylabel="points")
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    axes.yaxis.set_major_formatter(lambda points, _: f"{points:,.0f}")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    _save(figure, path)
    return True


def draw_summary(rows: list[dict[str, Any]], path: Path) -> bool:
    """Draw seeded and unseeded agents and Stable-Baselines3's, a panel for each game; return whether there are any.

    A game has a panel where the seeded agent was evaluated at two steps, and another at any. Bars are 95% intervals.
    """
    panels = []
    for name, game in OF_PAGE.items():
        curves = curves_of(rows, name)
        of_game = {title: of_summary(curves, arm) for title, arm in SUMMARY_ARMS.items()}
        if len(of_game["seeded"]) > 1 and sum(bool(points) for points in of_game.values()) > 1:
            panels.append((game, of_game))
    if not panels:
        return False
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    height = -(-len(panels) // columns)
    size = (3.6 * columns, 2.9 * height + 0.4)
    figure, grid = pyplot.subplots(height, columns, figsize=size, layout="constrained", squeeze=False)
    for axes, (game, of_game) in zip(grid.flat, panels, strict=False):
        for (title, points), colour in zip(of_game.items(), SUMMARY_COLOURS, strict=True):
            steps = sorted(points)
            _draw_means(axes, steps, [points[step] for step in steps], colour, title)
        _draw_chance(axes, game.chance)
        axes.set_title(display_name(game.game), fontsize=11, loc="left", pad=20)
        axes.text(0, 1.03, game.short, transform=axes.transAxes, fontsize=8, color="#555555")
        axes.xaxis.set_major_formatter(lambda step, _: f"{step / 1000:g}k")
        axes.yaxis.set_major_formatter(lambda points, _: f"{points:,.0f}")
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        _finish(axes, "own steps")
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    _finish_grid(figure, grid)
    _save(figure, path)
    return True


def draw_minutes(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw points over minutes of play, a panel for each number of own steps that every length has."""
    seeded, unseeded = of_minutes(rows)
    shared = sorted(set.intersection(*(set(points) for points in seeded.values())))
    minutes = sorted(seeded)
    size = (3.4 * len(shared) + 0.6, 3.4)
    figure, grid = pyplot.subplots(1, len(shared), figsize=size, layout="constrained", squeeze=False, sharey=True)
    for axes, step in zip(grid.flat, shared, strict=True):
        _draw_means(axes, minutes, [seeded[length][step] for length in minutes], SEEDED, "seeded")
        if step in unseeded:
            axes.axhline(mean_of(unseeded[step]), color=UNSEEDED, linewidth=1.5, label="without demonstrations")
            axes.axhspan(*interval_of(unseeded[step]), color=UNSEEDED, alpha=0.12, linewidth=0)
        _draw_chance(axes, GAMES[CURVE[0]].chance)
        axes.set_xscale("log")
        axes.set_xticks(minutes, [f"{length:g}" for length in minutes])
        axes.minorticks_off()
        axes.set_title(f"{step:,} own steps", fontsize=11, loc="left")
        _finish(axes, "minutes of play")
    grid[0, 0].set_ylim(bottom=0.0)
    _finish_grid(figure, grid)
    _save(figure, path)


def _draw_means(axes: Axes, places: list[Any], scores: list[list[list[float]]], colour: str, label: str) -> None:
    """Draw the mean of each evaluation with its 95% interval."""
    means = np.array([mean_of(one) for one in scores])
    ends = np.array([interval_of(one) for one in scores]).reshape(-1, 2)
    axes.errorbar(places, means, np.abs(ends.T - means), fmt="o-", color=colour, label=label, markersize=4, capsize=3)


def _draw_chance(axes: Axes, chance: float) -> None:
    axes.axhline(chance, color=GRAY, linestyle=":", linewidth=1, label="random play")


def _finish(axes: Axes, x_label: str) -> None:
    axes.set_xlabel(x_label, fontsize=9)
    axes.tick_params(labelsize=8)


def _finish_grid(figure: Figure, grid: np.ndarray) -> None:
    """Name the points, and add one legend for all panels: that of the panel with the most lines."""
    for axes in grid[:, 0]:
        axes.set_ylabel("points", fontsize=9)
    handles, labels = max((axes.get_legend_handles_labels() for axes in grid.flat), key=lambda found: len(found[1]))
    columns = 2 * min(2, grid.shape[1])
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def _save(figure: Figure, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
