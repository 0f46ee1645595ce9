"""``coach train``: train an agent, seeded from the library."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from commands.output import clock, print_json, report_console
from commands.parser import Commands, add_labels, labels_of
from commands.training_display import TrainingDisplay
from data.library import Library
from data.run_curves import read_curves
from data.run_progress import Progress, ProgressFile
from data.runs import open_run, run_folder

if TYPE_CHECKING:
    from agent.progress import TrainSummary


def add(commands: Commands) -> None:
    from agent.config import add_train_arguments

    train = commands.add("train", "train an agent, seeded from the library", run_train)
    train.add_argument("--run", required=True, metavar="NAME", dest="run_name", help="the run's name")
    train.add_argument("--resume", action="store_true", help="go on from the run's newest checkpoint")
    train.add_argument("--from", metavar="RUN", dest="from_run", help="begin with the weights of another run")
    add_labels(train)
    add_train_arguments(train)


def run_train(options: argparse.Namespace) -> int:
    from agent.config import config_from_arguments, run_config

    library = Library(options.library)
    folder = run_folder(library, options.run_name)
    base = run_config(open_run(library, options.run_name)) if options.resume else None
    config = config_from_arguments(options, base)
    library.prepare()
    from agent.training import train

    earlier = read_curves(folder).running_mean.tolist() if options.resume else []
    display = TrainingDisplay(options.run_name, scores=earlier)
    published = ProgressFile(folder.progress_file)

    def report(state: Progress) -> None:
        display.report(state)
        published.write(state, stopping=display.should_stop())

    with display.running():
        try:
            summary = train(
                library,
                options.run_name,
                config,
                resume=options.resume,
                labels=labels_of(options, library),
                from_run=options.from_run,
                report=report,
                should_stop=display.should_stop,
            )
        finally:
            published.remove()
    if options.json:
        print_json(summary)
    else:
        _print_summary(summary)
    return 0


def _print_summary(summary: TrainSummary) -> None:
    score = "" if summary.mean_score is None else f", mean score {summary.mean_score:.0f}"
    console = report_console()
    console.print(
        f"{summary.run}: {summary.step:,} of {summary.steps:,} steps, {summary.updates:,} updates, "
        f"{summary.episodes:,} episodes{score}, {clock(summary.seconds)}. Kept in {summary.path}."
    )
    if summary.stopped:
        console.print(f"Stopped early; `coach train --run {summary.run} --resume` goes on.")
    else:
        console.print(f"Next: `coach evaluate {summary.run}` or `coach watch {summary.run}`.")
