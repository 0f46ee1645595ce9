"""The layout of the curator's window, in design units. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from screen.layout import TELEVISION_ASPECT, Box, picture_scales
from screen.widgets import button_row

MARGIN = 12.0
GAP = 6.0
HEADER_HEIGHT = 36.0
QUEUE_BUTTON_WIDTH = 300.0
STRIP_HEIGHT = 30.0
TIMELINE_HEIGHT = 62.0
NARROWEST_SIDE = 328.0
NARROWEST_PICTURE = 400.0
SHOWN_VERDICTS = 10
LOWEST_ROW = 20.0
WIDEST = (("Undo", "Bksp"), ("Pause", "P"), ("Keys", "F1"))
"""The widest button of each column below the last verdicts."""


@dataclass(frozen=True)
class CuratorLayout:
    """The boxes of the window."""

    header: Box
    queue_button: Box
    """In the header: the name of the queue, which opens the list of queues."""
    picture: Box
    """The game's picture."""
    strip: Box
    """Below the picture: action, points, lives, speed."""
    timeline: Box
    verdict_buttons: tuple[Box, ...]
    """Good, bad, skip."""
    reason: Box
    progress: Box
    recent_title: Box
    recent_rows: tuple[Box, ...]
    """The last verdicts, the newest first."""
    lower_buttons: tuple[Box, ...]
    """Six boxes in two rows."""

    @property
    def quit(self) -> Box:
        """The part of the header that shows the key to quit; clicking it quits too."""
        return self.header.right_part(88)

    @property
    def all_keys(self) -> Box:
        """The part of the header that shows the key of the list of keys; clicking it opens the list too."""
        return self.header.without_right(96).right_part(92)


def curator_layout(
    window: Box, scale: float, frame_shape: tuple[int, int] = (210, 160), whole: bool = True
) -> CuratorLayout:
    """Return the boxes for a window of that size. ``scale``: pixels per design unit; ``frame_shape``: (H, W).

    The picture gets as much room as it can use, by ``whole`` multiples only or not, and the column beside it the rest.
    """
    inner = window.inset(MARGIN)
    middle = inner.without_top(HEADER_HEIGHT + GAP).without_bottom(TIMELINE_HEIGHT + GAP)
    room = middle.without_right(NARROWEST_SIDE + MARGIN).without_bottom(STRIP_HEIGHT)
    height, width = frame_shape
    wanted = room.height * TELEVISION_ASPECT
    if whole:
        across, _ = picture_scales(width, height, int(room.width * scale), int(room.height * scale))
        wanted = width * across / scale
    picture_width = min(max(wanted, NARROWEST_PICTURE), room.width)
    left = middle.left_part(picture_width)
    side = middle.without_left(picture_width + MARGIN)

    lower = side.bottom_part(34 * 2 + GAP)
    between = side.without_top(48 + 10).without_bottom(lower.height + 10)
    reason, rest = between.top_part(86), between.without_top(86 + GAP)
    progress, rest = rest.top_part(104), rest.without_top(104 + GAP)
    upper_row, lower_row = lower.rows(2, GAP)
    return CuratorLayout(
        header=inner.top_part(HEADER_HEIGHT),
        queue_button=inner.top_part(HEADER_HEIGHT - 4).left_part(QUEUE_BUTTON_WIDTH),
        picture=left.without_bottom(STRIP_HEIGHT),
        strip=left.bottom_part(STRIP_HEIGHT),
        timeline=inner.bottom_part(TIMELINE_HEIGHT),
        verdict_buttons=tuple(side.top_part(48).columns(3, 8)),
        reason=reason,
        progress=progress,
        recent_title=rest.top_part(24),
        recent_rows=_rows(rest.without_top(24)),
        lower_buttons=tuple(button_row(upper_row, WIDEST, GAP, inf) + button_row(lower_row, WIDEST, GAP, inf)),
    )


def _rows(box: Box) -> tuple[Box, ...]:
    """Return ten rows, in one column or, where that is too high, in two columns of five."""
    columns = 1 if box.height >= SHOWN_VERDICTS * LOWEST_ROW else 2
    per_column = SHOWN_VERDICTS // columns
    height = min(30.0, max(LOWEST_ROW, box.height / per_column))
    return tuple(
        Box(column.x, column.y + number * height, column.width, height)
        for column in box.columns(columns, 8)
        for number in range(per_column)
    )
