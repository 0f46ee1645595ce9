"""The overview of a library for the home window: its numbers, its newest run and its picture."""

from __future__ import annotations

from data.comparisons import list_comparisons
from data.fitting_verdicts import fit_verdicts
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunSummary, list_runs, supplied_runs
from data.simulation import Emulator
from home.home_window import Picture
from home.overview import Overview

RECENT_EPISODES = 12


def read_overview(library: Library, game: str, person: str = "") -> Overview:
    """Return what the home window shows of a library. person: whose unjudged clips are counted."""
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
        seconds=sum(int(episode.seconds) for episode in episodes),
        best_score=max((episode.score for episode in episodes), default=None),
        good=good,
        bad=bad,
        clips_waiting=waiting,
        unfinished=len(unfinished(library)),
        runs=tuple(_runs(library)),
        supplied=_supplied(library, game),
        comparisons=tuple(list_comparisons(library)),
        recent=tuple(newest_first[:RECENT_EPISODES]),
    )


def _verdicts(library: Library, game: str, curator: str) -> tuple[int, int, int]:
    """Return the number of good verdicts, of bad verdicts, and of clips that the curator would be shown."""
    from curator.outline import read_outlines
    from curator.queues import clips_waiting

    labels = LabelDatabase.open_existing(library.labels)
    verdicts = []
    if labels is not None:
        with labels:
            verdicts = labels.verdicts()
    outlines = read_outlines(library, game)
    verdicts = fit_verdicts(verdicts, {outline.episode_id: outline.frame_count for outline in outlines}).fitting
    own = [verdict for verdict in verdicts if verdict.curator == curator]
    waiting = clips_waiting(outlines, own, curator)
    good = sum(verdict.verdict == "good" for verdict in verdicts)
    return good, sum(verdict.verdict == "bad" for verdict in verdicts), len(waiting.clips) if waiting else 0


def _runs(library: Library) -> list[RunSummary]:
    """Return all runs, those of comparisons first, then by their last change; the one being trained last."""
    runs = list_runs(library)
    runs.sort(key=lambda run: (run.is_training and not run.comparison, not run.comparison, run.path.stat().st_mtime))
    return runs


def run_to_watch(library: Library, game: str) -> str | None:
    """Return the run that is being trained, else the one with an agent that changed last, else the supplied one."""
    runs, supplied = _runs(library), _supplied(library, game)
    watchable = next((run.name for run in reversed(runs) if run.step > 0 or run.is_training), None)
    if watchable is None and supplied is not None:
        return supplied.name
    return watchable or (runs[-1].name if runs else None)


def _supplied(library: Library, game: str) -> RunSummary | None:
    return next((run for run in supplied_runs(library) if run.game == game), None)


def head_picture(library: Library, game: str) -> Picture:
    """Return a frame from the middle of the newest episode, or from the start of a new one if there is none."""
    episodes = library.episodes(game)
    if episodes:
        with ReplayFile(episodes[-1].path) as replay:
            middle = replay.frame_count // 2
            return Picture(replay.frames(middle, middle + 1)[0], replay.palette)
    emulator = Emulator(game)
    for _ in range(120):
        emulator.act(0)
    return Picture(emulator.screen(), emulator.palette)
