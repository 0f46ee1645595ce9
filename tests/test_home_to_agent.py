"""From the home window to a trained agent and to watching it: by the keyboard alone, and by the mouse alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pygame
import pytest

from commands.training_controller import LibraryTrainingController
from curator.layout import curator_layout
from data.additions import AdditionsFolder
from data.episode import EmulatorSettings
from data.job_queue import JobQueue
from data.label_database import LabelDatabase
from data.library import Library
from data.runs import run_folder
from home.home_drawing import action_boxes
from home.train_window import TrainWindow
from recorder.controls import KeyMap
from recorder.play_view import MARGIN, PANEL_WIDTH, offers, placed
from recorder.session import Session
from recorder.session_state import SessionState
from screen.canvas import Canvas
from screen.layout import Box
from screen.widgets import message_buttons
from tests.conftest import VirtualDisplay, running_coach
from tests.replay_episodes import record
from tests.test_home_train_window import places

WINDOW = Box(0, 0, 1280, 800)
RUN = "run-1"
MOST_CLICKS = 16
"""At least the number of round numbers that a field steps through."""


def recorder_buttons(library: Library, state: SessionState) -> dict[str, Box]:
    """The buttons of the recorder's side panel in a state, by their commands."""
    session = Session(library, "SpaceInvaders", EmulatorSettings(), KeyMap())
    session.state = state
    panel = WINDOW.right_part(PANEL_WIDTH).inset(MARGIN)
    return {command: button.box for command, button in placed(offers(session), panel)}


@contextmanager
def at_home(display: VirtualDisplay, library: Library) -> Iterator[Callable[[str, float], str]]:
    """``coach``, and a way to wait for one of its windows; no training outlives the test."""
    try:
        with running_coach(display, library) as process:
            yield lambda title, seconds: display.wait_for_window(title, process, seconds)
    finally:
        JobQueue(library).stop("training", RUN)
        display.wait_until(lambda: run_folder(library, RUN).training() is None, "no training", 120)


def judge(display: VirtualDisplay, library: Library, act: Callable[[], object]) -> None:
    """Judge "good", repeatedly, since a window that has just opened may miss it."""
    for _ in range(30):
        act()
        try:
            display.wait_until(lambda: bool(judged(library)), "a verdict", 4)
            return
        except pytest.fail.Exception:
            continue
    pytest.fail("no verdict was saved")


def judged(library: Library) -> set[tuple[str, bool]]:
    """Return the valid verdicts, and whether rules gave them."""
    with LabelDatabase(library.labels) as labels:
        return {(verdict.verdict, verdict.by_rule) for verdict in labels.verdicts()}


def assert_all_of_it_happened(library: Library, coached: int = 0) -> None:
    """A person's episode, a person's verdict, and a run that was trained to its end on what a person played."""
    assert [episode.demonstrator for episode in library.episodes()] == ["random", "human", *["human"] * coached]
    assert judged(library) == {("good", False)}
    folder = library.run_folder(RUN)
    config = json.loads((folder / "config.json").read_text())
    assert config["steps"] == 100
    assert any((folder / "checkpoints").iterdir())


@pytest.mark.timeout(1200)
def test_by_the_keyboard_alone(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path)
    record(library, frames=600)

    def press(*keys: str) -> None:
        virtual_display.xdotool("key", "--delay", 80, *keys)

    with at_home(virtual_display, library) as window:
        window("home", 60)
        press("p")
        window("ready - Space Invaders", 60)
        virtual_display.xdotool("keydown", "space", "keydown", "Right")
        window("recording - Space Invaders", 60)
        time.sleep(1.5)
        virtual_display.xdotool("keyup", "space", "keyup", "Right")
        press("Escape")
        window("save or discard", 60)
        press("Return")
        window("ready - Space Invaders", 60)
        press("Escape")
        window("home", 60)
        press("j")
        window("curating, ", 60)
        judge(virtual_display, library, lambda: press("g"))
        press("Escape")
        window("home", 60)
        press("t")
        window("training - new", 60)
        # From the sources, up to the numbers: steps, pretraining, evaluation.
        press("Up", "Up", "Up", "Up", "1", "0", "0", "Down", "5", "Down", "0", "Return")
        window(f"training - {RUN}: done", 300)
        press("Escape")
        window("home", 60)
        press("w")
        window("watching", 120)
        press("Escape")  # nothing is asked where only the agent played
        window("home", 60)
        press("t")
        window(f"training - {RUN}: done", 60)
        press("c")
        window("watching", 120)
        press("t")
        window("you play", 60)
        time.sleep(1.5)
        press("t")
        window("watching", 60)
        time.sleep(1.0)
        press("Escape")
        window(f"training - {RUN}: done", 120)
        press("Escape")
        window("home", 60)
        press("Escape")
    assert_all_of_it_happened(library, coached=1)
    assert len(AdditionsFolder(library.run_folder(RUN)).waiting()) == 1, "the training takes it when it is resumed"


@pytest.mark.timeout(1200)
def test_by_the_mouse_alone(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    record(library, frames=600)
    actions = action_boxes(WINDOW)
    curator = curator_layout(WINDOW, 1.0)
    good = curator.verdict_buttons[0]
    elsewhere = Library(tmp_path / "elsewhere")
    ready, playing = (recorder_buttons(elsewhere, state) for state in (SessionState.READY, SessionState.PLAYING))
    keep = message_buttons(Canvas(pygame.Surface((1280, 800)), 1.0), [("", "", None)] * 3)[0].box

    with at_home(virtual_display, library) as window:

        def click(title: str, box: Box, at_left: bool = False) -> None:
            number = window(title, 120)
            x = box.x + 8 if at_left else box.centre[0]
            virtual_display.xdotool("mousemove", "--window", number, round(x), round(box.centre[1]), "click", 1)
            time.sleep(0.1)

        window("home", 60)
        virtual_display.click_through("home", actions["play"].centre, "ready")
        virtual_display.click_through("ready - Space Invaders", ready["start"].centre, "recording")
        time.sleep(1.0)
        virtual_display.click_through("recording - Space Invaders", playing["end"].centre, "save or discard")
        virtual_display.click_through("save or discard", keep.centre, "ready")
        virtual_display.click_through("ready - Space Invaders", ready["end"].centre, "home")
        virtual_display.click_through("home", actions["curate"].centre, "curating")
        judge(virtual_display, library, lambda: click("curating", good))
        virtual_display.click_through("curating", curator.quit.centre, "home")
        fields = places(library)
        virtual_display.click_through("home", actions["train"].centre, "training - new")
        for name in ("steps", "pretrain_steps", "evaluate_every"):
            for _ in range(MOST_CLICKS):
                click("training - new", fields[name], at_left=True)
        virtual_display.click_through("training - new", (60, 766), f"training - {RUN}")
        done = f"training - {RUN}: done"
        window(done, 300)
        # The last button of the action bar leads home.
        virtual_display.click_through(done, action_buttons_of(library)[-1].centre, "home")
        virtual_display.click_through("home", actions["watch"].centre, "watching")
        window("watching", 120)
        virtual_display.ask_to_close(window("watching", 60))  # the cross of the window is the mouse's too
    assert_all_of_it_happened(library)


def action_buttons_of(library: Library) -> list[Box]:
    """The buttons under the list of runs, as the Train window places them."""

    class NoWindow:
        title = ""

    window = TrainWindow(NoWindow(), LibraryTrainingController(library, "SpaceInvaders"))  # type: ignore[arg-type]
    window._update()
    return [button.box for button in window.buttons(WINDOW)]
