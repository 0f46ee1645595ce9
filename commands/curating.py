"""Commands that give verdicts: ``coach curate`` and ``coach label``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands.output import clock, print_json, progress_bar, report_console
from commands.parser import Commands, add_labels, labels_of
from commands.playing import default_player
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from curator.sitting import SittingSummary


def add(commands: Commands) -> None:
    curate = commands.add("curate", "judge clips in a window", run_curate)
    curate.add_argument("--curator", default=default_player(), metavar="NAME", help="whose verdicts these are")
    curate.add_argument(
        "--queue", default="before-reward", metavar="QUEUE", help="before-reward, before-death, uniform or markers"
    )
    curate.add_argument("--clip-seconds", type=float, default=3.0, metavar="S", help="length of a clip, 1 to 5")
    curate.add_argument("--game", help="only clips of this game")
    curate.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the queue's order")
    add_labels(curate)

    label = commands.add("label", "let a rule give verdicts", run_label)
    label.add_argument(
        "--rule", required=True, metavar="RULE", help="before-reward[:frames=N] (good) or before-death[:frames=N] (bad)"
    )
    label.add_argument("--game", help="only episodes of this game")
    add_labels(label)


def run_curate(options: argparse.Namespace) -> int:
    from curator.curator_window import curate

    if not options.curator.strip():
        raise CoachError("A curator needs a name: --curator NAME.")
    if options.curator.startswith("rule:"):
        raise CoachError('A person\'s name cannot begin with "rule:"; that is how rules sign.')
    library = Library(options.library)
    library.prepare()
    with LabelDatabase(labels_of(options, library)) as labels:
        summary = curate(
            library, labels, options.curator, options.queue, options.clip_seconds, options.game, options.seed
        )
    if options.json:
        print_json(summary)
    else:
        report_console().print(_in_words(summary))
    return 0


def _in_words(summary: SittingSummary) -> str:
    given = ", ".join(f"{number} {verdict}" for verdict, number in summary.given.items() if number) or "none"
    pace = "" if summary.per_minute is None else f" at {summary.per_minute:.0f} a minute"
    waiting = "no clip is left" if summary.left == 0 else f"{summary.left} left"
    return f"Verdicts of {summary.curator} in this sitting: {given}{pace}; {waiting}. Everything is saved."


def run_label(options: argparse.Namespace) -> int:
    from curator.labelling import apply_rule
    from curator.rules import parse_rule

    rule = parse_rule(options.rule)
    library = Library(options.library)
    if not library.episodes(options.game):
        # Said before the label database is made: a mistyped library must leave nothing behind.
        raise CoachError(f"The library {library.folder} holds no episodes to judge; record one with `coach play`.")
    with LabelDatabase(labels_of(options, library)) as labels, progress_bar("Judging", "episodes") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        summary = apply_rule(library, labels, rule, options.game, on_progress)
    if options.json:
        print_json(summary)
        return 0
    report_console().print(
        f"{summary.curator} found {summary.clips} {summary.verdict} clips in {summary.episodes_with_clips} of "
        f"{summary.episodes} episodes: {clock(summary.frames / 60)} of {clock(summary.frames_in_all / 60)} of play "
        f"({summary.share:.0%})."
    )
    return 0
