"""Shares: ``coach library --share FILE.zip`` writes one, ``coach import FILE.zip...`` imports them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.output import (
    OLIVE,
    ORANGE,
    QUIET,
    print_json,
    progress_bar,
    progress_counter,
    report_console,
    row,
    styled,
    table,
)
from commands.parser import labels_of
from data.clip import VERDICTS
from data.counted import counted
from data.durations import clock
from data.episode import DEMONSTRATOR_KINDS, EpisodeSummary
from data.errors import AnswerIsNo, CoachError
from data.label_database import LabelDatabase
from data.library import EpisodeChoice, Library

if TYPE_CHECKING:
    from data.share_import import ShareImport


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the options that select episodes of the library."""
    parser.add_argument("--game", help="only this game")
    parser.add_argument("--player", action="append", metavar="NAME", help="only this player (can be repeated)")
    parser.add_argument(
        "--demonstrator",
        action="append",
        choices=DEMONSTRATOR_KINDS,
        help="only this kind of demonstrator (can be repeated)",
    )
    parser.add_argument("--min-score", type=float, metavar="POINTS", help="only episodes with at least this score")
    parser.add_argument("--verdict", choices=VERDICTS, help="only episodes with a clip that has this verdict")
    parser.add_argument(
        "--episode",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="only these episodes: ids, or replay files from anywhere (can be repeated)",
    )


def add_share(parser: argparse.ArgumentParser) -> None:
    """Add the options that make a share of the selected episodes."""
    parser.add_argument(
        "--share",
        type=Path,
        metavar="FILE.zip",
        help="write the selected episodes and their verdicts to one file, for `coach import` elsewhere",
    )
    parser.add_argument("--no-verdicts", action="store_true", help="with --share: leave the verdicts out")
    parser.add_argument(
        "--pseudonyms", action="store_true", help="with --share: replace people's names with pseudonyms"
    )


def choice_of(options: argparse.Namespace) -> EpisodeChoice:
    """Return the selection that the options of ``add_choice`` describe."""
    return EpisodeChoice(
        options.game,
        tuple(options.player or ()),
        tuple(options.demonstrator or ()),
        options.min_score,
        options.verdict,
        tuple(options.episode or ()),
    )


def export_share(options: argparse.Namespace) -> int:
    """Write a share and report what it holds."""
    from data.share_export import Pseudonyms, write_share

    library = Library(options.library)
    target: Path = options.share
    if target.suffix.lower() != ".zip":
        raise CoachError(f"A share is a zip file: name it {target.name}.zip instead of {target.name}.")
    labels = LabelDatabase.open_existing(labels_of(options, library))
    try:
        episodes = choice_of(options).episodes(library, labels)
        verdicts = labels.verdicts() if labels is not None and not options.no_verdicts else []
    finally:
        if labels is not None:
            labels.close()
    if not episodes:
        raise CoachError(f"There is nothing to share: no episode of the library {library.folder} was selected.")
    pseudonyms = Pseudonyms.of_library(library) if options.pseudonyms else None
    with progress_counter(f"Writing {target.name}", "episodes") as on_progress:
        summary = write_share(target, episodes, verdicts, pseudonyms, on_progress)
    if options.json:
        print_json({"share": summary})
        return 0
    console = report_console()
    console.print(
        f"{summary.path}: {counted(len(summary.episodes), 'episode')}, {counted(summary.verdicts, 'verdict')}, "
        f"{summary.bytes / 1e6:.1f} MB."
    )
    for name, pseudonym in summary.pseudonyms.items():
        console.print(styled(f"{pseudonym} ", ("stands for ", QUIET), name))
    return 0


def import_shares(options: argparse.Namespace) -> int:
    """Import shares and report the result of each. Raises AnswerIsNo if a part was refused."""
    from data.share_import import ShareImporter, episodes_in, shares_in

    library = Library(options.library)
    paths = shares_in([Path(path) for path in options.paths])
    results: list[ShareImport] = []
    with (
        ShareImporter(library, labels_of(options, library), options.jobs) as importer,
        progress_bar("Importing", "episodes") as progress,
    ):
        counts = episodes_in(paths)
        progress.update(progress.task_ids[0], total=sum(counts.values()))
        before = 0
        for path in paths:
            progress.update(progress.task_ids[0], completed=before, note=path.name)

            def on_progress(done: int, _total: int, before: int = before) -> None:
                progress.update(progress.task_ids[0], completed=before + done)

            results.append(importer.import_share(path, on_progress))
            before += counts[path]
    only = results[0]
    if len(results) == 1 and only.is_refused:
        raise CoachError(only.problem)
    if options.json:
        print_json(_facts(results))
    else:
        _print_report(results)
    if any(not result.ok for result in results):
        raise AnswerIsNo(_what_was_refused(results))
    return 0


def _facts(results: Sequence[ShareImport]) -> dict[str, Any]:
    return {
        "ok": all(result.ok for result in results),
        "imported": [episode.path for result in results for episode in result.imported],
        "new_verdicts": sum(result.new_verdicts for result in results),
        "shares": results,
    }


def _print_report(results: Sequence[ShareImport]) -> None:
    console = report_console()
    shown = table("Share", "Players", "New>", "Play>", "Best>", "Already here>", "Refused>", "New verdicts>")
    for result in results:
        shown.add_row(*row(result.path.name, *_line(result)))
    console.print(shown)
    episodes = [episode for result in results for episode in result.imported]
    new_verdicts = sum(result.new_verdicts for result in results)
    console.print(
        f"\n{counted(len(episodes), 'new episode')} ({clock(sum(episode.seconds for episode in episodes))} of play), "
        f"{counted(new_verdicts, 'new verdict')}."
    )
    for result in results:
        if result.problem:
            console.print(styled(("Refused: ", ORANGE), result.problem))
        for refusal in result.refused:
            console.print(styled(("Refused: ", OLIVE), refusal.reason))


def _line(result: ShareImport) -> tuple[str, ...]:
    if result.is_refused:
        return ("", "", "", "", "", "all", "")
    return (
        _players(result.imported),
        str(len(result.imported)),
        clock(sum(episode.seconds for episode in result.imported)),
        f"{max(episode.score for episode in result.imported):g}" if result.imported else "",
        str(len(result.already_here)),
        str(len(result.refused)),
        "refused" if result.problem else str(result.new_verdicts),
    )


def _players(episodes: Sequence[EpisodeSummary]) -> str:
    """Return the players' names: three of them, and how many more."""
    names = sorted({episode.player or f"({episode.demonstrator})" for episode in episodes})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _what_was_refused(results: Sequence[ShareImport]) -> str:
    counts = {
        "whole shares": sum(result.is_refused for result in results),
        "episodes": sum(len(result.refused) for result in results),
        "lists of verdicts": sum(bool(result.problem) and not result.is_refused for result in results),
    }
    refused = ", ".join(f"{what}: {number}" for what, number in counts.items() if number)
    return f"A part was refused ({refused}); everything else is in the library."
