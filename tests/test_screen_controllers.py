"""Game controllers: what SDL posts for one becomes keys."""

from __future__ import annotations

from collections.abc import Iterator

import pygame
import pytest

from screen.window import KeyDown, KeyUp, Window


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("pads") as window:
        window.events()
        yield window


def keys_after(window: Window, *events: tuple[int, dict[str, object]]) -> list[str]:
    """What the window tells of these events: "+pad 1" went down, "-pad 1" came up."""
    for kind, values in events:
        pygame.event.post(pygame.event.Event(kind, {"instance_id": 0, **values}))
    signs = {KeyDown: "+", KeyUp: "-"}
    return [signs[type(event)] + event.key for event in window.events() if isinstance(event, (KeyDown, KeyUp))]


def stick(axis: int, value: float) -> tuple[int, dict[str, object]]:
    return pygame.JOYAXISMOTION, {"axis": axis, "value": value}


def hat(across: int, up: int) -> tuple[int, dict[str, object]]:
    return pygame.JOYHATMOTION, {"hat": 0, "value": (across, up)}


def test_a_button_is_a_key(window: Window) -> None:
    down, up = (pygame.JOYBUTTONDOWN, {"button": 0}), (pygame.JOYBUTTONUP, {"button": 0})
    assert keys_after(window, down, up) == ["+pad 1", "-pad 1"]


def test_a_stick_is_four_keys_and_does_not_flicker_at_the_edge(window: Window) -> None:
    told = keys_after(window, stick(0, -0.6), stick(0, -0.45), stick(0, -0.55), stick(1, 1.0), stick(0, 0.1))
    assert told == ["+pad left", "+pad down", "-pad left"]


def test_a_stick_thrown_over_lets_one_direction_go_before_the_other_is_pressed(window: Window) -> None:
    assert keys_after(window, stick(0, -1.0), stick(0, 1.0)) == ["+pad left", "-pad left", "+pad right"]


def test_a_hat_points_up_where_it_says_up(window: Window) -> None:
    assert keys_after(window, hat(1, 1), hat(0, 0)) == ["+pad right", "+pad up", "-pad right", "-pad up"]


def test_a_direction_held_twice_comes_up_once(window: Window) -> None:
    assert keys_after(window, hat(-1, 0), stick(0, -1.0), hat(0, 0), stick(0, 0.0)) == ["+pad left", "-pad left"]


def test_a_controller_that_is_unplugged_holds_nothing(window: Window) -> None:
    unplugged = (pygame.JOYDEVICEREMOVED, {})
    assert keys_after(window, hat(0, -1), unplugged) == ["+pad down", "-pad down"]
