"""The form of a new comparison: arms, how many seeds, how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from home.comparison_facts import ComparisonWish
from home.form import ListForm, NumberField, SourceOption
from home.train_form import PRETRAIN_STEPS, STEPS

DEFAULTS = {"seeds": 3, "steps": 50_000, "pretrain_steps": 2500, "final_episodes": 30}


class ComparisonForm(ListForm):
    """What is chosen, and where the focus stands."""

    list_title = "Compare agents that begin with"
    number_fields: ClassVar[Mapping[str, NumberField]] = {
        "seeds": NumberField("Seeds", "trainings of each", (1, 2, 3, 5, 10, 20)),
        "steps": NumberField("Steps", "decisions of each training", STEPS),
        "pretrain_steps": NumberField("Pretraining", "updates on the seeding first", PRETRAIN_STEPS),
        "final_episodes": NumberField("Judged by", "episodes after each training", (1, 5, 10, 30, 100)),
    }

    def __init__(self, arms: Sequence[SourceOption], name: str) -> None:
        super().__init__(arms, name, DEFAULTS)
        self.chosen = {offer.spec for offer in arms if offer.available and offer.spec in ("none", "human", "all")}
        if "human" in self.chosen:
            self.chosen.discard("all")

    @property
    def wish(self) -> ComparisonWish:
        return ComparisonWish(self.name, self.specs, **self.numbers)

    @property
    def problem(self) -> str:
        if len(self.name) > 40:
            return "A comparison's name may have at most 40 letters."
        if len(self.chosen) < 2:
            return "Choose at least two beginnings to compare."
        for name in ("seeds", "steps", "final_episodes"):
            if self.numbers[name] < 1:
                return f"{self.number_fields[name].label} must be at least 1."
        return super().problem
