"""The guided tour of the home window: short, ended by any key, and available again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.library import Library
from home.guided_tour import SECONDS_A_STOP, STOPS, GuidedTour
from home.home_drawing import side_action_boxes, tour_button
from home.overview import MAIN_ACTIONS
from screen.layout import Box
from tests.conftest import VirtualDisplay, running_coach


def test_the_tour_stops_at_every_action_and_takes_less_than_a_minute() -> None:
    assert [action for stop in STOPS for action in stop.actions][: len(MAIN_ACTIONS)] == list(MAIN_ACTIONS)
    tour = GuidedTour()
    seconds = 0.0
    while not tour.is_over:
        tour.advance(0.1)
        seconds += 0.1
    assert len(STOPS) * SECONDS_A_STOP - 1 < seconds < 60


@pytest.mark.parametrize("key", ["escape", "space", "return", "p", "f1", "up"])
def test_any_key_but_the_arrows_ends_the_tour(key: str) -> None:
    tour = GuidedTour()
    tour.key_down(key)
    assert tour.is_over


def test_the_arrows_go_forward_and_back() -> None:
    tour = GuidedTour()
    for key in ("right", "right", "left", "right"):
        tour.key_down(key)
    assert tour.stop.title == "Judge"


def test_only_the_first_start_shows_the_tour(
    virtual_display: VirtualDisplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = tmp_path / "config" / "replay-coach" / "settings.json"
    with running_coach(virtual_display, Library(tmp_path)) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "p")  # ends the tour and starts nothing
        virtual_display.wait_until(lambda: settings.exists(), "a note that the tour was seen")
        assert json.loads(settings.read_text())["seen_tour"] is True
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "s")
        virtual_display.wait_for_window("settings", process)
        virtual_display.xdotool("key", "--delay", 300, "Escape", "Escape")
    with running_coach(virtual_display, Library(tmp_path)) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "s")
        virtual_display.wait_for_window("settings", process)
        virtual_display.xdotool("key", "--delay", 300, "Escape", "Escape")


def test_the_button_of_the_tour_is_inside_the_smallest_window() -> None:
    for window in (Box(0, 0, 1097, 685), Box(0, 0, 1280, 800)):
        button = tour_button(window)
        assert window.contains(*button.box.centre)
        assert button.box.bottom < min(box.y for box in side_action_boxes(window).values())
