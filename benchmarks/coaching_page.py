"""The page of the study of coaching: a table and a plot for each game, and the difference between its two arms."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from agent.atari_scores import ATARI_SCORES
from agent.statistics import interval, two_stage_mean_interval
from benchmarks.learning_study import ROOT
from benchmarks.study_plots import draw

PAGE = ROOT / "docs" / "results" / "coaching.md"
ROWS = ROOT / "docs" / "results" / "coaching" / "trials.jsonl"
BEGIN, END = "<!-- made by python -m benchmarks.coaching_study -->", "<!-- end of what was made -->"
RESAMPLES = 2000

Scores = list[list[float]]
"""The scores of each seed's evaluation, by seed."""


def curves_of(rows: list[dict[str, Any]], game: str) -> dict[str, dict[int, Scores]]:
    """Return the evaluations during the trainings of each arm in a game: own steps to scores."""
    found: dict[str, dict[int, Scores]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["game"] == game and "error" not in row:
            for step, scores in row["evaluations"].items():
                found[row["arm"]][int(step)].append(scores)
    return found


def pairs_of(rows: list[dict[str, Any]], game: str, of: str) -> tuple[list[int], Scores, Scores]:
    """Return the seeds of which both arms are trained, and the scores of "corrections" and of "before" by seed.

    of: "final", or "later": all evaluations after the first pause together.
    """
    scores: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        if row["game"] == game and "error" not in row:
            first = min(map(int, row["corrections"]), default=10_000)
            later = [one for step, many in row["evaluations"].items() if int(step) > first for one in many]
            scores[row["arm"], row["seed"]] = row["final"] if of == "final" else later
    seeds = sorted(seed for arm, seed in scores if arm == "corrections" and ("before", seed) in scores)
    return seeds, [scores["corrections", seed] for seed in seeds], [scores["before", seed] for seed in seeds]


def paired_interval(ours: Scores, theirs: Scores, rng: np.random.Generator) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean difference by seed: seeds are resampled in pairs, then episodes."""
    means = np.empty(RESAMPLES)
    for row in range(RESAMPLES):
        chosen = rng.integers(len(ours), size=len(ours))
        means[row] = np.mean(
            [rng.choice(ours[n], len(ours[n])).mean() - rng.choice(theirs[n], len(theirs[n])).mean() for n in chosen]
        )
    low, high = interval(means)
    return float(low), float(high)


def _cell(scores: Scores | None) -> str:
    if not scores:
        return ""
    low, high = two_stage_mean_interval(scores, np.random.default_rng(0), RESAMPLES)
    return f"{np.mean([np.mean(one) for one in scores]):,.0f} ({low:,.0f} to {high:,.0f})"


def table(rows: list[dict[str, Any]], game: str) -> list[str]:
    """Return the lines of a game's table: the mean points of each arm and their 95% interval at each step."""
    curves = curves_of(rows, game)
    steps = sorted({step for points in curves.values() for step in points})
    head = ["arm", "trainings", *(f"{step:,}" for step in steps), "at the end, 30 episodes"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for arm, points in curves.items():
        final = [row["final"] for row in rows if (row["game"], row["arm"]) == (game, arm) and "error" not in row]
        cells = [arm, str(len(final)), *(_cell(points.get(step)) for step in steps), _cell(final)]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def differences(rows: list[dict[str, Any]], game: str) -> list[str]:
    """Return the lines that say by how much "corrections" is above "before", by seed and with an interval."""
    finished = [row for row in rows if row["game"] == game and "error" not in row]
    starts = [start for row in finished for start in row["starts"]]
    lines = []
    if starts:
        middle, last = np.percentile(starts, [50, 100])
        lines.append(
            f"- Half of the {len(starts)} corrections start within {middle:.0f} s of a game, all within {last:.0f} s."
        )
    for of, about in (("final", "At the end"), ("later", "Mean of the evaluations after the first pause")):
        seeds, ours, theirs = pairs_of(rows, game, of)
        if not seeds:
            continue
        found = [float(np.mean(a) - np.mean(b)) for a, b in zip(ours, theirs, strict=True)]
        low, high = paired_interval(ours, theirs, np.random.default_rng(0))
        each = ", ".join(f"seed {seed}: {value:+,.0f}" for seed, value in zip(seeds, found, strict=True))
        lines.append(
            f"- {about}, corrections less before: **{np.mean(found):+,.0f}** ({low:+,.0f} to {high:+,.0f}); {each}."
        )
    return lines


def made_part(rows: list[dict[str, Any]], page: Path = PAGE) -> list[str]:
    """Return the lines between the page's marks, and draw the plots beside it: trainings of the newest default."""
    if not rows:
        return [BEGIN, "", "**No training has ended yet, so there is no result.**", "", END]
    rows = [row for row in rows if row["default"] == rows[-1]["default"]]
    lines = [BEGIN, ""]
    for game in dict.fromkeys(row["game"] for row in rows):
        curves = curves_of(rows, game)
        if not curves:
            continue
        picture = page.parent / "coaching" / f"{game}.png"
        lines += [f"## {game}", "", *table(rows, game), "", *differences(rows, game), ""]
        if draw(dict(curves), game, ATARI_SCORES[game][0], picture):
            lines += [f"![Points over own steps in {game}](coaching/{picture.name})", ""]
    failed = [row for row in rows if "error" in row]
    if failed:
        lines += [
            "## Failures",
            "",
            *(f"- {r['game']}, {r['arm']}, seed {r['seed']}: {r['error']}" for r in failed),
            "",
        ]
    machines = sorted({row["machine"] for row in rows})
    return [*lines, f"{len(rows)} trainings, one thread each. Machine: {'; '.join(machines)}.", "", END]


def write_page(rows: list[dict[str, Any]], page: Path = PAGE) -> None:
    """Write the part of the page between its marks; the rest stays as it is."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + "\n".join(made_part(rows, page)) + after)
