"""A real window on a virtual screen, with real keys and a real pointer."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pygame
import pytest

from data.errors import CoachError
from screen import keyboard
from screen.events import CloseRequested, Event, KeyDown, KeyUp, PointerDown, Resized, TextTyped
from screen.theme import GREEN
from screen.window import Window
from tests.conftest import VirtualDisplay


@pytest.fixture
def window(virtual_display: VirtualDisplay) -> Iterator[Window]:
    with Window("Replay Coach - window test") as opened:
        virtual_display.wait_for_window("window test")
        happened(opened, 0.2)
        yield opened


def happened(window: Window, seconds: float = 0.3) -> list[Event]:
    deadline = time.monotonic() + seconds
    found: list[Event] = []
    while time.monotonic() < deadline:
        found += window.events()
        time.sleep(0.01)
    return found


KEY_NAMES = {
    "Left": "left",
    "space": "space",
    "g": "g",
    "Escape": "escape",
    "BackSpace": "backspace",
    "Return": "return",
    "F1": "f1",
    "comma": ",",
    "period": ".",
    "Delete": "delete",
    "Page_Up": "pageup",
}


def test_keys_have_their_names_and_modifiers(window: Window, virtual_display: VirtualDisplay) -> None:
    virtual_display.xdotool("key", *KEY_NAMES, "ctrl+z")
    events = [event for event in happened(window) if isinstance(event, KeyDown | KeyUp)]
    expected = [event for key in KEY_NAMES.values() for event in (KeyDown(key), KeyUp(key))]
    assert events[: len(expected)] == expected
    assert KeyDown("z", control=True) in events


def test_a_held_key_repeats(window: Window, virtual_display: VirtualDisplay) -> None:
    virtual_display.xdotool("keydown", "Right")
    events = happened(window, 0.9)
    virtual_display.xdotool("keyup", "Right")
    downs = [event for event in events if isinstance(event, KeyDown)]
    assert downs[0] == KeyDown("right")
    assert KeyDown("right", repeat=True) in downs[1:]


def test_typed_text_follows_the_keyboards_layout(window: Window, virtual_display: VirtualDisplay) -> None:
    virtual_display.xdotool("type", "Ada")
    typed = [event.text for event in happened(window, 0.6) if isinstance(event, TextTyped)]
    assert "".join(typed) == "Ada"


@pytest.mark.parametrize(("size", "scale"), [((1280, 800), 1.0), ((2560, 1600), 2.0)])
def test_a_click_is_in_design_units(virtual_display: VirtualDisplay, size: tuple[int, int], scale: float) -> None:
    with Window("Replay Coach - click test", size) as window:
        number = virtual_display.wait_for_window("click test")
        happened(window, 0.2)
        virtual_display.xdotool("mousemove", "--window", number, int(300 * scale), int(200 * scale), "click", 1)
        clicks = [event for event in happened(window) if isinstance(event, PointerDown)]
    assert [(round(click.x), round(click.y), click.button) for click in clicks] == [(300, 200, 1)]


def test_the_canvas_follows_the_windows_size(window: Window, virtual_display: VirtualDisplay) -> None:
    number = virtual_display.wait_for_window("window test")
    virtual_display.xdotool("windowsize", "--sync", number, 1600, 1000)
    assert Resized() in happened(window, 0.5)
    assert window.canvas.surface.get_size() == (1600, 1000)
    assert window.canvas.scale == 1.25


def test_a_request_to_close_is_an_event(window: Window, virtual_display: VirtualDisplay) -> None:
    number = virtual_display.wait_for_window("window test")
    virtual_display.ask_to_close(number)
    assert [event for event in happened(window, 0.5) if isinstance(event, CloseRequested)] == [CloseRequested()]
    assert window.closing


def test_a_screenshot_is_a_png_of_what_was_drawn(window: Window, tmp_path: Path) -> None:
    canvas = window.canvas
    canvas.fill(canvas.box, GREEN)
    window.present()
    window.screenshot(tmp_path / "shot.png")
    assert (tmp_path / "shot.png").read_bytes()[:4] == b"\x89PNG"
    assert window.canvas.surface.get_at((5, 5))[:3] == GREEN


def test_without_a_display_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    with pytest.raises(CoachError, match="needs a display"):
        Window("Replay Coach - nowhere")


def test_pygame_in_place_of_pygame_ce_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("pygame.IS_CE")
    with pytest.raises(CoachError, match="pip uninstall --yes pygame pygame-ce"):
        Window("no window")


def test_a_window_opens_beside_tensorflow(virtual_display: VirtualDisplay) -> None:
    program = (
        "import tensorflow\n"
        "from screen.window import Window\n"
        "with Window('Replay Coach - beside') as window:\n"
        "    window.events(); window.present(); print('shown')\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, env=virtual_display.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "shown", f"ended with {done.returncode}: {done.stderr[-400:]}"


@pytest.mark.usefixtures("virtual_display")
@pytest.mark.parametrize("starts_again", [False, True])
def test_a_window_shows_text_after_another_library_quit_pygame(starts_again: bool) -> None:
    for words in ("Observation", "Q-values"):
        with Window("Words") as window:
            window.canvas.text(f"{words} {starts_again}", (10, 10))
        pygame.quit()
        if starts_again:
            pygame.font.init()


def test_keys_of_a_russian_layout_have_the_names_of_their_places(
    window: Window, virtual_display: VirtualDisplay
) -> None:
    if shutil.which("setxkbmap") is None:
        pytest.skip("setxkbmap is not installed")
    layouts = ["setxkbmap", "-display", virtual_display.name]
    try:
        subprocess.run([*layouts, "ru"], check=True)
        happened(window, 0.3)
        virtual_display.xdotool("key", 42, 56, 39)  # the keys that carry G, B and S on a US keyboard
        downs = [event.key for event in happened(window) if isinstance(event, KeyDown)]
        assert downs == ["g", "b", "s"]
        assert [keyboard.cap(label) for label in "GBS"] == ["П", "И", "Ы"]
    finally:
        subprocess.run([*layouts, "us"], check=True)
        happened(window, 0.3)
