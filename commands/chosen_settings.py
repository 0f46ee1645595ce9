"""The user's settings as the windows take them; what a command line says wins over them.

Only windows follow the settings. What a script runs (``record``, ``train``, ``compare``) depends on its options alone.
"""

from __future__ import annotations

from typing import TypeVar

from commands.output import progress_console
from commands.playing import default_player
from home.settings import Settings, read_settings

T = TypeVar("T")


def chosen_settings() -> Settings:
    """The settings, with the windows' size set by them; what cannot be used in the file is told once."""
    from screen.window import Opening, prefer

    settings, problem = read_settings()
    if problem:
        progress_console().print(f"coach: {problem}", soft_wrap=True)
    prefer(Opening((settings.window_width, settings.window_height), settings.full_screen))
    return settings


def told_or(told: T | None, chosen: T) -> T:
    """What the command line says, where it says anything."""
    return chosen if told is None else told


def person(settings: Settings) -> str:
    """Whose play and verdicts these are: the name in the settings, or the login name."""
    return settings.player or default_player()
