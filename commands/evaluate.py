"""``coach evaluate``: measure a trained agent's scores."""

from __future__ import annotations

import argparse
import json

from commands.output import print_json, progress_counter, report_console
from commands.parser import Commands, add_weights, at_least
from data.durations import clock
from data.library import Library


def add(commands: Commands) -> None:
    evaluate = commands.add("evaluate", "measure a trained agent's scores", run_evaluate)
    evaluate.add_argument("run_name", metavar="RUN", help="the run's name; teacher is supplied")
    evaluate.add_argument("--episodes", type=int, default=30, metavar="N", help="number of episodes")
    evaluate.add_argument(
        "--protocol",
        default="nature",
        choices=("nature", "machado", "tutorial"),
        help="how episodes start and end, and how often the agent acts randomly",
    )
    add_weights(evaluate)
    evaluate.add_argument("--jobs", type=int, default=1, metavar="N", help="number of processes")
    evaluate.add_argument("--seed", type=int, metavar="N", help="first episode's random seed (default: the protocol's)")


def run_evaluate(options: argparse.Namespace) -> int:
    from agent.evaluation import evaluate

    at_least(options.episodes, 1, "--episodes")
    at_least(options.jobs, 1, "--jobs")
    library = Library(options.library)
    seed = {} if options.seed is None else {"seed": options.seed}
    with progress_counter(f"Evaluating {options.run_name}", "episodes") as on_progress:
        result = evaluate(
            library,
            options.run_name,
            options.episodes,
            options.protocol,
            options.jobs,
            on_progress=on_progress,
            weights=options.weights,
            **seed,
        )
    if options.json:
        print_json(json.loads(result.to_json()))
    else:
        report_console().print(
            f"{options.run_name}: mean {result.mean:.1f}, median {result.median:.1f} points over {result.episodes} "
            f"episodes (95% interval of the mean {result.low:.1f} to {result.high:.1f}; {result.protocol} protocol; "
            f"{clock(result.seconds)})."
        )
    return 0
