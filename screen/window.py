"""The window: opening it, its events, and showing what was drawn."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pygame

from data.errors import CoachError
from screen import sdl, window_size
from screen.canvas import Canvas
from screen.controllers import Controllers
from screen.events import (
    CloseRequested,
    Event,
    FocusGained,
    FocusLost,
    KeyDown,
    KeyUp,
    PointerDown,
    PointerMoved,
    PointerUp,
    Resized,
    TextTyped,
    Wheel,
)
from screen.keyboard import key_name
from screen.layout import Box
from screen.theme import DESIGN_SIZE, GROUND, scale_of
from screen.widgets import draw_tooltip

SMALLEST_SIZE = (480, 300)
ICON = Path(__file__).parent / "icons" / "128x128" / "replay-coach.png"
_REPEAT_AFTER_MS, _REPEAT_EVERY_MS = 350, 50
SHORTEST_SECONDS = 1 / 60
"""Least time between two pictures of a window that is redrawn at every event."""
HIDDEN_SECONDS = 0.5
"""Least time that a window which cannot be seen waits for an event."""
POLL_SECONDS = 0.01
"""Time between two checks for events if SDL cannot wait for them."""
HELD_SECONDS = 0.1
"""A key that goes down so soon after the window regained the keyboard was held before: a held key repeats faster."""
DOUBLE_CLICK_SECONDS, DOUBLE_CLICK_UNITS = 0.4, 4
"""Two presses of a button are one double click if there is at most so much time and so much space between them."""


def usable_size() -> tuple[int, int]:
    """Return the size of the screen without task bars, in pixels. Needs an open window, or pygame's display."""
    return sdl.usable_size(pygame.display.get_desktop_sizes()[0])


@dataclass(frozen=True)
class Opening:
    """How a window opens by default."""

    size: tuple[int, int] = DESIGN_SIZE
    """In pixels."""
    full_screen: bool = False
    last_size: bool = False
    """Whether the last size that the person gave a window is used instead, and remembered when a window is closed."""


_preferred = Opening()


def prefer(opening: Opening) -> None:
    """Set how windows open from now on."""
    global _preferred
    _preferred = opening


class NoDisplayError(CoachError):
    """There is no display to open a window on."""


class Window:
    """One resizable window. Use it as a context manager.

    Coordinates of events and of ``canvas`` are design units. The window starts at ``size`` pixels, or smaller where
    the screen is smaller; the default is what ``prefer`` set last.
    """

    def __init__(self, title: str, size: tuple[int, int] | None = None, full_screen: bool | None = None) -> None:
        """Raises NoDisplayError if there is no display, CoachError if pygame is installed over pygame-ce."""
        if not getattr(pygame, "IS_CE", False):
            raise CoachError(
                "The package pygame is installed over pygame-ce, which Replay Coach needs; run `pip uninstall --yes "
                "pygame pygame-ce`, then `pip install 'pygame-ce>=2.5.5,<2.6'`."
            )
        self._remembered = _preferred.size if _preferred.last_size and size is None else None
        size = size or (window_size.last_size(_preferred.size) if _preferred.last_size else _preferred.size)
        full_screen = _preferred.full_screen if full_screen is None else full_screen
        try:
            # Without a display, SDL prints a warning and then draws to nothing.
            driver_chosen = "SDL_VIDEODRIVER" in os.environ
            if sys.platform == "linux" and not driver_chosen and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
                raise pygame.error("no display is attached")
            sdl.ignore_late_wakeups()
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen") and not driver_chosen:
                raise pygame.error("no display is attached")
            sdl.ignore_late_wakeups()
            pygame.font.init()
            fitting = window_size.fitting(size, usable_size())
            self._window = pygame.Window(title, fitting, resizable=True, allow_high_dpi=True)
            with contextlib.suppress(pygame.error, OSError):
                self._window.set_icon(pygame.image.load(ICON))
            with contextlib.suppress(pygame.error):
                self._window.minimum_size = (min(SMALLEST_SIZE[0], fitting[0]), min(SMALLEST_SIZE[1], fitting[1]))
            self._surface = self._window.get_surface()
            self._canvas = Canvas(self._surface)
        except pygame.error as error:
            pygame.display.quit()
            raise NoDisplayError(
                f"Cannot open a window ({error}): this command needs a display. `coach record`, `coach label` and "
                "`coach train` work without one."
            ) from error
        self.closing = False
        """Whether the person has asked to close the window."""
        self._full_screen = False
        self._opened_size = fitting
        self._visible = True
        self._pointer = (-1.0, -1.0)
        self._presented = 0.0
        self._focused_at = float("-inf")
        self._lost_focus = False
        self._down: set[str] = set()
        self._ignored: set[str] = set()
        """Keys that have been held since before this view; they count again once released."""
        self._ignores_text = False
        self._unseen = False
        """Whether the present view has not been shown yet."""
        self._next_title: str | None = None
        """Of the present view, until it is shown."""
        self._last_press = (PointerDown(-1.0, -1.0), float("-inf"))
        """The last press of a button, and when it was read."""
        self._press_before = self._last_press
        """The last press before this view."""
        self._ignored_buttons: set[int] = set()
        self._controllers = Controllers()
        pygame.key.set_repeat(_REPEAT_AFTER_MS, _REPEAT_EVERY_MS)
        self._surface.fill(GROUND)
        self._window.flip()
        if full_screen:
            self.toggle_full_screen()

    @property
    def title(self) -> str:
        """The title; that of a view which starts is shown with its first picture."""
        return str(self._window.title) if self._next_title is None else self._next_title

    @title.setter
    def title(self, title: str) -> None:
        if self._unseen and self._visible:
            self._next_title = title
        elif title != self._window.title:
            self._window.title = title

    @property
    def size_units(self) -> Box:
        """The whole window in design units."""
        return self.canvas.box

    @property
    def canvas(self) -> Canvas:
        """A new canvas of the window's present size."""
        self._surface = self._window.get_surface()
        self._canvas = Canvas(self._surface)
        return self._canvas

    @property
    def visible(self) -> bool:
        """Whether the window can be seen: False while it is minimised or hidden, when there is no need to draw."""
        return self._visible

    def _units(self, position: tuple[int, int]) -> tuple[float, float]:
        # With a high-resolution display the surface has more pixels than the window has points.
        points = self._window.size
        pixels = self._window.get_surface().get_size()
        scale = scale_of(*pixels)
        return position[0] * pixels[0] / points[0] / scale, position[1] * pixels[1] / points[1] / scale

    def start_view(self) -> None:
        """Keep what was meant for another view in this window from the one that starts. Every view calls it.

        Keys that are down are ignored until they are pressed again, so that the keyboard's repetition never reaches
        the next view. A click that was made before this view's first picture is ignored, and so is the second click
        of a double click that began before.
        """
        self._ignore_held_keys()
        self._unseen, self._press_before = True, self._last_press

    def _ignore_held_keys(self) -> None:
        self._ignored |= self._down
        self._ignores_text = bool(self._ignored)

    def events(self, wait_seconds: float = 0.0) -> list[Event]:
        """Return the events since the last call, oldest first.

        Where there are none, wait for one for at most ``wait_seconds``, which uses no processor time. A window that
        cannot be seen waits longer. A view that waits here and draws only after a change uses next to nothing.
        """
        if not self._visible and wait_seconds:
            wait_seconds = max(wait_seconds, HIDDEN_SECONDS)
        found: list[Event] = []
        for event in self._waited_for(wait_seconds):
            found += [KeyDown(key) if down else KeyUp(key) for key, down in self._controllers.keys(event)]
            translated = self._translated(event)
            if translated is not None:
                found.append(translated)
        return [event for event in found if not self._is_ignored(event)]

    def _waited_for(self, seconds: float) -> list[pygame.event.Event]:
        if seconds > 0:
            too_soon = self._presented + SHORTEST_SECONDS - time.monotonic()
            if too_soon > 0:
                time.sleep(min(too_soon, seconds))
                seconds -= too_soon
        found = pygame.event.get()
        if found or seconds <= 0:
            return found
        if pygame.display.get_driver() in ("dummy", "offscreen") or self._controllers.connected:
            # SDL would look for events a thousand times a second.
            deadline = time.monotonic() + seconds
            while not found and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(POLL_SECONDS, left))
                found = pygame.event.get()
            return found
        if sdl.wait_for_event(seconds):
            return pygame.event.get()
        first = pygame.event.wait(max(1, round(seconds * 1000)))
        return [] if first.type == pygame.NOEVENT else [first, *pygame.event.get()]

    def _is_ignored(self, event: Event) -> bool:
        """Return whether a key or text comes from a key that has been held since before this view."""
        match event:
            case KeyDown(key=key):
                if key not in self._ignored and key not in ("shift", "control"):
                    self._ignores_text = False
                return key in self._ignored
            case KeyUp(key):
                was_ignored = key in self._ignored
                self._ignored.discard(key)
                if not self._ignored:
                    self._ignores_text = False
                return was_ignored
            case TextTyped():
                return self._ignores_text
        return False

    def _translated(self, event: pygame.event.Event) -> Event | None:
        kind = event.type
        if kind in (pygame.KEYDOWN, pygame.KEYUP):
            key = key_name(event.key, getattr(event, "scancode", 0))
            if kind == pygame.KEYUP:
                self._down.discard(key)
                return KeyUp(key)
            repeat = key in self._down
            self._down.add(key)
            if not repeat and time.monotonic() - self._focused_at < HELD_SECONDS:
                self._ignore_held_keys()
            return KeyDown(key, bool(event.mod & pygame.KMOD_SHIFT), bool(event.mod & pygame.KMOD_CTRL), repeat)
        if kind == pygame.TEXTINPUT:
            return TextTyped(event.text)
        if kind == pygame.MOUSEBUTTONDOWN and event.button <= 3:
            return self._pressed(PointerDown(*self._units(event.pos), event.button))
        if kind == pygame.MOUSEBUTTONUP and event.button <= 3:
            if event.button in self._ignored_buttons:
                self._ignored_buttons.discard(event.button)
                return None
            return PointerUp(*self._units(event.pos), event.button)
        if kind == pygame.MOUSEMOTION:
            self._pointer = self._units(event.pos)
            return PointerMoved(*self._pointer)
        if kind == pygame.MOUSEWHEEL:
            return Wheel(event.y)
        if kind == pygame.WINDOWFOCUSLOST:
            self._down.clear()
            self._ignored.clear()
            self._lost_focus = True
            return FocusLost()
        if kind == pygame.WINDOWFOCUSGAINED:
            if self._lost_focus and sdl.may_hold_a_key():
                self._focused_at = time.monotonic()
            return FocusGained()
        if kind == pygame.WINDOWLEAVE:
            self._pointer = (-1.0, -1.0)
            return PointerMoved(*self._pointer)
        if kind in (pygame.WINDOWMINIMIZED, pygame.WINDOWHIDDEN):
            self._visible = False
            return None
        if kind in (pygame.WINDOWRESTORED, pygame.WINDOWSHOWN, pygame.WINDOWMAXIMIZED, pygame.WINDOWEXPOSED):
            self._visible = True
            return Resized()
        if kind in (pygame.QUIT, pygame.WINDOWCLOSE):
            # A click on the window's close button comes as both, in the other order; a signal is a QUIT alone.
            already, self.closing = self.closing, True
            return None if already else CloseRequested(by_system=kind == pygame.QUIT)
        return Resized() if kind in (pygame.WINDOWSIZECHANGED, pygame.KEYMAPCHANGED) else None

    def _pressed(self, press: PointerDown) -> PointerDown | None:
        """Return the press, or None if it was not meant for this view."""
        now = time.monotonic()
        first, read_at = self._press_before
        is_second = (
            press.button == first.button
            and now - read_at < DOUBLE_CLICK_SECONDS
            and math.dist((press.x, press.y), (first.x, first.y)) <= DOUBLE_CLICK_UNITS
        )
        self._last_press = press, now
        if self._unseen or is_second:
            self._ignored_buttons.add(press.button)
            return None
        self._ignored_buttons.discard(press.button)
        return press

    def present(self) -> None:
        """Show what was drawn, with a tooltip where the pointer is on something that has one."""
        hint = self._canvas.hint_at(*self._pointer)
        if hint:
            draw_tooltip(self._canvas, hint, self._pointer)
        if self._unseen:
            # What was pressed until now was pressed while the view before this one was to be seen.
            pygame.event.get((pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP))
            self._unseen = False
        self._window.flip()
        if self._next_title is not None:
            title, self._next_title = self._next_title, None
            self.title = title
        self._presented = time.monotonic()

    def toggle_full_screen(self) -> None:
        if self._full_screen:
            self._window.set_windowed()
        else:
            self._window.set_fullscreen(desktop=True)
        self._full_screen = not self._full_screen

    @property
    def full_screen(self) -> bool:
        return self._full_screen

    def resize(self, size: tuple[int, int]) -> None:
        """Set the window's size, in pixels."""
        self._window.size = size

    def screenshot(self, path: Path | str) -> None:
        """Save what was drawn as a PNG."""
        pygame.image.save(self._surface, str(path))

    def close(self) -> None:
        size = self._window.size
        if self._remembered is not None and not self._full_screen and size != self._opened_size:
            window_size.remember(size, self._remembered)
        self._window.destroy()
        pygame.display.quit()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
