"""How arms are written, and what makes two of them one comparison."""

from __future__ import annotations

import pytest
from agent_episodes import small_config

from agent.arms import RANDOM_STEPS, check_arms, differing_settings, parse_arm
from data.errors import CoachError

BASE = small_config(keep="all")


@pytest.mark.parametrize(
    ("text", "title", "seed_from", "keep"),
    [
        ("none", "none", (), "all"),
        ("random:50", "random:50", ("random:50",), "all"),
        ("random", "random", (f"random:{RANDOM_STEPS}",), "all"),
        ("agent:first", "agent:first", ("agent:first",), "all"),
        ("curated", "curated", ("all",), "good"),
        ("curated=planner,keep=not-bad", "curated", ("planner",), "not-bad"),
        ("both=human@2,planner", "both", ("human@2", "planner"), "all"),
        ("human,keep=good", "human,keep=good", ("human",), "good"),
    ],
)
def test_an_arm_is_read_as_it_is_written(text: str, title: str, seed_from: tuple[str, ...], keep: str) -> None:
    arm = parse_arm(text, BASE)
    assert (arm.title, arm.config.seed_from, arm.config.keep) == (title, seed_from, keep)


def test_an_arm_may_change_any_setting_and_whose_verdicts_count() -> None:
    arm = parse_arm("last 60=human,keep=good,verdicts=before-reward:frames=60,double-q=no,pretrain-steps=7", BASE)
    assert (arm.verdicts, arm.config.double_q, arm.config.pretrain_steps) == ("before-reward:frames=60", False, 7)
    assert arm.slug == "last-60"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dreams", "dreams is not a source"),
        ("a=planner,dreams=2", "no setting 'dreams'"),
        ("a=planner,keep=some", "--keep must be one of"),
        ("a=planner,pretrain-steps=many", "cannot be 'many'"),
        ("a=planner,steps=5", "must not set --steps"),
        ("a=", "cannot be read"),
    ],
)
def test_an_arm_that_means_nothing_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(CoachError, match=words):
        parse_arm(text, BASE)


def test_arms_must_differ_in_name_and_in_settings() -> None:
    none = parse_arm("none", BASE)
    with pytest.raises(CoachError, match="at least two"):
        check_arms((none,))
    with pytest.raises(CoachError, match="Two arms have the title 'none'"):
        check_arms((none, parse_arm("none=planner", BASE)))
    with pytest.raises(CoachError, match="have the same settings"):
        check_arms((parse_arm("a=planner", BASE), parse_arm("b=planner", BASE)))


def test_only_settings_that_differ_are_told() -> None:
    arms = tuple(parse_arm(text, BASE) for text in ("none", "shown=planner,pretrain-steps=9"))
    assert differing_settings(arms) == {"--seed-from": ("nothing", "planner"), "--pretrain-steps": ("4", "9")}
