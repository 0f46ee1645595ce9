"""The study's demonstrator: 15 minutes of the planner's play, always the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.learning_study import DEMONSTRATION_FRAMES, DEMONSTRATION_SEED, GAME, HOLD
from data.episode import EmulatorSettings
from data.files import write_atomic
from data.library import Library
from recorder.headless import record_episodes
from recorder.planner import Planner


@dataclass(frozen=True)
class MakePlanner:
    """Makes the demonstrator in the process that records it."""

    hold: int = HOLD

    def __call__(self) -> Planner:
        return Planner(hold=self.hold)


def name_of(seed: int) -> str:
    """Return the player's name of the episode with this seed."""
    return f"planner {seed}"


def record_demonstrations(
    library: Library, results: Path, frames: int = DEMONSTRATION_FRAMES, seed: int = DEMONSTRATION_SEED
) -> None:
    """Record episodes with the seeds ``seed``, ``seed + 1``, ... until there are ``frames`` frames in all.

    The last episode is truncated there. Continues where it was stopped.

    Writes ``demonstrator.json`` among the results: who played, and the scores of the complete episodes.
    """
    library.prepare()
    while True:
        there = {s.player: s for s in library.episodes(GAME) if s.demonstrator == "planner"}
        played, following = 0, seed
        while name_of(following) in there:
            played += there[name_of(following)].frame_count
            following += 1
        if played >= frames:
            break
        print(f"The planner plays: {played:,} of {frames:,} frames are recorded", flush=True)
        left = frames - played
        record_episodes(
            library, MakePlanner(), GAME, 1, EmulatorSettings(), following, max_frames=left, player=name_of(following)
        )
    episodes = [there[name_of(number)] for number in range(seed, following)]
    scores = [episode.score for episode in episodes if episode.ended_by == "game_over"]
    about = {
        "demonstrator": f"planner with --hold {HOLD}",
        "frames": played,
        "scores": scores,
        "mean": round(float(np.mean(scores)), 1) if scores else None,
    }
    results.mkdir(parents=True, exist_ok=True)
    write_atomic(results / "demonstrator.json", json.dumps(about, indent=1) + "\n")
