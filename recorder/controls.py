"""From held keys to the action that a game knows. Pure: no window, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
