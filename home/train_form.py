"""The form of a new training: its seeding, its preset and its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from data.seeding_preview import DEFAULT_KEEP, KEEPS
from home.form import Field, ListForm, NumberField, SourceOption
from screen.fields import Choice

KEEP_MEANINGS = {
    "all": "whatever the verdicts",
    "not-bad": "all except bad clips",
    "good": "good clips only",
}
PRACTICES = {
    "none": "from the beginning only",
    "even": "half of its games start in the chosen play",
    "good": "half start shortly before good clips",
    "bad": "half start before bad clips, to learn to avoid them",
}
"""Where the agent's own games start, by the rule of ``coach train --start-rule``; "none": at the beginning."""
STEPS = (100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 10_000_000)
PRETRAIN_STEPS = (0, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 100_000, 750_000)
EVALUATE_EVERY = (0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000)


@dataclass(frozen=True)
class Preset:
    """A preset's values of the numbers in the form."""

    name: str
    steps: int
    pretrain_steps: int
    evaluate_every: int
    about: str = ""
    """One line that explains it."""
    exploring_steps: int = 0
    """Own steps over which random play fades."""
    explores_after_pretraining: bool = True
    """Whether a pretrained agent plays mostly at random at first, as one without pretraining does."""


@dataclass(frozen=True)
class TrainingRequest:
    """The training that a person wants to start."""

    run: str
    sources: tuple[str, ...]
    keep: str
    preset: str
    steps: int
    pretrain_steps: int
    evaluate_every: int
    practice: str = "none"
    """One of ``PRACTICES``."""


class TrainForm(ListForm):
    """The choices made for a new training, and the focus."""

    list_title = "Fill the replay memory from"
    choice_names = ("keep", "practice", "preset")
    number_fields: ClassVar[Mapping[str, NumberField]] = {
        "steps": NumberField(
            "Steps", "own decisions", STEPS, "How many decisions the agent makes itself, 15 for each second of play."
        ),
        "pretrain_steps": NumberField(
            "Pretraining",
            "updates on the seeding first",
            PRETRAIN_STEPS,
            "Learning from the recorded play before the agent's first step. 2,500 updates suit 15 minutes of play.",
        ),
        "evaluate_every": NumberField(
            "Evaluate every",
            "steps; 0: never",
            EVALUATE_EVERY,
            "How often the agent plays test episodes, which show how good it is.",
        ),
    }

    def __init__(self, sources: Sequence[SourceOption], presets: Sequence[Preset], name: str) -> None:
        super().__init__(sources, name, {})
        self.presets = tuple(presets)
        self.keep = DEFAULT_KEEP
        self.practice = "none"
        self._take_preset(0)
        for spec in ("human", "all"):
            if not self.chosen and any(s.spec == spec and s.available for s in self.sources):
                self.chosen.add(spec)
        wanted = [number for number, s in enumerate(self.sources) if s.spec in self.chosen]
        self.focus = Field("source", wanted[0] if wanted else 0)

    # ---- explanations ------------------------------------------------------------------------------------------------

    @property
    def explanation(self) -> str:
        match self.focus.name:
            case "name":
                return "The name of the run, and of its folder in the library."
            case "keep":
                return "Which recorded decisions go into the replay memory, according to their verdicts."
            case "practice":
                return "Games that start in the recorded play let the agent practise what it cannot reach yet."
            case "preset":
                return self.presets[self.preset].about
            case "source" if self._on_random:
                return "Randomly chosen actions, played when the training starts. The arrows change how many."
            case "source":
                return "What the agent learns from before its first own step. Several sources can be chosen."
        return super().explanation

    @property
    def warnings(self) -> tuple[str, ...]:
        steps, every, pretraining = (self.numbers[name] for name in ("steps", "evaluate_every", "pretrain_steps"))
        preset, found = self.presets[self.preset], []
        if every > steps > 0:
            found.append(
                f"Evaluated only before the first step: {every:,} steps between evaluations, {steps:,} in all."
            )
        if self.chosen and not pretraining:
            found.append("No pretraining: the agent starts without having learned from the chosen play.")
        if pretraining and not self.chosen:
            found.append("No pretraining without a source: nothing is chosen to learn from.")
        explores = preset.explores_after_pretraining or not (self.chosen and pretraining)
        if explores and preset.exploring_steps > steps > 0:
            found.append(
                f"Mostly random play: it fades over {preset.exploring_steps:,} steps; this training has {steps:,}."
            )
        return tuple(found)

    # ---- the request ---------------------------------------------------------------------------------------------

    def is_chosen(self, source: SourceOption) -> bool:
        return super().is_chosen(source) if source.spec != "none" else not self.chosen

    @property
    def request(self) -> TrainingRequest:
        return TrainingRequest(
            self.name, self.specs, self.keep, self.presets[self.preset].name, **self.numbers, practice=self.practice
        )

    @property
    def problem(self) -> str:
        if self.numbers["steps"] < 1 and (self.numbers["pretrain_steps"] < 1 or not self.chosen):
            return "The training needs at least one step."
        return super().problem

    def choices(self) -> list[tuple[str, str, Choice]]:
        keep = Choice([f"{keep}: {KEEP_MEANINGS[keep]}" for keep in KEEPS], KEEPS.index(self.keep))
        presets = Choice([preset.name for preset in self.presets], self.preset)
        practice = Choice(list(PRACTICES.values()), list(PRACTICES).index(self.practice))
        return [
            ("keep", "Keep", keep),
            ("practice", "Practice", practice),
            ("preset", "Preset", presets),
            *super().choices(),
        ]

    # ---- keys and clicks -----------------------------------------------------------------------------------------

    def change(self, by: int) -> None:
        if self.focus.name == "keep":
            self.keep = KEEPS[(KEEPS.index(self.keep) + by) % len(KEEPS)]
        elif self.focus.name == "practice":
            names = list(PRACTICES)
            self.practice = names[(names.index(self.practice) + by) % len(names)]
        elif self.focus.name == "preset":
            self._take_preset((self.preset + by) % len(self.presets))
        super().change(by)

    def _toggle(self, spec: str) -> None:
        if spec == "none":
            self.chosen.clear()
            return
        # "all" contains every recording, so no other source is chosen beside it.
        if spec == "all":
            self.chosen &= {"random", "all"}
        elif spec != "random":
            self.chosen -= {"all"}
        super()._toggle(spec)

    def _take_preset(self, number: int) -> None:
        self.preset = number
        preset = self.presets[number]
        self.numbers = {name: getattr(preset, name) for name in self.number_fields}
