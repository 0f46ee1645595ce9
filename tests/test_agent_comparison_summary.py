"""The summary of a comparison: its numbers, and what its conclusions do and do not claim."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from comparison_results import plan_of, results_of, summary_of

from agent.atari_scores import ATARI_SCORES
from agent.comparison_summary import conclusions, summarise


@pytest.mark.parametrize(("seeds", "words"), [(1, "With 1 training per arm"), (2, "With 2 trainings per arm")])
def test_nothing_is_concluded_from_one_or_two_trainings(seeds: int, words: str) -> None:
    summary = summary_of({"none": [100.0] * seeds, "shown": [900.0] * seeds})
    sentences = " ".join(conclusions(summary))
    assert words in sentences
    assert "no interval over trainings can be given" in sentences
    assert "significantly" not in sentences


def test_three_trainings_that_always_win_are_not_significantly_better() -> None:
    summary = summary_of({"none": [100.0, 101.0, 102.0], "shown": [900.0, 901.0, 902.0]})
    assert summary.pairs[0].improvement.low == 1.0
    assert conclusions(summary)[-2:] == [
        "No significant difference, which does not show that there is none: shown and none (about 4 trainings needed).",
        "Trainings needed: per arm, to detect the observed difference with 80% power, if it is the true one.",
    ]


def test_six_trainings_that_always_win_are_significantly_better() -> None:
    scores = {"none": [100.0 + n for n in range(6)], "shown": [900.0 + n for n in range(6)]}
    assert "shown scored significantly higher than none (1.00)." in conclusions(summary_of(scores))


def test_arms_with_unequal_numbers_of_trainings_are_judged_by_the_smallest() -> None:
    summary = summary_of({"none": [100.0 + n for n in range(12)], "shown": [900.0 + n for n in range(4)]})
    assert conclusions(summary)[0].startswith("With as few as 4 trainings per arm, the intervals are rough")


def test_arms_that_are_no_better_than_random_play_are_named() -> None:
    chance = ATARI_SCORES["SpaceInvaders"][0]
    learned, not_learned = [chance + 100.0 + n for n in range(3)], [chance - 1.0, chance, chance + 50.0]
    some = " ".join(conclusions(summary_of({"none": not_learned, "shown": learned})))
    assert "Not shown to score higher than random play (148 points): none." in some
    none = " ".join(conclusions(summary_of({"none": not_learned, "shown": not_learned})))
    assert "No arm was shown to score higher than random play (148 points)" in none
    all_learned = " ".join(conclusions(summary_of({"none": learned, "shown": learned})))
    assert "random play (148" not in all_learned
    assert "random play (148" not in " ".join(conclusions(summary_of({"none": not_learned[:2], "shown": learned[:2]})))


def test_large_scores_to_reach_are_named_in_whole_points() -> None:
    plan = dataclasses.replace(plan_of(1), reach=(2.5, 606.8, 1061.6))
    reach = summarise(plan, results_of(plan, {"none": [1.0], "shown": [2.0]}), []).arms[0].reach
    assert [one.name for one in reach[:3]] == ["2.5 points", "607 points", "1,062 points"]


def test_a_failed_training_is_excluded_and_named() -> None:
    summary = summary_of({"none": [100.0] * 3, "shown": [300.0, 310.0, 290.0]}, failures=1)
    shown = summary.arms[1]
    assert (len(shown.runs), shown.failed, shown.mean) == (3, 1, 300.0)
    assert conclusions(summary)[0] == "1 training of shown failed and is excluded."


def test_the_run_to_film_is_the_median_training() -> None:
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
