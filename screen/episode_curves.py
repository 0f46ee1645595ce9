"""Curves over the frames of an episode: the points so far, and an agent's values."""

from __future__ import annotations

import numpy as np

from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, TEXT

POINTS_COLOUR, VALUES_COLOUR = GREEN, TEXT
UNITS_PER_BIN = 2.0
"""Width of the part of a curve that is drawn as one value, the mean."""


def draw_points(canvas: Canvas, box: Box, scores: np.ndarray, span: float) -> None:
    """Draw the points as steps; nothing while there are none.

    scores: (T + 1,), at each frame. span: the frames that the box's width stands for.
    """
    low, high = min(0.0, float(scores.min())), max(0.0, float(scores.max()))
    if high == low:
        return
    changes = np.concatenate([[0], np.flatnonzero(np.diff(scores)) + 1, [len(scores) - 1]])
    at = box.x + changes / max(1.0, span) * box.width
    up = box.bottom - (scores[changes] - low) / (high - low) * box.height
    # Each step is a corner at the old height and one at the new height.
    canvas.polyline(np.column_stack([np.repeat(at, 2)[1:], np.repeat(up, 2)[:-1]]).tolist(), POINTS_COLOUR, 2)


def draw_values(canvas: Canvas, box: Box, values: np.ndarray, frames_each: float, span: float) -> None:
    """Draw values between their least (or 0) and their greatest; gaps where they are NaN.

    values: (D,), one for each decision of ``frames_each`` frames. span: the frames that the box's width stands for.
    """
    known = np.isfinite(values)
    if not known.any():
        return
    low, high = min(0.0, float(values[known].min())), max(0.0, float(values[known].max()))
    scale = box.height / (high - low) if high > low else 0.0
    units_each = box.width * frames_each / max(1.0, span)
    size = max(1, round(UNITS_PER_BIN / max(1e-9, units_each)))
    starts = np.arange(0, len(values), size)
    counts = np.add.reduceat(known.astype(np.int64), starts)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    filled = np.flatnonzero(counts)
    at = box.x + (starts[filled] + (np.minimum(size, len(values) - starts[filled]) - 1) / 2) * units_each
    up = box.bottom - (sums[filled] / counts[filled] - low) * scale
    points = np.column_stack([at, up])
    for part in np.split(points, np.flatnonzero(np.diff(filled) > 1) + 1):
        canvas.polyline(part.tolist(), VALUES_COLOUR, 1.5)
