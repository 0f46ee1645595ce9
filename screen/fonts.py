"""The two typefaces: a sans-serif one for text and a monospaced one for numbers and keys."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import pygame

from data.errors import CoachError

# Noto Sans and Fira Code (both SIL Open Font Licence) come with pygame_gui.
_FILES = {
    (False, False): "NotoSans-Regular.ttf",
    (False, True): "NotoSans-Bold.ttf",
    (True, False): "FiraCode-Regular.ttf",
    (True, True): "FiraCode-Regular.ttf",
}


@functools.cache
def _folder() -> Path:
    found = importlib.util.find_spec("pygame_gui")
    if found is None or not found.submodule_search_locations:
        raise CoachError("The package pygame_gui, which contains the fonts, is not installed; run `make run` again.")
    return Path(found.submodule_search_locations[0]) / "data"


@functools.lru_cache(maxsize=64)
def _made(pixels: int, mono: bool, bold: bool) -> pygame.font.Font:
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(_folder() / _FILES[mono, bold], pixels)


def font(pixels: int, mono: bool, bold: bool) -> pygame.font.Font:
    """Return the typeface at a height of ``pixels``."""
    try:
        found = _made(pixels, mono, bold)
        found.get_height()
    except pygame.error:
        # A library in this process has quit pygame, which invalidates all fonts.
        _made.cache_clear()
        found = _made(pixels, mono, bold)
    return found


@functools.cache
def has_letter(letter: str, mono: bool = True) -> bool:
    """Return whether the typeface has this letter."""
    return font(14, mono, False).metrics(letter)[0] is not None


@functools.lru_cache(maxsize=4096)
def rendered(text: str, pixels: int, colour: tuple[int, int, int], mono: bool, bold: bool) -> pygame.Surface:
    """Return text as a picture with alpha; cached, because a window draws the same words sixty times a second."""
    return font(pixels, mono, bold).render(text, True, colour)


@functools.lru_cache(maxsize=4096)
def measured(text: str, pixels: int, mono: bool, bold: bool) -> tuple[int, int]:
    """Return width and height in pixels."""
    return font(pixels, mono, bold).size(text)


@functools.lru_cache(maxsize=2048)
def shortened(text: str, pixels: int, mono: bool, bold: bool, most_pixels: int) -> str:
    """Return the text, cut with an ellipsis so that it is at most ``most_pixels`` wide."""
    if measured(text, pixels, mono, bold)[0] <= most_pixels:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measured(text[:middle].rstrip() + "…", pixels, mono, bold)[0] <= most_pixels:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


@functools.lru_cache(maxsize=512)
def wrapped(text: str, pixels: int, bold: bool, most_pixels: int) -> tuple[str, ...]:
    """Return the text in lines of at most ``most_pixels``; line breaks in the text are preserved.

    A word that is longer than a line is broken anywhere.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and measured(longer, pixels, False, bold)[0] > most_pixels:
                lines.append(line)
                line = word
            else:
                line = longer
            while len(line) > 1 and measured(line, pixels, False, bold)[0] > most_pixels:
                fitting = len(line) - 1
                while fitting > 1 and measured(line[:fitting], pixels, False, bold)[0] > most_pixels:
                    fitting -= 1
                lines.append(line[:fitting])
                line = line[fitting:]
        lines.append(line)
    return tuple(lines)
