"""What a comparison's numbers come to, and what its sentences do and do not claim."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from agent_episodes import small_config

from agent.arms import parse_arm
from agent.atari_scores import ATARI_SCORES
from agent.comparison import Plan
from agent.comparison_summary import Summary, conclusions, summarise
from agent.statistics import Estimate
from commands import comparison_charts
from commands.comparison_report import Facts, report_blocks, shown
from commands.report_blocks import Chart, to_html, to_markdown

BASE = small_config(keep="all")
EMPTY: dict[str, Any] = {"decisions": 0, "random": 0, "found": 0, "removed": {}, "mixed": 0, "episodes": []}


def plan_of(seeds: int) -> Plan:
    arms = (parse_arm("none", BASE), parse_arm("shown=planner", BASE))
    seedings = {"none": EMPTY, "shown": EMPTY | {"decisions": 9, "found": 12, "kept": 9, "removed": {"were bad": 3}}}
    chain = {"shown": [{"depth": 0, "text": "episodes by planner"}, {"depth": 1, "text": "<deeper>"}]}
    return Plan(
        "which", "Which | is <best>?", arms, tuple(range(seeds)), 2, None, (200.0,), ("coach",), {}, (), seedings, chain
    )


def result(run: str, arm: str, seed: int, score: float) -> dict[str, Any]:
    points = [
        {"step": step, "mean": score - 50 + step, "memory_seeded_share": 0.5, "batch_seeded_share": None}
        for step in (0, 32, 64)
    ]
    return {
        **{"run": run, "arm": arm, "seed": seed, "step": 64, "updates": 16, "pretrain_updates": 4, "curve": points},
        **{
            "sources": [],
            "training_seconds": 61.0,
            "evaluation": {"scores": [score] * 2, "mean": score, "seconds": 2.0},
        },
    }


def results_of(plan: Plan, scores: dict[str, list[float]]) -> list[dict[str, Any]]:
    return [
        result(task.run, task.arm, task.seed, scores[task.arm][task.seed])
        for task in plan.tasks()
        if task.seed < len(scores[task.arm])
    ]


def summary_of(scores: dict[str, list[float]], failures: int = 0) -> Summary:
    plan = plan_of(max(map(len, scores.values())) + failures)
    failed = [{"run": task.run, "error": "It broke."} for task in plan.tasks()[len(plan.tasks()) - failures :]]
    return summarise(plan, results_of(plan, scores), failed)


@pytest.mark.parametrize(("seeds", "words"), [(1, "With 1 training of an arm"), (2, "With 2 trainings of an arm")])
def test_one_or_two_trainings_are_said_to_conclude_nothing(seeds: int, words: str) -> None:
    summary = summary_of({"none": [100.0] * seeds, "shown": [900.0] * seeds})
    said = " ".join(conclusions(summary))
    assert words in said
    assert "no interval can be given" in said
    assert "beats" not in said


def test_three_trainings_that_win_every_time_are_not_told_apart() -> None:
    summary = summary_of({"none": [100.0, 101.0, 102.0], "shown": [900.0, 901.0, 902.0]})
    assert summary.pairs[0].improvement.low == 1.0
    assert "Not told apart: shown and none" in " ".join(conclusions(summary))


def test_six_trainings_that_win_every_time_are_told_apart() -> None:
    scores = {"none": [100.0 + n for n in range(6)], "shown": [900.0 + n for n in range(6)]}
    assert any(sentence.startswith("shown beats none (1.00)") for sentence in conclusions(summary_of(scores)))


def test_arms_that_are_no_better_than_chance_are_named() -> None:
    chance = ATARI_SCORES["SpaceInvaders"][0]
    learned, not_learned = [chance + 100.0 + n for n in range(3)], [chance - 1.0, chance, chance + 50.0]
    some = " ".join(conclusions(summary_of({"none": not_learned, "shown": learned})))
    assert "Not shown to play better than chance (148 points): none." in some
    none = " ".join(conclusions(summary_of({"none": not_learned, "shown": not_learned})))
    assert "No arm was shown to play better than chance (148 points)" in none
    all_of_them = " ".join(conclusions(summary_of({"none": learned, "shown": learned})))
    assert "chance (148" not in all_of_them
    assert "chance (148" not in " ".join(conclusions(summary_of({"none": not_learned[:2], "shown": learned[:2]})))


def test_scores_to_be_reached_are_shown_in_whole_points_where_they_are_large() -> None:
    plan = dataclasses.replace(plan_of(1), reach=(2.5, 606.8, 1061.6))
    reach = summarise(plan, results_of(plan, {"none": [1.0], "shown": [2.0]}), []).arms[0].reach
    assert [one.name for one in reach[:3]] == ["2.5 points", "607 points", "1,062 points"]


def test_a_share_that_rounds_to_nothing_has_no_sign() -> None:
    assert shown(Estimate(-0.001, -0.002, 0.004), 2) == "0.00 (0.00 to 0.00)"


def test_a_failed_training_is_left_out_and_said() -> None:
    summary = summary_of({"none": [100.0] * 3, "shown": [300.0, 310.0, 290.0]}, failures=1)
    shown = summary.arms[1]
    assert (len(shown.runs), shown.failed, shown.mean) == (3, 1, 300.0)
    assert conclusions(summary)[0] == "1 training of shown failed and is left out."


def test_the_film_shows_the_training_in_the_middle() -> None:
    summary = summary_of({"none": [100.0, 500.0, 290.0], "shown": [1.0, 2.0, 3.0]})
    assert summary.arms[0].median_run == "which-none-s2"


def test_curves_area_and_steps_to_reach_are_those_of_the_evaluations() -> None:
    arm = summary_of({"none": [100.0, 180.0, 190.0], "shown": [1.0, 2.0, 3.0]}).arms[0]
    assert arm.curve is not None
    assert arm.curve.steps == (0, 32, 64)
    np.testing.assert_allclose(arm.curve.middle, np.array([470 / 3 - 50, 470 / 3 - 18, 470 / 3 + 14]))
    assert arm.area is not None
    assert arm.area.value == pytest.approx(470 / 3 - 18)
    assert (arm.reach[0].steps, arm.reach[0].median) == ((None, None, 64), None)


def test_the_order_of_the_results_does_not_matter() -> None:
    plan = plan_of(4)
    results = results_of(plan, {"none": [1.0, 2.0, 5.0, 9.0], "shown": [3.0, 4.0, 6.0, 8.0]})
    assert summarise(plan, results, []) == summarise(plan, results[::-1], [])


@pytest.mark.parametrize("title", ["shown", "curated-by-three-curators-of-the-class", "replays/" + 12 * "2026-11-25-"])
def test_every_name_fits_into_the_charts(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = tuple(parse_arm(f"{title}-{n}=random:{n}", BASE) for n in range(1, 6))
    plan = dataclasses.replace(plan_of(3), arms=arms)
    results = results_of(plan, {arm.slug: [1.0, 2.0, 5.0] for arm in arms})
    drawn: list[Any] = []
    monkeypatch.setattr(comparison_charts, "png_of", lambda figure: drawn.append(figure) or b"")
    comparison_charts.charts(summarise(plan, results, []))
    assert len(drawn) == 6
    for figure in drawn:
        figure.draw_without_rendering()
        words = [*figure.axes[0].get_yticklabels()]
        words += [] if (legend := figure.axes[0].get_legend()) is None else [legend]
        for word in words:
            box = word.get_window_extent()
            assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1


def test_both_forms_of_the_report_tell_the_same_and_take_names_as_they_are() -> None:
    plan = plan_of(4)
    results = results_of(plan, {"none": [1.0, 2.0, 5.0, 9.0], "shown": [3.0, 4.0, 6.0, 8.0]})
    summary = summarise(plan, results, [{"run": "which-none-s9", "error": "It broke."}])
    facts = Facts(plan, summary, results, [{"run": "which-none-s9", "error": "It broke."}], {}, {"system": "Linux"})
    blocks = report_blocks(facts)
    html, markdown = to_html(plan.question, blocks), to_markdown(plan.question, blocks)
    assert [block.file for block in blocks if isinstance(block, Chart)] == ["curves.png", "scores.png", "seeded.png"]
    for words in ("4 trainings", "Not told apart", "3 were bad", "It broke.", "--seed-from", "Mann-Whitney"):
        assert words in html
        assert words in markdown
    assert "Which | is &lt;best&gt;?" in html
    assert "&lt;deeper&gt;" in html
    assert "\\<deeper>" in markdown
