"""The Compare window: what is chosen, what is shown, and a real comparison started, stopped, resumed and reported."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pygame
import pytest

from commands.comparison_controller import LibraryComparisonController
from data.comparisons import ComparedRun, ComparisonFolder, ComparisonSummary, read_json
from data.errors import CoachError
from data.library import Library
from data.run_curves import EvaluationPoint
from home.comparison_form import ComparisonForm, ComparisonRequest
from home.comparison_pane import ArmResult, ComparisonPane, arm_curves, few_seeds, progress_words, results, run_words
from home.form import Field, SourceOption
from screen.canvas import Canvas
from tests.agent_episodes import record_episode
from tests.conftest import VirtualDisplay, running_coach

RUNS = (
    ComparedRun("a-run", "none", 0, "done", score=100.0),
    ComparedRun("a-run", "none", 1, "done", score=200.0),
    ComparedRun("a-run", "human", 0, "done", score=300.0),
    ComparedRun("a-run", "human", 1, "running", "training", 500, 1000, 0.5, 90.0),
    ComparedRun("a-run", "random:10", 0, "failed", error="Why."),
)
SUMMARY = ComparisonSummary("a", "running", "Which?", 0.6, 3, 1, 5, 65.0, RUNS)


def test_results_are_means_over_finished_seeds_best_first() -> None:
    assert [(r.arm, r.scores, r.mean) for r in results(SUMMARY)] == [
        ("human", (300.0,), 300.0),
        ("none", (100.0, 200.0), 150.0),
    ]


def test_one_seed_is_said_to_prove_nothing_in_the_results_and_in_the_form() -> None:
    assert "proves nothing" in few_seeds([ArmResult("a", (295.0,)), ArmResult("b", (38.0,))])
    assert not few_seeds([ArmResult("a", (295.0, 200.0, 100.0))])
    form = ComparisonForm([SourceOption("none", "", ""), SourceOption("human", "", "")], "a")
    assert not form.warnings
    form.focus_on(Field("seeds"))
    form.type("1")
    assert "proves nothing" in form.warnings[0]


def test_the_curve_of_an_arm_is_the_mean_of_its_runs() -> None:
    runs = tuple(ComparedRun(f"c-none-s{seed}", "none", seed, "done") for seed in range(2))
    evaluations = {run.run: [EvaluationPoint(0, 100.0 * n, 0, 0)] for n, run in enumerate(runs)}
    evaluations["c-none-s0"].append(EvaluationPoint(50, 80.0, 0, 0))
    mean, dots = arm_curves(ComparisonSummary("c", "running", runs=runs), evaluations).series
    assert (mean.name, mean.xs.tolist(), mean.ys.tolist()) == ("none", [0, 50], [50, 80])
    assert (dots.style, dots.ys.tolist()) == ("dots", [0, 100, 80])


def test_how_far_it_is_in_words() -> None:
    assert progress_words(SUMMARY) == "3 of 5 runs done, 1 failed, about 1:05 left"
    assert [run_words(run) for run in RUNS[2:]] == ["done", "training 500 of 1,000", "failed"]


def test_every_state_can_be_drawn_in_the_smallest_window() -> None:
    canvas = Canvas(pygame.Surface((960, 600)))
    for state in ("waiting", "starting", "running", "stopping", "stopped", "done", "failed", "interrupted"):
        summary = ComparisonSummary("a", state, "Which?", 0.6, 3, 1, 5, 65.0, RUNS, 0, "Why.", "/log", "/report.html")  # type: ignore[arg-type]
        ComparisonPane().draw(canvas, canvas.box, summary)


def test_a_comparison_needs_two_beginnings() -> None:
    form = ComparisonForm([SourceOption("none", "", ""), SourceOption("human", "", "")], "a")
    assert form.request == ComparisonRequest("a", ("none", "human"), 3, 50_000, 2500, 30)
    assert not form.problem
    form.focus_on(Field("source", 0))
    form.toggle()
    assert "two" in form.problem


def test_a_comparison_that_was_cut_off_or_tells_nonsense_is_shown_as_what_it_is(tmp_path: Path) -> None:
    library = Library(tmp_path)
    controller = LibraryComparisonController(library, "SpaceInvaders")
    for name, content in (("cut", '{"phase": "running", "process": 1, "runs": [5]}'), ("odd", "[]"), ("none", "")):
        folder = ComparisonFolder(library, name)
        folder.prepare()
        (folder.path / "progress.json").write_text(content)
    assert {summary.name: summary.state for summary in controller.comparisons()} == {
        "cut": "interrupted",
        "odd": "interrupted",
        "none": "interrupted",
    }
    for act in (controller.stop, controller.resume, controller.open_report):
        with pytest.raises(CoachError):
            act("cut")


def test_a_comparison_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("coach.py").write_text("raise SystemExit(1)")  # in the working folder, which is none of ours
    library = Library(tmp_path)
    library.prepare()
    controller = LibraryComparisonController(library, "SpaceInvaders")
    controller.start(ComparisonRequest("a", ("none", "planner"), 1, 100, 0, 1))
    with pytest.raises(CoachError, match="already"):
        controller.start(ComparisonRequest("a", ("none", "planner"), 1, 100, 0, 1))
    deadline = time.monotonic() + 120
    while controller.comparisons()[0].is_active and time.monotonic() < deadline:
        time.sleep(0.1)
    [summary] = controller.comparisons()
    assert (summary.state, summary.can_resume) == ("failed", True)
    assert "has no episode of SpaceInvaders by planner" in summary.error
    assert summary.error in Path(summary.log).read_text()


def press(display: VirtualDisplay, *keys: str) -> None:
    display.xdotool("key", "--delay", 60, *keys)


@pytest.mark.timeout(900)  # minutes on a machine that does other things, too
def test_by_keys_a_comparison_is_begun_outlives_the_window_stops_and_goes_on_to_its_report(
    virtual_display: VirtualDisplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="human")
    folder = ComparisonFolder(library, "comparison-1")
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s &")

    def progress() -> dict[str, object]:
        return read_json(folder.path / "progress.json") or {}

    def wait_for(state: str) -> str:
        return virtual_display.wait_for_window(f"comparing - comparison-1: {state}", seconds=400)

    try:
        with running_coach(virtual_display, library) as process:
            virtual_display.wait_for_window("home", process)
            press(virtual_display, "c")
            window = virtual_display.wait_for_window("comparing - new", process)
            press(virtual_display, "Up", "Up", "1", "Up", "0", "Up", *"100", "Up", "1", "Return")
            wait_for("running")
            virtual_display.ask_to_close(window)
        with running_coach(virtual_display, library) as process:
            virtual_display.wait_for_window("home", process)
            press(virtual_display, "c")
            wait_for("running")
            press(virtual_display, "s")
            wait_for("stopped")
            assert not folder.is_running()
            press(virtual_display, "r")
            window = wait_for("done")
            assert progress()["done"] == progress()["total"] == 2
            report = progress()["report"]
            if report is not None and Path(str(report)).is_file():
                press(virtual_display, "o")
                virtual_display.wait_until(opened.exists, "the report in a browser")
                assert opened.read_text().strip() == Path(str(report)).as_uri()
            virtual_display.ask_to_close(window)
    finally:
        now = progress()
        if folder.is_running() and isinstance(now.get("process"), int):
            os.kill(int(str(now["process"])), signal.SIGKILL)
    plan = json.loads(folder.plan_file.read_text())
    assert [arm["text"] for arm in plan["arms"]] == ["none", "human"]
    assert (plan["seeds"], plan["evaluation_episodes"]) == ([0], 1)
    assert {arm["config"]["steps"] for arm in plan["arms"]} == {100}
