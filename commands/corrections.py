"""Corrections without a window: a demonstrator plays on from an agent's worst moments, for its training."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.add import add_episodes, giver
from commands.output import print_json, progress_bar, report_console
from commands.parser import at_least
from data.additions import AdditionsFolder
from data.demonstrator import Demonstrator
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.library import Library
from data.moments import Moment, read_moments, start_before
from data.runs import RunFolder, open_own_run

if TYPE_CHECKING:
    from screen.window import Window

CORRECTION_SECONDS = 10.0
"""Length of a correction; it starts some seconds before the moment."""


def add_correction_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--correct", metavar="RUN", help="play on from the worst moments of this run's training, and add it to the run"
    )
    parser.add_argument("--moments", type=int, default=10, metavar="N", help="with --correct: number of moments")
    parser.add_argument(
        "--seconds",
        type=float,
        default=CORRECTION_SECONDS,
        metavar="S",
        help="with --correct: length of each correction, which starts 3 s before its moment",
    )


def run_corrections(options: argparse.Namespace, library: Library, demonstrator: Demonstrator) -> int:
    """Record corrections and add them; raises CoachError if the run has no moments or plays another game."""
    at_least(options.moments, 1, "--moments")
    at_least(options.seconds, 1, "--seconds")
    folder = open_own_run(library, options.correct)
    game = folder.read().config.get("game")
    if options.game not in (None, game):
        raise CoachError(f"{folder.name} plays {game}, not {options.game}.")
    facts: list[dict[str, Any]] = []
    chosen = worst_moments(folder, options.moments)
    with progress_bar(f"Correcting {folder.name}", "moments") as progress:
        task = progress.task_ids[0]
        progress.update(task, total=len(chosen))
        for number, moment in enumerate(chosen):
            path = correct(library, folder, moment, demonstrator, options.seconds, options.player)
            (fact,) = add_episodes(library, folder, [str(path)], demonstrator.kind, library.labels, wait=5.0)
            about = {name: value for name, value in asdict(moment).items() if name not in ("actions", "initial_ram")}
            facts.append({"moment": about, "path": path, **fact})
            progress.update(task, completed=number + 1, note=str(moment))
    if options.json:
        print_json({"run": folder.name, "corrections": facts})
        return 0
    for fact in facts:
        report_console().print(fact["sentence"])
    missing = options.moments - len(facts)
    if missing:
        report_console().print(f"{folder.name} has no other moments; train further for {missing} more.")
    return 0


def worst_moments(folder: RunFolder, count: int) -> list[Moment]:
    """Return the moments of greatest severity that nobody has corrected yet, worst first.

    Raises CoachError if there are none.
    """
    from agent.addition_requests import corrected_moments

    moments = read_moments(folder)
    if not moments:
        raise CoachError(f"{folder.name} has marked no moments yet; it marks them when a game of its training ends.")
    done = corrected_moments(AdditionsFolder(folder.path))
    left = [moment for moment in moments if start_before(folder, moment)[2] not in done]
    if not left:
        raise CoachError(f"All {len(moments)} moments of {folder.name} have been corrected; train further for more.")
    return sorted(left, key=lambda moment: -moment.severity)[:count]


def play_moment(library: Library, folder: RunFolder, moment: Moment, player: str, window: Window | None) -> list[Path]:
    """Let a person play on from some seconds before a moment; what they save is added to the run."""
    from recorder.play_from import play_from

    game, settings, start = start_before(folder, moment)
    return play_from(library, game, settings, start, player, window, giver(library, folder))


def correct(
    library: Library, folder: RunFolder, moment: Moment, demonstrator: Demonstrator, seconds: float, player: str = ""
) -> Path:
    """Let a demonstrator play on from some seconds before a moment; return the replay file."""
    from recorder.corrections import play_on

    game, settings, start = start_before(folder, moment)
    frames = round(seconds * FRAMES_PER_SECOND)
    frames += -frames % settings.frame_skip
    meanings = folder.read().action_meanings
    return play_on(library, demonstrator, game, settings, start, meanings, frames, player)
