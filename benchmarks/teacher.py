"""Train the agent that the package supplies, with this project's own code, and put it into the package.

    python -m benchmarks.teacher [--game SpaceInvaders] [--folder DIR] [--steps N] [--threads N]
    python -m benchmarks.teacher --practise [--game SpaceInvaders] [--folder DIR] [--steps N] [--threads N]
    python -m benchmarks.teacher --package RUN_FOLDER [--weights better|best|last] [--episodes 100]
                                 [--jobs N] [--machine TEXT]

The first trains: hours to days, at low priority. Ctrl-C stops it with a checkpoint, and the same command continues it.
It uses ``SETTINGS``, without demonstrations and without a limit of steps: it is no study of sample efficiency. The
folder is a library outside the repository; the training is its run ``teacher`` (``teacher-GAME`` for other games).

The second trains a new run, ``teacher-practised``, from the weights of the first, with ``PRACTICE``: half of its own
episodes start inside a quarter of an hour of the planner's play, which it records first. So it practises what comes
after the first wave of enemies, where the first training stays. The planner's actions are not imitated.

The third writes the run's weights and their card into ``data/supplied/``, and replaces the figures and the learning
curve in the guide. The weights are evaluated as they are stored: float16, at most 3 MB.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import coach
from agent.config import TrainConfig, option_name
from benchmarks.study_games import PlannersPlay
from commands.demonstrators import MakePlanner
from data.errors import CoachError
from data.library import Library
from data.runs import RunFolder
from data.user_folders import state_folder

GAME = "SpaceInvaders"
SETTINGS: dict[str, Any] = {
    # The network: about 1.7 million weights.
    "network": "small-norm",
    "quantiles": 32,
    "dueling": True,
    "double_q": False,
    # Rewards and returns.
    "n_steps": 3,
    "reward": "sign",
    "life_loss_ends": True,
    "discount": 0.99,
    "bound_returns": "off",
    # Sampling and learning, without demonstrations.
    "pretrain_steps": 0,
    "sampling": "prioritised",
    "memory_size": 400_000,
    "learn_from_step": 10_000,
    "train_every": 4,
    "batch_size": 32,
    "optimizer": "adam",
    "learning_rate": 0.0001,
    "optimizer_epsilon": 0.00015,
    "target_update_steps": 2_000,
    # Exploring.
    "epsilon_start": 1.0,
    "epsilon_end": 0.01,
    "epsilon_steps": 100_000,
    # What is reported and saved.
    "seed": 7,
    "evaluate_every": 50_000,
    "evaluation_episodes": 10,
    "checkpoint_every": 50_000,
}
"""Changes to the preset "default"."""
PRACTICE: dict[str, Any] = {
    **SETTINGS,
    "start_inside": 0.5,
    "margin_weight": 0.0,
    "seed_share": 0.1,
    "seed_anneal_steps": 0,
    "check_episodes": 0,
    "learn_from_step": 4_000,
    "learning_rate": 0.00005,
    "epsilon_seeded": 0.05,
    "epsilon_steps": 10_000,
    "seed": 8,
    "evaluate_every": 25_000,
    "evaluation_episodes": 20,
    "checkpoint_every": 25_000,
}
"""The same for the training that practises inside the planner's play."""
PLANNER = MakePlanner(5, 20, 3)
PLANNER_FRAMES = 15 * 60 * 60
STEPS = 10_000_000
NICENESS = 10


def run_name(game: str) -> str:
    """Return the name under which the agent of a game is supplied."""
    return "teacher" if game == GAME else f"teacher-{game}"


def practised_name(game: str) -> str:
    """Return the name of the run that practises inside the planner's play."""
    return f"{run_name(game)}-practised"


def training_arguments(
    library: Library, game: str, steps: int | None, threads: int, practises: bool = False
) -> list[str]:
    """Return the arguments of ``coach`` that start a training, or continue it if it was started before."""
    name, settings = (practised_name(game), PRACTICE) if practises else (run_name(game), SETTINGS)
    arguments = ["--library", str(library.folder), "train", "--run", name]
    more = [] if steps is None else ["--steps", str(steps)]
    if RunFolder(library.run_folder(name)).exists:
        return [*arguments, "--resume", *more]
    kinds = {field.name: type(field.default) for field in dataclasses.fields(TrainConfig)}
    for setting, value in settings.items():
        option = option_name(setting)
        if kinds[setting] is bool:
            arguments.append(option if value else option.replace("--", "--no-", 1))
        else:
            arguments += [option, str(value)]
    if practises:
        arguments += ["--from", run_name(game), "--seed-from", "planner"]
    return [*arguments, "--game", game, "--threads", str(threads), *(more or ["--steps", str(STEPS)])]


def practise(library: Library, game: str, steps: int | None, threads: int) -> int:
    """Record the planner's play where it is missing, train, and return the exit code."""
    PlannersPlay(game, PLANNER_FRAMES, 1000, PLANNER)(library)
    return coach.main(training_arguments(library, game, steps, threads, practises=True))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--game", default=GAME, help=f"the game to train for (default: {GAME})")
    parser.add_argument(
        "--folder",
        type=Path,
        default=state_folder() / "teachers",
        help="library of the training (default: %(default)s)",
    )
    parser.add_argument("--steps", type=int, help=f"own steps (default: {STEPS:,}, or what a started training has)")
    parser.add_argument("--threads", type=int, default=1, help="threads for computing; 0: all (default: 1)")
    parser.add_argument("--practise", action="store_true", help="train further, from starts inside a planner's play")
    parser.add_argument("--package", type=Path, metavar="RUN_FOLDER", help="put the agent of this run into the package")
    parser.add_argument(
        "--weights",
        choices=("better", "best", "last"),
        default="better",
        help="those of the best evaluation during training, the last ones, or (default) what is better in 30 episodes",
    )
    parser.add_argument("--episodes", type=int, default=100, help="episodes of the card's evaluation (default: 100)")
    parser.add_argument("--jobs", type=int, default=1, help="processes of the evaluation (default: 1)")
    parser.add_argument("--machine", help="on what it was trained, in words (default: this machine)")
    options = parser.parse_args()
    if options.package is not None:
        from benchmarks.teacher_card import package

        try:
            package(options.package, options.weights, options.episodes, options.jobs, options.machine)
        except CoachError as error:
            print(f"teacher: {error}", file=sys.stderr)
            return error.exit_code
        return 0
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    library = Library(options.folder)
    if options.practise:
        return practise(library, options.game, options.steps, options.threads)
    return coach.main(training_arguments(library, options.game, options.steps, options.threads))


if __name__ == "__main__":
    raise SystemExit(main())
