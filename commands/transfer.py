"""``coach transfer``: an agent of one game continues in another, compared with one from scratch."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from commands.comparison import add_comparison_options, comparison_config, run_comparison
from commands.parser import Commands
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library

if TYPE_CHECKING:
    from agent.arms import Arm
    from agent.config import TrainConfig

CARRIED = {
    "nothing": "scratch",
    "convolutions": "convolutions",
    "new-head": "whole, new head",
    "whole": "whole",
}
"""What of the network is transferred, and the title of that arm."""


def add(commands: Commands) -> None:
    transfer = commands.add("transfer", "compare an agent of another game with one from scratch", run_transfer)
    transfer.add_argument("--from", required=True, dest="from_run", metavar="RUN", help="the run of the other game")
    transfer.add_argument(
        "--carry",
        nargs="+",
        choices=tuple(CARRIED),
        help="arms: the whole network (outputs are matched by action name; all 18 with "
        "--full-action-set), the whole with a new head, convolutions, nothing (default: nothing convolutions whole)",
    )
    add_comparison_options(transfer)


def run_transfer(options: argparse.Namespace) -> int:
    if options.game is None:
        raise CoachError("--game must name the game in which the agent continues.")
    theirs = transfer_base(options, Library(options.library))
    arms = transfer_arms(comparison_config(options, theirs), options.from_run, options.carry)
    question = options.question or f"Does skill in {display_name(theirs.game)} help in {display_name(options.game)}?"
    return run_comparison(options, arms, question)


def transfer_base(options: argparse.Namespace, library: Library) -> TrainConfig:
    """Return the settings of the run that is transferred: network and preprocessing must stay the same.

    A supplied run was trained for days, with a memory and a start of learning that suit that, so of its settings only
    those of the network are used.
    """
    from agent.config import preset, run_config
    from agent.config_options import NETWORK_FIELDS
    from data.runs import open_run

    folder = open_run(library, options.from_run)
    if folder.newest_checkpoint() is None:
        raise CoachError(f"The run {options.from_run!r} has no checkpoint yet; let it train first.")
    theirs = run_config(folder)
    if folder.is_supplied:
        network = {field: getattr(theirs, field) for field in NETWORK_FIELDS}
        return dataclasses.replace(preset("default"), game=theirs.game, **network)
    return dataclasses.replace(theirs, seed_from=(), seed=0)


def transfer_arms(base: TrainConfig, run: str, carried: list[str] | None) -> tuple[Arm, ...]:
    """Return one arm for each choice of what is transferred, "nothing" among them."""
    from agent.arms import Arm

    chosen = list(dict.fromkeys(carried or ("nothing", "convolutions", "whole")))
    arms = []
    for what in chosen:
        if what == "nothing":
            arms.append(Arm(CARRIED[what], what, base))
        else:
            arms.append(Arm(CARRIED[what], what, base, from_run=run, carry=what))
    return tuple(arms)
