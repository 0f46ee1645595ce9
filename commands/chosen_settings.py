"""The user's settings for windows; options on the command line take precedence over them.

Only windows follow the settings. What scripts run (``record``, ``train``, ``compare``) depends on its options alone.
"""

from __future__ import annotations

import getpass
from typing import TypeVar

from commands.output import progress_console
from home.settings import Settings, read_settings

T = TypeVar("T")


def chosen_settings() -> Settings:
    """Return the user's settings, apply the window size, and report what is unusable in the settings file."""
    from screen.window import Opening, prefer

    settings, problem = read_settings()
    if problem:
        progress_console().print(f"coach: {problem}", soft_wrap=True)
    prefer(Opening((settings.window_width, settings.window_height), settings.full_screen, last_size=True))
    return settings


def given_or(given: T | None, chosen: T) -> T:
    """Return the option's value if it was given, else the setting's."""
    return chosen if given is None else given


def person(settings: Settings) -> str:
    """Return who plays and judges: the name in the settings, or the login name."""
    return settings.player or login_name()


def login_name() -> str:
    """Return the login name, or "" for a process without one, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
