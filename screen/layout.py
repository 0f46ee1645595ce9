"""Boxes: places in a window, in design units. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle in design units; x grows to the right, y downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def contains(self, x: float, y: float) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def inset(self, distance: float) -> Box:
        return Box(
            self.x + distance,
            self.y + distance,
            max(0.0, self.width - 2 * distance),
            max(0.0, self.height - 2 * distance),
        )

    def inset_across(self, distance: float) -> Box:
        """Return this box without so much at its left and right."""
        return self.without_left(distance).without_right(distance)

    def left_part(self, width: float) -> Box:
        return Box(self.x, self.y, min(width, self.width), self.height)

    def right_part(self, width: float) -> Box:
        width = min(width, self.width)
        return Box(self.right - width, self.y, width, self.height)

    def top_part(self, height: float) -> Box:
        return Box(self.x, self.y, self.width, min(height, self.height))

    def bottom_part(self, height: float) -> Box:
        height = min(height, self.height)
        return Box(self.x, self.bottom - height, self.width, height)

    def without_left(self, width: float) -> Box:
        return self.right_part(max(0.0, self.width - width))

    def without_right(self, width: float) -> Box:
        return self.left_part(max(0.0, self.width - width))

    def without_top(self, height: float) -> Box:
        return self.bottom_part(max(0.0, self.height - height))

    def without_bottom(self, height: float) -> Box:
        return self.top_part(max(0.0, self.height - height))

    def columns(self, count: int, gap: float = 0.0) -> list[Box]:
        """Return ``count`` boxes of equal width beside one another."""
        width = (self.width - gap * (count - 1)) / count
        return [Box(self.x + i * (width + gap), self.y, width, self.height) for i in range(count)]

    def rows(self, count: int, gap: float = 0.0) -> list[Box]:
        """Return ``count`` boxes of equal height below one another."""
        height = (self.height - gap * (count - 1)) / count
        return [Box(self.x, self.y + i * (height + gap), self.width, height) for i in range(count)]

    def middle(self, width: float, height: float) -> Box:
        """Return a box of that size (or as much of it as fits) in the middle of this one."""
        width, height = min(width, self.width), min(height, self.height)
        return Box(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)


TELEVISION_ASPECT = 4 / 3
"""Width by height of the television picture that the console's frame filled."""


def picture_scales(
    frame_width: int, frame_height: int, room_width: int, room_height: int, aspect: float | None = TELEVISION_ASPECT
) -> tuple[int, int]:
    """Return the whole numbers of pixels, across and down, that show one pixel of a frame.

    The console's pixels are wider than high. Of all pairs that fit the room (in pixels) and give the picture a shape
    within a sixth of ``aspect``, the one with the largest picture is chosen, with a penalty for a wrong shape. With
    ``aspect`` None, pixels are square. (1, 1) where nothing larger fits.
    """
    most_down = max(1, room_height // frame_height)
    most_across = max(1, room_width // frame_width)
    if aspect is None:
        side = min(most_down, most_across)
        return side, side
    best, best_size = (1, 1), 0.0
    for down in range(1, most_down + 1):
        for across in range(1, most_across + 1):
            shape = frame_width * across / (frame_height * down)
            error = max(shape / aspect, aspect / shape) - 1
            size = across * down / (1 + error)
            if error <= 1 / 6 + 1e-9 and size > best_size:
                best, best_size = (across, down), size
    return best
