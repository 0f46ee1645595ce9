"""What a seeding would put into the replay memory, told before a training begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.library import Library
from data.seeding_preview import SeedingPreview

KEEPS = ("all", "not-bad", "good")
DEFAULT_KEEP = "not-bad"
DEFAULT_GAME = "SpaceInvaders"


def preview(
    library: Library, game: str, specs: Sequence[str], keep: str = DEFAULT_KEEP, labels: Path | str | None = None
) -> SeedingPreview:
    """What a seeding with the default preset selects: the plan that ``coach train`` itself makes.

    specs: sources as ``--seed-from`` takes them. labels: the label database, by default the library's own. Opens each
    file that the sources name (about 3 ms each); reads no frame. Raises CoachError, as the training would, where a
    source is wrong or nothing is selected.
    """
    from agent.config import TrainConfig
    from agent.preprocessing import OBSERVATION_BYTES
    from agent.run_loop import new_emulator
    from agent.seeding import plan_with_labels

    config = TrainConfig(game=game, seed_from=tuple(specs), keep=keep)
    meanings = new_emulator(config).action_meanings
    plan = plan_with_labels(config, library, meanings, library.labels if labels is None else labels)
    histogram = np.zeros(len(meanings), np.int64)
    frames, rewarded, points, imitated = 0, 0, 0.0, 0
    for episode in plan.episodes:
        rewards = episode.decisions.reward[episode.kept]
        histogram += np.bincount(episode.actions[episode.kept], minlength=len(meanings))
        frames += int(episode.decisions.length[episode.kept].sum())
        rewarded += int(np.count_nonzero(rewards > 0))
        points += float(rewards.sum())
        imitated += int(episode.imitate.sum())
    tally = plan.tally
    return SeedingPreview(
        game=game,
        sources=config.seed_from,
        keep=keep,
        episodes=len(plan.episodes),
        found=tally.found,
        kept=tally.kept,
        random=sum(spec.count for spec in plan.random),
        seconds=frames / FRAMES_PER_SECOND,
        rewarded=rewarded,
        points=points,
        imitated=imitated,
        mixed=tally.mixed,
        actions=dict(zip(meanings, histogram.tolist(), strict=True)),
        kept_by_verdict=dict(tally.kept_by_verdict),
        removed_by_verdict=dict(tally.removed_by_verdict),
        removed=dict(tally.removed),
        megabytes=plan.slots(config) * OBSERVATION_BYTES / 1e6,
    )


def game_of(library: Library) -> str:
    """The game to tell of where none was named: the library's only one, or what a training would choose."""
    games = {episode.game for episode in library.episodes()}
    return games.pop() if len(games) == 1 else DEFAULT_GAME


def parse_seeding(text: str) -> tuple[tuple[str, ...], str]:
    """Sources and ``keep`` of a text such as ``human,planner@2,keep=good``; raises CoachError for any other."""
    sources: list[str] = []
    keep = DEFAULT_KEEP
    for part in (part.strip() for part in text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            sources.append(part)
        elif name != "keep" or value not in KEEPS:
            raise CoachError(f"In --seeding, {part!r} means nothing; after the sources comes keep={'|'.join(KEEPS)}.")
        else:
            keep = value
    if not any(sources):
        raise CoachError('--seeding needs a source, such as "human" or "human,planner,keep=good".')
    return tuple(source for source in sources if source), keep


def preview_of_text(library: Library, game: str, text: str, labels: Path | str | None = None) -> SeedingPreview:
    """``preview`` of what stands after ``--seeding``."""
    specs, keep = parse_seeding(text)
    return _told_as("--seeding", lambda: preview(library, game, specs, keep, labels))


def _told_as(option: str, make: Callable[[], SeedingPreview]) -> SeedingPreview:
    """The same sources have another option here; a mistake is told by the name that was typed."""
    try:
        return make()
    except CoachError as error:
        raise CoachError(str(error).replace("--seed-from", option)) from error


def sentences(seeding: SeedingPreview) -> list[str]:
    """The whole preview in plain sentences, the most important first."""
    from commands.output import clock

    told = [
        f"{seeding.transitions:,} transitions of {seeding.game} from {', '.join(seeding.sources)} "
        f"(keep {seeding.keep}): {clock(seeding.seconds)} of play ({seeding.hours:.2f} hours) in "
        f"{seeding.episodes} episodes, {seeding.megabytes:.0f} MB of memory."
    ]
    if seeding.random:
        told.append(f"{seeding.random:,} of them are fresh random play, made when the training begins.")
    if seeding.kept:
        told.append(
            f"{seeding.rewarded:,} of {seeding.kept:,} recorded decisions bring points ({seeding.reward_share:.1%}; "
            f"{seeding.points:,.0f} points)."
        )
        told.append(f"{seeding.imitated:,} are to be imitated; {seeding.mixed:,} mix more than one action.")
    return told
