"""Input fields: a line of text, and a choice of one of several values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.events import KeyDown
from screen.layout import Box
from screen.theme import GRID, GROUND, LINE, OLIVE, PANEL, QUIET, SMALL, TEXT

FIELD_HEIGHT = 32.0
ARROW_WIDTH = 28.0


class TextField:
    """One line of text with a caret."""

    def __init__(self, text: str = "", most: int = 60) -> None:
        self.most = most
        self.set(text)

    def set(self, text: str) -> None:
        self.text = text[: self.most]
        self.caret = len(self.text)

    def write(self, typed: str) -> None:
        """Insert typed text at the caret; characters that cannot be printed are left out."""
        typed = "".join(letter for letter in typed if letter.isprintable())[: self.most - len(self.text)]
        self.text = self.text[: self.caret] + typed + self.text[self.caret :]
        self.caret += len(typed)

    def press(self, key: KeyDown) -> bool:
        """Edit by a key; return False for a key that does not edit."""
        before, after = self.text[: self.caret], self.text[self.caret :]
        match key.key:
            case "backspace" if key.control:
                before = before.rstrip()[: before.rstrip().rfind(" ") + 1]
            case "backspace":
                before = before[:-1]
            case "delete":
                after = after[1:]
            case "u" if key.control:
                before = ""
            case "left":
                before, after = before[:-1], before[-1:] + after
            case "right":
                before, after = before + after[:1], after[1:]
            case "home":
                before, after = "", before + after
            case "end":
                before, after = before + after, ""
            case _:
                return False
        self.text, self.caret = before + after, len(before)
        return True

    def draw(self, canvas: Canvas, box: Box, active: bool, empty: str = "", key: str = "") -> None:
        """``empty``: a hint while there is no text. ``key``: the key that activates the field."""
        canvas.fill(box, GROUND, radius=6)
        canvas.outline(box, OLIVE if active else LINE, radius=6)
        inner = Box(box.x + 12, box.y, box.width - 24, box.height)
        if key and not active:
            cap = canvas.key_cap_width(key)
            canvas.key_cap(key, (inner.right - cap + 2, box.centre[1] - KEY_CAP_HEIGHT / 2))
            inner = inner.without_right(cap + GRID)
        height = canvas.measure("X", SMALL)[1]
        y = box.centre[1] - height / 2
        # Of a long text, show the end while it is edited, otherwise the beginning.
        shown = self.text
        while active and shown and canvas.measure(shown, SMALL)[0] > inner.width:
            shown = shown[1:]
        colour = TEXT if self.text else QUIET
        canvas.text(
            shown or empty, (inner.x + (6 if active and not shown else 0), y), SMALL, colour, max_width=inner.width
        )
        if active:
            left = canvas.measure(shown[: max(0, self.caret - (len(self.text) - len(shown)))], SMALL)[0]
            canvas.fill(Box(inner.x + left, y, 1.5, height), OLIVE)


@dataclass
class Choice:
    """One of several values, changed by key or by the arrows at its ends."""

    values: Sequence[str]
    """Each value as it is shown."""
    at: int = 0

    @property
    def value(self) -> str:
        return self.values[self.at]

    def step(self, by: int = 1) -> None:
        self.at = (self.at + by) % len(self.values)

    def click(self, box: Box, x: float, y: float) -> bool:
        """Select the value before or after, by the side of the click; return False for a click elsewhere."""
        if not box.contains(x, y):
            return False
        self.step(-1 if x < box.x + ARROW_WIDTH else 1)
        return True

    def draw(
        self, canvas: Canvas, box: Box, active: bool = False, key: str = "", label: str = "", hover: bool = False
    ) -> None:
        """``label`` is shown before the value; ``key``: the key that selects the next value."""
        canvas.fill(box, LINE if hover else PANEL, radius=6)
        canvas.outline(box, OLIVE if active else LINE, radius=6)
        y = box.centre[1]
        for x, way in ((box.x + 12, -1), (box.right - 12, 1)):
            canvas.polygon([(x - 3 * -way, y), (x - 3 * way, y - 5), (x - 3 * way, y + 5)], TEXT if active else QUIET)
        inner = Box(box.x + ARROW_WIDTH, box.y, box.width - 2 * ARROW_WIDTH, box.height)
        if key:
            cap = canvas.key_cap_width(key)
            canvas.key_cap(key, (inner.right - cap, y - KEY_CAP_HEIGHT / 2))
            inner = inner.without_right(cap + GRID)
        top = y - canvas.measure("X", SMALL)[1] / 2
        if label:
            shown = canvas.text(label, (inner.x, top), SMALL, QUIET, max_width=inner.width)
            inner = inner.without_left(shown.width + GRID)
        canvas.text(self.value, (inner.x, top), SMALL, max_width=inner.width)
