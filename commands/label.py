"""``coach label``: let a rule or the learned judge give verdicts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands.output import print_json, progress_counter, report_console
from commands.parser import Commands, add_labels, labels_of
from data.durations import clock
from data.errors import CoachError
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from curator.judge_predictions import LearnedSummary


def add(commands: Commands) -> None:
    label = commands.add("label", "let a rule give verdicts", run_label)
    label.add_argument(
        "--rule",
        required=True,
        metavar="RULE",
        help="before-reward[:frames=N] (good), before-death[:frames=N] (bad), or learned (a judge trained on people's "
        "verdicts)",
    )
    label.add_argument(
        "--confidence", type=float, default=0.9, metavar="P", help="learned: least probability for giving a verdict"
    )
    label.add_argument("--game", help="only episodes of this game")
    add_labels(label)


def run_label(options: argparse.Namespace) -> int:
    from curator.judge_predictions import apply_learned_judge
    from curator.rules import apply_rule, parse_rule

    rule = None if options.rule == "learned" else parse_rule(options.rule)
    library = Library(options.library)
    if not library.episodes(options.game):
        # Checked before the label database is created: a mistyped --library must leave nothing behind.
        raise CoachError(f"The library {library.folder} has no episodes to judge; record one with `coach play`.")
    with LabelDatabase(labels_of(options, library)) as labels, progress_counter("Judging", "episodes") as on_progress:
        if rule is None:
            learned = apply_learned_judge(library, labels, options.confidence, options.game, on_progress=on_progress)
        else:
            summary = apply_rule(library, labels, rule, options.game, on_progress)
    if rule is None:
        return _report_learned(options, learned)
    if options.json:
        print_json(summary)
        return 0
    report_console().print(
        f"{summary.curator} found {summary.clips} {summary.verdict} clips in {summary.episodes_with_clips} of "
        f"{summary.episodes} episodes: {clock(summary.frames / 60)} of {clock(summary.frames_in_all / 60)} of play "
        f"({summary.share:.0%})."
    )
    return 0


def _report_learned(options: argparse.Namespace, summaries: list[LearnedSummary]) -> int:
    if options.json:
        print_json({"games": summaries})
        return 0
    for summary in summaries:
        figures = summary.figures
        report_console().print(
            f"{summary.curator} judged {summary.good} clips of {display_name(summary.game)} good and "
            f"{summary.bad} bad, and left {summary.unsure} unjudged because it was less than "
            f"{summary.confidence:.0%} sure. It learned from "
            f"{figures.verdicts} verdicts; balanced accuracy {figures.balanced_accuracy:.2f} on unseen episodes."
        )
    return 0
