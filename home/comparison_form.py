"""The form of a new comparison: its arms, seeds and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from home.form import ListForm, NumberField, SourceOption
from home.train_form import PRETRAIN_STEPS, STEPS


@dataclass(frozen=True)
class ComparisonRequest:
    """A comparison as a person asks for it."""

    name: str
    arms: tuple[str, ...]
    seeds: int
    steps: int
    pretrain_steps: int
    final_episodes: int


DEFAULTS = {"seeds": 3, "steps": 50_000, "pretrain_steps": 2500, "final_episodes": 30}


class ComparisonForm(ListForm):
    """The values of the form, and which field has the focus."""

    list_title = "Compare agents that start with"
    number_fields: ClassVar[Mapping[str, NumberField]] = {
        "seeds": NumberField("Seeds", "trainings of each", (1, 2, 3, 5, 10, 20)),
        "steps": NumberField("Steps", "decisions of each training", STEPS),
        "pretrain_steps": NumberField("Pretraining", "updates on the seeding first", PRETRAIN_STEPS),
        "final_episodes": NumberField("Evaluation", "episodes after each training", (1, 5, 10, 30, 100)),
    }

    def __init__(self, arms: Sequence[SourceOption], name: str) -> None:
        super().__init__(arms, name, DEFAULTS)
        self.chosen = {arm.spec for arm in arms if arm.available and arm.spec in ("none", "human", "all")}
        if "human" in self.chosen:
            self.chosen.discard("all")

    @property
    def request(self) -> ComparisonRequest:
        return ComparisonRequest(self.name, self.specs, **self.numbers)

    @property
    def problem(self) -> str:
        if len(self.name) > 40:
            return "A comparison's name may have at most 40 characters."
        if len(self.chosen) < 2:
            return "Choose at least two starting points to compare."
        for name in ("seeds", "steps", "final_episodes"):
            if self.numbers[name] < 1:
                return f"{self.number_fields[name].label} must be at least 1."
        return super().problem
