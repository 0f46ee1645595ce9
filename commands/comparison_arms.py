"""The arms of ready-made comparisons: what is useful in a recording, and what an agent carries to another game."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from agent.arms import Arm, parse_arm
from data.errors import CoachError
from data.library import Library

if TYPE_CHECKING:
    from agent.config import TrainConfig

STUDIES = {
    "before-reward": "Are the last frames before points enough, and how many of them?",
    "keep": "Does it help to throw out what was judged bad, or to keep alone what was judged good?",
    "judge": "Does a judge that learned from people help, beside the people themselves?",
}
FRAMES = (60, 120, 240)
CARRIED = {
    "nothing": "scratch",
    "convolutions": "convolutions",
    "new-head": "whole, new head",
    "whole": "whole",
}
"""What is carried over, and the title of its arm."""


def study_arms(study: str, base: TrainConfig, library: Library, frames: list[int] | None) -> tuple[Arm, ...]:
    """The arms of a study; all share the sources of ``base``, or people's play, or else everything there is."""
    if not base.seed_from:
        kinds = {kind for episode in library.episodes(base.game) for kind in episode.frames_by_demonstrator}
        base = dataclasses.replace(base, seed_from=("human",) if "human" in kinds else ("all",))
    if study == "before-reward":
        last = [f"last {n} frames=keep=good,verdicts=before-reward:frames={n}" for n in frames or FRAMES]
        texts = ["everything=keep=all", *last]
    elif study == "keep":
        texts = ["everything=keep=all", "not bad=keep=not-bad", "good alone=keep=good"]
    else:
        texts = [
            "people alone=keep=good,verdicts=people",
            "people and learned judge=keep=good,verdicts=people+learned",
        ]
    return tuple(parse_arm(text, base) for text in texts)


def transfer_base(options: argparse.Namespace, library: Library) -> TrainConfig:
    """The settings of the run that is carried over, for the new game: network and preprocessing must be its own."""
    from agent.config import run_config
    from data.runs import open_run

    folder = open_run(library, options.from_run)
    if folder.newest_checkpoint() is None:
        raise CoachError(f"The run {options.from_run!r} has no checkpoint yet; let it train first.")
    return dataclasses.replace(run_config(folder), seed_from=(), seed=0)


def transfer_arms(base: TrainConfig, run: str, carried: list[str] | None) -> tuple[Arm, ...]:
    """One arm for each thing that may be carried over, "nothing" among them."""
    chosen = list(dict.fromkeys(carried or ("nothing", "convolutions", "whole")))
    arms = []
    for what in chosen:
        if what == "nothing":
            arms.append(Arm(CARRIED[what], what, base))
        else:
            arms.append(Arm(CARRIED[what], what, base, from_run=run, carry=what))
    return tuple(arms)
