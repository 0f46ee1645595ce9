"""The common parts of the Train and the Compare window: action bar, list of keys and layout."""

from __future__ import annotations

from pathlib import Path

import pygame
import pytest

from commands.comparison_controller import LibraryComparisonController
from commands.training_controller import LibraryTrainingController
from data.library import Library
from home.action_bar import areas
from home.comparison_window import ComparisonWindow
from home.train_window import TrainWindow
from screen.canvas import Canvas
from screen.layout import Box
from screen.window import KeyDown, PointerDown

SIZES = [Box(0, 0, 1280, 800), Box(0, 0, 1097, 686)]


class NoWindow:
    """The parts of a window that these tests use."""

    title = ""
    size_units = SIZES[0]


def windows(library: Library) -> list[TrainWindow | ComparisonWindow]:
    window = NoWindow()
    return [
        TrainWindow(window, LibraryTrainingController(library, "SpaceInvaders")),  # type: ignore[arg-type]
        ComparisonWindow(window, LibraryComparisonController(library, "SpaceInvaders")),  # type: ignore[arg-type]
    ]


def test_the_action_bar_always_ends_in_the_keys_and_the_way_back(tmp_path: Path) -> None:
    for window in windows(Library(tmp_path)):
        assert [(b.label, b.key) for b in window.buttons(SIZES[0])][-2:] == [("All keys", "F1"), ("Home", "Esc")]
        window._open_form()
        assert [b.key for b in window.buttons(SIZES[0])] == ["Enter", "F1", "Esc"]


def test_the_list_of_keys_opens_by_key_or_button_and_a_click_only_closes_it(tmp_path: Path) -> None:
    for window in windows(Library(tmp_path)):
        new, *_, keys, home = window.buttons(SIZES[0])
        window._handle(PointerDown(*keys.box.centre, 1))
        assert window._shows_keys
        window._handle(PointerDown(*home.box.centre, 1))
        assert (window._shows_keys, window._leaving) == (False, False)
        window._handle(KeyDown("f1"))
        window._handle(PointerDown(*new.box.centre, 1))
        assert (window._shows_keys, window._form) == (False, None)


@pytest.mark.parametrize("window", SIZES, ids=str)
def test_buttons_fit_the_action_bar_and_nothing_covers_them(tmp_path: Path, window: Box) -> None:
    rows, main, bar = areas(window)
    assert max(rows.bottom, main.bottom) < bar.y
    for shown in windows(Library(tmp_path)):
        assert max(button.box.right for button in shown.buttons(window)) <= bar.right + 1
        shown._open_form()
        shown.draw(Canvas(pygame.Surface((round(window.width), round(window.height))), 1.0))
