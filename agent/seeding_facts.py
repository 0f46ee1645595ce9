"""What a seeding selects, in numbers that a report can show."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from agent.config import TrainConfig
from agent.episode_origins import new_emulator
from agent.seeding import plan_seeding
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile


def seeding_facts(library: Library, config: TrainConfig, labels: Path | None) -> dict[str, Any]:
    """Sources, episodes, decisions found, removed (by which filter) and kept.

    Raises CoachError where the seeding selects nothing.
    """
    database = None if labels is None else LabelDatabase.open_existing(labels)
    meanings = new_emulator(config).action_meanings
    if database is None:
        plan = plan_seeding(config, library, meanings, None)
    else:
        with database:
            plan = plan_seeding(config, library, meanings, lambda episode: database.verdicts(episode_id=episode))
    digest = hashlib.sha256()
    episodes = []
    for episode in plan.episodes:
        digest.update(episode.episode_id.encode() + episode.kept.tobytes() + episode.imitate.tobytes())
        with ReplayFile(episode.path) as replay:
            about = replay.summary()
        episodes.append(
            {
                "episode": episode.episode_id,
                "demonstrator": about.demonstrator,
                "player": about.player,
                "score": about.score,
                "seconds": about.seconds,
                "decisions": len(episode.kept),
                "kept": int(episode.kept.sum()),
                "imitated": int(episode.imitate.sum()),
            }
        )
    return {
        "sources": list(config.seed_from),
        "keep": config.keep,
        "found": plan.tally.found,
        "removed": plan.tally.removed,
        "kept": plan.tally.kept,
        "mixed": plan.tally.mixed,
        "random": sum(spec.count for spec in plan.random),
        "decisions": plan.decisions,
        "episodes": episodes,
        "digest": digest.hexdigest(),
    }
