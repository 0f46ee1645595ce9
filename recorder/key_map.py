"""Which key does what: the defaults, what a player changed, and what conflicts. Pure but for one small file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from data.errors import CoachError
from recorder.controls import PARTS

MEANINGS = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "fire": "Fire",
    "pause": "Pause and go on",
    "end": "End the episode",
    "restart": "Start the episode over",
    "bring_back": "Bring back what was dropped",
    "rewind": "Rewind while held",
    "forward": "One decision forward while paused",
    "marker": "Drop a marker",
    "mute": "Sound off and on",
    "slower": "Slower",
    "faster": "Faster",
    "take_over": "Take or give back the controls",
    "games": "Choose another game",
    "reopen": "Go on with an episode left before",
    "full_screen": "Full screen",
}
"""Everything that a key can do, in the order of the list of keys."""

DEFAULT_KEYS: dict[str, tuple[str, ...]] = {
    "up": ("up", "w", "pad up"),
    "down": ("down", "s", "pad down"),
    "left": ("left", "a", "pad left"),
    "right": ("right", "d", "pad right"),
    "fire": ("space", "pad 1"),
    "pause": ("p", "pad 8"),
    "end": ("escape",),
    "restart": ("r",),
    "bring_back": ("u",),
    "rewind": ("backspace",),
    "forward": ("n",),
    "marker": ("k",),
    "mute": ("m",),
    "slower": (",", "-"),
    "faster": (".", "="),
    "take_over": ("t",),
    "games": ("g",),
    "reopen": ("o",),
    "full_screen": ("f11",),
}

FIXED_KEYS = {"f1": "the list of keys", "f2": "changing the keys", "return": "keeping an episode"}
"""Keys that always do the same, so that nobody can lock themselves out."""

_LABELS = {
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "space": "Space",
    "return": "Enter",
    "escape": "Esc",
    "backspace": "Bksp",
    "delete": "Del",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


PAD = "pad "
"""How the names of a game controller's keys begin."""


def key_label(key: str) -> str:
    """What stands on a key's cap."""
    if key.startswith(PAD):
        return f"Pad\N{NO-BREAK SPACE}{key_label(key.removeprefix(PAD))}"  # one cap in a list parted by spaces
    return _LABELS.get(key, key.upper() if len(key) <= 3 else key.capitalize())


@dataclass(frozen=True)
class KeyMap:
    """The keys of each thing that a key can do (the names of MEANINGS)."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_KEYS))

    def does(self, key: str) -> str | None:
        """What a key does, or None; of several things (a conflict) the first in the order of MEANINGS."""
        return next((what for what in MEANINGS if key in self.keys.get(what, ())), None)

    def part_of_key(self) -> dict[str, str]:
        """The joystick's part of each key that is one."""
        return {key: part for part in PARTS for key in self.keys.get(part, ())}

    def label(self, what: str) -> str:
        """The cap of the first key that does it; empty for none."""
        keys = self.keys.get(what, ())
        return key_label(keys[0]) if keys else ""

    def with_key(self, what: str, key: str) -> KeyMap:
        """The same, but ``key`` does ``what`` in place of the other keys of its device (keyboard or controller).

        What else the key did, it still does: see ``conflicts``.
        """
        others = [other for other in self.keys.get(what, ()) if other.startswith(PAD) != key.startswith(PAD)]
        chosen = (*others, key) if key.startswith(PAD) else (key, *others)
        return replace(self, keys={**self.keys, what: chosen})

    def conflicts(self) -> list[str]:
        """What is wrong with it, one sentence each; empty where every key does one thing and everything has a key."""
        found = []
        users: dict[str, list[str]] = {key: [meaning] for key, meaning in FIXED_KEYS.items()}
        for what in MEANINGS:
            if not self.keys.get(what):
                found.append(f"No key does “{MEANINGS[what]}”.")
            for key in self.keys.get(what, ()):
                users.setdefault(key, []).append(MEANINGS[what])
        for key, meanings in users.items():
            if len(meanings) > 1:
                found.append(f"{key_label(key)} does several things: {', '.join(meanings)}.")
        return found

    def to_json(self) -> str:
        return json.dumps({what: list(self.keys.get(what, ())) for what in MEANINGS}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> KeyMap:
        """Read a key map; what it does not say is as by default. Raises CoachError where it is not readable."""
        try:
            told = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise CoachError(f"it is not a list of keys ({error})") from error
        for what, keys in told.items():
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                raise CoachError(f"the keys of {what!r} are not a list of names")
        return cls({what: tuple(key.lower() for key in told.get(what, DEFAULT_KEYS[what])) for what in MEANINGS})


def key_file() -> Path:
    """Where a player's keys are kept."""
    return Path(platformdirs.user_config_dir("replay-coach", appauthor=False)) / "keys.json"


def read_key_map(path: Path | None = None) -> KeyMap:
    """The player's keys, or the default ones where there is no file. Raises CoachError for an unreadable file."""
    path = path or key_file()
    try:
        return KeyMap.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return KeyMap()
    except (OSError, UnicodeDecodeError, CoachError) as error:
        raise CoachError(f"The file of keys {path} cannot be read: {error}. Mend it, or delete it.") from error


def write_key_map(key_map: KeyMap, path: Path | None = None) -> Path:
    """Keep the player's keys; the file is whole at every moment. Returns its path."""
    path = path or key_file()
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(key_map.to_json(), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        raise CoachError(f"The keys cannot be kept in {path}: {error.strerror or error}.") from error
    return path
