"""The library as the home window tells it, and what its training door begins."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.background_training import running_training
from data.episode import EpisodeSummary
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from home.home_window import Picture
from home.overview import EpisodeLine, Overview, RunOverview

if TYPE_CHECKING:
    from agent.player import RunSummary

RECENT_EPISODES = 12
CLIP_SECONDS = 3.0


def look_at(library: Library, game: str, person: str = "") -> Overview:
    """Everything that the home window tells of a library. ``person``: for whom clips wait."""
    from data.recovery import unfinished

    everything = library.episodes()
    episodes = [episode for episode in everything if episode.game == game]
    good, bad, waiting = _verdicts(library, game, person or "me")
    newest_first = sorted(episodes, key=lambda episode: episode.created, reverse=True)
    return Overview(
        game=game,
        library=str(library.folder.absolute()),
        episodes=len(episodes),
        other_games=len(everything) - len(episodes),
        seconds=sum(episode.seconds for episode in episodes),
        best_score=max((episode.score for episode in episodes), default=None),
        good=good,
        bad=bad,
        clips_waiting=waiting,
        unfinished=len(unfinished(library)),
        runs=tuple(_runs(library)),
        recent=tuple(_line(episode) for episode in newest_first[:RECENT_EPISODES]),
    )


def _line(episode: EpisodeSummary) -> EpisodeLine:
    return EpisodeLine(episode.created, episode.demonstrator, episode.player, episode.score, episode.seconds)


def _verdicts(library: Library, game: str, curator: str) -> tuple[int, int, int]:
    """Good and bad verdicts, and the clips that wait for one."""
    from curator.outline import read_outlines
    from curator.queues import build_queue

    labels = LabelDatabase.open_existing(library.labels)
    standing = []
    if labels is not None:
        with labels:
            standing = labels.verdicts()
    outlines = read_outlines(library, game)
    present = {outline.episode_id for outline in outlines}
    standing = [verdict for verdict in standing if verdict.clip.episode_id in present]
    mine = [verdict for verdict in standing if verdict.curator == curator]
    waiting = build_queue(outlines, "before-reward", CLIP_SECONDS, 0, mine)
    good = sum(verdict.verdict == "good" for verdict in standing)
    return good, sum(verdict.verdict == "bad" for verdict in standing), len(waiting)


def _runs(library: Library) -> list[RunOverview]:
    """All runs, the one that was worked on last at the end; those of comparisons before all others."""
    from agent.player import list_runs

    runs = list_runs(library)
    runs.sort(key=lambda run: (running_training(run.path) is not None, not run.comparison, run.path.stat().st_mtime))
    return [_told(run) for run in runs]


def _told(run: RunSummary) -> RunOverview:
    now: dict[str, Any] = running_training(run.path) or {}
    return RunOverview(
        name=run.name,
        step=int(now.get("step", run.step)),
        total=int(now.get("total", run.steps)),
        mean_score=now.get("mean_score") or run.mean_score,
        is_training=bool(now),
        steps_per_second=float(now.get("steps_per_second", 0.0)),
        seconds_left=now.get("seconds_left"),
        phase=str(now.get("phase", "")),
    )


def read_monitor(folder: Path) -> list[tuple[float, int]]:
    """(score, decisions) of each training episode of a run, from its ``monitor.csv``."""
    try:
        lines = (folder / "monitor.csv").read_text().splitlines()
    except OSError:
        return []
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return [(float(row["r"]), int(row["l"])) for row in rows if row.get("r") and row.get("l")]


def newest_run(library: Library) -> str | None:
    """The run to be watched: the one in training, else the one that was worked on last; None if there is none."""
    runs = _runs(library)
    return runs[-1].name if runs else None


def picture_of(library: Library, game: str) -> Picture:
    """A frame from the middle of the newest episode; without one, from the game's beginning."""
    episodes = library.episodes(game)
    if episodes:
        with ReplayFile(episodes[-1].path) as replay:
            middle = replay.frame_count // 2
            return Picture(replay.frames(middle, middle + 1)[0], replay.palette)
    emulator = Emulator(game)
    for _ in range(120):
        emulator.act(0)
    return Picture(emulator.screen(), emulator.palette)
