"""The library as the home window tells it, and what its training door begins."""

from __future__ import annotations

from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunSummary, list_runs
from data.simulation import Emulator
from home.home_window import Picture
from home.overview import Overview

RECENT_EPISODES = 12
CLIP_SECONDS = 3.0


def read_overview(library: Library, game: str, person: str = "") -> Overview:
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
        recent=tuple(newest_first[:RECENT_EPISODES]),
    )


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


def _runs(library: Library) -> list[RunSummary]:
    """All runs, the one that was worked on last at the end; those of comparisons before all others."""
    runs = list_runs(library)
    runs.sort(key=lambda run: (run.is_training, not run.comparison, run.path.stat().st_mtime))
    return runs


def newest_run(library: Library) -> str | None:
    """The run to be watched: the one in training, else the one that was worked on last; None if there is none."""
    runs = _runs(library)
    return runs[-1].name if runs else None


def head_picture(library: Library, game: str) -> Picture:
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
