"""The size of new windows: the last one that the person gave a window, no larger than the screen."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from data.files import write_atomic
from data.user_folders import config_folder

Size = tuple[int, int]

TITLE_BAR_HEIGHT = 40
"""Room for the title bar, in pixels, in a window that is almost as high as the screen."""


def fitting(size: Size, usable: Size) -> Size:
    """Return the size, reduced where it or its title bar would not fit in the ``usable`` part of the screen."""
    return min(size[0], usable[0]), min(size[1], max(usable[1] - TITLE_BAR_HEIGHT, usable[1] // 2))


def fits(size: Size, usable: Size) -> bool:
    """Return whether a window of that size and its title bar fit on the screen."""
    return fitting(size, usable) == size


def size_file() -> Path:
    """Return the path of the file with the last size."""
    return config_folder() / "window.json"


def last_size(chosen: Size) -> Size:
    """Return the last size of a window, or ``chosen`` if there is none or the settings were changed since."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(size_file().read_text(encoding="utf-8"))
        width, height = (int(length) for length in found["size"])
        if tuple(found["chosen"]) == chosen and width > 0 and height > 0:
            return width, height
    return chosen


def remember(size: Size, chosen: Size) -> None:
    """Save the size of a window that is closed, if it can be written; ``chosen``: the size in the settings."""
    with contextlib.suppress(OSError):
        size_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(size_file(), json.dumps({"size": size, "chosen": chosen}) + "\n", durable=False)
