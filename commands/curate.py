"""``coach curate``: judge clips in a window."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from commands.chosen_settings import chosen_settings, given_or, person
from commands.output import print_json, report_console
from commands.parser import Commands, add_labels, labels_of
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from screen.window import Window


def add(commands: Commands) -> None:
    curate = commands.add("curate", "judge clips in a window", run_curate)
    curate.add_argument(
        "--curator",
        metavar="NAME",
        help="who gives the verdicts (default: from your settings, initially your login name)",
    )
    curate.add_argument(
        "--queue",
        metavar="QUEUE",
        help="before-reward, before-death, coached, uniform, markers, second-look, uncertain (where the learned judge "
        "is least sure) or surprising:RUN (where its TD errors are largest); default: the first in which clips wait",
    )
    curate.add_argument(
        "--goal",
        type=int,
        metavar="N",
        help="number of verdicts to aim for in this session (default: from your settings)",
    )
    curate.add_argument("--clip-seconds", type=float, default=3.0, metavar="S", help="length of a clip, 1 to 5 seconds")
    curate.add_argument("--game", help="only clips of this game")
    curate.add_argument("--seed", type=int, default=0, metavar="N", help="random seed of the queue's order")
    add_labels(curate)


def run_curate(options: argparse.Namespace) -> int:
    from curator.window import curate

    chosen = chosen_settings()
    curator = given_or(options.curator, person(chosen))
    if not curator.strip():
        raise CoachError("A curator needs a name: --curator NAME.")
    if curator.startswith("rule:"):
        raise CoachError('A person\'s name cannot begin with "rule:", which marks the verdicts of rules.')
    library = Library(options.library)
    library.prepare()

    def train(window: Window) -> None:
        from commands.home import HomeActions

        HomeActions(window, library, replace(chosen, game=options.game or chosen.game)).train()

    with LabelDatabase(labels_of(options, library)) as labels:
        summary = curate(
            library,
            labels,
            curator,
            options.queue,
            options.clip_seconds,
            options.game,
            options.seed,
            goal=given_or(options.goal, chosen.goal or None),
            train=train,
        )
    if options.json:
        print_json(summary)
    else:
        report_console().print(str(summary))
    return 0
