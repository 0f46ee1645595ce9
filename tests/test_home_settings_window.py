"""The settings window on a virtual screen: changed by keys and by the mouse, kept at once, and obeyed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data.library import Library
from tests.conftest import VirtualDisplay, running_coach
from tests.replay_episodes import record


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file of this test's own, in which the tour has been seen."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "replay-coach" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"seen_tour": True}))
    return path


@contextmanager
def settings_window(display: VirtualDisplay, tmp_path: Path) -> Iterator[str]:
    """The settings behind the home window; yields the window's id, and leaves by Escape."""
    with running_coach(display, Library(tmp_path)) as process:
        display.wait_for_window("home", process)
        display.xdotool("key", "s")
        yield display.wait_for_window("settings", process)
        display.xdotool("key", "Escape")
        display.wait_for_window("home", process)
        display.xdotool("key", "Escape")


def values(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def test_a_name_is_written_and_choices_are_changed_by_keys(
    virtual_display: VirtualDisplay, tmp_path: Path, kept: Path
) -> None:
    with settings_window(virtual_display, tmp_path):
        virtual_display.xdotool("key", "--delay", 60, "Return", "A", "d", "a", "space", "L", "Return")
        virtual_display.wait_until(lambda: values(kept).get("player") == "Ada L", "the name in the file")
        virtual_display.xdotool("key", "--delay", 60, "Down", "Down", "Left", "Down", "Right", "Down", "Right")
        virtual_display.wait_until(
            lambda: [values(kept).get(name) for name in ("frame_skip", "sticky", "sound")] == [3, 0.1, False],
            "the choices in the file",
        )
        virtual_display.xdotool("key", "--delay", 60, "d")
        virtual_display.wait_until(lambda: values(kept).get("sound") is True, "the usual value")


def test_a_click_changes_a_choice_and_the_window_takes_the_size_that_is_chosen(
    virtual_display: VirtualDisplay, tmp_path: Path, kept: Path
) -> None:
    with settings_window(virtual_display, tmp_path) as window:
        virtual_display.xdotool("mousemove", "--window", window, 670, 112 + 5.5 * 44, "click", 1)
        virtual_display.wait_until(lambda: values(kept).get("window_width") == 1600, "the size in the file")
        virtual_display.wait_until(
            lambda: "1600x900" in virtual_display.xdotool("getwindowgeometry", window), "the window's own size"
        )


def test_a_broken_settings_file_is_said_in_one_sentence_and_home_opens_all_the_same(
    virtual_display: VirtualDisplay, tmp_path: Path, kept: Path
) -> None:
    kept.write_text("{")
    with running_coach(virtual_display, Library(tmp_path)) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.xdotool("key", "--delay", 80, "x", "Escape")  # the first ends the tour: nobody has seen it yet
        _, errors = process.communicate(timeout=60)
    said = [line for line in errors.splitlines() if "settings" in line]
    assert len(said) == 1
    assert said[0].startswith("coach: The settings in ")


def test_the_command_line_wins_over_the_settings(virtual_display: VirtualDisplay, tmp_path: Path, kept: Path) -> None:
    kept.write_text(json.dumps({"game": "Breakout", "player": "Ada"}))
    record(Library(tmp_path), frames=120)
    for words, title in (((), "Breakout"), (("--game", "Pong"), "Pong")):
        with running_coach(virtual_display, Library(tmp_path), "play", *words) as process:
            virtual_display.wait_for_window(f"ready - {title}", process)
            virtual_display.xdotool("key", "Escape")
    assert os.environ["XDG_CONFIG_HOME"] == str(kept.parent.parent)
