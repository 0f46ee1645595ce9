"""Functions of the SDL library that pygame does not provide, each with a fallback if the library is not found."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
from pathlib import Path
from typing import Any

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


@functools.cache
def _x11() -> ctypes.CDLL:
    """Return Xlib, the copy that SDL uses; raises OSError if there is none."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = x11.XSetErrorHandler.restype = ctypes.c_void_p
    x11.XSetErrorHandler.argtypes = [ctypes.c_void_p]
    return x11


def may_hold_a_key() -> bool:
    """Return whether a key is down now, whichever program has the keyboard; True if that is unknown."""
    if pygame.display.get_driver() != "x11":
        return True
    with contextlib.suppress(OSError, TypeError, AttributeError):
        x11 = _x11()
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
        if display:
            keys = (ctypes.c_char * 32)()
            x11.XQueryKeymap(display, keys)
            x11.XCloseDisplay(display)
            return any(keys.raw)
    return True


class _XErrorEvent(ctypes.Structure):
    """What Xlib passes to an error handler (``XErrorEvent`` in Xlib.h)."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resource", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("error", ctypes.c_ubyte),
        ("request", ctypes.c_ubyte),
        ("minor", ctypes.c_ubyte),
    )


_X_BAD_WINDOW, _X_SEND_EVENT = 3, 25
_X_ERROR_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_XErrorEvent))


@functools.cache
def _x_error_handler(x11: ctypes.CDLL) -> Any:
    """Return the handler of errors, always the same: Xlib keeps its address only."""
    x11.XSetErrorHandler(None)
    ends_the_program = _X_ERROR_HANDLER(x11.XSetErrorHandler(None))

    def handle(display: int, error: Any) -> int:
        late = (error.contents.error, error.contents.request) == (_X_BAD_WINDOW, _X_SEND_EVENT)
        return 0 if late else int(ends_the_program(display, error))

    return _X_ERROR_HANDLER(handle)


def ignore_late_wakeups() -> None:
    """Keep a message to a closed window from ending the program; call this before and after the display's init.

    SDL ends a wait for events by a message to the window, over a connection of its own. If the window is closed before
    the server reads that message, the answer is the error BadWindow, at which Xlib ends the program. All other errors
    still do. SDL sets a handler of its own during the init, and restores the one before as it closes its connections,
    when the answer may still arrive.
    """
    if pygame.display.get_init() and pygame.display.get_driver() != "x11":
        return
    with contextlib.suppress(OSError, TypeError, AttributeError):
        x11 = _x11()
        x11.XSetErrorHandler(ctypes.cast(_x_error_handler(x11), ctypes.c_void_p))


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
