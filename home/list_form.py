"""A form with a name, a list to choose from and numbers: what was chosen so far, and what each key changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from home.training_facts import SourceOffer
from screen.fields import Choice

RANDOM_COUNTS = (1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000)
LARGEST = 100_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Field:
    """Where the focus may stand; ``index`` tells rows of the list apart."""

    name: str
    index: int = 0


@dataclass(frozen=True)
class NumberField:
    """A number to be filled in."""

    label: str
    unit: str
    ladder: Sequence[int]
    """The values that the arrows step through."""


class ListForm:
    """What is chosen, and where the focus stands. The rows of the list are called sources; "random" has a number."""

    list_title = ""
    choice_names: tuple[str, ...] = ()
    """Fields between the list and the numbers."""
    number_fields: ClassVar[Mapping[str, NumberField]] = {}

    def __init__(self, sources: Sequence[SourceOffer], name: str, numbers: Mapping[str, int]) -> None:
        self.sources = tuple(sources)
        self.name = name
        self.numbers = dict(numbers)
        self.random_count = 10_000
        self.chosen: set[str] = set()
        rows = [Field("source", number) for number in range(len(self.sources))]
        self.fields = (Field("name"), *rows, *map(Field, self.choice_names), *map(Field, self.number_fields))
        self.focus = self.fields[1]
        self._fresh = True
        """Whether the next digit begins a number anew."""

    @property
    def specs(self) -> tuple[str, ...]:
        """What is chosen, in the order of the form."""
        names = [s.spec for s in self.sources if s.spec in self.chosen]
        return tuple(f"random:{self.random_count}" if name == "random" else name for name in names)

    @property
    def problem(self) -> str:
        """Why it cannot be started so, or nothing."""
        if not NAME.fullmatch(self.name):
            return "A name may hold letters, digits, dots, hyphens and underscores."
        return ""

    def is_chosen(self, offer: SourceOffer) -> bool:
        return offer.spec in self.chosen

    def choices(self) -> list[tuple[str, str, Choice]]:
        """(field, label, what is shown) of everything under the list."""
        shown = []
        for name, about in self.number_fields.items():
            shown.append((name, about.label, Choice([f"{self.numbers[name]:,}  {about.unit}"])))
        return shown

    # ---- what keys and clicks do ---------------------------------------------------------------------------------

    def press(self, key: str, shift: bool = False) -> bool:
        """What a key does; False for one that does nothing here."""
        match key:
            case "up":
                self.move(-1)
            case "down":
                self.move(1)
            case "tab":
                self.move(-1 if shift else 1)
            case "left" | "right":
                self.change(-1 if key == "left" else 1)
            case "space":
                self.toggle()
            case "backspace":
                self.erase()
            case _:
                return False
        return True

    def move(self, by: int) -> None:
        """The focus goes up or down."""
        self.focus_on(self.fields[(self.fields.index(self.focus) + by) % len(self.fields)])

    def focus_on(self, field: Field) -> None:
        self.focus = field
        self._fresh = True

    @property
    def _on_random(self) -> bool:
        return self.focus.name == "source" and self.sources[self.focus.index].spec == "random"

    def change(self, by: int) -> None:
        """The arrows: the next choice, or the next round number."""
        if self.focus.name in self.number_fields:
            ladder = self.number_fields[self.focus.name].ladder
            self.numbers[self.focus.name] = stepped(self.numbers[self.focus.name], ladder, by)
        elif self._on_random:
            self.random_count = stepped(self.random_count, RANDOM_COUNTS, by)
        self._fresh = True

    def toggle(self) -> None:
        """Space: take a row of the list, or leave it."""
        if self.focus.name == "source":
            offer = self.sources[self.focus.index]
            if offer.offers:
                self._toggle(offer.spec)

    def _toggle(self, spec: str) -> None:
        self.chosen ^= {spec}

    def type(self, text: str) -> None:
        """Text of the keyboard, for the name and the numbers."""
        if self.focus.name == "name":
            self.name = (self.name + "".join(c for c in text if NAME.fullmatch("a" + c)))[:40]
            return
        digits = "".join(c for c in text if c in "0123456789")
        if not digits:
            return
        if self.focus.name in self.number_fields:
            before = "" if self._fresh else str(self.numbers[self.focus.name])
            self.numbers[self.focus.name] = min(LARGEST, int(before + digits))
            self._fresh = False
        elif self._on_random:
            before = "" if self._fresh else str(self.random_count)
            self.random_count = max(1, min(LARGEST, int(before + digits)))
            self._fresh = False

    def erase(self) -> None:
        """Backspace: the last letter or digit."""
        if self.focus.name == "name":
            self.name = self.name[:-1]
        elif self.focus.name in self.number_fields:
            self.numbers[self.focus.name] //= 10
            self._fresh = False
        elif self._on_random:
            self.random_count = max(1, self.random_count // 10)
            self._fresh = False


def stepped(value: int, ladder: Sequence[int], by: int) -> int:
    """The next larger or smaller value of a ladder; at its ends, the value itself."""
    if by > 0:
        return next((rung for rung in ladder if rung > value), value)
    return next((rung for rung in reversed(ladder) if rung < value), value)
