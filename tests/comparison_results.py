"""Results of comparisons that were never run, for tests of what is computed from them."""

from __future__ import annotations

from typing import Any

from agent_episodes import small_config

from agent.arms import parse_arm
from agent.comparison import Plan
from agent.comparison_summary import Summary, summarise

BASE = small_config(keep="all")
EMPTY: dict[str, Any] = {"decisions": 0, "random": 0, "found": 0, "removed": {}, "mixed": 0, "episodes": []}


def plan_of(seeds: int) -> Plan:
    """Return the plan of a comparison of two arms, the second seeded by a planner."""
    arms = (parse_arm("none", BASE), parse_arm("shown=planner", BASE))
    seedings = {"none": EMPTY, "shown": EMPTY | {"decisions": 9, "found": 12, "kept": 9, "removed": {"were bad": 3}}}
    chain = {"shown": [{"depth": 0, "text": "episodes by planner"}, {"depth": 1, "text": "<deeper>"}]}
    return Plan(
        "which", "Which | is <best>?", arms, tuple(range(seeds)), 2, None, (200.0,), ("coach",), {}, (), seedings, chain
    )


def result(run: str, arm: str, seed: int, score: float) -> dict[str, Any]:
    """Return the result of one run, whose final evaluation has this score twice."""
    points = [
        {"step": step, "mean": score - 50 + step, "memory_seeded_share": 0.5, "batch_seeded_share": None}
        for step in (0, 32, 64)
    ]
    return {
        **{"run": run, "arm": arm, "seed": seed, "step": 64, "updates": 16, "pretrain_updates": 4},
        **{"curve": points, "sources": [], "training_seconds": 61.0},
        "evaluation": {"scores": [score] * 2, "mean": score, "seconds": 2.0},
    }


def results_of(plan: Plan, scores: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return the results of a plan's runs: scores of each arm by its seeds."""
    return [
        result(task.run, task.arm, task.seed, scores[task.arm][task.seed])
        for task in plan.tasks()
        if task.seed < len(scores[task.arm])
    ]


def summary_of(scores: dict[str, list[float]], failures: int = 0) -> Summary:
    plan = plan_of(max(map(len, scores.values())) + failures)
    failed = [{"run": task.run, "error": "It broke."} for task in plan.tasks()[len(plan.tasks()) - failures :]]
    return summarise(plan, results_of(plan, scores), failed)
