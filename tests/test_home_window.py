"""The home window on a virtual screen: every action by key and by pointer, and back again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pygame
import pytest

from commands.home import HomeActions
from data.episode import EpisodeSummary
from data.library import Library
from data.run_progress import Progress
from data.runs import RunFolder, RunSummary
from home.home_drawing import action_boxes, episode_rows, first_step_buttons, next_box, picture_box, run_rows
from home.home_notice import no_agent
from home.home_window import HomeWindow, Picture
from home.overview import MAIN_ACTIONS, SIDE_ACTIONS, HomeAction, Overview
from home.settings import Settings
from screen.events import KeyDown, PointerDown
from screen.layout import Box
from screen.window import Window
from tests.conftest import VirtualDisplay, running_coach
from tests.replay_episodes import record

RUN = RunSummary(
    "first", "training", step=12000, steps=100000, mean_score=312.4, progress=Progress("training", run_seconds_left=930)
)
CREATED = "2026-11-23T17:00:08"
EPISODE = EpisodeSummary(
    "a", "a.h5", "SpaceInvaders", "human", "Ada", CREATED, 3720, 450.0, "game_over", 4, 20, {"human": 3720}
)
OVERVIEW = Overview(
    "SpaceInvaders",
    "library",
    episodes=12,
    seconds=1810,
    best_score=640,
    good=34,
    bad=8,
    clips_waiting=12,
    runs=(RUN,),
    recent=(EPISODE,) * 8,
)
PICTURE = Picture(np.zeros((210, 160), np.uint8), np.zeros((256, 3), np.uint8))
WINDOW = Box(0, 0, 1280, 800)


def choice(display: VirtualDisplay, act: Callable[[str], object]) -> HomeAction | None:
    """Return what a person chooses who does ``act``, which receives the window's id."""
    with Window("Replay Coach - home") as window:

        def person() -> None:
            number = display.wait_for_window("Replay Coach - home")
            time.sleep(0.3)
            act(number)

        hand = threading.Thread(target=person)
        hand.start()
        chosen = HomeWindow(window, lambda: OVERVIEW, lambda: PICTURE).choose()
        hand.join()
        return chosen


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        (("p",), "play"),
        (("j",), "curate"),
        (("t",), "train"),
        (("w",), "watch"),
        (("c",), "compare"),
        (("l",), "library"),
        (("s",), "settings"),
        (("g",), "game"),
        (("Return",), "watch"),
        (("Left", "Return"), "train"),
        (("Right", "Right", "Return"), "play"),
        (("Escape",), None),
        (("F1", "Escape", "j"), "curate"),
    ],
)
def test_an_action_is_chosen_by_its_key(
    virtual_display: VirtualDisplay, keys: tuple[str, ...], action: HomeAction | None
) -> None:
    assert choice(virtual_display, lambda _: virtual_display.xdotool("key", "--delay", 80, *keys)) == action


@pytest.mark.parametrize("action", [*MAIN_ACTIONS, *SIDE_ACTIONS])
def test_an_action_is_chosen_by_a_click(virtual_display: VirtualDisplay, action: HomeAction) -> None:
    x, y = action_boxes(WINDOW)[action].centre

    def click(number: str) -> None:
        virtual_display.xdotool("mousemove", "--window", number, round(x), round(y), "click", 1)

    assert choice(virtual_display, click) == action


def test_closing_the_window_quits(virtual_display: VirtualDisplay) -> None:
    assert choice(virtual_display, virtual_display.ask_to_close) is None


def test_playing_judging_training_and_watching_need_only_keys(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path)
    record(library, frames=600)
    run = RunFolder(library.runs / "run-1")
    with running_coach(virtual_display, library) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "p")
        virtual_display.wait_for_window("ready - Space Invaders", process)
        virtual_display.xdotool("key", "Escape")
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "j")
        virtual_display.wait_for_window("curating, ", process)
        virtual_display.xdotool("key", "g")
        virtual_display.xdotool("key", "Escape")
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "t")
        virtual_display.wait_for_window("training - new", process)
        virtual_display.xdotool("key", "Return")
        virtual_display.wait_for_window("run-1: (pretraining|training)", process, 120)
        virtual_display.xdotool("key", "s")
        virtual_display.wait_until(lambda: run.training() is None, "the training's clean end", 120)
        assert any(run.checkpoints.iterdir())
        virtual_display.xdotool("key", "Escape")
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "w")
        virtual_display.wait_for_window("watching", process, 120)
        virtual_display.ask_to_close(virtual_display.wait_for_window("watching", process))
    assert len(library.episodes()) == 1


def test_an_empty_library_selects_play(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    with running_coach(virtual_display, Library(tmp_path)) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "Return")
        virtual_display.wait_for_window("ready - Space Invaders", process)
        virtual_display.xdotool("key", "Escape")
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "Escape")


def test_a_click_on_a_row_the_picture_or_the_next_action_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    compared = RunSummary("best-1", "done", comparison="seedings", step=5)
    overview = replace(OVERVIEW, runs=(compared, RUN), recent=(EPISODE, replace(EPISODE, episode_id="b")))
    places = [
        (episode_rows(WINDOW, overview)[1][1], "library", "b"),
        (run_rows(WINDOW, overview)[0][1], "train", "first"),
        (run_rows(WINDOW, overview)[1][1], "compare", "seedings"),
        (picture_box(WINDOW), "library", "a"),
        (next_box(WINDOW), "watch", ""),
    ]
    with Window("Replay Coach - home", (1280, 800)) as window:
        home = HomeWindow(window, lambda: overview)
        home._overview = overview
        for box, action, target in places:
            home.target = ""
            assert (home._click(*box.centre), home.target) == (action, target)


@pytest.mark.parametrize("size", [(960, 600), (1280, 800)])
def test_an_empty_library_offers_to_play_or_to_watch_the_trained_agent(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    empty = Overview("SpaceInvaders", "library", supplied=RunSummary("teacher", "done", step=1, supplied=True))
    with Window("Replay Coach - home", size) as window:
        home = HomeWindow(window, lambda: empty)
        home._overview = empty
        buttons = first_step_buttons(window.size_units, empty)
        assert [home._click(*button.box.centre) for button in buttons.values()] == ["play", "watch"]
        assert buttons["play"].box.right < buttons["watch"].box.x
        assert [home._take(KeyDown(button.key.lower())) for button in buttons.values()] == ["play", "watch"]
        [(_, row)] = run_rows(Box(0, 0, 1280, 800), empty)
        home._draw()
    with Window("Replay Coach - home", (1280, 800)) as window:
        home = HomeWindow(window, lambda: empty)
        home._overview = empty
        assert (home._click(*row.centre), home.target) == ("train", "teacher")


def test_watch_without_an_agent_says_what_to_do_and_esc_goes_back_to_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("data.runs.SUPPLIED_RUNS", tmp_path / "none")
    answers: list[HomeAction | None] = []
    freed: list[bool] = []
    monkeypatch.setattr("commands.home.give_memory_back", lambda: freed.append(True))

    def choose(home: HomeWindow) -> HomeAction | None:
        if home._notice is None:
            return "watch"
        assert "First record some play, then train" in home._notice.text
        home._draw()
        for key in ("j", "escape", "escape"):
            answers.append(home._take(KeyDown(key)))
            answers.append("watch" if home._quits else None)
        return None

    monkeypatch.setattr(HomeWindow, "choose", choose)
    with Window("Replay Coach - home") as window:
        HomeActions(window, Library(tmp_path / "library"), Settings(seen_tour=True)).run()
    assert answers == [None, None, None, None, None, "watch"], "only the second Esc quits"
    assert freed == [True], "memory is given back after each window"


def test_a_notice_offers_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("Replay Coach - home") as window:
        for notice, keys in (
            (no_agent(False, ""), {"p": "play", "t": "train", "return": "play"}),
            (no_agent(True, ""), {"t": "train", "return": "train", "p": None}),
            (no_agent(True, "run-1"), {"t": "train", "return": "train"}),
        ):
            home = HomeWindow(window, lambda: OVERVIEW)
            for key, action in keys.items():
                home.show(notice)
                assert home._take(KeyDown(key)) == action
            home.show(notice)
            first, *_, back = notice.buttons(window.canvas)
            assert home._take(PointerDown(*first.box.centre)) == notice.actions[0][2]
            home.show(notice)
            assert home._take(PointerDown(*back.box.centre)) is None
            assert home._notice is None
        assert no_agent(True, "run-1").text.startswith("run-1 is being trained")


def test_esc_dismisses_an_error_before_it_quits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("Replay Coach - home") as window:
        home = HomeWindow(window, lambda: OVERVIEW)
        home.say("The weights of run-1 cannot be read.", is_error=True)
        home._take(KeyDown("escape"))
        assert (home.message, home._quits) == ("", False)
        home._take(KeyDown("escape"))
        assert home._quits


def test_a_home_window_that_stands_still_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    drawn: list[float] = []

    def draw(*_: object) -> None:
        drawn.append(time.monotonic())

    monkeypatch.setattr("home.home_window.draw_home", draw)
    with Window("Replay Coach - home") as window:

        def quit_later() -> None:
            time.sleep(1.2)
            pygame.event.post(pygame.event.Event(pygame.QUIT))

        threading.Thread(target=quit_later).start()
        HomeWindow(window, lambda: OVERVIEW).choose()
    assert len(drawn) <= 4
