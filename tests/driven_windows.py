"""A ``coach`` command whose windows a person uses, in this process and without a display.

The person is a generator that looks at the texts that are drawn and posts events of keys and the mouse. What it
knows of the program are the command line, the events and the texts alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pygame
import pytest

from coach import main
from screen import fonts, sdl
from screen.canvas import Canvas
from screen.window import Window

SECONDS = 30.0
SCREEN = (1920, 1080)
CODES = {"return": "return", "shift": "left shift", "control": "left ctrl"}


@dataclass(frozen=True)
class Text:
    """A text as it was drawn, with an ellipsis if it was cut; its box in design units."""

    words: str
    left: float
    top: float
    right: float
    bottom: float
    colour: tuple[int, int, int]

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


class Person:
    """Sees what a window shows, and uses its keys and the mouse."""

    def __init__(self) -> None:
        self.texts: list[Text] = []
        """What the window shows now, in the order of drawing."""
        self.title = ""
        self.scale = 1.0
        self.drawn = 0
        self.drawing: list[Text] = []
        self.window: Window | None = None
        self._size = (0, 0)

    @property
    def words(self) -> list[str]:
        return [text.words for text in self.texts]

    @property
    def page(self) -> str:
        """All texts of the window, with spaces between them, so that wrapped sentences are whole."""
        return " ".join(self.words)

    def find(self, words: str) -> Text:
        """Return the text that was drawn last with exactly these words."""
        return next(text for text in reversed(self.texts) if text.words == words)

    def at(self, x: float, y: float) -> str:
        """Return the text at a place, or ""."""
        found = (t.words for t in reversed(self.texts) if t.left <= x < t.right and t.top <= y < t.bottom)
        return next(found, "")

    @property
    def size(self) -> tuple[int, int]:
        """The window's size in pixels."""
        return self._size

    def screenshot(self, path: Path) -> None:
        assert self.window is not None
        self.window.screenshot(path)

    # What a person does. Each is a generator, which returns once the window has drawn the result.

    def until(self, holds: Callable[[], object], seconds: float = SECONDS) -> Iterator[None]:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain; {self.title!r} shows: {self.page}"
            yield

    def see(self, words: str, seconds: float = SECONDS) -> Iterator[None]:
        """Wait until the title or the texts contain these words."""
        yield from self.until(lambda: words in self.title or words in self.page, seconds)

    def pause(self, seconds: float = 0.02) -> Iterator[None]:
        """Let the window run, for at least three rounds of its events."""
        deadline, rounds = time.monotonic() + seconds, 0
        while time.monotonic() < deadline or rounds < 3:
            rounds += 1
            yield

    def down(self, key: str, shift: bool = False, control: bool = False) -> None:
        self._key(pygame.KEYDOWN, key, shift, control)

    def up(self, key: str) -> None:
        self._key(pygame.KEYUP, key)

    @staticmethod
    def _key(kind: int, key: str, shift: bool = False, control: bool = False) -> None:
        mod = pygame.KMOD_SHIFT * shift | pygame.KMOD_CTRL * control
        code = pygame.key.key_code(CODES.get(key, key))
        pygame.event.post(pygame.event.Event(kind, key=code, mod=mod, scancode=0, unicode=""))

    def press(self, *keys: str) -> Iterator[None]:
        for key in keys:
            self.down(key)
            self.up(key)
            yield from self.pause()

    def hold(self, key: str, seconds: float) -> Iterator[None]:
        """Hold a key, with the keyboard's repetition."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.down(key)
            yield from self.pause(0.05)

    def type(self, text: str) -> Iterator[None]:
        pygame.event.post(pygame.event.Event(pygame.TEXTINPUT, text=text))
        yield from self.pause()

    def click(self, *at: float) -> Iterator[None]:
        x, y = (round(length * self.scale) for length in at)
        pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(x, y), rel=(0, 0), buttons=(0, 0, 0)))
        for kind in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
            pygame.event.post(pygame.event.Event(kind, pos=(x, y), button=1))
        yield from self.pause()


def use(
    monkeypatch: pytest.MonkeyPatch,
    acts: Callable[[Person], Iterator[None]],
    library: Path,
    *command: str,
    screen: tuple[int, int] = SCREEN,
) -> Person:
    """Run a command until the person has done everything and closes the window; return what they saw last."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    person = Person()
    acting = acts(person)
    text, present, events = Canvas.text, Window.present, Window.events
    rendered = fonts.rendered
    shown = ""

    def note_string(string: str, *more: object) -> pygame.Surface:
        nonlocal shown
        shown = string
        return rendered(string, *more)  # type: ignore[arg-type]

    def note_text(canvas: Canvas, string: str, *more: object, **named: object) -> object:
        box = text(canvas, string, *more, **named)  # type: ignore[arg-type]
        colour = named.get("colour", more[2] if len(more) > 2 else (255, 255, 255))
        person.drawing.append(Text(shown, box.x, box.y, box.right, box.bottom, tuple(colour)))  # type: ignore[arg-type]
        return box

    def note_picture(window: Window) -> None:
        present(window)
        person.texts, person.drawing = person.drawing, []
        person.drawn += 1

    def act(window: Window, *wait: float) -> object:
        canvas = window.canvas
        person.window, person.title, person.scale = window, window.title, canvas.scale
        person._size = canvas.surface.get_size()
        person.drawing = []
        if next(acting, "done") == "done":
            pygame.event.post(pygame.event.Event(pygame.QUIT))
        return events(window, *(min(seconds, 0.01) for seconds in wait))

    with monkeypatch.context() as patch:
        patch.setattr(Canvas, "text", note_text)
        patch.setattr(fonts, "rendered", note_string)
        patch.setattr(Window, "present", note_picture)
        patch.setattr(Window, "events", act)
        patch.setattr(pygame.display, "get_desktop_sizes", lambda: [screen])
        patch.setattr(sdl, "usable_size", lambda _: screen)
        assert main(["--library", str(library), *command]) == 0
    return person
