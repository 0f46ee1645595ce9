"""``coach watch``: see an agent play in a window, or film it."""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.add import coached_account, giver
from commands.chosen_settings import chosen_settings, given_or, person
from commands.output import print_json, progress_bar, report_console
from commands.parser import AGENT_EPSILON, Commands, add_seed, add_weights, chosen_seed
from data.demonstrator import Demonstrator
from data.durations import clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.library import Library
from data.run_curves import read_evaluations
from data.runs import RunFolder, open_own_run, open_run

if TYPE_CHECKING:
    from recorder.watch_session import Watched
    from screen.window import Window


FIRST_WEIGHTS_SECONDS = 2.0
"""Longest wait for a running training's newest weights before the first game; they are usually there in one."""


def add(commands: Commands) -> None:
    watch = commands.add("watch", "see an agent play in a window, or film it", run_watch)
    watch.add_argument("run_name", metavar="RUN", help="the run's name; teacher is supplied")
    watch.add_argument("--take-over", action="store_true", help="start with yourself at the controls")
    watch.add_argument(
        "--coach", action="store_true", help="add what you play to the run's training when you hand the controls back"
    )
    watch.add_argument("--gif", type=Path, metavar="FILE", help="film an episode as a GIF instead of opening a window")
    watch.add_argument("--mp4", type=Path, metavar="FILE", help="film an episode as an MP4 video")
    watch.add_argument("--seconds", type=float, default=30.0, metavar="S", help="maximum length of the film in seconds")
    watch.add_argument(
        "--epsilon", type=float, default=AGENT_EPSILON, metavar="P", help="probability of a random decision"
    )
    add_weights(watch)
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
    name = given_or(options.player, person(chosen_settings()))
    seed, weights = chosen_seed(options), options.weights
    paths = watch_run(
        library, options.run_name, name, options.epsilon, options.take_over, options.coach, seed, weights=weights
    )
    if options.json:
        print_json({"episodes": paths})
    elif paths:
        report_console().print("Saved: " + ", ".join(str(path) for path in paths))
    return 0


def watch_run(
    library: Library,
    run: str,
    player: str,
    epsilon: float = AGENT_EPSILON,
    take_over: bool = False,
    coach: bool = False,
    seed: int | None = None,
    window: Window | None = None,
    weights: str = "last",
) -> list[Path]:
    """Watch a run's agent in a window; ``coach``: add what the person plays to its training.

    weights: "last", or "best" for those of the best evaluation during training. A training that runs shows its newest
    weights, and newer ones between two games. Returns the saved replay files.
    """
    from agent.live_weights import newest_agent
    from agent.player import AgentPlayer, load_agent_weights
    from agent.run_loop import emulator_settings
    from recorder.watch import watch
    from recorder.watch_session import Coaching

    folder = (open_own_run if coach else open_run)(library, run)
    last = weights == "last"
    loaded = newest_agent(folder, FIRST_WEIGHTS_SECONDS) if last else load_agent_weights(folder, weights)
    agent = AgentPlayer(loaded, epsilon)
    shown = watched_run(folder, loaded.step)

    def newest() -> tuple[Demonstrator, Watched] | None:
        nonlocal shown
        try:
            newer = newest_agent(folder)
        except CoachError:
            return None  # a checkpoint that is being replaced
        now = watched_run(folder, newer.step)
        if now == shown:
            return None
        shown = now
        return AgentPlayer(newer, epsilon), now

    return watch(
        library,
        agent,
        agent.config.game,
        player,
        secrets.randbelow(2**31) if seed is None else seed,
        take_over,
        emulator_settings(agent.config),
        window=window,
        watched=shown,
        newest=newest if last else None,
        coaching=Coaching(giver(library, folder), lambda: coached_account(folder)) if coach else None,
    )


def watched_run(folder: RunFolder, step: int) -> Watched:
    """Return what a window states about a run's agent."""
    from recorder.watch_session import Watched

    rows = [row for row in read_evaluations(folder) if "mean" in row and row.get("step", 0) <= step]
    score = float(rows[-1]["mean"]) if rows else None
    return Watched(folder.name, step, score, folder.is_trained(), supplied=folder.is_supplied)


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
    files = options.gif, options.mp4
    facts = film_agent(
        library, options.run_name, *files, options.seconds, options.epsilon, seed, weights=options.weights
    )
    if options.json:
        print_json(facts)
        return 0
    written = ", ".join(str(path) for path in (options.gif, options.mp4) if path)
    report_console().print(f"{clock(facts['seconds'])} of play, {facts['score']:g} points (seed {seed}): {written}")
    return 0


def film_agent(
    library: Library,
    run: str,
    gif: Path | None,
    mp4: Path | None,
    seconds: float,
    epsilon: float,
    seed: int,
    weights: str = "last",
) -> dict[str, Any]:
    """Film the first ``seconds`` of an episode of an agent; return what ``coach watch --json`` prints."""
    from agent.player import load_player
    from agent.run_loop import emulator_settings
    from data.film import write_gif, write_mp4
    from data.simulation import Emulator
    from recorder.frame_loop import play_frames
    from recorder.headless import episode_settings

    player = load_player(library, run, epsilon, weights)
    settings = episode_settings(emulator_settings(player.config), seed)
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
