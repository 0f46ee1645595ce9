"""What a window makes of SDL's events; with posted events and no screen."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pygame
import pytest

from screen import window_size
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerUp, Resized, TextTyped
from screen.theme import scale_of
from screen.window import DOUBLE_CLICK_SECONDS, Opening, Window, prefer


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("Replay Coach - events") as opened:
        opened.events()
        yield opened


def press(name: str, kind: int = pygame.KEYDOWN) -> None:
    code = pygame.key.key_code(name)
    pygame.event.post(pygame.event.Event(kind, key=code, scancode=0, mod=0, unicode=""))


def downs(events: list[Event]) -> list[str]:
    return [event.key for event in events if isinstance(event, KeyDown)]


def test_a_held_key_does_not_reach_the_next_view(window: Window) -> None:
    press("escape")
    assert downs(window.events()) == ["escape"]
    window.start_view()
    press("escape")  # the keyboard repeats it
    press("l")
    assert downs(window.events()) == ["l"]
    press("escape", pygame.KEYUP)
    press("escape")
    assert window.events() == [KeyDown("escape")]


def test_the_letter_of_a_held_key_is_not_typed_into_the_next_view(window: Window) -> None:
    press("g")
    window.events()
    window.start_view()
    pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text="g"))
    press("g", pygame.KEYUP)
    press("s")
    pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text="s"))
    assert [event for event in window.events() if isinstance(event, TextTyped)] == [TextTyped("s")]


def test_a_key_that_was_held_while_another_program_had_the_keyboard_is_ignored(window: Window) -> None:
    for kind in (pygame.WINDOWFOCUSLOST, pygame.WINDOWFOCUSGAINED):
        pygame.event.post(pygame.event.Event(kind))
    press("escape")
    assert downs(window.events()) == []
    press("escape", pygame.KEYUP)
    press("escape")
    assert downs(window.events()) == ["escape"]


def test_a_minimised_window_need_not_be_drawn_until_it_is_shown_again(window: Window) -> None:
    pygame.event.post(pygame.event.Event(pygame.WINDOWMINIMIZED))
    assert window.events() == []
    assert not window.visible
    pygame.event.post(pygame.event.Event(pygame.WINDOWRESTORED))
    assert window.events() == [Resized()]
    assert window.visible


def test_waiting_for_an_event_takes_no_processor_time(window: Window) -> None:
    before, began = time.process_time(), time.monotonic()
    assert window.events(0.3) == []
    assert time.monotonic() - began >= 0.3
    assert time.process_time() - before < 0.05


def test_cut_text_has_a_tooltip_except_below_a_dialog(window: Window) -> None:
    canvas = window.canvas
    canvas.text("An episode with a long name", (20, 20), max_width=80)
    assert canvas.hint_at(30, 28) == "An episode with a long name"
    canvas.shade(canvas.box)
    assert canvas.hint_at(30, 28) == ""


@pytest.mark.parametrize(
    ("size", "scale"),
    [((1280, 800), 1.0), ((960, 600), 0.875), ((480, 300), 0.4375), ((2560, 1600), 2.0), ((960, 1600), 0.875)],
)
def test_windows_below_the_smallest_layout_are_scaled_down(size: tuple[int, int], scale: float) -> None:
    assert scale_of(*size) == scale


def test_a_window_and_its_title_bar_fit_on_the_screen() -> None:
    assert window_size.fitting((1920, 1200), (1366, 728)) == (1366, 688)
    assert window_size.fitting((960, 600), (1366, 728)) == (960, 600)


def test_the_last_size_is_remembered_until_the_settings_change(window: Window) -> None:
    window.close()
    try:
        prefer(Opening((960, 600), last_size=True))
        with Window("Replay Coach - first") as first:
            first.resize((700, 500))
        with Window("Replay Coach - second") as second:
            assert second.canvas.surface.get_size() == (700, 500)
        prefer(Opening((800, 640), last_size=True))
        with Window("Replay Coach - third") as third:
            assert third.canvas.surface.get_size() == (800, 640)
    finally:
        prefer(Opening())
        window_size.size_file().unlink(missing_ok=True)
        pygame.display.init()


def test_a_signal_differs_from_a_click_on_the_close_button(window: Window) -> None:
    for kind in (pygame.WINDOWCLOSE, pygame.QUIT):
        pygame.event.post(pygame.event.Event(kind))
    assert window.events() == [CloseRequested()]
    window.closing = False
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert window.events() == [CloseRequested(by_system=True)]


def click(x: int, y: int) -> None:
    for kind in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
        pygame.event.post(pygame.event.Event(kind, pos=(x, y), button=1))


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_a_click_before_the_first_picture_of_a_view_is_ignored(window: Window) -> None:
    window.start_view()
    click(100, 100)  # read before the first picture
    assert window.events() == []
    click(100, 100)  # still waiting when the first picture is shown
    window.present()
    assert window.events() == []
    click(100, 200)
    assert kinds(window.events()) == [PointerDown, PointerUp]


def test_the_second_click_of_a_double_click_does_not_reach_the_next_view(window: Window) -> None:
    click(100, 100)
    assert kinds(window.events()) == [PointerDown, PointerUp]
    window.start_view()
    window.present()
    click(101, 100)
    assert window.events() == []
    click(300, 100)  # elsewhere, however soon
    assert kinds(window.events()) == [PointerDown, PointerUp]
    click(300, 100)  # a double click in one view counts twice
    assert kinds(window.events()) == [PointerDown, PointerUp]


def test_a_later_click_at_the_same_place_reaches_the_next_view(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    click(100, 100)
    window.events()
    window.start_view()
    window.present()
    later = time.monotonic() + DOUBLE_CLICK_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    click(100, 100)
    assert kinds(window.events()) == [PointerDown, PointerUp]


def test_the_title_of_a_view_changes_with_its_first_picture(window: Window) -> None:
    before = window.title
    window.start_view()
    window.title = "Replay Coach - next"
    assert (window.title, window._window.title) == ("Replay Coach - next", before)
    window.present()
    assert window._window.title == "Replay Coach - next"
    window.title = "Replay Coach - next, paused"
    assert window._window.title == "Replay Coach - next, paused"
