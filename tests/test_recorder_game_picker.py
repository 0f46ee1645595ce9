"""Choosing a game: finding it by typing, by arrows and by mouse, and its pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from data.game_picture import cached_picture, make_and_save, picture_path
from data.simulation import games
from recorder import game_pictures
from recorder.game_picker import CARD_WIDTH, MARGIN, GamePicker, Grid, matching, pick_game
from recorder.game_pictures import GamePictures
from screen.events import KeyDown, PointerDown, TextTyped, Wheel
from screen.layout import Box
from screen.window import Window
from tests.conftest import VirtualDisplay

WINDOW = Box(0, 0, 1280, 800)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own, with nothing in it."""
    monkeypatch.setattr(game_pictures, "cache_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def picker(folder: Path) -> Iterator[GamePicker]:
    pictures = GamePictures(folder)
    yield GamePicker(games(), "SpaceInvaders", pictures)
    pictures.close()


def typed(picker: GamePicker, text: str) -> None:
    for letter in text:
        picker.take(TextTyped(letter), WINDOW)


@pytest.mark.parametrize(
    ("text", "first"), [("space in", "SpaceInvaders"), ("inv", "SpaceInvaders"), ("PAC", "Pacman")]
)
def test_a_game_is_found_by_its_name_or_by_a_word_of_it(text: str, first: str) -> None:
    assert matching(games(), text)[0] == first


def test_initials_find_a_game_and_nonsense_finds_none() -> None:
    assert "SpaceInvaders" in matching(games(), "si")
    assert matching(games(), "xyzzy") == []
    assert matching(games(), "  ") == games()


@pytest.mark.parametrize("size", [(1280, 800), (1097, 686), (640, 400)])
def test_every_card_can_be_scrolled_to_and_is_found_where_it_is_clicked(size: tuple[int, int]) -> None:
    grid = Grid(Box(MARGIN, 128, size[0] - 2 * MARGIN, size[1] - 184), 104)
    assert grid.card_width >= min(CARD_WIDTH, grid.box.width)
    for number in range(104):
        row = grid.showing(0, number)
        assert number in grid.shown(row)
        x, y = grid.card(number, row).centre
        assert grid.number_at(x, y, row) == number


def test_typing_return_picks_the_nearest_name(picker: GamePicker) -> None:
    typed(picker, "seaq")
    picker.take(KeyDown("return"), WINDOW)
    assert (picker.done, picker.answer) == (True, "Seaquest")


def test_escape_clears_the_search_first_and_then_goes_back_without_a_change(picker: GamePicker) -> None:
    typed(picker, "po")
    picker.take(KeyDown("escape"), WINDOW)
    assert (picker.done, picker.chosen) == (False, "SpaceInvaders")
    picker.take(KeyDown("escape"), WINDOW)
    assert (picker.done, picker.answer) == (True, None)


def test_arrows_wheel_and_mouse_choose(picker: GamePicker) -> None:
    picker.take(KeyDown("home"), WINDOW)
    picker.take(KeyDown("right"), WINDOW)
    assert picker.chosen == games()[1]
    picker.take(Wheel(-2), WINDOW)
    grid = Grid(Box(MARGIN, 128, 1280 - 2 * MARGIN, 800 - 184), len(games()))
    number = 3 * grid.columns + 2
    picker.take(PointerDown(*grid.card(number, 2).centre), WINDOW)
    assert picker.answer == games()[number]


def test_where_nothing_is_found_nothing_can_be_chosen(picker: GamePicker) -> None:
    typed(picker, "xyzzy")
    picker.take(KeyDown("return"), WINDOW)
    assert (picker.done, picker.chosen) == (False, None)
    for _ in "xyzzy":
        picker.take(KeyDown("backspace"), WINDOW)
    assert picker.chosen == "SpaceInvaders"


def test_a_picture_shows_the_game_and_is_cached(folder: Path) -> None:
    made = make_and_save("Breakout", folder)
    cached = cached_picture("Breakout", folder)
    assert cached is not None
    assert np.array_equal(made.frame, cached.frame)
    assert len(np.unique(made.frame)) > 4, "walls, bricks of several colours and a paddle"
    picture_path("Breakout", folder).write_bytes(b"PK no picture")
    assert cached_picture("Breakout", folder) is None


def test_a_game_is_picked_in_the_window_and_pictures_come_without_blocking_it(
    virtual_display: VirtualDisplay, folder: Path
) -> None:
    def hand() -> None:
        display = virtual_display
        display.wait_for_window("choosing a game")
        display.wait_until(lambda: bool(list(folder.glob("*.npz"))), "the first picture")
        display.xdotool("type", "frostb")
        time.sleep(0.3)
        display.xdotool("key", "Return")

    with ThreadPoolExecutor(1) as hands, Window("Replay Coach - before") as window:
        acting = hands.submit(hand)
        assert pick_game(window, "SpaceInvaders") == "Frostbite"
        assert window.title == "Replay Coach - before"
        acting.result()


def test_the_buttons_say_what_they_do_and_work_with_the_mouse() -> None:
    window = Box(0, 0, 1280, 800)
    picker = GamePicker(games(), "SpaceInvaders", GamePictures())
    choose, back, keys = picker._buttons(window)
    assert (choose.label, back.label) == ("Choose", "Back")
    picker.take(PointerDown(*keys.box.centre), window)
    assert picker._shows_keys
    picker.take(PointerDown(*back.box.centre), window)
    assert not picker.done, "the click closes the list of keys"
    picker.take(PointerDown(*back.box.centre), window)
    assert (picker.done, picker.answer) == (True, None)
