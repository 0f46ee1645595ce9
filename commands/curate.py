"""``coach curate``: judge clips in a window."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from commands.chosen_settings import chosen_settings, given_or, person
from commands.output import print_json, report_console
from commands.parser import Commands, add_labels, labels_of
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from curator.queues import SurprisingFrame


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
        help="before-reward, before-death, uniform, markers, second-look, uncertain (where the learned judge is least "
        "sure) or surprising:RUN (where a run's TD errors are largest); default: the first in which clips wait",
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
            surprising=surprising_frames(library, options.queue),
        )
    if options.json:
        print_json(summary)
    else:
        report_console().print(str(summary))
    return 0


def surprising_frames(library: Library, queue: str | None) -> list[SurprisingFrame]:
    """Return, for the queue ``surprising:RUN``, the middle frame of each span with that run's largest TD errors.

    Other queues have none. Raises CoachError if the run has not recorded any such spans.
    """
    from curator.queues import SurprisingFrame

    name, _, run = (queue or "").partition(":")
    if name != "surprising" or not run:
        return []
    from data.runs import open_run

    path = open_run(library, run).seeding
    try:
        spans = json.loads(path.read_text())["spans"]
        found = [
            SurprisingFrame(
                str(span["episode_id"]), (int(span["start"]) + int(span["stop"])) // 2, float(span["mean_td_error"])
            )
            for span in spans
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CoachError(f"The run {run!r} has not recorded its TD errors yet ({path}); train it further.") from error
    if not found:
        raise CoachError(f"The run {run!r} was not seeded from replay files, so it has no surprising clips.")
    return found
