"""Map keys to actions: the game's action for the pressed keys, and what each key does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.errors import CoachError
from data.files import write_atomic
from data.user_folders import config_folder

PARTS = ("up", "down", "left", "right", "fire")
"""What a joystick can do. An action's name is made of these, such as "UPRIGHTFIRE"."""

OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}

TURNED_GAMES = frozenset({"Pong"})
"""Games whose paddle moves up and down, though the actions are called RIGHT and LEFT."""
_TURNED = {"up": "right", "down": "left"}


def parts_of(meaning: str) -> frozenset[str]:
    """Return the joystick's parts in an action's name: {"up", "fire"} of "UPFIRE", none of "NOOP"."""
    return frozenset(part for part in PARTS if part.upper() in meaning)


def turned(part: str, game: str) -> str:
    """Return the part that does in this game what the player's part means."""
    return _TURNED.get(part, part) if game in TURNED_GAMES else part


def used_parts(action_meanings: Sequence[str], game: str) -> frozenset[str]:
    """Return the player's parts of the joystick that do something in this game."""
    used = frozenset[str]().union(*(parts_of(meaning) for meaning in action_meanings))
    return frozenset(part for part in PARTS if turned(part, game) in used)


def without_opposites(parts: Sequence[str]) -> list[str]:
    """Return ``parts``, ordered from the first pressed to the last, without those whose opposite was pressed later."""
    return [part for n, part in enumerate(parts) if OPPOSITE.get(part) not in parts[n + 1 :]]


def nearest_action(parts: Sequence[str], action_meanings: Sequence[str]) -> int:
    """Return the index of the action with as many of the pressed parts as possible, and no others.

    ``parts`` are ordered from the first pressed to the last. Where the game has no action for all of them, the part
    pressed last has priority, then the one before: what a player has just pressed always does something. With no
    parts it is NOOP, or the game's first action where it has no NOOP.
    """
    wanted = without_opposites(parts)
    newest_first = list(reversed(wanted))

    def fit(meaning: str) -> tuple[bool, ...]:
        done = parts_of(meaning)
        return (done <= set(wanted), *(part in done for part in newest_first))

    best = max(range(len(action_meanings)), key=lambda index: fit(action_meanings[index]))
    return best if fit(action_meanings[best])[0] else 0


class Controls:
    """The keys that are down, and those that went down since the last decision.

    A key that goes down and up again between two decisions counts at the next one, so no tap is lost.
    """

    def __init__(self, part_of_key: Mapping[str, str], action_meanings: Sequence[str], game: str = "") -> None:
        """``part_of_key``: the one of PARTS that each key is; other keys are ignored."""
        self._meanings = tuple(action_meanings)
        self._game = game
        self._down: list[str] = []
        self._new: list[str] = []
        self.remap(part_of_key)

    def remap(self, part_of_key: Mapping[str, str]) -> None:
        """Use other keys from now on; all are taken to be up."""
        self._part_of_key = {key: turned(part, self._game) for key, part in part_of_key.items()}
        self.release_all()

    def press(self, key: str) -> bool:
        """Note that a key went down; return whether it is one of the controls. A key that is down keeps its place."""
        if key not in self._part_of_key:
            return False
        if key not in self._down:
            self._down.append(key)
            self._new.append(key)
        return True

    def release(self, key: str) -> None:
        if key in self._down:
            self._down.remove(key)

    def release_all(self) -> None:
        """Take all keys to be up and discard all taps: the window lost the keyboard."""
        self._down.clear()
        self._new.clear()

    def discard_taps(self) -> None:
        """Let only what is down now count at the next decision."""
        self._new = [key for key in self._new if key in self._down]

    @property
    def held_parts(self) -> tuple[str, ...]:
        """The joystick's parts that are pressed now, in the order in which they were pressed."""
        return tuple(dict.fromkeys(self._part_of_key[key] for key in self._down))

    @property
    def action_now(self) -> int:
        """The action of what is down now; taps stay for the next decision."""
        return nearest_action(self.held_parts, self._meanings)

    def decide(self) -> int:
        """Return the action of what is down or was tapped since the last decision."""
        # In the order in which they went down: a tap on the opposite of a held direction has priority, once.
        older = [key for key in self._down if key not in self._new]
        parts = self._parts_by_last_press(older + self._new)
        self._new.clear()
        return nearest_action(parts, self._meanings)

    def _parts_by_last_press(self, keys: Sequence[str]) -> list[str]:
        newest_first = dict.fromkeys(self._part_of_key[key] for key in reversed(keys))
        return list(reversed(list(newest_first)))


MEANINGS = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "fire": "Fire",
    "pause": "Pause or resume",
    "end": "End the episode",
    "restart": "Restart the episode",
    "bring_back": "Undo a discard, restart or rewind",
    "rewind": "Rewind while held",
    "forward": "Forward one decision while paused",
    "marker": "Set a marker",
    "mute": "Sound off or on",
    "quieter": "Quieter",
    "louder": "Louder",
    "slower": "Slower",
    "faster": "Faster",
    "take_over": "Take over or hand back the controls",
    "games": "Choose another game",
    "reopen": "Resume an unfinished episode",
    "full_screen": "Full screen",
}
"""Everything that a key can do, by its name in the file of keys, in the order in which it is listed."""

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
    "quieter": ("9",),
    "louder": ("0",),
    "slower": (",", "-"),
    "faster": (".", "="),
    "take_over": ("t",),
    "games": ("g",),
    "reopen": ("o",),
    "full_screen": ("f11",),
}

FIXED_KEYS = {"f1": "List of keys", "f2": "Change the keys", "return": "Save an episode"}
"""Keys that cannot be changed, so that the windows can always be used."""

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
"""Prefix of the names of a game controller's keys."""


def key_label(key: str) -> str:
    """Return the label of a key's cap."""
    if key.startswith(PAD):
        return f"Pad\N{NO-BREAK SPACE}{key_label(key.removeprefix(PAD))}"  # one cap in a list separated by spaces
    return _LABELS.get(key, key.upper() if len(key) <= 3 else key.capitalize())


@dataclass(frozen=True)
class KeyMap:
    """The keys of each thing that a key can do (by the names of MEANINGS)."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(DEFAULT_KEYS))

    def does(self, key: str) -> str | None:
        """Return what a key does, or None; of several things (a conflict) the first in the order of MEANINGS."""
        return next((what for what in MEANINGS if key in self.keys.get(what, ())), None)

    def part_of_key(self) -> dict[str, str]:
        """Return the joystick's part of each key that is one."""
        return {key: part for part in PARTS for key in self.keys.get(part, ())}

    def label(self, what: str) -> str:
        """Return the label of the first key that does it; "" for none."""
        keys = self.keys.get(what, ())
        return key_label(keys[0]) if keys else ""

    def with_key(self, what: str, key: str) -> KeyMap:
        """Return a map in which ``key`` does ``what``, in place of the other keys of its device (keyboard, controller).

        Other meanings of the key remain; see ``conflicts``.
        """
        others = [other for other in self.keys.get(what, ()) if other.startswith(PAD) != key.startswith(PAD)]
        chosen = (*others, key) if key.startswith(PAD) else (key, *others)
        return replace(self, keys={**self.keys, what: chosen})

    def conflicts(self) -> list[str]:
        """Return what is wrong, one sentence each; empty where every key does one thing and everything has a key."""
        found = []
        users: dict[str, list[str]] = {key: [meaning] for key, meaning in FIXED_KEYS.items()}
        for what in MEANINGS:
            if not self.keys.get(what):
                found.append(f"No key does “{MEANINGS[what]}”.")
            for key in self.keys.get(what, ()):
                users.setdefault(key, []).append(MEANINGS[what])
        for key, meanings in users.items():
            if len(meanings) > 1:
                found.append(f"{key_label(key)} has several meanings: {'; '.join(meanings)}.")
        return found

    def to_json(self) -> str:
        return json.dumps({what: list(self.keys.get(what, ())) for what in MEANINGS}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> KeyMap:
        """Read a key map; what it lacks is as by default. Raises CoachError if it is not readable."""
        try:
            found = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise CoachError(f"it is not a list of keys ({error})") from error
        for what, keys in found.items():
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                raise CoachError(f"the keys of {what!r} are not a list of names")
        return cls({what: tuple(key.lower() for key in found.get(what, DEFAULT_KEYS[what])) for what in MEANINGS})


def key_file() -> Path:
    """Return the path of the file with the player's keys."""
    return config_folder() / "keys.json"


def read_key_map(path: Path | None = None) -> KeyMap:
    """Return the player's keys, or the default ones without a file. Raises CoachError for an unreadable file."""
    path = path or key_file()
    try:
        return KeyMap.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return KeyMap()
    except (OSError, UnicodeDecodeError, CoachError) as error:
        raise CoachError(f"Cannot read the file of keys {path}: {error}. Correct it, or delete it.") from error


def write_key_map(key_map: KeyMap, path: Path | None = None) -> Path:
    """Write the player's keys atomically; return the path of the file."""
    path = path or key_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, key_map.to_json())
    except OSError as error:
        raise CoachError(f"Cannot write the keys to {path}: {error.strerror or error}.") from error
    return path
