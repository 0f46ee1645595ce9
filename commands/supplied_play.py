"""Recording a supplied agent's play for a seeding that names it, where the library has none yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from commands.parser import AGENT_EPSILON
from data.episode import FRAMES_PER_SECOND, MAX_EPISODE_FRAMES, EmulatorSettings
from data.library import Library
from data.run_progress import Progress
from data.runs import supplied_runs

PLAY_SECONDS = 15 * 60
"""How much play is recorded at least, unless MOST_EPISODES end before."""
MOST_EPISODES = 60
SEED = 1
"""Of the first episode; the others follow it."""


def unrecorded_players(library: Library, game: str, seed_from: Iterable[str]) -> list[str]:
    """Return the supplied runs of a game that a seeding names and of which the library has no episode."""
    from agent.seeding import parse_spec

    supplied = {run.name for run in supplied_runs(library) if run.game == game}
    specs = {spec.run: spec for spec in map(parse_spec, seed_from) if spec.kind == "agent" and spec.run in supplied}
    episodes = library.episodes(game) if specs else []
    return [name for name, spec in specs.items() if not any(map(spec.selects, episodes))]


def record_supplied_play(
    library: Library,
    game: str,
    seed_from: Iterable[str],
    report: Callable[[Progress], None] = lambda _: None,
    seconds: float = PLAY_SECONDS,
) -> list[Path]:
    """Record play of each of ``unrecorded_players`` and return the replay files.

    report: called with the progress about once a second of play; its steps are seconds of play. Ctrl-C raises
    ``recorder.headless.RecordingStopped``; what was recorded stays.
    """
    paths: list[Path] = []
    for name in unrecorded_players(library, game, seed_from):
        paths += _record(library, name, game, round(seconds * FRAMES_PER_SECOND), report)
    return paths


def _record(library: Library, name: str, game: str, most_frames: int, report: Callable[[Progress], None]) -> list[Path]:
    from agent.player import PlayerFactory, load_player
    from recorder.headless import record_episodes

    factory = PlayerFactory(library.folder, name)
    settings = EmulatorSettings(frame_skip=load_player(library, name).config.frame_skip)
    began = time.monotonic()
    paths: list[Path] = []
    before = played = 0

    def on_progress(_episode: int, frames: int, _score: float) -> None:
        nonlocal played
        played = before + frames
        pace = max(1, played) / max(1e-3, time.monotonic() - began)  # frames per second
        step, total = (round(number / FRAMES_PER_SECOND) for number in (played, most_frames))
        left = (most_frames - played) / pace
        report(Progress("recording", step, total, pace / FRAMES_PER_SECOND, seconds_left=left))

    for episode in range(MOST_EPISODES):
        if most_frames - before < FRAMES_PER_SECOND:
            break
        longest = min(MAX_EPISODE_FRAMES, most_frames - before)
        chosen = (game, 1, settings, SEED + episode, 1, AGENT_EPSILON, longest, name, on_progress)
        paths += record_episodes(library, factory, *chosen)
        before = played
    return paths
