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
    """Return the user's settings, apply those of windows, and report what is unusable in the settings file."""
    settings, problem = read_settings()
    if problem:
        progress_console().print(f"coach: {problem}", soft_wrap=True)
    apply_to_windows(settings)
    return settings


def apply_to_windows(settings: Settings) -> None:
    """Use the settings of the window's size and of the game's picture from now on."""
    from screen.canvas import prefer_whole_multiples
    from screen.window import Opening, prefer

    prefer(Opening((settings.window_width, settings.window_height), settings.full_screen, last_size=True))
    prefer_whole_multiples(settings.whole_multiples)


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
