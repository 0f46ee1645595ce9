"""What a comparison's plan freezes, refuses and extends: real recordings and verdicts, no training."""

from __future__ import annotations

from pathlib import Path

import pytest
from agent_episodes import record_episode, small_config

from agent.arms import Arm, parse_arm
from agent.comparison import FrozenLibrary, Plan, read_plan
from agent.config import TrainConfig
from commands.compare import study_arms
from commands.comparison import within_updates
from commands.comparison_plan import prepare_plan
from data.clip import Clip, Verdict
from data.comparisons import ComparisonFolder
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

BASE = small_config(keep="all", seed_from=("human",))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "library")
    for seed in (1, 2):
        record_episode(made, 1200, seed=seed, kind="human")
    return made


@pytest.fixture
def folder(library: Library) -> ComparisonFolder:
    made = ComparisonFolder(library, "which")
    made.prepare()
    return made


def plan_of(*arms: Arm, seeds: int = 2) -> Plan:
    return Plan("which", "Which?", arms, tuple(range(seeds)))


def arms_of(base: TrainConfig, *texts: str) -> tuple[Arm, ...]:
    return tuple(parse_arm(text, base) for text in texts)


def test_a_plan_is_read_as_it_was_written(folder: ComparisonFolder, library: Library) -> None:
    plan = prepare_plan(folder, plan_of(*arms_of(small_config(keep="all"), "none", "human")), library.labels)
    assert read_plan(folder) == plan
    assert [task.run for task in plan.tasks()] == ["which-none-s0", "which-human-s0", "which-none-s1", "which-human-s1"]
    assert plan.seedings["human"]["decisions"] == plan.seedings["human"]["found"] > 0
    assert plan.provenance["human"][0]["text"] == "episodes of SpaceInvaders by human (keep all)"


def test_what_is_played_and_judged_later_changes_nothing(folder: ComparisonFolder, library: Library) -> None:
    wanted = plan_of(*arms_of(small_config(keep="not-bad"), "none", "human"))
    before = prepare_plan(folder, wanted, library.labels)
    first = library.episodes()[0].episode_id
    record_episode(library, 400, seed=3, kind="human")
    with LabelDatabase(library.labels) as labels:
        labels.record(Verdict(Clip(first, 0, 400), "Ada", "bad"))
    after = prepare_plan(folder, wanted, library.labels)
    assert after == before
    assert len(FrozenLibrary(library.folder, after.episodes).episodes("SpaceInvaders")) == 2


def test_an_episode_that_is_gone_is_named(folder: ComparisonFolder, library: Library) -> None:
    plan = prepare_plan(folder, plan_of(*arms_of(small_config(keep="all"), "none", "human")), library.labels)
    gone = Path(library.episodes()[0].path)
    gone.unlink()
    with pytest.raises(CoachError, match=f"has lost 1 of the episodes .* such as {gone.stem}"):
        FrozenLibrary(library.folder, plan.episodes).episodes()


def test_seeds_and_arms_can_be_added_and_settings_cannot_be_changed(folder: ComparisonFolder, library: Library) -> None:
    base = small_config(keep="all")
    prepare_plan(folder, plan_of(*arms_of(base, "none", "human")), library.labels)
    more = prepare_plan(folder, plan_of(*arms_of(base, "none", "human", "random:50"), seeds=3), library.labels)
    assert len(more.tasks()) == 9
    other = small_config(keep="all", steps=65)
    with pytest.raises(CoachError, match="was started with --steps 64 for 'none', not 65"):
        prepare_plan(folder, plan_of(*arms_of(other, "none", "human")), library.labels)


def test_a_run_of_the_same_name_that_is_not_ours_is_left_alone(folder: ComparisonFolder, library: Library) -> None:
    library.run_folder("which-none-s0").mkdir()
    with pytest.raises(CoachError, match="has a run 'which-none-s0' already"):
        prepare_plan(folder, plan_of(*arms_of(small_config(), "none", "human")), library.labels)


def test_a_seeding_that_selects_nothing_is_said_before_anything_is_trained(
    folder: ComparisonFolder, library: Library
) -> None:
    with pytest.raises(CoachError, match="The arm 'planner': The seeding selects nothing"):
        prepare_plan(folder, plan_of(*arms_of(small_config(), "none", "planner")), library.labels)
    assert read_plan(folder) is None


def test_the_study_of_the_last_frames_selects_more_with_more_frames(folder: ComparisonFolder, library: Library) -> None:
    arms = study_arms("before-reward", BASE, library, [30, 90])
    plan = prepare_plan(folder, plan_of(*arms), library.labels)
    kept = [plan.seedings[arm.slug]["kept"] for arm in plan.arms]
    assert [arm.title for arm in plan.arms] == ["everything", "last 30 frames", "last 90 frames"]
    assert 0 < kept[1] < kept[2] < kept[0]
    assert len(set(plan.labels.values())) == 3
    assert not library.labels.exists()


def test_the_study_of_verdicts_needs_verdicts(folder: ComparisonFolder, library: Library) -> None:
    wanted = plan_of(*study_arms("keep", BASE, library, None)[:2])
    with pytest.raises(CoachError, match=r"select the same .* decisions"):
        prepare_plan(folder, wanted, library.labels)
    with LabelDatabase(library.labels) as labels:
        labels.record(Verdict(Clip(library.episodes()[0].episode_id, 0, 400), "Ada", "bad"))
    plan = prepare_plan(folder, wanted, library.labels)
    everything, not_bad = (plan.seedings[arm.slug] for arm in plan.arms)
    assert everything["kept"] - not_bad["kept"] == 100
    assert not_bad["removed"] == {"were judged bad (--keep not-bad)": 100}


def test_peoples_verdicts_alone_leave_the_rules_out(folder: ComparisonFolder, library: Library) -> None:
    episode = library.episodes()[0].episode_id
    with LabelDatabase(library.labels) as labels:
        labels.record(Verdict(Clip(episode, 0, 400), "Ada", "bad"))
        labels.record(Verdict(Clip(episode, 400, 600), "rule:before-death", "bad"))
    arms = arms_of(small_config(keep="not-bad"), "people=human,verdicts=people", "all=human")
    plan = prepare_plan(folder, plan_of(*arms), library.labels)
    assert plan.seedings["people"]["kept"] - plan.seedings["all"]["kept"] == 50


@pytest.mark.parametrize(("most", "steps"), [(4, 16), (5, 20), (9, 36), (1000, 64)])
def test_equal_updates_count_pretraining(most: int, steps: int) -> None:
    seeded = parse_arm("human", small_config())  # 4 updates of pretraining, then one every 4 steps from step 16 on
    assert within_updates(seeded, most).config.steps == steps
    unseeded = parse_arm("none", small_config())
    assert within_updates(unseeded, most).config.steps == min(64, steps + 16)
    with pytest.raises(CoachError, match="pretrained with more than"):
        within_updates(seeded, 3)
