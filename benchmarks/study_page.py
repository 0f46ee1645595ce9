"""The page of the study of defaults: seeded beside unseeded, a table and a plot for each game, and what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks.learning_study import ROOT
from benchmarks.study_minutes import minutes_part
from benchmarks.study_tables import (
    OF_PAGE,
    SUMMARY_ARMS,
    Points,
    curves_of,
    differences,
    interval_of,
    mean_of,
    of_summary,
    summary,
    table,
)
from data.game_names import display_name

mpl.use("Agg")
from matplotlib import pyplot

PAGE = ROOT / "docs" / "results" / "study.md"
ROWS = ROOT / "docs" / "results" / "study" / "trials.jsonl"
BEGIN, END = "<!-- made by python -m benchmarks.study -->", "<!-- end of what was made -->"
COLOURS = ("#2E9E6B", "#C4502E", "#8A7A22", "#3C6EB4", "#8A4FA0", "#666666", "#B0457B", "#2A8C9E")

SUMMARY_COLOURS = ("#2E9E6B", "#C4502E", "#3C6EB4")
SUMMARY_PLOT = "seeded-and-unseeded.png"


def draw(curves: dict[str, Points], title: str, chance: float, path: Path) -> None:
    """Draw points over own steps, a line for each arm."""
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for number, (arm, points) in enumerate(curves.items()):
        steps = sorted(points)
        means = [mean_of(points[step]) for step in steps]
        axes.plot(steps, means, "o-", color=COLOURS[number % len(COLOURS)], label=arm, markersize=4)
    axes.axhline(chance, color="#666666", linestyle=":", linewidth=1, label="random play")
    axes.set(title=title, xlabel="own steps", ylabel="points")
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


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
            means = np.array([mean_of(points[step]) for step in steps])
            ends = np.array([interval_of(points[step]) for step in steps]).reshape(-1, 2)
            bars = np.abs(ends.T - means)
            axes.errorbar(steps, means, bars, fmt="o-", color=colour, label=title, markersize=4, capsize=3)
        axes.axhline(game.chance, color="#666666", linestyle=":", linewidth=1, label="random play")
        axes.set_title(display_name(game.game), fontsize=11, loc="left", pad=20)
        axes.text(0, 1.03, game.short, transform=axes.transAxes, fontsize=8, color="#555555")
        axes.xaxis.set_major_formatter(lambda step, _: f"{step / 1000:g}k")
        axes.yaxis.set_major_formatter(lambda points, _: f"{points:,.0f}")
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.set_xlabel("own steps", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in list(grid.flat)[len(panels) :]:
        axes.axis("off")
    for axes in grid[:, 0]:
        axes.set_ylabel("points", fontsize=9)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    return True


def made_part(rows: list[dict[str, Any]], page: Path = PAGE) -> list[str]:
    """Return the lines between the page's marks, and draw the plots beside it."""
    lines = [BEGIN, "", "## Seeded and unseeded", "", *summary(rows), ""]
    if draw_summary(rows, page.parent / "study" / SUMMARY_PLOT):
        lines += [f"![Points over own steps, seeded and unseeded](study/{SUMMARY_PLOT})", ""]
    lines += ["The mean of each training, in ascending order:", "", *differences(rows), ""]
    lines += minutes_part(rows, page.parent / "study")
    for name, game in OF_PAGE.items():
        curves = curves_of(rows, name)
        if not curves:
            continue
        picture = page.parent / "study" / f"{name}.png"
        lines += [
            f"## {name}",
            "",
            f"Demonstrations: {game.title}. Random play: {game.chance:g}.",
            "",
            *table(curves),
            "",
        ]
        if any(len(points) > 1 for points in curves.values()):
            draw(curves, name, game.chance, picture)
            lines += [f"![Points over own steps in {name}](study/{picture.name})", ""]
    failed = [row for row in rows if "error" in row]
    if failed:
        lines += ["## Failures", ""]
        lines += [f"- {r['game']}, {r['arm']}, seed {r['seed']}, {r['steps']:,} steps: {r['error']}" for r in failed]
        lines.append("")
    machines = sorted({row["machine"] for row in rows})
    return [*lines, f"{len(rows)} trials, one thread each. Machine: {'; '.join(machines)}.", "", END]


def write_page(rows: list[dict[str, Any]], page: Path = PAGE) -> None:
    """Write the part of the page between its marks; the rest stays as it is."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + "\n".join(made_part(rows, page)) + after)
