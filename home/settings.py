"""The user's settings, in one JSON file. Command-line options take precedence."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from data.episode import DEFAULT_FRAME_SKIP
from data.errors import CoachError
from data.files import write_atomic
from data.user_folders import config_folder

MOST_NAME_LETTERS = 60
SMALLEST_WINDOW, LARGEST_WINDOW = 400, 16384


@dataclass(frozen=True)
class Settings:
    """The settings, each with its default."""

    player: str = ""
    """The name in episodes and verdicts; empty: the login name."""
    game: str = "SpaceInvaders"
    frame_skip: int = DEFAULT_FRAME_SKIP
    """Frames for which a player's action is held, 1 to 60."""
    sticky: float = 0.0
    """Probability, at each frame, that the last action is executed again; at least 0, below 1."""
    sound: bool = True
    window_width: int = 1280
    window_height: int = 800
    """Size of new windows, in pixels."""
    full_screen: bool = False
    goal: int = 0
    """Verdicts that a session should reach; 0: no goal."""
    threads: int = 0
    """Processor threads for training; 0: all."""
    seen_tour: bool = False
    """Whether the tour of the home window was shown."""
    whole_multiples: bool = False
    """Whether the game's picture is scaled by whole numbers only; otherwise it fills its room."""

    def __post_init__(self) -> None:
        """Raise CoachError, naming the setting, for an invalid value."""
        for name, least, most in (
            ("frame_skip", 1, 60),
            ("window_width", SMALLEST_WINDOW, LARGEST_WINDOW),
            ("window_height", SMALLEST_WINDOW, LARGEST_WINDOW),
            ("goal", 0, 100_000),
            ("threads", 0, 1024),
        ):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise CoachError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
        if type(self.sticky) not in (int, float) or not 0 <= self.sticky < 1:
            raise CoachError(f"sticky must be at least 0 and below 1, not {self.sticky!r}")
        for name in ("sound", "full_screen", "whole_multiples", "seen_tour"):
            if type(getattr(self, name)) is not bool:
                raise CoachError(f"{name} must be true or false, not {getattr(self, name)!r}")
        for name in ("player", "game"):
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > MOST_NAME_LETTERS or not text.isprintable():
                raise CoachError(f"{name} must be a name of at most {MOST_NAME_LETTERS} letters, not {text!r}")
        if not self.game:
            raise CoachError("game must be a name, not empty")


def settings_file() -> Path:
    """Return the path of the settings file."""
    return config_folder() / "settings.json"


def read_settings(path: Path | None = None) -> tuple[Settings, str]:
    """Return the settings, and a sentence if the file or a value in it is invalid; the default is used instead.

    Settings of a later version are ignored.
    """
    path = path or settings_file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it contains no settings")
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        return Settings(), f"The settings in {path} cannot be read ({reason}); the defaults are used."
    return _usable(content, path)


def _usable(content: dict[str, Any], path: Path) -> tuple[Settings, str]:
    settings, problems = Settings(), []
    for name in (field.name for field in fields(Settings) if field.name in content):
        try:
            settings = replace(settings, **{name: content[name]})
        except CoachError as error:
            problems.append(str(error))
    if not problems:
        return settings, ""
    return settings, f"In the settings {path}, {'; '.join(problems)}: the default is used."


def write_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings atomically; a file that could not be read is renamed to ``settings.unreadable`` first.

    Raises CoachError if the file cannot be written.
    """
    path = path or settings_file()
    text = json.dumps(asdict(settings), indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if read_settings(path)[1] and path.is_file():
            os.replace(path, path.with_suffix(".unreadable"))
        write_atomic(path, text)
    except OSError as error:
        raise CoachError(f"Cannot write the settings to {path}: {error.strerror or error}.") from error
