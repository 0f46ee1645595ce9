"""The window: opening it, its events, and showing what was drawn."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pygame

from data.errors import CoachError
from screen.canvas import Canvas
from screen.controllers import Controllers
from screen.layout import Box
from screen.theme import DESIGN_SIZE, GROUND, scale_of

SMALLEST_SIZE = (960, 600)
ICON = Path(__file__).parent / "icons" / "128x128" / "replay-coach.png"
_REPEAT_AFTER_MS, _REPEAT_EVERY_MS = 350, 50


@dataclass(frozen=True)
class KeyDown:
    """A key went down; ``repeat``: it is still being held."""

    key: str
    shift: bool = False
    control: bool = False
    repeat: bool = False


@dataclass(frozen=True)
class KeyUp:
    key: str


@dataclass(frozen=True)
class TextTyped:
    """Text as typed with the keyboard's layout; for text fields."""

    text: str


@dataclass(frozen=True)
class PointerDown:
    x: float
    y: float
    button: int = 1


@dataclass(frozen=True)
class PointerUp:
    x: float
    y: float
    button: int = 1


@dataclass(frozen=True)
class PointerMoved:
    x: float
    y: float


@dataclass(frozen=True)
class Wheel:
    """``dy`` is above 0 for a turn away from the person."""

    dy: int


@dataclass(frozen=True)
class CloseRequested:
    pass


@dataclass(frozen=True)
class FocusLost:
    pass


@dataclass(frozen=True)
class FocusGained:
    pass


@dataclass(frozen=True)
class Resized:
    pass


Event = (
    KeyDown
    | KeyUp
    | TextTyped
    | PointerDown
    | PointerUp
    | PointerMoved
    | Wheel
    | CloseRequested
    | FocusLost
    | FocusGained
    | Resized
)

_KEY_NAMES = {
    "enter": "return",
    "left shift": "shift",
    "right shift": "shift",
    "left ctrl": "control",
    "right ctrl": "control",
    "page up": "pageup",
    "page down": "pagedown",
}


@dataclass(frozen=True)
class Opening:
    """How a window opens by default: its size in pixels, and whether it fills the screen."""

    size: tuple[int, int] = DESIGN_SIZE
    full_screen: bool = False


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
        """Raises NoDisplayError where there is no display, CoachError where pygame is installed over pygame-ce."""
        if not getattr(pygame, "IS_CE", False):
            raise CoachError(
                "The package pygame is installed over pygame-ce, which Replay Coach needs; run `pip uninstall --yes "
                "pygame pygame-ce`, then `pip install 'pygame-ce>=2.5.5,<2.6'`."
            )
        size = size or _preferred.size
        full_screen = _preferred.full_screen if full_screen is None else full_screen
        try:
            # Where there is no display, SDL prints a warning and then draws to nothing.
            driver_chosen = "SDL_VIDEODRIVER" in os.environ
            if sys.platform == "linux" and not driver_chosen and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
                raise pygame.error("no display is attached")
            pygame.display.init()
            if pygame.display.get_driver() in ("dummy", "offscreen") and not driver_chosen:
                raise pygame.error("no display is attached")
            pygame.font.init()
            desktop = pygame.display.get_desktop_sizes()[0]
            fitting = (min(size[0], desktop[0]), min(size[1], desktop[1]))
            self._window = pygame.Window(title, fitting, resizable=True, allow_high_dpi=True)
            with contextlib.suppress(pygame.error, OSError):
                self._window.set_icon(pygame.image.load(ICON))
            with contextlib.suppress(pygame.error):
                self._window.minimum_size = (min(SMALLEST_SIZE[0], fitting[0]), min(SMALLEST_SIZE[1], fitting[1]))
            self._surface = self._window.get_surface()
        except pygame.error as error:
            pygame.display.quit()
            raise NoDisplayError(
                f"Cannot open a window ({error}): this command needs a display. `coach record`, `coach label` and "
                "`coach train` work without one."
            ) from error
        self.closing = False
        """Whether the person has asked to close the window."""
        self._full_screen = False
        self._down: set[str] = set()
        self._controllers = Controllers()
        pygame.key.set_repeat(_REPEAT_AFTER_MS, _REPEAT_EVERY_MS)
        self._surface.fill(GROUND)
        self._window.flip()
        if full_screen:
            self.toggle_full_screen()

    @property
    def title(self) -> str:
        return str(self._window.title)

    @title.setter
    def title(self, title: str) -> None:
        if title != self._window.title:
            self._window.title = title

    @property
    def size_units(self) -> Box:
        """The whole window in design units."""
        return self.canvas.box

    @property
    def canvas(self) -> Canvas:
        """A canvas of the window's present size."""
        self._surface = self._window.get_surface()
        return Canvas(self._surface)

    def _units(self, position: tuple[int, int]) -> tuple[float, float]:
        # With a high-resolution display the surface has more pixels than the window has points.
        points = self._window.size
        pixels = self._window.get_surface().get_size()
        scale = scale_of(*pixels)
        return position[0] * pixels[0] / points[0] / scale, position[1] * pixels[1] / points[1] / scale

    def events(self) -> list[Event]:
        """Return the events since the last call, oldest first."""
        found: list[Event] = []
        for event in pygame.event.get():
            found += [KeyDown(key) if down else KeyUp(key) for key, down in self._controllers.keys(event)]
            translated = self._translated(event)
            if translated is not None:
                found.append(translated)
        return found

    def _translated(self, event: pygame.event.Event) -> Event | None:
        kind = event.type
        if kind in (pygame.KEYDOWN, pygame.KEYUP):
            name = pygame.key.name(event.key)
            key = _KEY_NAMES.get(name, name.strip("[]") if len(name) == 3 else name)
            if kind == pygame.KEYUP:
                self._down.discard(key)
                return KeyUp(key)
            repeat = key in self._down
            self._down.add(key)
            return KeyDown(key, bool(event.mod & pygame.KMOD_SHIFT), bool(event.mod & pygame.KMOD_CTRL), repeat)
        if kind == pygame.TEXTINPUT:
            return TextTyped(event.text)
        if kind == pygame.MOUSEBUTTONDOWN and event.button <= 3:
            return PointerDown(*self._units(event.pos), event.button)
        if kind == pygame.MOUSEBUTTONUP and event.button <= 3:
            return PointerUp(*self._units(event.pos), event.button)
        if kind == pygame.MOUSEMOTION:
            return PointerMoved(*self._units(event.pos))
        if kind == pygame.MOUSEWHEEL:
            return Wheel(event.y)
        if kind == pygame.WINDOWFOCUSLOST:
            self._down.clear()
            return FocusLost()
        if kind in (pygame.QUIT, pygame.WINDOWCLOSE):
            # One click on the window's close button comes as both.
            already, self.closing = self.closing, True
            return None if already else CloseRequested()
        simple: dict[int, Event] = {
            pygame.WINDOWFOCUSGAINED: FocusGained(),
            pygame.WINDOWSIZECHANGED: Resized(),
        }
        return simple.get(kind)

    def present(self) -> None:
        """Show what was drawn."""
        self._window.flip()

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
        self._window.destroy()
        pygame.display.quit()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
