"""The library's window on a virtual screen: by keys, by mouse, and while a large library is being read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curator.frame_reader import FrameReader
from data.library import Library
from home.episode_window import episode_buttons, episode_layout
from home.home_drawing import action_boxes
from home.library_drawing import library_buttons, library_layout
from home.library_window import LibraryWindow
from home.playback import Playback
from screen.layout import Box
from screen.window import KeyDown, Window
from tests.conftest import VirtualDisplay, running_coach
from tests.replay_episodes import record

WINDOW = Box(0, 0, 1280, 800)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Two episodes of Space Invaders and one of Breakout."""
    made = Library(tmp_path / "library")
    record(made, frames=80, seed=1)
    record(made, frames=120, seed=2)
    record(made, frames=80, game="Breakout")
    return made


def files(library: Library, folder: str = "replays") -> int:
    return len(list((library.folder / folder).glob("*.h5")))


@pytest.mark.timeout(600)
def test_episodes_are_deleted_restored_and_played_by_keys(virtual_display: VirtualDisplay, library: Library) -> None:
    def press(*keys: str) -> None:
        virtual_display.xdotool("key", "--delay", 80, *keys)

    with running_coach(virtual_display, library) as process:

        def shown_title(words: str) -> None:
            virtual_display.wait_for_window(f"{words}$", process)

        virtual_display.wait_for_window("home", process)
        press("l")
        # Only the game that is played is on show at first, so the other one's episode stays.
        shown_title("library, 2 episodes")
        press("a", "Delete")
        shown_title("library, 0 episodes")
        assert (files(library), files(library, "trash")) == (1, 2)
        press("u")
        shown_title("library, 2 episodes")
        press("c")
        shown_title("library, 3 episodes")
        press("slash", *"invad", "Return")
        shown_title("library, 2 episodes")
        press("End", "Delete")
        shown_title("library, 1 episode")
        press("t")
        shown_title("trash, 1 episode")
        press("r")
        shown_title("trash, 0 episodes")
        press("t", "Return")
        virtual_display.wait_for_window("played back", process)
        press("space", "Right", "Next", "Escape")
        shown_title("library, 3 episodes")
        press("Escape")
        virtual_display.wait_for_window("home", process)
        press("Escape")
    assert [episode.game for episode in library.episodes()].count("SpaceInvaders") == 2


@pytest.mark.timeout(600)
def test_the_mouse_does_it_too(virtual_display: VirtualDisplay, library: Library) -> None:
    layout = library_layout(WINDOW)
    buttons = library_buttons(layout, in_trash=False, can_undo=True, has_rows=True)
    back = episode_buttons(episode_layout(WINDOW), Playback(1), True)["escape"].box.centre

    with running_coach(virtual_display, library) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.click_through("home", action_boxes(WINDOW)["library"].centre, "library")
        row = layout.rows.x + 100, layout.rows.y + 15

        virtual_display.wait_for_window("library, 2 episodes", process)
        virtual_display.click("library", row)
        virtual_display.click("library", buttons["delete"].box.centre)
        virtual_display.wait_for_window("library, 1 episode$", process)
        virtual_display.click("library", buttons["u"].box.centre)
        virtual_display.wait_for_window("library, 2 episodes", process)
        virtual_display.click("library", row, times=2)
        virtual_display.click("played back", episode_layout(WINDOW).timeline.centre)
        virtual_display.click_through("played back", back, "library")
        virtual_display.click_through("library", buttons["escape"].box.centre, "home")
        virtual_display.xdotool("key", "Escape")


def test_a_large_library_is_read_while_the_window_goes_on(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    assert virtual_display
    library = Library(tmp_path / "library")
    path = record(library, frames=40)
    for number in range(150):
        shutil.copy(path, path.with_name(f"{path.stem[:-8]}{number:08x}.h5"))
    (library.folder / "index.jsonl").unlink()
    with Window("library") as window:
        shown = LibraryWindow(window, library, FrameReader, {})
        pictures = 0
        present = window.present

        def count() -> None:
            nonlocal pictures
            present()
            if not shown._controller.is_loaded:
                pictures += 1
            elif len(shown._controller.rows) == 151:
                shown._handle(KeyDown("escape"))

        window.present = count  # type: ignore[method-assign]
        shown.run()
    assert pictures > 5
