"""Functions of the SDL library that pygame does not provide, each with a fallback if the library is not found."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
from pathlib import Path

import pygame


@functools.cache
def _library() -> ctypes.CDLL | None:
    """Return the SDL library that pygame uses, or None."""
    package = Path(pygame.__file__).parent
    places = (
        package.parent.glob("pygame_ce.libs/libSDL2-2*.so*"),
        package.glob("SDL2.dll"),
        package.glob(".dylibs/libSDL2-2*.dylib"),
    )
    found = [str(path) for place in places for path in place]
    name = found[0] if found else ctypes.util.find_library("SDL2-2.0")
    with contextlib.suppress(OSError, TypeError):
        return ctypes.CDLL(name) if name else None
    return None


def key_at(scancode: int) -> int | None:
    """Return the key code that the keyboard's present layout has at a place; None if that is unknown."""
    library = _library()
    return int(library.SDL_GetKeyFromScancode(scancode)) if library is not None else None


def may_hold_a_key() -> bool:
    """Return whether a key is down now, whichever program has the keyboard; True if that is unknown."""
    if pygame.display.get_driver() != "x11":
        return True
    with contextlib.suppress(OSError, TypeError, AttributeError):
        x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
        x11.XOpenDisplay.restype = ctypes.c_void_p
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
        if display:
            keys = (ctypes.c_char * 32)()
            x11.XQueryKeymap(display, keys)
            x11.XCloseDisplay(display)
            return any(keys.raw)
    return True


def wait_for_event(seconds: float) -> bool:
    """Wait until there is an event, which stays in the queue, or for so long; return False if SDL is not available.

    pygame's own wait looks for events a thousand times a second, which takes 2.5% of a processor.
    """
    library = _library()
    if library is None:
        return False
    library.SDL_WaitEventTimeout(None, max(1, round(seconds * 1000)))
    return True


def usable_size(desktop: tuple[int, int]) -> tuple[int, int]:
    """Return how large a window's contents can be on the first screen, without task bars; ``desktop``: the screen."""
    rectangle = (ctypes.c_int * 4)()
    library = _library()
    if library is not None and library.SDL_GetDisplayUsableBounds(0, rectangle) == 0 and rectangle[2] > 0:
        return min(rectangle[2], desktop[0]), min(rectangle[3], desktop[1])
    return desktop
