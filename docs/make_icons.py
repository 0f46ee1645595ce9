"""The icon's PNGs, rendered from its drawing: `make pictures`.

Reads screen/icons/replay-coach.svg and writes screen/icons/SIZExSIZE/replay-coach.png.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"

import imageio.v3 as imageio
import numpy as np
import pygame

ICONS = Path(__file__).parent.parent / "screen" / "icons"
SIZES = (16, 32, 48, 64, 128, 256)
_FINE = 4


def rendered(size: int) -> np.ndarray:
    """(size, size, 4) uint8: drawn larger and averaged, so that the edges are smooth at every size."""
    large = pygame.image.load_sized_svg(ICONS / "replay-coach.svg", (size * _FINE, size * _FINE))
    pixels = np.frombuffer(pygame.image.tobytes(large, "RGBA"), np.uint8).reshape(size, _FINE, size, _FINE, 4)
    alpha = pixels[..., 3:].astype(np.float64)
    weights = alpha.sum((1, 3))
    colours = (pixels[..., :3] * alpha).sum((1, 3)) / np.maximum(weights, 1)
    return np.concatenate((colours, weights / _FINE**2), axis=2).round().astype(np.uint8)


def main() -> None:
    for size in SIZES:
        path = ICONS / f"{size}x{size}" / "replay-coach.png"
        path.parent.mkdir(exist_ok=True)
        imageio.imwrite(path, rendered(size))
        print(os.path.relpath(path))


if __name__ == "__main__":
    main()
