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
from data.verification import verify
from home.home_drawing import action_boxes
from home.train_window import TrainWindow
from recorder.controls import KeyMap
from recorder.play_view import MARGIN, PANEL_WIDTH, offers, placed
from recorder.session import Session
from recorder.session_state import SessionState
from recorder.watch_session import Watched, WatchSession
from recorder.watch_view import WatchView
from screen.canvas import Canvas
from screen.layout import Box
from screen.widgets import message_buttons
from tests.conftest import VirtualDisplay, running_coach
from tests.replay_episodes import record
from tests.test_home_train_window import places
from tests.test_recorder_watch import Thinker

WINDOW = Box(0, 0, 1280, 800)
RUN = "run-1"
FEWER_STEPS_CLICKS = 4
"""From the preset's 100,000 steps to 5,000."""
MOST_CLICKS = 16
"""At least the number of round numbers that a field steps through."""
STEPS, LEARNS_FROM = 5000, 1000
"""Own steps asked for, which outlast the coaching, and from which on the default preset learns."""


def recorder_buttons(library: Library, state: SessionState) -> dict[str, Box]:
    """The buttons of the recorder's side panel in a state, by their commands."""
    session = Session(library, "SpaceInvaders", EmulatorSettings(), KeyMap())
    session.state = state
    panel = WINDOW.right_part(PANEL_WIDTH).inset(MARGIN)
    return {command: button.box for command, button in placed(offers(session), panel)}


def watch_buttons(library: Library) -> dict[str, Box]:
    """The buttons of the Watch window's side panel, by their commands."""
    who = Watched(RUN, 0, None, True)
    library.prepare()
    session = WatchSession(library, "SpaceInvaders", EmulatorSettings(), KeyMap(), "Ada", 1.0, Thinker(), who)
    panel = WINDOW.right_part(PANEL_WIDTH).inset(MARGIN)
    return {command: button.box for command, button in placed(WatchView(session)._offers(), panel)}


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


def wait_until_sampled(display: VirtualDisplay, library: Library) -> None:
    """Wait until the training has taken an addition, and has made updates since."""
    run = run_folder(library, RUN)

    def sampled() -> bool:
        report, taken = run.training(), AdditionsFolder(run.path).taken()
        return bool(taken) and report is not None and report.progress.step > max(LEARNS_FROM, taken[0].step) + 60

    display.wait_until(sampled, "updates with what was added", 300)


def assert_all_of_it_happened(library: Library) -> None:
    """A person's episode, a person's verdict, and a run that learned from that and from a person's correction."""
    assert [episode.demonstrator for episode in library.episodes()] == ["random", "human", "human"]
    assert judged(library) == {("good", False)}
    run = run_folder(library, RUN)
    assert json.loads((run.path / "config.json").read_text())["steps"] == STEPS
    (line,) = AdditionsFolder(run.path).taken()
    assert (line.kind, line.episode) == ("episode", library.episodes()[-1].episode_id)
    assert line.decisions >= 4
    verification = verify(library.episode_path(line.episode))
    assert verification.ok, verification.sentence
    account = json.loads(run.seeding.read_text())
    (source,) = [source for source in account["sources"] if source["source"] == "coached"]
    assert (source["name"], source["decisions"]) == (line.episode, line.decisions)
    assert source["drawn"] > 0
    found = run.newest_state()
    assert found is not None
    assert found[1]["additions"] == [line.request], "the training ended with it"


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
        press("Up", "Up", "Up", "Up", *str(STEPS), "Down", "5", "Down", "0", "Return")
        window(f"training - {RUN}: training", 300)
        press("c")
        window("watching", 120)
        press("t")
        window("you play", 60)
        time.sleep(1.5)
        press("t")
        window("watching", 60)
        wait_until_sampled(virtual_display, library)
        press("Escape")  # nothing is asked: what was played is added already
        window(f"training - {RUN}: training", 60)
        press("s")
        window(f"training - {RUN}: stopped", 120)
        press("Escape")
        window("home", 60)
        press("w")
        window("watching", 120)
        press("Escape")  # nothing is asked where only the agent played
        window("home", 60)
        press("Escape")
    assert_all_of_it_happened(library)


@pytest.mark.timeout(1200)
def test_by_the_mouse_alone(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    record(library, frames=600)
    actions = action_boxes(WINDOW)
    curator = curator_layout(WINDOW, 1.0)
    good = curator.verdict_buttons[0]
    elsewhere = Library(tmp_path / "elsewhere")
    ready, playing = (recorder_buttons(elsewhere, state) for state in (SessionState.READY, SessionState.PLAYING))
    watched = watch_buttons(elsewhere)
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
        for name, clicks in (
            ("steps", FEWER_STEPS_CLICKS),
            ("pretrain_steps", MOST_CLICKS),
            ("evaluate_every", MOST_CLICKS),
        ):
            for _ in range(clicks):
                click("training - new", fields[name], at_left=True)
        virtual_display.click_through("training - new", (60, 766), f"training - {RUN}")
        window(f"training - {RUN}: training", 300)
        buttons = action_buttons_of(library)
        click(f"training - {RUN}: training", buttons["Coach"])
        window("watching", 120)
        virtual_display.click_through("watching", watched["take_over"].centre, "you play")
        time.sleep(1.5)
        virtual_display.click_through("you play", watched["take_over"].centre, "watching")
        wait_until_sampled(virtual_display, library)
        virtual_display.click_through("watching", watched["end"].centre, f"training - {RUN}: training")
        virtual_display.click_through(f"training - {RUN}: training", buttons["Stop"].centre, f"training - {RUN}: stop")
        stopped = f"training - {RUN}: stopped"
        window(stopped, 120)
        virtual_display.click_through(stopped, action_buttons_of(library)["Home"].centre, "home")
        virtual_display.click_through("home", actions["watch"].centre, "watching")
        window("watching", 120)
        virtual_display.ask_to_close(window("watching", 60))  # the cross of the window is the mouse's too
    assert_all_of_it_happened(library)


def action_buttons_of(library: Library) -> dict[str, Box]:
    """The buttons under the list of runs by their labels, as the Train window places them now."""

    class NoWindow:
        title = ""

    window = TrainWindow(NoWindow(), LibraryTrainingController(library, "SpaceInvaders"))  # type: ignore[arg-type]
    window._update()
    return {button.label: button.box for button in window.buttons(WINDOW)}
