"""A list of any length of which a window shows some rows: the selected row, and scrolling by key, wheel and bar."""

from __future__ import annotations

from collections.abc import Iterator

from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import LINE, QUIET

BAR_WIDTH = 12.0
WHEEL_ROWS = 3
SMALLEST_THUMB = 24.0


class ListView:
    """The places of the visible rows. Only those are computed, so a list of thousands costs what a short one does.

    ``place`` must be called with the list's box and length first; windows call it before each picture.
    """

    def __init__(self, row_height: float = 32.0) -> None:
        self.row_height = row_height
        self.chosen = 0
        """The selected row, 0 to count - 1; 0 in an empty list."""
        self.count = 0
        self._top = 0
        self._box = Box(0, 0, 0, 0)
        self._dragging: float | None = None
        self._scrolled_to = -1

    @property
    def box(self) -> Box:
        """The box of the whole list."""
        return self._box

    @property
    def rows_on_show(self) -> int:
        """The number of whole rows that fit."""
        return max(1, int(self._box.height // self.row_height))

    @property
    def _highest_top(self) -> int:
        return max(0, self.count - self.rows_on_show)

    def place(self, box: Box, count: int) -> None:
        """Set the list's box and number of rows; scroll to the selected row if it has moved."""
        self._box, self.count = box, count
        self.chosen = min(max(self.chosen, 0), max(0, count - 1))
        if self.chosen != self._scrolled_to:
            self._scrolled_to = self.chosen
            self._top = min(max(self._top, self.chosen - self.rows_on_show + 1), self.chosen)
        self._top = min(max(self._top, 0), self._highest_top)

    def rows(self) -> Iterator[tuple[int, Box]]:
        """Yield the visible rows with their boxes."""
        room = self._box.without_right(BAR_WIDTH + 4 if self._highest_top else 0)
        for place, row in enumerate(range(self._top, min(self.count, self._top + self.rows_on_show))):
            yield row, Box(room.x, room.y + place * self.row_height, room.width, self.row_height)

    def row_at(self, x: float, y: float) -> int | None:
        return next((row for row, box in self.rows() if box.contains(x, y)), None)

    def press(self, key: str) -> bool:
        """Move the selected row; return False for a key that the list does not use."""
        steps = {
            "up": -1,
            "down": 1,
            "pageup": -self.rows_on_show,
            "pagedown": self.rows_on_show,
            "home": -self.count,
            "end": self.count,
        }
        if key not in steps:
            return False
        self.chosen = min(max(self.chosen + steps[key], 0), max(0, self.count - 1))
        return True

    def wheel(self, dy: int) -> None:
        """Scroll; the selected row stays selected, visible or not."""
        self._top = min(max(self._top - dy * WHEEL_ROWS, 0), self._highest_top)

    # The bar at the right.

    @property
    def _bar(self) -> Box:
        return self._box.right_part(BAR_WIDTH)

    @property
    def _thumb(self) -> Box:
        bar = self._bar
        height = max(SMALLEST_THUMB, bar.height * min(1.0, self.rows_on_show / max(1, self.count)))
        share = self._top / self._highest_top if self._highest_top else 0.0
        return Box(bar.x, bar.y + (bar.height - height) * share, bar.width, height)

    def pointer_down(self, x: float, y: float) -> bool:
        """Grab the bar; return False where the pointer is elsewhere."""
        if not self._highest_top or not self._bar.contains(x, y):
            return False
        thumb = self._thumb
        self._dragging = y - thumb.y if thumb.contains(x, y) else thumb.height / 2
        self.pointer_moved(y)
        return True

    def pointer_moved(self, y: float) -> None:
        if self._dragging is None:
            return
        bar, thumb = self._bar, self._thumb
        share = (y - self._dragging - bar.y) / max(1.0, bar.height - thumb.height)
        self._top = round(min(1.0, max(0.0, share)) * self._highest_top)

    def pointer_up(self) -> None:
        self._dragging = None

    def draw_bar(self, canvas: Canvas) -> None:
        """Draw the scroll bar, unless all of the list is visible."""
        if self._highest_top:
            canvas.fill(self._bar.inset(2), LINE, radius=4)
            canvas.fill(self._thumb.inset(2), QUIET, radius=4)
