"""The page of the study of defaults: seeded beside unseeded, a table and a plot for each game, and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from agent.statistics import rank_test, two_stage_mean_interval
from benchmarks.learning_study import ROOT
from benchmarks.study_games import GAMES
from benchmarks.study_sb3 import SB3
from data.game_names import display_name

mpl.use("Agg")
from matplotlib import pyplot

PAGE = ROOT / "docs" / "results" / "study.md"
ROWS = ROOT / "docs" / "results" / "study" / "trials.jsonl"
BEGIN, END = "<!-- made by python -m benchmarks.study -->", "<!-- end of what was made -->"
RESAMPLES = 2000
COLOURS = ("#2E9E6B", "#C4502E", "#8A7A22", "#3C6EB4", "#8A4FA0", "#666666", "#B0457B", "#2A8C9E")

SUMMARY_STEPS = (0, 25_000, 50_000, 100_000)
SUMMARY_ARMS = {"seeded": "default", "without demonstrations": "normed, no demonstrations", SB3: SB3}

SUMMARY_COLOURS = ("#2E9E6B", "#C4502E", "#3C6EB4")
SUMMARY_PLOT = "seeded-and-unseeded.png"

Points = dict[int, list[list[float]]]
"""Own steps to the scores of each seed's evaluation."""


def curves_of(rows: list[dict[str, Any]], game: str, scores: str = "scores") -> dict[str, Points]:
    """Return the evaluations of each arm in a game; confirmations are arms of their own.

    scores: "scores", or "greedy_scores" for those evaluations with epsilon 0.001 that there are.
    """
    found: dict[str, Points] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["game"] == game and scores in row:
            found[row["arm"] + (" (confirmed)" if row["confirms"] else "")][row["steps"]].append(row[scores])
    return found


def _interval(scores: list[list[float]]) -> tuple[float, float]:
    """Return the 95% interval of the mean over seeds and their episodes."""
    return two_stage_mean_interval([tuple(one) for one in scores], np.random.default_rng(0), RESAMPLES)


def _mean(scores: list[list[float]]) -> float:
    return float(np.mean([np.mean(one) for one in scores]))


def _cell(scores: list[list[float]] | None) -> str:
    """Return mean points, 95% interval and number of seeds."""
    if not scores:
        return ""
    low, high = _interval(scores)
    return f"{_mean(scores):,.0f} ({low:,.0f} to {high:,.0f}; {len(scores)})"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(curves: dict[str, Points]) -> list[str]:
    """Return the lines of a game's table: each arm at each step."""
    steps = sorted({step for points in curves.values() for step in points})
    lines = [_line(["arm", *(f"{step:,} own steps" for step in steps)]), "|" + "---|" * (1 + len(steps))]
    return lines + [_line([arm, *(_cell(points.get(step)) for step in steps)]) for arm, points in curves.items()]


def _of_summary(curves: dict[str, Points], arm: str) -> Points:
    """Return an arm's confirmations, where there are any, or its trials."""
    return curves.get(f"{arm} (confirmed)") or curves.get(arm) or {}


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the first table: the default with and without demonstrations, in each game."""
    head = ["game", "demonstrations", "agent", *(f"{step:,}" for step in SUMMARY_STEPS)]
    lines = [_line([*head, "the last, epsilon 0.001", "published, 100,000 steps"]), "|" + "---|" * (len(head) + 2)]
    for name, game in GAMES.items():
        curves, greedy = curves_of(rows, name), curves_of(rows, name, "greedy_scores")
        for title, arm in SUMMARY_ARMS.items():
            points, last = _of_summary(curves, arm), _of_summary(greedy, arm)
            if points:
                about = [name, game.title, title, *(_cell(points.get(step)) for step in SUMMARY_STEPS)]
                final = f"{_cell(last[max(last)])} at {max(last):,}" if last else ""
                lines.append(_line([*about, final, game.published]))
    return lines


def differences(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the second table: seeded beside unseeded where each arm has two trainings at least."""
    head = ["game", "own steps", "seeded", "without demonstrations", "p (Mann-Whitney, two-sided)"]
    lines = [_line(head), "|" + "---|" * len(head)]
    for name in GAMES:
        curves = curves_of(rows, name)
        seeded, unseeded = (_of_summary(curves, SUMMARY_ARMS[key]) for key in ("seeded", "without demonstrations"))
        for step in sorted(set(seeded) & set(unseeded)):
            ours, theirs = (np.array([np.mean(one) for one in points[step]]) for points in (seeded, unseeded))
            p = rank_test(ours, theirs)
            if p is not None:
                means = (" ".join(f"{mean:,.0f}" for mean in sorted(found)) for found in (ours, theirs))
                lines.append(_line([name, f"{step:,}", *means, f"{p:.3f}"]))
    return lines


def draw(curves: dict[str, Points], title: str, chance: float, path: Path) -> None:
    """Draw points over own steps, a line for each arm."""
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for number, (arm, points) in enumerate(curves.items()):
        steps = sorted(points)
        means = [_mean(points[step]) for step in steps]
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
    for name, game in GAMES.items():
        curves = curves_of(rows, name)
        of_game = {title: _of_summary(curves, arm) for title, arm in SUMMARY_ARMS.items()}
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
            means = np.array([_mean(points[step]) for step in steps])
            ends = np.array([_interval(points[step]) for step in steps]).reshape(-1, 2)
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
    for name, game in GAMES.items():
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
