"""The folders of the user account in which Replay Coach keeps settings, caches and rescued journals."""

from __future__ import annotations

from pathlib import Path

import platformdirs

APPLICATION = "replay-coach"


def config_folder() -> Path:
    """Return the folder of settings and keys."""
    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False))


def cache_folder() -> Path:
    """Return the folder of what can be computed again and may be deleted at any time."""
    return Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))


def state_folder() -> Path:
    """Return the folder of what must survive but belongs to no library."""
    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False))
