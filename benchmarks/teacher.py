"""Train the agent that the package supplies, with this project's own code, and put it into the package.

    python -m benchmarks.teacher [--game SpaceInvaders] [--folder DIR] [--steps N] [--threads N]
    python -m benchmarks.teacher --package RUN_FOLDER [--weights better|best|last] [--episodes 100]
                                 [--jobs N] [--machine TEXT]

The first trains: hours to days, at low priority. Ctrl-C stops it with a checkpoint, and the same command continues it.
It uses ``SETTINGS``, without demonstrations and without a limit of steps: it is no study of sample efficiency. The
folder is a library outside the repository; the training is its run ``teacher`` (``teacher-GAME`` for other games).

The second writes the run's weights and their card into ``data/supplied/``, and replaces the figures and the learning
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
from agent.config import TrainConfig
from agent.setting import option_name
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
STEPS = 10_000_000
NICENESS = 10


def run_name(game: str) -> str:
    """Return the name under which the agent of a game is supplied."""
    return "teacher" if game == GAME else f"teacher-{game}"


def training_arguments(library: Library, game: str, steps: int | None, threads: int) -> list[str]:
    """Return the arguments of ``coach`` that start the training, or continue it if it was started before."""
    name = run_name(game)
    arguments = ["--library", str(library.folder), "train", "--run", name]
    more = [] if steps is None else ["--steps", str(steps)]
    if RunFolder(library.run_folder(name)).exists:
        return [*arguments, "--resume", *more]
    kinds = {field.name: type(field.default) for field in dataclasses.fields(TrainConfig)}
    for setting, value in SETTINGS.items():
        option = option_name(setting)
        if kinds[setting] is bool:
            arguments.append(option if value else option.replace("--", "--no-", 1))
        else:
            arguments += [option, str(value)]
    return [*arguments, "--game", game, "--threads", str(threads), *(more or ["--steps", str(STEPS)])]


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
    return coach.main(training_arguments(Library(options.folder), options.game, options.steps, options.threads))


if __name__ == "__main__":
    raise SystemExit(main())
