"""The look of every window: colours, text sizes and the grid."""

from __future__ import annotations

Colour = tuple[int, int, int]


def _from_hex(code: str) -> Colour:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


GROUND = _from_hex("#0E1116")
PANEL = _from_hex("#161B22")
LINE = _from_hex("#2A313C")
TEXT = _from_hex("#E6E9EE")
QUIET = _from_hex("#8B95A3")

GREEN = _from_hex("#4CC38A")
"""The cannon: good, start, saved."""
ORANGE = _from_hex("#E5683C")
"""The shields: bad, stop, recording."""
OLIVE = _from_hex("#C9B458")
"""The invaders: attention, markers, the key to press next."""
WHITE = (255, 255, 255)
"""The bullets: the score."""

SMALL = 14
MEDIUM = 18
LARGE = 32
"""The three text sizes, in design units."""

GRID = 8
"""Distances are multiples of this, in design units."""

DESIGN_SIZE = (1280, 800)
"""Window size at which one design unit is one pixel."""

SMALLEST_SCALE = 0.875
"""The least scale down to windows of SMALLEST_LAYOUT: small text would be unreadable, so they get less room instead."""

SMALLEST_LAYOUT = (960, 600)
"""Window size at which everything still has its place; windows below it show the same, scaled down."""


def scale_of(width: int, height: int) -> float:
    """Return the pixels per design unit in a window of ``width`` x ``height`` pixels."""
    fitting = min(width / DESIGN_SIZE[0], height / DESIGN_SIZE[1])
    shrunk = SMALLEST_SCALE * min(width / SMALLEST_LAYOUT[0], height / SMALLEST_LAYOUT[1])
    return min(max(SMALLEST_SCALE, fitting), shrunk) if shrunk > 0 else SMALLEST_SCALE
