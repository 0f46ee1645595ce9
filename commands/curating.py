"""Commands that give verdicts: ``coach curate`` and ``coach label``."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from commands.output import clock, print_json, progress_bar, report_console
from commands.parser import Commands, add_labels, labels_of
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from curator.judge_predictions import LearnedSummary
    from curator.queues import SurprisingFrame


def add(commands: Commands) -> None:
    curate = commands.add("curate", "judge clips in a window", run_curate)
    curate.add_argument(
        "--curator",
        metavar="NAME",
        help="whose verdicts these are (default: as in your settings, at first your login name)",
    )
    curate.add_argument(
        "--queue",
        default="before-reward",
        metavar="QUEUE",
        help="before-reward, before-death, uniform, markers, second-look, uncertain (where the learned judge is least "
        "sure) or surprising:RUN (where a run's TD errors are largest)",
    )
    curate.add_argument(
        "--goal",
        type=int,
        metavar="N",
        help="verdicts that you mean to give in this sitting (default: as in your settings)",
    )
    curate.add_argument("--clip-seconds", type=float, default=3.0, metavar="S", help="length of a clip, 1 to 5")
    curate.add_argument("--game", help="only clips of this game")
    curate.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the queue's order")
    add_labels(curate)

    label = commands.add("label", "let a rule give verdicts", run_label)
    label.add_argument(
        "--rule",
        required=True,
        metavar="RULE",
        help="before-reward[:frames=N] (good), before-death[:frames=N] (bad), or learned (as people judged)",
    )
    label.add_argument(
        "--confidence", type=float, default=0.9, metavar="P", help="learned: how sure it must be to give a verdict"
    )
    label.add_argument("--game", help="only episodes of this game")
    add_labels(label)


def run_curate(options: argparse.Namespace) -> int:
    from commands.chosen_settings import chosen_settings, person, told_or
    from curator.window import curate

    chosen = chosen_settings()
    curator = told_or(options.curator, person(chosen))
    if not curator.strip():
        raise CoachError("A curator needs a name: --curator NAME.")
    if curator.startswith("rule:"):
        raise CoachError('A person\'s name cannot begin with "rule:"; that is how rules sign.')
    library = Library(options.library)
    library.prepare()
    with LabelDatabase(labels_of(options, library)) as labels:
        summary = curate(
            library,
            labels,
            curator,
            options.queue,
            options.clip_seconds,
            options.game,
            options.seed,
            goal=told_or(options.goal, chosen.goal or None),
            surprising=surprising_frames(library, options.queue),
        )
    if options.json:
        print_json(summary)
    else:
        report_console().print(str(summary))
    return 0


def surprising_frames(library: Library, queue: str) -> list[SurprisingFrame]:
    """For the queue ``surprising:RUN``: the middles of the spans where that run's TD errors were largest."""
    from curator.queues import SurprisingFrame

    name, _, run = queue.partition(":")
    if name != "surprising" or not run:
        return []
    from agent.run import open_run

    path = open_run(library, run).path / "seeding.json"
    try:
        spans = json.loads(path.read_text())["spans"]
        found = [
            SurprisingFrame(
                str(span["episode_id"]), (int(span["start"]) + int(span["stop"])) // 2, float(span["mean_td_error"])
            )
            for span in spans
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CoachError(f"The run {run!r} has no account of its seeding yet ({path}); train it further.") from error
    if not found:
        raise CoachError(f"The run {run!r} was not seeded from replay files, so none of their clips can surprise it.")
    return found


def run_label(options: argparse.Namespace) -> int:
    from curator.judge_predictions import apply_learned_judge
    from curator.rules import apply_rule, parse_rule

    rule = None if options.rule == "learned" else parse_rule(options.rule)
    library = Library(options.library)
    if not library.episodes(options.game):
        # Said before the label database is made: a mistyped library must leave nothing behind.
        raise CoachError(f"The library {library.folder} holds no episodes to judge; record one with `coach play`.")
    with LabelDatabase(labels_of(options, library)) as labels, progress_bar("Judging", "episodes") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

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
            f"{summary.curator} judged {summary.good} clips of {summary.game} good and {summary.bad} bad, and left "
            f"{summary.unsure} of which it was less than {summary.confidence:.0%} sure. Learned from "
            f"{figures.verdicts} verdicts; balanced accuracy {figures.balanced_accuracy:.2f} on unseen episodes."
        )
    return 0
