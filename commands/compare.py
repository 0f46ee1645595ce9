"""``coach compare``: several seedings, each trained with several random seeds, and a report."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from commands.comparison import add_comparison_options, comparison_config, run_comparison
from commands.parser import Commands, at_least
from data.errors import CoachError
from data.library import Library

if TYPE_CHECKING:
    from agent.arms import Arm
    from agent.config import TrainConfig

STUDIES = {
    "before-reward": "Are the last frames before points enough, and how many of them?",
    "keep": "Does it help to leave out what was judged bad, or to keep only what was judged good?",
    "judge": "Does a judge that learned from people help, in addition to their own verdicts?",
}
"""Ready-made comparisons, and the question that each answers."""
FRAMES = (60, 120, 240)


def add(commands: Commands) -> None:
    compare = commands.add("compare", "compare several seedings, each with several random seeds", run_compare)
    compare.add_argument(
        "--seedings",
        nargs="+",
        metavar="ARM",
        help="what to compare: none, random:N, human, agent, agent:RUN, planner, imported, all, a replay file, or "
        "TITLE=SOURCE[,SOURCE][,setting=value] such as curated=planner,keep=not-bad; settings are those below, and "
        "verdicts=people|library|RULE",
    )
    compare.add_argument(
        "--study",
        choices=tuple(STUDIES),
        help="a ready-made comparison instead of --seedings, of the play that --seed-from names: the last frames "
        "before points; all, not bad or only good; with and without a learned judge",
    )
    compare.add_argument(
        "--frames", type=int, nargs="+", metavar="N", help="study before-reward: how many last frames (60 120 240)"
    )
    add_comparison_options(compare)


def run_compare(options: argparse.Namespace) -> int:
    from agent.arms import parse_arm
    from data.game_names import display_name

    if bool(options.seedings) == bool(options.study):
        raise CoachError("Name what to compare, either with --seedings (such as: none planner) or with --study.")
    base = comparison_config(options)
    if options.study:
        for frames in options.frames or ():
            at_least(frames, 1, "--frames")
        arms = study_arms(options.study, base, Library(options.library), options.frames)
        return run_comparison(options, arms, options.question or STUDIES[options.study])
    arms = tuple(parse_arm(text, base) for text in options.seedings)
    question = options.question or f"Which seeding helps most in {display_name(base.game)}?"
    return run_comparison(options, arms, question)


def study_arms(study: str, base: TrainConfig, library: Library, frames: list[int] | None) -> tuple[Arm, ...]:
    """Return the arms of a study. All share the sources of ``base``, or else people's play, or else everything."""
    from agent.arms import parse_arm

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
