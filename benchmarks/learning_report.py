"""The study's report: a table and a plot of the finished trainings, written into docs/results/learning.md."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np

from agent.statistics import two_stage_mean_interval
from benchmarks.learning_study import ARMS, EPISODES, RESULTS, SEEDS, STEPS, Result, missing, read_results

mpl.use("Agg")
from matplotlib import pyplot

PAGE = RESULTS.parent / "learning.md"
PLOT = RESULTS / "learning.png"
BEGIN, END = "<!-- made by python -m benchmarks.learning -->", "<!-- end of what was made -->"
COLOURS = {"seeded": "#2E9E6B", "unseeded": "#C4502E", "sb3": "#8A7A22"}
MARKS = {"seeded": "o", "unseeded": "s", "sb3": "^"}
RANDOM_PLAY = 148
"""Points of random play (Mnih et al. 2015, extended data table 2)."""
GOAL = 600
RESAMPLES = 2000

Scores = dict[int, list[tuple[float, ...]]]
"""Own steps to the scores of each seed's evaluation there."""


def by_step(results: list[Result]) -> Scores:
    found: Scores = defaultdict(list)
    for result in results:
        for evaluated in result.evaluations:
            found[evaluated.step].append(evaluated.scores)
    return dict(sorted(found.items()))


def table(results: list[Result]) -> list[str]:
    """Return the table's lines: mean points and interval of each arm at each checkpoint."""
    steps = sorted({e.step for result in results for e in result.evaluations})
    head = ["arm", "seeds", *(f"{step:,} steps" for step in steps), "minutes a training"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for arm, title in ARMS.items():
        mine = [result for result in results if result.arm == arm]
        if not mine:
            continue
        scores, rng = by_step(mine), np.random.default_rng(0)
        cells = []
        for step in steps:
            if step not in scores:
                cells.append("")
                continue
            low, high = two_stage_mean_interval(scores[step], rng, RESAMPLES)
            cells.append(f"{np.mean([np.mean(s) for s in scores[step]]):.0f} ({low:.0f} to {high:.0f})")
        minutes = np.mean([result.seconds for result in mine]) / 60
        lines.append("| " + " | ".join([title, str(len(mine)), *cells, f"{minutes:.0f}"]) + " |")
    return lines


def draw(results: list[Result], path: Path = PLOT) -> None:
    """Draw the plot: points over own steps, a line with intervals for each arm."""
    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for arm, title in ARMS.items():
        mine = [result for result in results if result.arm == arm]
        if not mine:
            continue
        scores, rng = by_step(mine), np.random.default_rng(0)
        at = list(scores)
        intervals = np.array([two_stage_mean_interval(scores[step], rng, RESAMPLES) for step in at])
        means = [float(np.mean([np.mean(s) for s in scores[step]])) for step in at]
        label = f"{title} ({len(mine)} seed{'s' if len(mine) > 1 else ''})"
        axes.plot(at, means, color=COLOURS[arm], marker=MARKS[arm], label=label, clip_on=False, zorder=3)
        axes.fill_between(at, intervals[:, 0], intervals[:, 1], color=COLOURS[arm], alpha=0.15, linewidth=0)
    axes.axhline(RANDOM_PLAY, color="#666666", linestyle=":", linewidth=1, label="random play (Mnih et al. 2015)")
    axes.axhline(GOAL, color="#666666", linestyle="--", linewidth=1, label="the aim")
    axes.set_xlabel("own steps")
    axes.set_ylabel(f"points, mean of {EPISODES} episodes")
    axes.set_xlim(0, STEPS)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def made_part(results: list[Result]) -> list[str]:
    """Return the lines between the page's two marks."""
    demonstrator = RESULTS / "demonstrator.json"
    lines = [BEGIN, ""]
    if demonstrator.is_file():
        about = json.loads(demonstrator.read_text())
        scores, whole = about["scores"], "no episode was complete"
        if scores:
            whole = (
                f"whole episodes scored {', '.join(f'{score:.0f}' for score in scores)} (mean {np.mean(scores):.0f})"
            )
        lines.append(f"Demonstrator: {about['demonstrator']}, {about['frames'] / 3600:.0f} minutes; {whole}.")
        lines.append("")
    if results:
        lines += [*table(results), "", f"![Points over own steps]({PLOT.relative_to(PAGE.parent)})", ""]
        machines = sorted({result.machine for result in results})
        lines += [f"One training takes one thread. Machine: {'; '.join(machines)}.", ""]
    waiting = missing()
    if waiting:
        names = ", ".join(f"{arm}-{seed}" for arm, seed in waiting)
        lines += [f"Not trained yet of {len(SEEDS)} seeds for each of {len(ARMS)} arms: {names}.", ""]
    return [*lines, END]


def write_report() -> None:
    """Write the plot and the part of the page between its marks; the rest stays as it is."""
    results = read_results()
    if results:
        draw(results)
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + "\n".join(made_part(results)) + after)
