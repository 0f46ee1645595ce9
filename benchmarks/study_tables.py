"""The tables of the study's page: mean points, their intervals, and how seeded and unseeded trainings differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from agent.statistics import rank_test, two_stage_mean_interval
from benchmarks.study_games import CURVE, GAMES
from benchmarks.study_sb3 import SB3

RESAMPLES = 2000
SUMMARY_STEPS = (0, 25_000, 50_000, 100_000)
SUMMARY_ARMS = {"seeded": "default", "without demonstrations": "normed, no demonstrations", SB3: SB3}
OF_PAGE = {name: game for name, game in GAMES.items() if name not in CURVE or name == "SpaceInvaders-limited"}
"""The games with tables of their own; of the lengths of limited play only one has."""

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


def interval_of(scores: list[list[float]]) -> tuple[float, float]:
    """Return the 95% interval of the mean over seeds and their episodes."""
    return two_stage_mean_interval([tuple(one) for one in scores], np.random.default_rng(0), RESAMPLES)


def mean_of(scores: list[list[float]]) -> float:
    return float(np.mean([np.mean(one) for one in scores]))


def cell(scores: list[list[float]] | None) -> str:
    """Return mean points, 95% interval and number of seeds."""
    if not scores:
        return ""
    low, high = interval_of(scores)
    return f"{mean_of(scores):,.0f} ({low:,.0f} to {high:,.0f}; {len(scores)})"


def line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(curves: dict[str, Points]) -> list[str]:
    """Return the lines of a game's table: each arm at each step."""
    steps = sorted({step for points in curves.values() for step in points})
    lines = [line(["arm", *(f"{step:,} own steps" for step in steps)]), "|" + "---|" * (1 + len(steps))]
    return lines + [line([arm, *(cell(points.get(step)) for step in steps)]) for arm, points in curves.items()]


def of_summary(curves: dict[str, Points], arm: str) -> Points:
    """Return an arm's confirmations, where there are any, or its trials."""
    return curves.get(f"{arm} (confirmed)") or curves.get(arm) or {}


def summary(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the first table: the default with and without demonstrations, in each game."""
    head = ["game", "demonstrations", "agent", *(f"{step:,}" for step in SUMMARY_STEPS)]
    lines = [line([*head, "the last, epsilon 0.001", "published, 100,000 steps"]), "|" + "---|" * (len(head) + 2)]
    for name, game in OF_PAGE.items():
        curves, greedy = curves_of(rows, name), curves_of(rows, name, "greedy_scores")
        for title, arm in SUMMARY_ARMS.items():
            points, last = of_summary(curves, arm), of_summary(greedy, arm)
            if points:
                about = [name, game.title, title, *(cell(points.get(step)) for step in SUMMARY_STEPS)]
                final = f"{cell(last[max(last)])} at {max(last):,}" if last else ""
                lines.append(line([*about, final, game.published]))
    return lines


def differences(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the second table: seeded beside unseeded where each arm has two trainings at least."""
    head = ["game", "own steps", "seeded", "without demonstrations", "p (Mann-Whitney, two-sided)"]
    lines = [line(head), "|" + "---|" * len(head)]
    for name in OF_PAGE:
        curves = curves_of(rows, name)
        seeded, unseeded = (of_summary(curves, SUMMARY_ARMS[key]) for key in ("seeded", "without demonstrations"))
        for step in sorted(set(seeded) & set(unseeded)):
            ours, theirs = (np.array([np.mean(one) for one in points[step]]) for points in (seeded, unseeded))
            p = rank_test(ours, theirs)
            if p is not None:
                means = (" ".join(f"{mean:,.0f}" for mean in sorted(found)) for found in (ours, theirs))
                lines.append(line([name, f"{step:,}", *means, f"{p:.3f}"]))
    return lines


def of_minutes(rows: list[dict[str, Any]]) -> tuple[dict[float, Points], Points]:
    """Return the seeded evaluations by the minutes of limited play, and those without demonstrations."""
    seeded: dict[float, Points] = {}
    unseeded: Points = {}
    for name in CURVE:
        curves = curves_of(rows, name)
        if found := of_summary(curves, SUMMARY_ARMS["seeded"]):
            seeded[GAMES[name].minutes or 0.0] = found
        unseeded = unseeded or of_summary(curves, SUMMARY_ARMS["without demonstrations"])
    return seeded, unseeded


def minutes_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the lines of the table over minutes of limited play; none before two lengths are known."""
    seeded, unseeded = of_minutes(rows)
    if len(seeded) < 2:
        return []
    steps = sorted({step for points in seeded.values() for step in points})
    lines = [line(["minutes of play", *(f"{step:,} own steps" for step in steps)]), "|" + "---|" * (1 + len(steps))]
    named = {f"{minutes:g}": points for minutes, points in seeded.items()} | {"without demonstrations": unseeded}
    return lines + [line([name, *(cell(points.get(step)) for step in steps)]) for name, points in named.items()]
