"""The library's window on a virtual screen: by keys, by mouse, and while a large library is being read."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from agent.config import preset
from commands.add import add_in_one_sentence, trainings_of
from curator.frame_reader import FrameReader
from data.additions import AdditionsFolder
from data.library import Library
from data.runs import RunFolder
from home.episode_window import episode_buttons, episode_layout
from home.home_drawing import action_boxes
from home.library_drawing import library_buttons, library_layout
from home.library_window import LibraryWindow
from home.playback import Playback
from home.training_chooser import Trainings
from screen.events import KeyDown, PointerDown
from screen.layout import Box
from screen.window import Window
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
    buttons = library_buttons(layout, in_trash=False, can_undo=False, has_rows=True)
    undo = library_buttons(layout, in_trash=False, can_undo=True, has_rows=True)["u"]
    back = episode_buttons(episode_layout(WINDOW), Playback(1), True)["escape"].box.centre

    with running_coach(virtual_display, library) as process:
        virtual_display.wait_for_window("home", process)
        virtual_display.click_through("home", action_boxes(WINDOW)["library"].centre, "library")
        row = layout.rows.x + 100, layout.rows.y + 15

        virtual_display.wait_for_window("library, 2 episodes", process)
        virtual_display.click("library", row)
        virtual_display.click("library", buttons["delete"].box.centre)
        virtual_display.wait_for_window("library, 1 episode$", process)
        virtual_display.click("library", undo.box.centre)
        virtual_display.wait_for_window("library, 2 episodes", process)
        virtual_display.click("library", row, times=2)
        virtual_display.click("played back", episode_layout(WINDOW).timeline.centre)
        virtual_display.click_through("played back", back, "library")
        virtual_display.click_through("library", buttons["escape"].box.centre, "home")
        virtual_display.xdotool("key", "Escape")


@pytest.fixture
def shown(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[LibraryWindow]:
    """The library window on the dummy video driver, its episodes read; additions go to real runs."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    trainings = Trainings(partial(trainings_of, library), partial(add_in_one_sentence, library))
    with Window("library") as window:
        made = LibraryWindow(window, library, FrameReader, {}, "SpaceInvaders", trainings=trainings)
        settle(made)
        yield made


def settle(window: LibraryWindow) -> None:
    """Wait until the window's background work is done."""
    deadline = time.monotonic() + 60
    while window._controller.is_busy and time.monotonic() < deadline:
        window._controller.poll()
        time.sleep(0.005)
    window._place()
    window._draw()


def press(window: LibraryWindow, *keys: str) -> None:
    for key in keys:
        window._handle(KeyDown(key))
        settle(window)


def click(window: LibraryWindow, box: Box) -> None:
    window._handle(PointerDown(*box.centre, 1))
    settle(window)


def run_of(library: Library, name: str, game: str = "SpaceInvaders") -> AdditionsFolder:
    """Make the folder of a run that is not being trained."""
    config = dataclasses.asdict(dataclasses.replace(preset("default"), game=game))
    names = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")
    RunFolder(library.run_folder(name)).create(config, names)
    return AdditionsFolder(library.run_folder(name))


def test_an_episode_is_added_to_the_only_training_of_its_game_by_one_key(
    shown: LibraryWindow, library: Library
) -> None:
    controller = shown._controller
    press(shown, "l")
    assert controller.message == "There is no training of Space Invaders yet. Press Esc, then T to start one."
    other, run = run_of(library, "other", "Breakout"), run_of(library, "run-1")
    press(shown, "l")
    assert controller.message == "run-1 is not being trained; it will add 30 decisions when it is resumed."
    assert (len(run.waiting()), other.waiting()) == (1, [])
    press(shown, "a", "l")
    said = "run-1 is not being trained; it will add 1 episode with 20 decisions when it is resumed; "
    assert controller.message == said + "it already had 1 other."
    press(shown, "a", "l")
    assert (controller.message, len(run.waiting())) == ("run-1 already has these 2 episodes.", 2)
    press(shown, "c", "a", "l")
    assert controller.message == "The marked episodes are of several games; mark those of one."
    assert controller.is_trouble


def test_by_mouse_the_training_is_chosen_where_there_are_several(shown: LibraryWindow, library: Library) -> None:
    runs = [run_of(library, name) for name in ("run-1", "run-2")]
    button = shown._buttons()["l"].box
    for row, expected in ((0, (1, 0)), (1, (1, 1))):
        click(shown, button)
        assert shown._chooser is not None
        assert shown._chooser.title == "Add 1 episode to"
        click(shown, [box for _, box in shown._chooser._rows.rows()][row])
        assert tuple(sorted((len(run.waiting()) for run in runs), reverse=True)) == expected
    click(shown, button)
    press(shown, "escape")
    assert shown._chooser is None
    assert not shown._closed


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
