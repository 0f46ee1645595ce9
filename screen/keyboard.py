"""The names of keys, and the labels of their caps.

A key has the name of what it types. Where the keyboard's layout has no Latin letters (Russian, Greek, Hebrew, ...), a
key has the name of the Latin letter or sign at the same place of the US layout, so that every command has a key; its
cap shows what the layout types there.
"""

from __future__ import annotations

import unicodedata

import pygame

from screen import fonts, sdl

_NAMES = {
    "enter": "return",
    "left shift": "shift",
    "right shift": "shift",
    "left ctrl": "control",
    "right ctrl": "control",
    "page up": "pageup",
    "page down": "pagedown",
}

_FIRST_LETTER = 4  # SDL's scancode of A; B to Z follow
_PLACES = {letter: _FIRST_LETTER + number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz")} | {
    "-": 45,
    "=": 46,
    "[": 47,
    "]": 48,
    "\\": 49,
    ";": 51,
    "'": 52,
    "`": 53,
    ",": 54,
    ".": 55,
    "/": 56,
}
"""The scancode of each letter and sign on the US layout."""
_AT_PLACE = {place: letter for letter, place in _PLACES.items()}

_typed_at: dict[int, str] = {}
"""What the layout types at a place, as seen when its key was pressed; used where SDL is not available."""


def is_latin(letter: str) -> bool:
    """Return whether a character is ASCII or a Latin letter."""
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def key_name(code: int, scancode: int) -> str:
    """Return the name of a key from SDL's key code (what it types) and scancode (its place)."""
    name = chr(code) if 0x7F < code < 0x110000 else pygame.key.name(code)
    if len(name) == 1 and scancode in _AT_PLACE:
        _typed_at[scancode] = name
        if not is_latin(name):
            return _AT_PLACE[scancode]
    return _NAMES.get(name, name.strip("[]") if len(name) == 3 else name)


def cap(label: str) -> str:
    """Return the label of a key cap as the keyboard's layout has it: "G" is "П" on a Russian one."""
    typed = _typed(label.lower())
    return typed.upper() if typed and not is_latin(typed) and fonts.has_letter(typed.upper()) else label


def _typed(letter: str) -> str:
    """Return what the layout types at a letter's place on the US layout; empty if that is unknown."""
    place = _PLACES.get(letter)
    if place is None:
        return ""
    code = sdl.key_at(place) if pygame.display.get_init() else None
    if code is None:
        return _typed_at.get(place, "")
    return chr(code) if 0 < code < 0x110000 else ""


def in_latin_letters(text: str) -> str:
    """Return text in which letters of a layout without Latin ones are replaced by those at the same places."""
    if all(is_latin(letter) for letter in text):
        return text
    latin = {_typed(letter): letter for letter in _PLACES}
    return "".join(letter if is_latin(letter) else latin.get(letter.lower(), letter) for letter in text)
