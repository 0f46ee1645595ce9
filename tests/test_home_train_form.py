"""The form of a new training: what keys and clicks choose, without a window."""

from __future__ import annotations

import pytest

from data.run_curves import RunCurves
from data.run_progress import Progress
from data.runs import RunSummary
from data.seeding_preview import SeedingPreview
from home.form import Field, SourceOption, stepped
from home.run_pane import figures, progress_words, run_charts, state_words
from home.seeding_pane import verdict_parts
from home.train_form import KEEPS, PRACTICES, Preset, TrainForm

SOURCES = [
    SourceOption("human", "People's play", "3 episodes"),
    SourceOption("planner", "The planner's play", "none", available=False),
    SourceOption("all", "Everything", "3 episodes"),
    SourceOption("random", "Random play", "fresh"),
    SourceOption("none", "Nothing", "from scratch"),
]
PRESETS = [Preset("default", 100_000, 2500, 25_000), Preset("nature", 1_000_000, 0, 250_000)]


def preview(kept: dict[str, int], removed: dict[str, int]) -> SeedingPreview:
    number = sum(kept.values())
    return SeedingPreview(
        game="SpaceInvaders",
        sources=("human",),
        keep="not-bad",
        episodes=2,
        found=number + sum(removed.values()),
        kept=number,
        random=0,
        seconds=60.0,
        rewarded=5,
        points=100.0,
        imitated=number,
        mixed=0,
        actions={},
        kept_by_verdict=kept,
        removed_by_verdict=removed,
        removed={},
        megabytes=7.0,
    )


def form() -> TrainForm:
    return TrainForm(SOURCES, PRESETS, "run-1")


def toggle(made: TrainForm, spec: str) -> None:
    made.focus_on(Field("source", next(n for n, s in enumerate(SOURCES) if s.spec == spec)))
    made.toggle()


def test_peoples_play_is_chosen_at_first_if_there_is_any() -> None:
    assert form().specs == ("human",)
    without = [SourceOption("human", "", "", available=False), SourceOption("all", "", "")]
    assert TrainForm(without, PRESETS, "x").specs == ("all",)
    assert TrainForm([SourceOption("all", "", "", available=False)], PRESETS, "x").specs == ()


@pytest.mark.parametrize(
    ("toggled", "specs"),
    [
        (["random"], ("human", "random:10000")),
        (["all"], ("all",)),
        (["all", "human"], ("human",)),
        (["random", "all"], ("all", "random:10000")),
        (["human"], ()),
        (["random", "none"], ()),
        (["planner"], ("human",)),
    ],
)
def test_sources_are_chosen_and_unchosen(toggled: list[str], specs: tuple[str, ...]) -> None:
    made = form()
    for spec in toggled:
        toggle(made, spec)
    assert made.specs == specs
    assert made.is_chosen(SOURCES[-1]) == (not specs)


def test_the_first_digit_replaces_a_number_and_the_next_are_appended() -> None:
    made = form()
    made.focus_on(Field("steps"))
    made.type("6")
    made.type("00")
    assert made.request.steps == 600
    made.erase()
    assert made.request.steps == 60
    made.change(1)
    made.type("7")
    assert made.request.steps == 7


def test_the_number_of_random_decisions_is_typed_too() -> None:
    made = form()
    toggle(made, "random")
    made.type("2")
    made.type("5")
    assert made.specs[-1] == "random:25"


def test_arrows_step_through_round_numbers_and_stop_at_the_ends() -> None:
    ladder = (0, 100, 1000)
    assert [stepped(value, ladder, by) for value, by in ((0, 1), (150, 1), (150, -1), (1000, 1), (0, -1))] == [
        100,
        1000,
        100,
        1000,
        0,
    ]


def test_a_preset_sets_its_own_numbers() -> None:
    made = form()
    made.focus_on(Field("preset"))
    made.change(1)
    assert (made.request.preset, made.request.steps, made.request.pretrain_steps) == ("nature", 1_000_000, 0)


def test_the_focus_cycles_through_every_field() -> None:
    made = form()
    seen = []
    for _ in made.fields:
        seen.append(made.focus)
        made.move(1)
    assert sorted(seen, key=made.fields.index) == list(made.fields)
    assert made.focus == seen[0]


def test_keep_cycles() -> None:
    made = form()
    made.focus_on(Field("keep"))
    seen = []
    for _ in KEEPS:
        seen.append(made.keep)
        made.change(1)
    assert sorted(seen) == sorted(KEEPS)
    assert made.keep == "not-bad"


def test_practice_in_the_chosen_play_cycles_and_is_off_at_first() -> None:
    made = form()
    made.focus_on(Field("practice"))
    seen = []
    for _ in PRACTICES:
        seen.append(made.request.practice)
        made.change(1)
    assert seen == ["none", "even", "good", "bad"]
    assert made.request.practice == "none"


def test_a_name_accepts_only_characters_of_a_folder_name() -> None:
    made = form()
    made.focus_on(Field("name"))
    made.type("/../ä b")
    assert made.name == "run-1..b"
    for _ in range(20):
        made.erase()
    assert "name" in made.problem


def test_a_training_without_steps_is_refused() -> None:
    made = form()
    made.focus_on(Field("steps"))
    made.type("0")
    assert not made.problem  # pretraining alone
    toggle(made, "none")
    assert "step" in made.problem


def test_removed_decisions_are_shown_with_the_reason() -> None:
    not_bad = preview(kept={"good": 0, "bad": 0, "none": 900}, removed={"good": 0, "bad": 100, "none": 0})
    assert [part[:2] for part in verdict_parts(not_bad)] == [("without a verdict", 900), ("removed: judged bad", 100)]
    good = preview(kept={"good": 50, "bad": 0, "none": 0}, removed={"good": 0, "bad": 100, "none": 850})
    assert ("removed: not judged good", 950) in [part[:2] for part in verdict_parts(good)]


@pytest.mark.parametrize(
    ("run", "state", "progress", "share"),
    [
        (RunSummary("a", "waiting", steps=500, queue_position=1), "next in the queue", "500 steps to do", 0.0),
        (RunSummary("a", "waiting", steps=500, queue_position=3), "number 3 in the queue", "500 steps to do", 0.0),
        (
            RunSummary("a", "training", steps=100, progress=Progress("pretraining", 5, 20, run_share=0.1)),
            "pretraining",
            "pretraining: 5 of 20 updates",
            0.1,
        ),
        (
            RunSummary("a", "training", step=5000, steps=10_000, progress=Progress("training", 5000, 10_000)),
            "training",
            "5,000 of 10,000 steps",
            0.5,
        ),
        (RunSummary("a", "stopped", step=5, steps=10), "stopped", "5 of 10 steps", 0.5),
    ],
)
def test_the_progress_of_a_run_in_words(run: RunSummary, state: str, progress: str, share: float) -> None:
    assert (state_words(run), progress_words(run), run.share_done) == (state, progress, share)


def test_a_run_that_does_not_train_has_no_pace() -> None:
    run = RunSummary("a", "stopped", mean_score=210)
    assert figures(run) == [("mean score", "210")]


def test_empty_curves_make_charts_that_say_so() -> None:
    assert all(chart.hint and not chart.newest for chart in run_charts(RunCurves()))


def test_contradictions_are_said_before_the_start() -> None:
    made = TrainForm(SOURCES, [PRESETS[0], Preset("nature", 100_000, 0, 250_000, "Mnih.", 1_000_000)], "run-1")
    assert made.warnings == ()
    made.focus_on(Field("preset"))
    made.change(1)
    assert made.explanation == "Mnih."
    evaluated, pretraining, random = made.warnings
    assert "250,000 steps between evaluations, 100,000 in all" in evaluated
    assert pretraining.startswith("No pretraining")
    assert "1,000,000 steps; this training has 100,000" in random
    assert not made.problem  # it may be started anyway


def test_random_play_is_reported_only_for_agents_that_start_with_it() -> None:
    preset = Preset("default", 10_000, 2500, 0, "", 25_000, explores_after_pretraining=False)
    pretrained = TrainForm(SOURCES, [preset], "run-1")
    assert pretrained.chosen and pretrained.warnings == ()
    pretrained.numbers["pretrain_steps"] = 0
    assert any(text.startswith("Mostly random play") for text in pretrained.warnings)


def test_every_field_has_an_explanation() -> None:
    made = form()
    for field in made.fields:
        made.focus_on(field)
        assert made.explanation.endswith(".") or field.name == "preset"
