"""What a person did in a window: its events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeyDown:
    """A key went down; ``repeat``: it is still being held."""

    key: str
    shift: bool = False
    control: bool = False
    repeat: bool = False


@dataclass(frozen=True)
class KeyUp:
    key: str


@dataclass(frozen=True)
class TextTyped:
    """Text as typed with the keyboard's layout; for text fields."""

    text: str


@dataclass(frozen=True)
class PointerDown:
    x: float
    y: float
    button: int = 1


@dataclass(frozen=True)
class PointerUp:
    x: float
    y: float
    button: int = 1


@dataclass(frozen=True)
class PointerMoved:
    x: float
    y: float


@dataclass(frozen=True)
class Wheel:
    """``dy`` is above 0 for a turn away from the person."""

    dy: int


@dataclass(frozen=True)
class CloseRequested:
    """The person closed the window; ``by_system``: the program is to end (SIGTERM, a log-out), and nobody answers."""

    by_system: bool = False


@dataclass(frozen=True)
class FocusLost:
    pass


@dataclass(frozen=True)
class FocusGained:
    pass


@dataclass(frozen=True)
class Resized:
    """The window has another size, or must be drawn again because it became visible or the layout of keys changed."""


Event = (
    KeyDown
    | KeyUp
    | TextTyped
    | PointerDown
    | PointerUp
    | PointerMoved
    | Wheel
    | CloseRequested
    | FocusLost
    | FocusGained
    | Resized
)
