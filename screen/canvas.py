"""The canvas: everything that a window can draw, in design units."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pygame
import pygame.gfxdraw

from screen import fonts
from screen.keyboard import cap
from screen.layout import TELEVISION_ASPECT, Box, picture_scales
from screen.theme import LINE, PANEL, SMALL, TEXT, Colour, scale_of

Align = Literal["left", "centre", "right"]
Point = tuple[float, float]

_FINE = 4  # rounded shapes are drawn this many times larger and shrunk, because pygame's are jagged
KEY_CAP_HEIGHT = 24

_whole_multiples = False


def prefer_whole_multiples(whole: bool) -> None:
    """Set whether game pictures are scaled by whole numbers from now on; otherwise they fill their room."""
    global _whole_multiples
    _whole_multiples = whole


def whole_multiples() -> bool:
    """Return whether game pictures are scaled by whole numbers."""
    return _whole_multiples


@functools.lru_cache(maxsize=512)
def _rounded(width: int, height: int, radius: int, colour: Colour, border: int) -> pygame.Surface:
    """Return a rounded rectangle with smooth corners; ``border`` 0 fills it. Sizes in pixels."""
    large = pygame.Surface((width * _FINE, height * _FINE), pygame.SRCALPHA)
    large.fill((*colour, 0))
    pygame.draw.rect(large, (*colour, 255), large.get_rect(), border * _FINE, border_radius=radius * _FINE)
    return pygame.transform.smoothscale(large, (width, height))


class Canvas:
    """Draws on a surface. Coordinates, sizes and radii are in design units of ``scale`` pixels."""

    def __init__(self, surface: pygame.Surface, scale: float | None = None) -> None:
        self.surface = surface
        width, height = surface.get_size()
        self.scale = scale_of(width, height) if scale is None else scale
        self.box = Box(0.0, 0.0, width / self.scale, height / self.scale)
        self._hints: list[tuple[Box, str]] = []

    def hint(self, box: Box, text: str) -> None:
        """Set the tooltip of a box."""
        self._hints.append((box, text))

    def hint_at(self, x: float, y: float) -> str:
        """Return the tooltip of the topmost element at a position; "" for none."""
        return next((text for box, text in reversed(self._hints) if box.contains(x, y)), "")

    @property
    def hints(self) -> tuple[str, ...]:
        """All tooltips of what was drawn."""
        return tuple(text for _, text in self._hints)

    def _px(self, length: float) -> int:
        return round(length * self.scale)

    def _rect(self, box: Box) -> pygame.Rect:
        x, y = self._px(box.x), self._px(box.y)
        return pygame.Rect(x, y, max(0, self._px(box.right) - x), max(0, self._px(box.bottom) - y))

    def _line_pixels(self, width: float) -> int:
        return max(1, self._px(width))

    def fill(self, box: Box, colour: Colour, radius: float = 0) -> None:
        """Fill a rectangle."""
        rect = self._rect(box)
        if rect.width <= 0 or rect.height <= 0:
            return
        pixels = min(self._px(radius), rect.width // 2, rect.height // 2)
        if pixels <= 0:
            self.surface.fill(colour, rect)
        elif rect.width * rect.height > 160_000:
            pygame.draw.rect(self.surface, colour, rect, border_radius=pixels)
        else:
            self.surface.blit(_rounded(rect.width, rect.height, pixels, colour, 0), rect)

    def outline(self, box: Box, colour: Colour, width: float = 1, radius: float = 0) -> None:
        """Draw the edge of a rectangle, inside it."""
        rect = self._rect(box)
        pixels = min(self._px(radius), rect.width // 2, rect.height // 2)
        if pixels <= 0 or rect.width * rect.height > 160_000:
            pygame.draw.rect(self.surface, colour, rect, self._line_pixels(width), border_radius=max(0, pixels))
        else:
            self.surface.blit(_rounded(rect.width, rect.height, pixels, colour, self._line_pixels(width)), rect)

    def line(self, start: Point, end: Point, colour: Colour, width: float = 1) -> None:
        first, last = (self._px(start[0]), self._px(start[1])), (self._px(end[0]), self._px(end[1]))
        pixels = self._line_pixels(width)
        if first[0] == last[0] or first[1] == last[1]:
            pygame.draw.line(self.surface, colour, first, last, pixels)
        elif pixels == 1:
            pygame.draw.aaline(self.surface, colour, first, last)
        else:
            pygame.draw.line(self.surface, colour, first, last, pixels)

    def polyline(self, points: Sequence[Point], colour: Colour, width: float = 1) -> None:
        """Draw lines from point to point."""
        pixels = [(self._px(x), self._px(y)) for x, y in points]
        if len(pixels) < 2:
            return
        if (thickness := self._line_pixels(width)) > 1:
            pygame.draw.lines(self.surface, colour, False, pixels, thickness)
        else:
            pygame.draw.aalines(self.surface, colour, False, pixels)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        pixels = [(self._px(x), self._px(y)) for x, y in points]
        pygame.gfxdraw.filled_polygon(self.surface, pixels, colour)
        pygame.gfxdraw.aapolygon(self.surface, pixels, colour)

    def circle(self, centre: Point, radius: float, colour: Colour) -> None:
        pygame.draw.aacircle(self.surface, colour, (self._px(centre[0]), self._px(centre[1])), max(1, self._px(radius)))

    def measure(self, string: str, size: int = SMALL, mono: bool = False, bold: bool = False) -> tuple[float, float]:
        """Return width and height of a line of text."""
        width, height = fonts.measured(string, self._px(size), mono, bold)
        return width / self.scale, height / self.scale

    def text(
        self,
        string: str,
        at: Point,
        size: int = SMALL,
        colour: Colour = TEXT,
        mono: bool = False,
        bold: bool = False,
        align: Align = "left",
        max_width: float | None = None,
    ) -> Box:
        """Draw one line; ``at`` is its top and its left end, middle or right end.

        Text longer than ``max_width`` gets an ellipsis, and a tooltip with the whole of it.
        """
        pixels = self._px(size)
        whole = string
        if max_width is not None:
            string = fonts.shortened(string, pixels, mono, bold, self._px(max_width))
        picture = fonts.rendered(string, pixels, colour, mono, bold)
        width, height = picture.get_size()
        shift = {"left": 0, "centre": width // 2, "right": width}[align]
        x, y = self._px(at[0]) - shift, self._px(at[1])
        self.surface.blit(picture, (x, y))
        box = Box(x / self.scale, y / self.scale, width / self.scale, height / self.scale)
        if string != whole:
            self.hint(box, whole)
        return box

    def lines(self, string: str, width: float, size: int = SMALL, bold: bool = False) -> tuple[str, ...]:
        """Return text broken between words into lines of at most that width; longer words are broken anywhere."""
        return fonts.wrapped(string, self._px(size), bold, self._px(width))

    def paragraph(self, string: str, box: Box, size: int = SMALL, colour: Colour = TEXT, bold: bool = False) -> float:
        """Draw text wrapped into the box's width, from its top. Returns the height used (it may exceed the box)."""
        spacing = size * 1.5
        lines = self.lines(string, box.width, size, bold)
        for number, line in enumerate(lines):
            if line:
                self.text(line, (box.x, box.y + number * spacing), size, colour, bold=bold, max_width=box.width)
        return spacing * len(lines)

    def picture(
        self, frame: np.ndarray, palette: np.ndarray, box: Box, integer_scale: bool | None = None, aspect: bool = True
    ) -> Box:
        """Draw a game frame in the middle of the box, and return its box.

        frame: (H, W) uint8 palette indices; palette: (256, 3) uint8. ``integer_scale`` makes all of the game's pixels
        equally large (None: as ``prefer_whole_multiples`` set); ``aspect`` gives them the console's shape.
        """
        integer_scale = _whole_multiples if integer_scale is None else integer_scale
        height, width = frame.shape
        small = pygame.Surface((width, height), depth=8)
        small.set_palette([tuple(colour) for colour in palette.tolist()])
        pygame.surfarray.blit_array(small, frame.T)
        return self._place(small.convert(self.surface), box, integer_scale, TELEVISION_ASPECT if aspect else None)

    def picture_rgb(self, picture: np.ndarray, box: Box, integer_scale: bool = True, aspect: bool = False) -> Box:
        """Draw a picture, (H, W, 3) uint8, in the middle of the box, and return its box."""
        small = pygame.surfarray.make_surface(np.ascontiguousarray(picture.transpose(1, 0, 2)))
        return self._place(small, box, integer_scale, TELEVISION_ASPECT if aspect else None)

    def _place(self, small: pygame.Surface, box: Box, integer_scale: bool, aspect: float | None) -> Box:
        room = self._rect(box)
        width, height = small.get_size()
        if integer_scale:
            across, down = picture_scales(width, height, room.width, room.height, aspect)
            size = width * across, height * down
        else:
            shape = width / height if aspect is None else aspect
            size = (
                (room.width, round(room.width / shape))
                if room.width / shape <= room.height
                else (round(room.height * shape), room.height)
            )
        size = min(size[0], room.width), min(size[1], room.height)
        if size[0] <= 0 or size[1] <= 0:
            return Box(box.x, box.y, 0.0, 0.0)
        x, y = room.x + (room.width - size[0]) // 2, room.y + (room.height - size[1]) // 2
        self.surface.blit(pygame.transform.scale(small, size), (x, y))
        return Box(x / self.scale, y / self.scale, size[0] / self.scale, size[1] / self.scale)

    def key_cap(self, label: str, at: Point, colour: Colour = LINE, text_colour: Colour = TEXT) -> Box:
        """Draw a key of the keyboard, with the letter of the keyboard's layout; ``at`` is its top left corner."""
        label = cap(label)
        width = max(KEY_CAP_HEIGHT, self.measure(label, SMALL, mono=True)[0] + 14)
        box = Box(at[0], at[1], width, KEY_CAP_HEIGHT)
        self.fill(box, colour, radius=5)
        self.fill(Box(box.x + 1, box.y + 1, box.width - 2, box.height - 4), PANEL, radius=4)
        height = self.measure(label, SMALL, mono=True)[1]
        middle = box.y + (KEY_CAP_HEIGHT - 2 - height) / 2
        self.text(label, (box.centre[0], middle), SMALL, text_colour, mono=True, align="centre")
        return box

    def key_cap_width(self, label: str) -> float:
        return max(KEY_CAP_HEIGHT, self.measure(cap(label), SMALL, mono=True)[0] + 14)

    def bar(self, box: Box, share: float, colour: Colour) -> None:
        """Draw a horizontal bar, filled from the left by ``share`` (0 to 1)."""
        radius = box.height / 2
        self.fill(box, LINE, radius)
        filled = box.width * min(1.0, max(0.0, share))
        if filled > 0:
            self.fill(box.left_part(max(filled, min(box.height, box.width))), colour, radius)

    def shade(self, box: Box, alpha: int = 160) -> None:
        """Darken what was drawn, which then has no tooltips; ``alpha`` from 0 (not at all) to 255 (black)."""
        self._hints = [(hinted, text) for hinted, text in self._hints if not box.contains(*hinted.centre)]
        rect = self._rect(box)
        shadow = pygame.Surface(rect.size, pygame.SRCALPHA)
        shadow.fill((0, 0, 0, alpha))
        self.surface.blit(shadow, rect)
