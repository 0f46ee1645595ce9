"""``coach watch``: see an agent play in a window, or film it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.chosen_settings import chosen_settings, given_or, person
from commands.output import print_json, progress_bar, report_console
from commands.parser import AGENT_EPSILON, Commands, add_seed, chosen_seed
from data.durations import clock
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.errors import CoachError
from data.library import Library

if TYPE_CHECKING:
    from agent.config import TrainConfig


def add(commands: Commands) -> None:
    watch = commands.add("watch", "see an agent play in a window, or film it", run_watch)
    watch.add_argument("run_name", metavar="RUN", help="the run's name")
    watch.add_argument("--take-over", action="store_true", help="start with yourself at the controls")
    watch.add_argument("--gif", type=Path, metavar="FILE", help="film an episode as a GIF instead of opening a window")
    watch.add_argument("--mp4", type=Path, metavar="FILE", help="film an episode as an MP4 video")
    watch.add_argument("--seconds", type=float, default=30.0, metavar="S", help="maximum length of the film in seconds")
    watch.add_argument(
        "--epsilon", type=float, default=AGENT_EPSILON, metavar="P", help="probability of a random decision"
    )
    watch.add_argument(
        "--player",
        metavar="NAME",
        help="who takes over (default: from your settings, initially your login name)",
    )
    add_seed(watch)


def run_watch(options: argparse.Namespace) -> int:
    library = Library(options.library)
    if not 0.0 <= options.epsilon <= 1.0:
        raise CoachError(f"--epsilon must be between 0 and 1, not {options.epsilon:g}.")
    if options.gif or options.mp4:
        return _film(options, library)
    from agent.player import load_player
    from recorder.watch import watch

    player = load_player(library, options.run_name, options.epsilon)
    name = given_or(options.player, person(chosen_settings()))
    game, settings, seed = player.config.game, settings_of(player.config), chosen_seed(options)
    paths = watch(library, player, game, name, seed, options.take_over, settings)
    if options.json:
        print_json({"episodes": paths})
    elif paths:
        report_console().print("Saved: " + ", ".join(str(path) for path in paths))
    return 0


def settings_of(config: TrainConfig) -> EmulatorSettings:
    """Return the emulator settings with which an agent is trained."""
    return EmulatorSettings(
        frame_skip=config.frame_skip,
        repeat_action_probability=config.sticky,
        full_action_set=config.full_action_set,
    )


def check_destination(path: Path) -> None:
    """Raise CoachError if no file can be written there, before any work is done."""
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise CoachError(f"Cannot write {path}: {folder} is not a writable folder.")


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
    """Film the first ``seconds`` of an episode of an agent; return what ``coach watch --json`` prints."""
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
