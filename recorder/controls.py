"""From keys to actions: which key does what, and which action of the game the held keys make."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import CoachError
from data.user_folders import config_folder

PARTS = ("up", "down", "left", "right", "fire")
"""What a joystick can do. An action's name is made of these: "UPRIGHTFIRE"."""

OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}

TURNED_GAMES = frozenset({"Pong"})
"""Games played with a paddle that moves up and down, though their actions are called RIGHT and LEFT."""
_TURNED = {"up": "right", "down": "left"}


def parts_of(meaning: str) -> frozenset[str]:
    """The joystick's parts in an action's name, such as {"up", "fire"} of "UPFIRE"; none of "NOOP"."""
    return frozenset(part for part in PARTS if part.upper() in meaning)


def turned(part: str, game: str) -> str:
    """The part that does in this game what the player's part means."""
    return _TURNED.get(part, part) if game in TURNED_GAMES else part


def without_opposites(parts: Sequence[str]) -> list[str]:
    """``parts``, ordered from the first pressed to the last, without those whose opposite was pressed later."""
    return [part for n, part in enumerate(parts) if OPPOSITE.get(part) not in parts[n + 1 :]]


def nearest_action(parts: Sequence[str], action_meanings: Sequence[str]) -> int:
    """Index of the action that does as much as possible of what is pressed, and nothing else.

    ``parts`` are ordered from the first pressed to the last. Where the game has no action for all of them, the part
    pressed last matters most, then the one before: what a player has just pressed always does something. With
    nothing left it is NOOP, or the game's first action where it has no NOOP.
    """
    wanted = without_opposites(parts)
    newest_first = list(reversed(wanted))

    def fit(meaning: str) -> tuple[bool, ...]:
        done = parts_of(meaning)
        return (done <= set(wanted), *(part in done for part in newest_first))

    best = max(range(len(action_meanings)), key=lambda index: fit(action_meanings[index]))
    return best if fit(action_meanings[best])[0] else 0


class Controls:
    """Which keys are down, and which went down since the last look.

    A key that goes down and up again between two looks counts at the next one, so no tap is lost.
    """

    def __init__(self, part_of_key: Mapping[str, str], action_meanings: Sequence[str], game: str = "") -> None:
        """``part_of_key``: which of PARTS each key is; other keys are ignored."""
        self._meanings = tuple(action_meanings)
        self._game = game
        self._down: list[str] = []
        self._since_look: list[str] = []
        self.remap(part_of_key)

    def remap(self, part_of_key: Mapping[str, str]) -> None:
        """Other keys from now on; none of them is known to be down."""
        self._part_of_key = {key: turned(part, self._game) for key, part in part_of_key.items()}
        self.release_all()

    def press(self, key: str) -> bool:
        """A key went down; whether it is one of these controls. A key that is down already stays in its place."""
        if key not in self._part_of_key:
            return False
        if key not in self._down:
            self._down.append(key)
            self._since_look.append(key)
        return True

    def release(self, key: str) -> None:
        if key in self._down:
            self._down.remove(key)

    def release_all(self) -> None:
        """The window lost the keyboard: nothing is known to be down any more, and no tap is waiting."""
        self._down.clear()
        self._since_look.clear()

    def forget_taps(self) -> None:
        """Only what is down now counts at the next look."""
        self._since_look = [key for key in self._since_look if key in self._down]

    @property
    def held_parts(self) -> tuple[str, ...]:
        """The joystick's parts that are held now, first pressed first."""
        return tuple(dict.fromkeys(self._part_of_key[key] for key in self._down))

    @property
    def action_now(self) -> int:
        """The action of what is down now, without counting as a look."""
        return nearest_action(self.held_parts, self._meanings)

    def look(self) -> int:
        """The action of what is down or was tapped since the last look."""
        tapped = [key for key in self._since_look if key not in self._down]
        # In the order in which they went down: a tap on the other direction while one is held wins, once.
        older = [key for key in self._down if key not in self._since_look]
        newer = [key for key in self._since_look if key in self._down or key in tapped]
        self._since_look.clear()
        return nearest_action(self._parts_by_last_press(older + newer), self._meanings)

    def _parts_by_last_press(self, keys: Sequence[str]) -> list[str]:
        newest_first = dict.fromkeys(self._part_of_key[key] for key in reversed(keys))
        return list(reversed(list(newest_first)))


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
    return config_folder() / "keys.json"


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
