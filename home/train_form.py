"""The form of a new training: a seeding, a preset and how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from home.form import Field, ListForm, NumberField, SourceOption
from screen.fields import Choice

KEEPS = ("all", "not-bad", "good")
KEEP_MEANINGS = {
    "all": "everything, whatever the verdicts",
    "not-bad": "all but what was judged bad",
    "good": "only what was judged good",
}
STEPS = (100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000)
PRETRAIN_STEPS = (0, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 750_000)
EVALUATE_EVERY = (0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000)


@dataclass(frozen=True)
class TrainingRequest:
    """What a person asks for: a training with this seeding and these settings."""

    run: str
    sources: tuple[str, ...]
    keep: str
    preset: str
    steps: int
    pretrain_steps: int
    evaluate_every: int


@dataclass(frozen=True)
class Preset:
    """A preset's own values of what the form asks."""

    name: str
    steps: int
    pretrain_steps: int
    evaluate_every: int


class TrainForm(ListForm):
    """What is chosen, and where the focus stands."""

    list_title = "Fill the replay memory from"
    choice_names = ("keep", "preset")
    number_fields: ClassVar[Mapping[str, NumberField]] = {
        "steps": NumberField("Steps", "decisions of its own", STEPS),
        "pretrain_steps": NumberField("Pretraining", "updates on the seeding first", PRETRAIN_STEPS),
        "evaluate_every": NumberField("Evaluate every", "steps; 0: never", EVALUATE_EVERY),
    }

    def __init__(self, sources: Sequence[SourceOption], presets: Sequence[Preset], name: str) -> None:
        super().__init__(sources, name, {})
        self.presets = tuple(presets)
        self.keep = "not-bad"
        self._take_preset(0)
        for spec in ("human", "all"):
            if not self.chosen and any(s.spec == spec and s.available for s in self.sources):
                self.chosen.add(spec)
        wanted = [number for number, s in enumerate(self.sources) if s.spec in self.chosen]
        self.focus = Field("source", wanted[0] if wanted else 0)

    # ---- what is asked for ---------------------------------------------------------------------------------------

    def is_chosen(self, offer: SourceOption) -> bool:
        return super().is_chosen(offer) if offer.spec != "none" else not self.chosen

    @property
    def wish(self) -> TrainingRequest:
        return TrainingRequest(self.name, self.specs, self.keep, self.presets[self.preset].name, **self.numbers)

    @property
    def problem(self) -> str:
        if self.numbers["steps"] < 1 and (self.numbers["pretrain_steps"] < 1 or not self.chosen):
            return "It needs at least one step."
        return super().problem

    def choices(self) -> list[tuple[str, str, Choice]]:
        keep = Choice([f"{keep}: {KEEP_MEANINGS[keep]}" for keep in KEEPS], KEEPS.index(self.keep))
        presets = Choice([preset.name for preset in self.presets], self.preset)
        return [("keep", "Keep", keep), ("preset", "Preset", presets), *super().choices()]

    # ---- what keys and clicks do ---------------------------------------------------------------------------------

    def change(self, by: int) -> None:
        if self.focus.name == "keep":
            self.keep = KEEPS[(KEEPS.index(self.keep) + by) % len(KEEPS)]
        elif self.focus.name == "preset":
            self._take_preset((self.preset + by) % len(self.presets))
        super().change(by)

    def _toggle(self, spec: str) -> None:
        if spec == "none":
            self.chosen.clear()
            return
        # "all" holds every recording, so another one beside it would say nothing.
        if spec == "all":
            self.chosen &= {"random", "all"}
        elif spec != "random":
            self.chosen -= {"all"}
        super()._toggle(spec)

    def _take_preset(self, number: int) -> None:
        self.preset = number
        preset = self.presets[number]
        self.numbers = {name: getattr(preset, name) for name in self.number_fields}
