"""What ``coach compare`` and ``coach transfer`` share: train the arms with several random seeds, write a report.

While a comparison runs, ``progress.json`` in ``--out`` reports its progress (see ``agent.comparison_progress``). At its
end, ``report.html``, ``report.md`` and ``comparison.json`` (plan, results and statistics) are beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.output import print_json, progress_counter, report_console
from commands.parser import add_labels, at_least, labels_of
from commands.supplied_play import record_supplied_play, unrecorded_players
from data.comparisons import ComparisonFolder
from data.errors import AnswerIsNo, CoachError
from data.library import Library

if TYPE_CHECKING:
    from agent.arms import Arm
    from agent.comparison import Plan
    from agent.comparison_progress import ComparisonMonitor
    from agent.config import TrainConfig

BACKENDS = ("loky", "ray", "dask")
STEPS = 50_000
CURVE_POINTS = 10
"""Evaluations during training, beside the one at step 0, unless --evaluate-every is given."""
REACHED = {"SpaceInvaders": (200.0, 300.0, 600.0)}


def add_comparison_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that all comparisons share."""
    from agent.config_options import add_train_arguments

    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each arm")
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder of the report (default: in the library)")
    parser.add_argument("--name", metavar="NAME", help="first part of the runs' names (default: the name of --out)")
    parser.add_argument("--question", metavar="TEXT", help="the question that the report answers")
    parser.add_argument("--backend", default="loky", choices=BACKENDS, help="what distributes the runs over processors")
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at a time (default: one for each processor)")
    parser.add_argument(
        "--most-seconds", type=float, metavar="S", help="seconds of training, pretraining included, that end a run"
    )
    parser.add_argument(
        "--most-updates", type=int, metavar="N", help="updates of each run, pretraining included: fewer steps for it"
    )
    parser.add_argument(
        "--final-episodes",
        type=int,
        default=30,
        metavar="N",
        help="episodes that evaluate a finished run, the same for all",
    )
    parser.add_argument(
        "--reach",
        type=float,
        nargs="+",
        metavar="SCORE",
        help="report after how many steps each of these was reached",
    )
    add_labels(parser)
    add_train_arguments(parser)


def comparison_config(options: argparse.Namespace, base: TrainConfig | None = None) -> TrainConfig:
    """Return the settings that all arms share. Some defaults differ from those of ``coach train``."""
    from agent.config_options import config_from_arguments

    config = config_from_arguments(options, base)
    defaults: dict[str, Any] = {"keep": "all", "steps": STEPS, "threads": 1, "deterministic": True}
    chosen = {name: value for name, value in defaults.items() if getattr(options, name) is None}
    config = dataclasses.replace(config, **chosen)
    if options.evaluate_every is None:
        config = dataclasses.replace(config, evaluate_every=max(1, config.steps // CURVE_POINTS))
    return config


def run_comparison(options: argparse.Namespace, arms: tuple[Arm, ...], question: str) -> int:
    """Plan, train, evaluate and report. Return the exit code: 1 if a run failed or the comparison was stopped."""
    from agent.comparison import Plan

    for name, least in (("seeds", 1), ("final_episodes", 1)):
        at_least(getattr(options, name), least, f"--{name.replace('_', '-')}")
    for name in ("jobs", "most_seconds", "most_updates"):
        if getattr(options, name) is not None:
            at_least(getattr(options, name), 1, f"--{name.replace('_', '-')}")
    library = Library(options.library)
    name = options.name or (_plain(options.out.absolute().name) if options.out else "comparison")
    folder = ComparisonFolder(library, name)
    out = options.out or folder.path
    first = options.seed or 0
    if options.most_updates is not None:
        arms = tuple(within_updates(arm, options.most_updates) for arm in arms)
    wanted = Plan(
        name=name,
        question=question,
        arms=arms,
        seeds=tuple(range(first, first + options.seeds)),
        evaluation_episodes=options.final_episodes,
        most_seconds=options.most_seconds,
        reach=tuple(options.reach or _reached(arms[0].config.game)),
        command=("coach", *sys.argv[1:]),
    )
    folder.prepare()
    _prepare_out(out)
    with folder.locked():
        return _run(options, folder, wanted, out)


def _run(options: argparse.Namespace, folder: ComparisonFolder, wanted: Plan, out: Path) -> int:
    from agent.comparison import read_plan
    from agent.comparison_engine import run_all, unclaim
    from agent.comparison_progress import ComparisonMonitor
    from commands.comparison_display import ComparisonDisplay
    from commands.comparison_plan import prepare_plan
    from commands.comparison_results import write_results

    folder.stop_file.unlink(missing_ok=True)
    unclaim(folder)
    monitor = ComparisonMonitor(folder, wanted, out)
    monitor.publish("preparing")
    try:
        for arm in wanted.arms if read_plan(folder) is None else ():
            _record_supplied(folder.library, arm)
        plan = prepare_plan(folder, wanted, labels_of(options, folder.library))
        runs = tuple(task.run for task in plan.tasks())
        for run in runs:
            folder.failure(run).unlink(missing_ok=True)  # runs that failed before are tried again
        display = ComparisonDisplay(monitor, folder.stop_file)
        with display.running():
            run_all(folder, runs, options.backend, options.jobs, plan.arms[0].config.threads, display.say)
        if display.stopped:
            return _stopped(options, monitor, folder)
        monitor.publish("reporting")
        found, summary = write_results(folder, plan, out)
        monitor.publish("done", report=out / "report.html")
    except KeyboardInterrupt:
        monitor.publish("stopped")
        raise
    except CoachError as error:
        monitor.publish("failed", error=str(error))
        raise
    finally:
        unclaim(folder)
    if options.json:
        print_json(found)
    else:
        from commands.comparison_results import print_results

        print_results(found, summary, out)
    return 1 if found["failures"] else 0


def _record_supplied(library: Library, arm: Arm) -> None:
    """Record a supplied agent's play where the arm needs it and the library has none."""
    if unrecorded_players(library, arm.config.game, arm.config.seed_from):
        with progress_counter(f"{arm.title}: recording its play", "seconds") as on_progress:
            record_supplied_play(
                library, arm.config.game, arm.config.seed_from, lambda now: on_progress(now.step, now.total)
            )


def _stopped(options: argparse.Namespace, monitor: ComparisonMonitor, folder: ComparisonFolder) -> int:
    from agent.comparison_engine import unclaim

    unclaim(folder)
    state = monitor.publish("stopped")
    if options.json:
        print_json(state)
    else:
        report_console().print(
            f"Stopped: {state['done']} of {state['total']} runs are finished; "
            f"resume with: {shlex.join(monitor.plan.command)}"
        )
    return AnswerIsNo.exit_code


def within_updates(arm: Arm, most: int) -> Arm:
    """Return the arm with at most as many steps as ``most`` updates allow, including pretraining.

    Own step t (from 0) is followed by an update if t >= learn_from_step and t is a multiple of train_every.
    Raises CoachError if pretraining alone needs more.
    """
    config = arm.config
    left = most - (config.pretrain_steps if config.seed_from else 0)
    if left < 0:
        raise CoachError(f"The arm {arm.title!r} is pretrained with more than --most-updates {most} updates.")
    first = -(-config.learn_from_step // config.train_every) * config.train_every
    allowed = first + left * config.train_every
    return dataclasses.replace(arm, config=dataclasses.replace(config, steps=min(config.steps, allowed)))


def _reached(game: str) -> tuple[float, ...]:
    """Return scores to reach: for other games than Space Invaders, shares of the human score above chance."""
    from agent.atari_scores import ATARI_SCORES

    if game in REACHED or game not in ATARI_SCORES:
        return REACHED.get(game, ())
    chance, human = ATARI_SCORES[game]
    return tuple(round(chance + share * (human - chance), 1) for share in (0.1, 0.25, 0.5))


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name).strip("-._")[:40]


def _prepare_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "progress.json.part").touch()
        (out / "progress.json.part").unlink()
    except OSError as error:
        raise CoachError(
            f"Cannot write into {out} ({error.strerror or error}); choose another folder with --out."
        ) from error
