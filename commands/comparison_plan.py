"""Prepare the plan of a comparison: check its arms, freeze the episodes and verdicts that it uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from agent.arms import LIBRARY_VERDICTS, Arm, check_arms
from agent.comparison import FrozenLibrary, Plan, read_plan, write_plan
from agent.config import TrainConfig
from agent.provenance import provenance
from agent.seeding import seeding_facts
from agent.setting import option_name
from commands.output import progress_console
from data.clip import Verdict
from data.comparisons import ComparisonFolder
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.label_database import LabelDatabase
from data.library import Library

PEOPLE = "people"
LEARNED = "learned"


def prepare_plan(folder: ComparisonFolder, wanted: Plan, labels: Path | str) -> Plan:
    """Return a new plan, or that of a comparison that was started before, with more arms or seeds if requested.

    What was frozen at the start stays. Raises CoachError if the request contradicts the earlier plan, if a seeding
    selects nothing, and if a run that belongs to no comparison has the name of one of these.
    """
    check_arms(wanted.arms)
    before = read_plan(folder)
    if before is None:
        for task in wanted.tasks():
            if folder.library.run_folder(task.run).exists():
                raise CoachError(
                    f"The library has a run {task.run!r} already that belongs to no comparison; choose another --name."
                )
        episodes = tuple(e.episode_id for e in folder.library.episodes())
        plan = dataclasses.replace(wanted, episodes=episodes)
    else:
        _refuse_contradiction(folder, before, wanted)
        plan = dataclasses.replace(
            wanted,
            episodes=before.episodes,
            labels=before.labels,
            seedings=before.seedings,
            provenance=before.provenance,
        )
    plan = _frozen(folder, plan, labels)
    _refuse_same_selection(plan)
    if before != plan:
        write_plan(folder, plan)
    return plan


def _refuse_contradiction(folder: ComparisonFolder, before: Plan, wanted: Plan) -> None:
    where = f"The comparison {folder.name!r} of {folder.library.folder} was started"
    advice = "choose another --name or --out for another comparison"
    for name in ("evaluation_episodes", "most_seconds"):
        if getattr(before, name) != getattr(wanted, name):
            raise CoachError(f"{where} with {option_name(name)} {getattr(before, name)}; {advice}.")
    by_slug = {arm.slug: arm for arm in before.arms}
    for arm in wanted.arms:
        other = by_slug.get(arm.slug)
        if other is None:
            if arm.config.game != before.game:
                raise CoachError(f"{where} with the game {before.game}; {advice}.")
            continue
        for item in dataclasses.fields(arm.config):
            was, now = getattr(other.config, item.name), getattr(arm.config, item.name)
            if was != now:
                raise CoachError(f"{where} with {option_name(item.name)} {was} for {arm.title!r}, not {now}; {advice}.")
        for name in ("verdicts", "from_run", "carry"):
            if getattr(other, name) != getattr(arm, name):
                raise CoachError(f"{where} with {name} {getattr(other, name)!r} for {arm.title!r}; {advice}.")


def _refuse_same_selection(plan: Plan) -> None:
    """Raise CoachError if arms that differ in the verdicts they use select the same decisions."""
    seen: dict[tuple[str, TrainConfig, str | None, str], Arm] = {}
    for arm in plan.arms:
        seeding = plan.seedings[arm.slug]
        alike = dataclasses.replace(arm.config, keep="all", seed_from=())
        if not seeding["episodes"]:
            continue
        other = seen.setdefault((f"{seeding['digest']} {seeding['random']}", alike, arm.from_run, arm.carry), arm)
        if other is not arm:
            raise CoachError(
                f"The arms {other.title!r} and {arm.title!r} select the same {seeding['decisions']:,} decisions, so "
                "there is nothing to compare: judge some clips first, or choose other sources."
            )


def _frozen(folder: ComparisonFolder, plan: Plan, labels: Path | str) -> Plan:
    """Return the plan with verdicts, seedings and provenance for each arm that has none yet."""
    library = FrozenLibrary(folder.library.folder, plan.episodes)
    files, seedings, chains = dict(plan.labels), dict(plan.seedings), dict(plan.provenance)
    frozen = {arm.verdicts: file for arm in plan.arms if (file := files.get(arm.slug)) is not None}
    for arm in plan.arms:
        if arm.slug in seedings:
            continue
        files[arm.slug] = None
        if arm.config.seed_from:
            if arm.verdicts not in frozen:
                frozen[arm.verdicts] = f"verdicts-{arm.slug}.sqlite"
                _freeze_verdicts(library, labels, arm, folder.path / frozen[arm.verdicts])
            files[arm.slug] = frozen[arm.verdicts]
        file = files[arm.slug]
        try:
            seedings[arm.slug] = seeding_facts(library, arm.config, None if file is None else folder.path / file)
        except CoachError as error:
            raise CoachError(f"The arm {arm.title!r}: {error}") from error
        chains[arm.slug] = provenance(library, arm.config, arm.from_run)
    return dataclasses.replace(plan, labels=files, seedings=seedings, provenance=chains)


def _freeze_verdicts(library: Library, labels: Path | str, arm: Arm, path: Path) -> None:
    """Copy the verdicts that an arm uses into a database of the comparison."""
    for leftover in path.parent.glob(f"{path.name}*"):
        leftover.unlink()  # from a start that was killed before the plan was written
    current = fit_verdicts(_current(labels), frame_counts_of(library.episodes())).fitting
    with LabelDatabase(path) as copy:
        for part in arm.verdicts.split("+"):
            if part == LIBRARY_VERDICTS:
                copy.merge(current)
            elif part == PEOPLE:
                copy.merge(verdict for verdict in current if not verdict.by_rule)
            else:
                _apply(library, copy, part, arm)


def _current(labels: Path | str) -> list[Verdict]:
    database = LabelDatabase.open_existing(labels)
    if database is None:
        return []
    with database:
        found: Iterable[Verdict] = database.verdicts()
        return list(found)


def _apply(library: Library, labels: LabelDatabase, text: str, arm: Arm) -> None:
    from curator.judge_predictions import apply_learned_judge
    from curator.rules import apply_rule, parse_rule

    progress_console().print(f"{arm.title}: computing the verdicts of {text}.", soft_wrap=True, markup=False)
    if text == LEARNED:
        apply_learned_judge(library, labels, game=arm.config.game)
    else:
        apply_rule(library, labels, parse_rule(text), arm.config.game)
