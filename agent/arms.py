"""Arms of a comparison: how they are written on the command line, and the training settings that they mean."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from agent.config import TrainConfig
from agent.seeding import parse_spec
from agent.setting import option_name
from data.comparisons import arm_slug
from data.errors import CoachError

RANDOM_STEPS = 50_000
"""Steps of the arm ``random``: as many as Mnih et al. 2015 and the tutorial play at random before learning."""
LIBRARY_VERDICTS = "library"
ABBREVIATIONS = {
    "none": "",
    "random": f"random:{RANDOM_STEPS}",
    "curated": "all,keep=good",
}
"""Arms with a name of one word, and what it means."""


@dataclass(frozen=True)
class Arm:
    """One set of training settings, trained with several random seeds."""

    title: str
    text: str
    """The arm as it was written."""
    config: TrainConfig
    """The settings with seed 0; the other runs of the arm differ only in the seed."""
    verdicts: str = LIBRARY_VERDICTS
    """The verdicts that ``keep`` uses: "library" (all), or parts joined by "+", such as "people" or a rule."""
    from_run: str | None = None
    """The run whose weights it starts with."""
    carry: str = "whole"
    """Which of those weights: one of ``agent.transfer.CARRIES``."""

    @property
    def slug(self) -> str:
        """The title as part of file names and of the names of runs."""
        return arm_slug(self.title)

    def config_of(self, seed: int) -> TrainConfig:
        return dataclasses.replace(self.config, seed=seed)


def parse_arm(text: str, base: TrainConfig) -> Arm:
    """Parse an arm, ``[TITLE=]PART[,PART...]``; a part is a source of a seeding or ``setting=value``.

    ``none`` is no seeding. Settings are those of ``coach train`` (``keep=not-bad``, ``pretrain-steps=0``) and
    ``verdicts=...``. Raises CoachError if it is not valid.
    """
    title, body = _title_and_body(text)
    body = ",".join(ABBREVIATIONS.get(part, part) for part in body.split(","))
    sources: list[str] = []
    changes: dict[str, Any] = {}
    verdicts = LIBRARY_VERDICTS
    for part in filter(None, (piece.strip() for piece in body.split(","))):
        name, equals, value = part.partition("=")
        if equals and name == "verdicts":
            verdicts = value
        elif equals and name.replace("-", "_") in _FIELDS:
            changes[name.replace("-", "_")] = _value(text, name.replace("-", "_"), value)
        elif equals and ":" not in name:
            raise CoachError(
                f"The arm {text!r}: there is no setting {name!r}; `coach train --help` lists the settings."
            )
        else:
            parse_spec(part)
            sources.append(part)
    for reserved in ("seed", "seed_from", "game", "steps"):
        if reserved in changes:
            raise CoachError(f"The arm {text!r} must not set {option_name(reserved)}: it is the same for all arms.")
    config = dataclasses.replace(base, **changes, seed_from=(*base.seed_from, *sources), seed=0)
    return Arm(title, text, config, verdicts)


def _title_and_body(text: str) -> tuple[str, str]:
    head, equals, rest = text.partition("=")
    is_title = bool(equals) and "," not in head and head.replace("-", "_") not in {*_FIELDS, "verdicts"}
    if not is_title:
        return text.strip(), text.strip()
    if not head.strip() or not rest.strip():
        raise CoachError(f"The arm {text!r} cannot be read; write it as TITLE=SOURCE,setting=value.")
    return head.strip(), rest.strip()


_FIELDS = {item.name: item for item in dataclasses.fields(TrainConfig)}
_KINDS = typing.get_type_hints(TrainConfig)
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _value(text: str, name: str, value: str) -> Any:
    kind = _KINDS[name]
    try:
        return _WORDS[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError, TypeError) as error:
        raise CoachError(f"The arm {text!r}: {option_name(name)} cannot be {value!r}.") from error


def check_arms(arms: tuple[Arm, ...]) -> None:
    """Raise CoachError if two arms have the same title or settings, or if there are fewer than two."""
    if len(arms) < 2:
        raise CoachError("A comparison needs at least two arms, such as: none planner.")
    by_slug: dict[str, Arm] = {}
    by_settings: dict[tuple[Any, ...], Arm] = {}
    for arm in arms:
        if arm.slug in by_slug:
            raise CoachError(f"Two arms have the title {arm.title!r}; give them different titles: TITLE=...")
        settings = (arm.config, arm.verdicts, arm.from_run, arm.carry)
        if settings in by_settings:
            other = by_settings[settings].title
            raise CoachError(f"The arms {other!r} and {arm.title!r} have the same settings.")
        by_slug[arm.slug] = by_settings[settings] = arm


def differing_settings(arms: tuple[Arm, ...]) -> dict[str, tuple[str, ...]]:
    """Return the settings in which the arms differ: the name of the option to one value for each arm, as text."""
    rows: dict[str, tuple[Any, ...]] = {
        option_name(name): tuple(getattr(arm.config, name) for arm in arms) for name in _FIELDS
    }
    rows["verdicts"] = tuple(arm.verdicts for arm in arms)
    rows["--from"] = tuple(arm.from_run or "nothing" for arm in arms)
    rows["--carry"] = tuple(arm.carry if arm.from_run else "nothing" for arm in arms)
    return {name: tuple(map(_shown, values)) for name, values in rows.items() if len(set(values)) > 1}


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
