"""The Train window on a virtual screen: trainings that outlive it, one after another, stopped, resumed, and failed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pygame
import pytest

from commands.training_controller import LibraryTrainingController
from data.job_queue import JobQueue
from data.library import Library
from data.runs import RunFolder
from home.action_bar import areas, form_width
from home.form import FormDrawing
from home.train_form import TrainForm
from screen.canvas import Canvas
from screen.layout import Box
from tests.agent_episodes import record_episode
from tests.conftest import VirtualDisplay, running_coach
from tests.test_data_job_queue import end_all, phase

WINDOW = Box(0, 0, 1280, 800)


def press(display: VirtualDisplay, *keys: str) -> None:
    display.xdotool("key", "--delay", 60, *keys)


def write_number(display: VirtualDisplay, digits: str) -> None:
    press(display, *digits)


def wait_for_state(display: VirtualDisplay, run: str, states: str, seconds: float = 300) -> None:
    """Wait for a state of the selected run, which the window's title shows."""
    display.wait_for_window(f"training - {run}: ({states})", seconds=seconds)


@pytest.mark.timeout(900)  # minutes on a machine that does other things, too
def test_trainings_outlive_the_window_and_stop_and_resume_by_keys(
    virtual_display: VirtualDisplay, tmp_path: Path
) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="human")
    first, second = RunFolder(library.run_folder("run-1")), RunFolder(library.run_folder("run-2"))
    try:
        with running_coach(virtual_display, library) as process:
            virtual_display.wait_for_window("home", process)
            press(virtual_display, "t")
            window = virtual_display.wait_for_window("training - new", process)
            # From the sources, the chosen one of which has the focus, down to the numbers.
            press(virtual_display, "Up", "Up", "Up", "Up")
            write_number(virtual_display, "1000000")
            press(virtual_display, "Down")
            write_number(virtual_display, "5")
            press(virtual_display, "Down")
            write_number(virtual_display, "0")
            press(virtual_display, "Return")
            wait_for_state(virtual_display, "run-1", "training")
            virtual_display.wait_until(lambda: (first.path / "live.picture").exists(), "a picture of the agent's game")
            virtual_display.ask_to_close(window)
        config = json.loads((first.path / "config.json").read_text())
        assert (config["steps"], config["pretrain_steps"], config["evaluate_every"]) == (1_000_000, 5, 0)
        assert first.training() is not None
        with running_coach(virtual_display, library) as process:
            virtual_display.wait_for_window("home", process)
            press(virtual_display, "t")
            wait_for_state(virtual_display, "run-1", "training")
            press(virtual_display, "n")
            virtual_display.wait_for_window("training - new", process)
            press(virtual_display, "Return")
            wait_for_state(virtual_display, "run-2", "next")
            press(virtual_display, "Up")
            wait_for_state(virtual_display, "run-1", "training")
            press(virtual_display, "s")
            wait_for_state(virtual_display, "run-1", "stopped")
            virtual_display.wait_until(lambda: phase(library, "run-2") != "", "the second run's turn", 300)
            press(virtual_display, "r")
            wait_for_state(virtual_display, "run-1", "next")
            press(virtual_display, "Up", "s")
            wait_for_state(virtual_display, "run-2", "stopped|stopping")
            virtual_display.wait_until(lambda: phase(library, "run-1") == "training", "the resumed run", 300)
            assert second.training() is None
            press(virtual_display, "Escape")
            virtual_display.wait_for_window("home", process)
            press(virtual_display, "Escape")
        JobQueue(library).stop("training", "run-1")
        virtual_display.wait_until(lambda: first.training() is None, "the training's clean end", 120)
        assert not first.was_interrupted()
    finally:
        end_all(library)


def places(library: Library) -> dict[str, Box]:
    """Return the places of the form's fields in a window of 1280 x 800."""
    desk = LibraryTrainingController(library, "SpaceInvaders")
    drawing = FormDrawing(TrainForm(desk.sources(), desk.presets(), "run-1"))
    main = areas(WINDOW)[1]
    drawing.draw(Canvas(pygame.Surface((1280, 800)), 1.0), main.left_part(form_width(main)), (-1, -1))
    return drawing.boxes()


def test_by_mouse_a_failed_training_says_why_and_is_dismissed(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path)
    record_episode(library, 200, kind="human")
    fields = places(library)

    def click(window: str, x: float, y: float) -> None:
        virtual_display.xdotool("mousemove", "--window", window, round(x), round(y), "click", 1)
        time.sleep(0.1)

    try:
        with running_coach(virtual_display, library) as process:
            window = virtual_display.wait_for_window("home", process)
            press(virtual_display, "t")
            window = virtual_display.wait_for_window("training - new", process)
            click(window, fields["keep"].right - 10, fields["keep"].centre[1])
            for _ in range(3):
                click(window, fields["steps"].x + 10, fields["steps"].centre[1])
            click(window, 60, 766)
            wait_for_state(virtual_display, "run-1", "failed")
            [failure] = JobQueue(library).failures()
            assert failure.error.startswith("The seeding selects nothing: of ")
            assert failure.job.arguments[failure.job.arguments.index("--steps") + 1] == "10000"
            assert failure.error in Path(failure.log).read_text()
            press(virtual_display, "Delete")
            virtual_display.wait_until(lambda: not JobQueue(library).failures(), "the failure dismissed")
            press(virtual_display, "Escape")
            virtual_display.wait_for_window("home", process)
            virtual_display.ask_to_close(window)
    finally:
        end_all(library)
