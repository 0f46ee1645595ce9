"""Pictures of imported data sets: how they were made, and whether they equal the emulator's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

LOSSY_TOLERANCE = 8.0
"""Largest mean absolute difference, of 255, of a picture that was stored with loss (JPEG)."""


def luminance(palette: np.ndarray) -> np.ndarray:
    """Return the gray value of each palette index: palette (256, 3) uint8 RGB to (256,) uint8.

    The weights are those of the ALE's own grayscale (ITU-R BT.601), which this equals for all its colours.
    """
    red, green, blue = (palette[:, channel].astype(np.float64) for channel in range(3))
    return np.round(0.2989 * red + 0.5870 * green + 0.1140 * blue).astype(np.uint8)


@dataclass(frozen=True)
class Observations:
    """The pictures of one episode, (S + 1, ...) uint8, and how they were made of emulator frames."""

    pictures: np.ndarray
    grayscale: bool
    size: tuple[int, int] | None
    """(width, height) to which they were resized with cv2.INTER_AREA; None: not resized."""
    pooled: bool
    """Whether each picture is the maximum of its step's last two frames."""
    scaled: bool = False
    """Whether they are float32, divided by 255."""
    lossy: bool = False
    """Whether they were stored as JPEG."""

    def part(self, start: int, stop: int) -> Observations | None:
        """Return the pictures of the steps ``start`` to ``stop`` - 1; None if the first of them is missing."""
        return replace(self, pictures=self.pictures[: stop + 1]) if start == 0 else None

    def difference(self, index: int, screens: Sequence[np.ndarray], palette: np.ndarray) -> str | None:
        """Return how picture ``index`` differs from what the emulator shows, in words; None if it does not.

        screens: (H, W) uint8 palette indices of the step's frames. palette: (256, 3) uint8.
        """
        colours = luminance(palette) if self.grayscale else palette
        shown = [colours[screen] for screen in screens[-2:]]
        picture = np.maximum(shown[0], shown[1]) if self.pooled and len(shown) == 2 else shown[-1]
        if self.size is not None:
            picture = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        stored = self.pictures[index]
        if self.scaled:
            picture = picture.astype(np.float32) / 255.0
        if stored.size != picture.size:
            return f"has the shape {stored.shape}, not {picture.shape}"
        stored = stored.reshape(picture.shape)
        if np.array_equal(stored, picture):
            return None
        distance = float(np.abs(stored.astype(np.float32) - picture.astype(np.float32)).mean())
        if self.lossy and distance <= LOSSY_TOLERANCE:
            return None
        return f"differs from the emulator's by {distance:.1f} of 255 on average"
