"""Commands that show: ``coach watch``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.output import clock, print_json, progress_bar, report_console
from commands.parser import AGENT_EPSILON, Commands, add_seed
from commands.playing import chosen_seed
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.errors import CoachError
from data.library import Library

if TYPE_CHECKING:
    from agent.config import TrainConfig


def add(commands: Commands) -> None:
    watch = commands.add("watch", "see an agent play, in a window or on film", run_watch)
    watch.add_argument("run_name", metavar="RUN", help="the run's name")
    watch.add_argument("--take-over", action="store_true", help="begin with the controls in your hands")
    watch.add_argument("--gif", type=Path, metavar="FILE", help="film an episode instead of opening a window")
    watch.add_argument("--mp4", type=Path, metavar="FILE", help="the same as a video")
    watch.add_argument("--seconds", type=float, default=30.0, metavar="S", help="longest film, in seconds of play")
    watch.add_argument(
        "--epsilon", type=float, default=AGENT_EPSILON, metavar="P", help="probability of a random decision"
    )
    watch.add_argument(
        "--player",
        metavar="NAME",
        help="who takes over (default: as in your settings, at first your login name)",
    )
    add_seed(watch)


def run_watch(options: argparse.Namespace) -> int:
    library = Library(options.library)
    if not 0.0 <= options.epsilon <= 1.0:
        raise CoachError(f"--epsilon must lie between 0 and 1, not {options.epsilon:g}.")
    if options.gif or options.mp4:
        return _film(options, library)
    from agent.player import load_player
    from commands.chosen_settings import chosen_settings, person, told_or
    from recorder.watch import watch

    player = load_player(library, options.run_name, options.epsilon)
    name = told_or(options.player, person(chosen_settings()))
    game, settings, seed = player.config.game, settings_of(player.config), chosen_seed(options)
    paths = watch(library, player, game, name, seed, options.take_over, settings)
    if options.json:
        print_json({"episodes": paths})
    elif paths:
        report_console().print("Kept: " + ", ".join(str(path) for path in paths))
    return 0


def settings_of(config: TrainConfig) -> EmulatorSettings:
    """The emulator that an agent is used to."""
    return EmulatorSettings(
        frame_skip=config.frame_skip,
        repeat_action_probability=config.sticky,
        full_action_set=config.full_action_set,
    )


def check_destination(path: Path) -> None:
    """Raises CoachError if no file can be written there; better said before the work than after it."""
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CoachError(f"{path} cannot be written: {folder} is no folder that can be written to.")


def _film(options: argparse.Namespace, library: Library) -> int:
    for path in (options.gif, options.mp4):
        if path is not None:
            check_destination(path)
    if not options.seconds > 0:
        raise CoachError(f"--seconds must be above 0, not {options.seconds:g}.")
    seed = chosen_seed(options)
    facts = film_agent(library, options.run_name, options.gif, options.mp4, options.seconds, options.epsilon, seed)
    if options.json:
        print_json(facts)
        return 0
    written = ", ".join(str(path) for path in (options.gif, options.mp4) if path)
    report_console().print(f"{clock(facts['seconds'])} of play, {facts['score']:g} points (seed {seed}): {written}")
    return 0


def film_agent(
    library: Library, run: str, gif: Path | None, mp4: Path | None, seconds: float, epsilon: float, seed: int
) -> dict[str, Any]:
    """Film one episode of an agent, or its first ``seconds``; returns what was filmed."""
    from agent.player import load_player
    from data.film import write_gif, write_mp4
    from data.simulation import Emulator
    from recorder.frame_loop import play_frames
    from recorder.headless import episode_settings

    player = load_player(library, run, epsilon)
    settings = episode_settings(settings_of(player.config), seed)
    emulator = Emulator(player.config.game, settings, player.action_meanings)
    player.begin(emulator, np.random.default_rng([seed, 1]))
    most = round(seconds * FRAMES_PER_SECOND)
    frames = [emulator.screen()]
    score = 0.0
    with progress_bar(f"Filming {run}", "frames") as progress:
        progress.update(progress.task_ids[0], total=most)
        for frame in play_frames(emulator, player, [emulator.state()]):
            frames.append(frame.after.screen)
            score += frame.after.reward
            progress.update(progress.task_ids[0], completed=len(frames))
            if frame.after.game_over or len(frames) > most:
                break

        if gif is not None:
            write_gif(gif, frames, emulator.palette)
        if mp4 is not None:
            write_mp4(mp4, frames, emulator.palette)
    return {
        "run": run,
        "game": player.config.game,
        "seed": seed,
        "epsilon": epsilon,
        "seconds": (len(frames) - 1) / FRAMES_PER_SECOND,
        "score": score,
        "ended_by": "game_over" if emulator.game_over else "truncated",
        "gif": gif,
        "mp4": mp4,
    }
