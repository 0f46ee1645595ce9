"""The curve of points over minutes of play, by a demonstrator with a person's limits: a part of the study's page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.study_games import CURVE, GAMES
from benchmarks.study_tables import (
    SUMMARY_ARMS,
    Points,
    cell,
    curves_of,
    interval_of,
    line,
    mean_of,
    of_summary,
)

mpl.use("Agg")
from matplotlib import pyplot

PLOT = "minutes-of-play.png"
OURS, THEIRS = "#2E9E6B", "#C4502E"
"""Colours of seeded agents, and of those without demonstrations."""


def _points(rows: list[dict[str, Any]]) -> tuple[dict[float, Points], Points]:
    """Return the seeded evaluations by the minutes of play, and those without demonstrations."""
    seeded: dict[float, Points] = {}
    unseeded: Points = {}
    for name in CURVE:
        curves = curves_of(rows, name)
        found = of_summary(curves, SUMMARY_ARMS["seeded"])
        if found:
            seeded[GAMES[name].minutes or 0.0] = found
        unseeded = unseeded or of_summary(curves, SUMMARY_ARMS["without demonstrations"])
    return seeded, unseeded


def minutes_part(rows: list[dict[str, Any]], folder: Path) -> list[str]:
    """Return the lines about minutes of play, and draw their plot in ``folder``; none before two lengths are known."""
    seeded, unseeded = _points(rows)
    if len(seeded) < 2:
        return []
    steps = sorted({step for points in seeded.values() for step in points})
    lines = ["## Minutes of play", "", "Space Invaders, the planner with a person's limits: the default's points.", ""]
    lines += [line(["minutes of play", *(f"{step:,} own steps" for step in steps)]), "|" + "---|" * (1 + len(steps))]
    for minutes, points in sorted(seeded.items()):
        lines.append(line([f"{minutes:g}", *(cell(points.get(step)) for step in steps)]))
    lines.append(line(["without demonstrations", *(cell(unseeded.get(step)) for step in steps)]))
    _draw(seeded, unseeded, folder / PLOT)
    return [*lines, "", f"![Points over minutes of play](study/{PLOT})", ""]


def _draw(seeded: dict[float, Points], unseeded: Points, path: Path) -> None:
    """Draw a panel for each number of own steps that every length of play has. Bars are 95% intervals."""
    shared = sorted(set.intersection(*(set(points) for points in seeded.values())))
    minutes = sorted(seeded)
    size = (3.4 * len(shared) + 0.6, 3.4)
    figure, grid = pyplot.subplots(1, len(shared), figsize=size, layout="constrained", squeeze=False, sharey=True)
    for axes, step in zip(grid.flat, shared, strict=True):
        means = [mean_of(seeded[length][step]) for length in minutes]
        ends = [interval_of(seeded[length][step]) for length in minutes]
        bars = [
            [abs(mean - end[side]) for mean, end in zip(means, ends, strict=True)] for side in (0, 1)
        ]  # below and above the mean
        axes.errorbar(minutes, means, bars, fmt="o-", color=OURS, label="seeded", markersize=4, capsize=3)
        if step in unseeded:
            axes.axhline(mean_of(unseeded[step]), color=THEIRS, linewidth=1.5, label="without demonstrations")
            axes.axhspan(*interval_of(unseeded[step]), color=THEIRS, alpha=0.12, linewidth=0)
        axes.axhline(GAMES[CURVE[0]].chance, color="#666666", linestyle=":", linewidth=1, label="random play")
        axes.set_xscale("log")
        axes.set_xticks(minutes, [f"{length:g}" for length in minutes])
        axes.minorticks_off()
        axes.set_ylim(bottom=0.0)
        axes.set_title(f"{step:,} own steps", fontsize=11, loc="left")
        axes.set_xlabel("minutes of play", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0, 0].set_ylabel("points", fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
