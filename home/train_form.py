"""The form of a new training: what was chosen so far, and what each key changes. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from home.training_facts import Preset, SourceOffer, TrainWish

KEEPS = ("all", "not-bad", "good")
KEEP_MEANINGS = {
    "all": "everything, whatever the verdicts",
    "not-bad": "all but what was judged bad",
    "good": "only what was judged good",
}
NUMBERS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "steps": (
        "Steps",
        "decisions of its own",
        (100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000),
    ),
    "pretrain_steps": (
        "Pretraining",
        "updates on the seeding first",
        (0, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 750_000),
    ),
    "evaluate_every": (
        "Evaluate every",
        "steps; 0: never",
        (0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000),
    ),
}
"""Field -> its label, what it counts, and the values that the arrows step through."""
RANDOM_COUNTS = (1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000)
LARGEST = 100_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Field:
    """Where the focus may stand; ``index`` tells sources apart."""

    name: str
    index: int = 0


class TrainForm:
    """What is chosen, and where the focus stands."""

    def __init__(self, sources: Sequence[SourceOffer], presets: Sequence[Preset], name: str) -> None:
        self.sources = tuple(sources)
        self.presets = tuple(presets)
        self.name = name
        self.keep = "not-bad"
        self.preset = 0
        self.numbers: dict[str, int] = {}
        self.random_count = 10_000
        self.chosen: set[str] = set()
        self._take_preset(0)
        for spec in ("human", "all"):
            if not self.chosen and any(s.spec == spec and s.offers for s in self.sources):
                self.chosen.add(spec)
        rows = [Field("source", number) for number in range(len(self.sources))]
        self.fields = (Field("name"), *rows, Field("keep"), Field("preset"), *map(Field, NUMBERS))
        wanted = [number for number, s in enumerate(self.sources) if s.spec in self.chosen]
        self.focus = Field("source", wanted[0] if wanted else 0) if self.sources else Field("keep")
        self._fresh = True
        """Whether the next digit begins a number anew."""

    # ---- what is asked for ---------------------------------------------------------------------------------------

    @property
    def specs(self) -> tuple[str, ...]:
        """The chosen sources as ``coach train`` takes them, in the order of the form."""
        names = [s.spec for s in self.sources if s.spec in self.chosen]
        return tuple(f"random:{self.random_count}" if name == "random" else name for name in names)

    def is_chosen(self, offer: SourceOffer) -> bool:
        return offer.spec in self.chosen if offer.spec != "none" else not self.chosen

    @property
    def wish(self) -> TrainWish:
        return TrainWish(self.name, self.specs, self.keep, self.presets[self.preset].name, **self.numbers)

    @property
    def problem(self) -> str:
        """Why it cannot be started so, or nothing."""
        if not NAME.fullmatch(self.name):
            return "A run's name may hold letters, digits, dots, hyphens and underscores."
        if self.numbers["steps"] < 1 and (self.numbers["pretrain_steps"] < 1 or not self.chosen):
            return "It needs at least one step."
        return ""

    # ---- what keys and clicks do ---------------------------------------------------------------------------------

    def move(self, by: int) -> None:
        """The focus goes up or down."""
        self.focus_on(self.fields[(self.fields.index(self.focus) + by) % len(self.fields)])

    def focus_on(self, field: Field) -> None:
        self.focus = field
        self._fresh = True

    def change(self, by: int) -> None:
        """The arrows: the next choice, or the next round number."""
        field = self.focus
        if field.name == "keep":
            self.keep = KEEPS[(KEEPS.index(self.keep) + by) % len(KEEPS)]
        elif field.name == "preset":
            self._take_preset((self.preset + by) % len(self.presets))
        elif field.name in NUMBERS:
            self.numbers[field.name] = stepped(self.numbers[field.name], NUMBERS[field.name][2], by)
        elif field.name == "source" and self.sources[field.index].spec == "random":
            self.random_count = stepped(self.random_count, RANDOM_COUNTS, by)
        self._fresh = True

    def toggle(self) -> None:
        """Space: take a source or leave it."""
        if self.focus.name != "source":
            return
        offer = self.sources[self.focus.index]
        if not offer.offers:
            return
        if offer.spec == "none":
            self.chosen.clear()
        elif offer.spec in self.chosen:
            self.chosen.remove(offer.spec)
        else:
            # "all" holds every recording, so another one beside it would say nothing.
            if offer.spec == "all":
                self.chosen &= {"random"}
            elif offer.spec != "random":
                self.chosen -= {"all"}
            self.chosen.add(offer.spec)

    def choose_keep(self, keep: str) -> None:
        self.focus_on(Field("keep"))
        self.keep = keep

    def choose_preset(self, number: int) -> None:
        self.focus_on(Field("preset"))
        self._take_preset(number)

    def _take_preset(self, number: int) -> None:
        self.preset = number
        preset = self.presets[number]
        self.numbers = {name: getattr(preset, name) for name in NUMBERS}

    def type(self, text: str) -> None:
        """Text of the keyboard, for the name and the numbers."""
        if self.focus.name == "name":
            self.name = (self.name + "".join(c for c in text if NAME.fullmatch("a" + c)))[:100]
            return
        digits = "".join(c for c in text if c in "0123456789")
        if not digits:
            return
        if self.focus.name in NUMBERS:
            before = "" if self._fresh else str(self.numbers[self.focus.name])
            self.numbers[self.focus.name] = min(LARGEST, int(before + digits))
            self._fresh = False
        elif self.focus.name == "source" and self.sources[self.focus.index].spec == "random":
            before = "" if self._fresh else str(self.random_count)
            self.random_count = max(1, min(LARGEST, int(before + digits)))
            self._fresh = False

    def erase(self) -> None:
        """Backspace: the last letter or digit."""
        if self.focus.name == "name":
            self.name = self.name[:-1]
        elif self.focus.name in NUMBERS:
            self.numbers[self.focus.name] //= 10
            self._fresh = False
        elif self.focus.name == "source" and self.sources[self.focus.index].spec == "random":
            self.random_count = max(1, self.random_count // 10)
            self._fresh = False


def stepped(value: int, ladder: Sequence[int], by: int) -> int:
    """The next larger or smaller value of a ladder; at its ends, the value itself."""
    if by > 0:
        return next((rung for rung in ladder if rung > value), value)
    return next((rung for rung in reversed(ladder) if rung < value), value)
