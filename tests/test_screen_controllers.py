"""Game controllers: SDL's events become keys."""

from __future__ import annotations

from collections.abc import Iterator

import pygame
import pytest

from screen.events import KeyDown, KeyUp
from screen.window import Window


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("pads") as window:
        window.events()
        yield window


def keys_after(window: Window, *events: tuple[int, dict[str, object]]) -> list[str]:
    """Return the window's key events: "+pad 1" went down, "-pad 1" went up."""
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
    keys = keys_after(window, stick(0, -0.6), stick(0, -0.45), stick(0, -0.55), stick(1, 1.0), stick(0, 0.1))
    assert keys == ["+pad left", "+pad down", "-pad left"]


def test_a_stick_moved_across_releases_one_direction_before_it_presses_the_other(window: Window) -> None:
    assert keys_after(window, stick(0, -1.0), stick(0, 1.0)) == ["+pad left", "-pad left", "+pad right"]


def test_the_directions_of_a_hat_are_keys(window: Window) -> None:
    assert keys_after(window, hat(1, 1), hat(0, 0)) == ["+pad right", "+pad up", "-pad right", "-pad up"]


def test_a_direction_held_twice_is_released_once(window: Window) -> None:
    assert keys_after(window, hat(-1, 0), stick(0, -1.0), hat(0, 0), stick(0, 0.0)) == ["+pad left", "-pad left"]


def test_an_unplugged_controller_releases_its_keys(window: Window) -> None:
    unplugged = (pygame.JOYDEVICEREMOVED, {})
    assert keys_after(window, hat(0, -1), unplugged) == ["+pad down", "-pad down"]
