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


ONE_SEED = "One seed proves nothing: with another seed the order may be the reverse. Use at least three."
DEFAULTS = {"seeds": 3, "steps": 50_000, "pretrain_steps": 2500, "final_episodes": 30}


class ComparisonForm(ListForm):
    """The values of the form, and which field has the focus."""

    list_title = "Compare agents that start with"
    number_fields: ClassVar[Mapping[str, NumberField]] = {
        "seeds": NumberField(
            "Seeds",
            "trainings of each",
            (1, 2, 3, 5, 10, 20),
            "How many trainings each starting point gets, with different random seeds. Three show a large difference.",
        ),
        "steps": NumberField(
            "Steps",
            "decisions of each training",
            STEPS,
            "How many decisions each agent makes itself, 15 for each second of play.",
        ),
        "pretrain_steps": NumberField(
            "Pretraining",
            "updates on the seeding first",
            PRETRAIN_STEPS,
            "Learning from the recorded play before the first step. 2,500 updates suit 15 minutes of play.",
        ),
        "final_episodes": NumberField(
            "Evaluation",
            "episodes after each training",
            (1, 5, 10, 30, 100),
            "How many test episodes each trained agent plays, the same for all.",
        ),
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
    def explanation(self) -> str:
        if self.focus.name == "name":
            return "The name of the comparison, and of its folder in the library."
        if self.focus.name == "source":
            return "Each selected row is one kind of agent. It says what fills the agent's replay memory at the start."
        return super().explanation

    @property
    def warnings(self) -> tuple[str, ...]:
        return (ONE_SEED,) if self.numbers["seeds"] == 1 else ()

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
