"""The user's folders for settings, caches and rescued journals."""

from __future__ import annotations

from pathlib import Path

import platformdirs

APPLICATION = "replay-coach"


def config_folder() -> Path:
    """Return the folder of settings and keys."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False))


def cache_folder() -> Path:
    """Return the folder of caches, which may be deleted at any time."""
    return Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def state_folder() -> Path:
    """Return the folder of data that must be kept but belongs to no library."""
    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False))
