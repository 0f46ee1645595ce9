"""``coach record``: record episodes without a window."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from commands.corrections import add_correction_options, run_corrections
from commands.demonstrators import MakeWithHumanLimits, make_demonstrator
from commands.import_ import add_import_options, import_options, report_notes
from commands.output import print_json, progress_bar, progress_counter, report_console, row, table
from commands.parser import AGENT_EPSILON, DEFAULT_GAME, Commands, add_seed, add_sticky, at_least, chosen_seed
from data.durations import clock
from data.episode import DEFAULT_FRAME_SKIP, MAX_EPISODE_FRAMES, EmulatorSettings, EpisodeSummary, PaceReport
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from data.replay_file import ReplayFile


def add(commands: Commands) -> None:
    record = commands.add("record", "record episodes without a window", run_record)
    record.add_argument(
        "--by",
        required=True,
        metavar="WHO",
        help="random, planner, agent:RUN, or actions:FILE.npz (one action per frame, from the minimal action set)",
    )
    record.add_argument("--episodes", type=int, default=1, metavar="N", help="number of episodes")
    record.add_argument(
        "--game", help="the game, by its ALE id (default: SpaceInvaders; actions: what the file says, if it does)"
    )
    add_seed(record)
    record.add_argument("--jobs", type=int, default=1, metavar="N", help="number of processes")
    record.add_argument("--player", default="", metavar="NAME", help="the player's name to store")
    record.add_argument("--frame-skip", type=int, default=DEFAULT_FRAME_SKIP, metavar="N", help="frames per decision")
    add_sticky(record)
    record.add_argument(
        "--epsilon",
        type=float,
        metavar="P",
        help=f"probability of a random decision (default: {AGENT_EPSILON} for agent:RUN, otherwise 0)",
    )
    record.add_argument(
        "--max-frames",
        type=int,
        default=MAX_EPISODE_FRAMES,
        metavar="N",
        help="truncate an episode after this many frames",
    )
    record.add_argument("--rollouts", type=int, metavar="N", help="planner: plans tried at each decision")
    record.add_argument("--horizon", type=int, metavar="N", help="planner: decisions in a plan")
    record.add_argument(
        "--hold", type=int, metavar="N", help="planner: minimum number of decisions an action is held for (default: 1)"
    )
    record.add_argument(
        "--human-limits",
        action="store_true",
        help="act 0.2 s late, hold keys, and do nothing half of the time, as a person may; for trials of learning",
    )
    add_correction_options(record)
    add_import_options(record, "actions: ")


def run_record(options: argparse.Namespace) -> int:
    from recorder.headless import RecordingStopped, record_episodes

    library = Library(options.library)
    if options.by.startswith("actions:"):
        if options.human_limits:
            raise CoachError("--human-limits changes what a demonstrator does; an actions file is played as it is.")
        return _record_actions(options, library)
    at_least(options.episodes, 1, "--episodes")
    at_least(options.jobs, 1, "--jobs")
    factory = make_demonstrator(options, library)
    if options.human_limits:
        factory = MakeWithHumanLimits(factory)
    if options.correct:
        return run_corrections(options, library, factory())
    options.game = options.game or DEFAULT_GAME
    seed = chosen_seed(options)
    epsilon = options.epsilon
    if epsilon is None:
        epsilon = AGENT_EPSILON if options.by.startswith("agent:") else 0.0
    settings = EmulatorSettings(seed=seed, frame_skip=options.frame_skip, repeat_action_probability=options.sticky)
    started: set[int] = set()
    with progress_bar(f"Recording {display_name(options.game)} by {options.by}", "episodes") as progress:
        task = progress.task_ids[0]
        progress.update(task, total=options.episodes)

        def on_progress(episode: int, frames: int, score: float) -> None:
            started.add(episode)
            progress.update(
                task,
                completed=max(0, len(started) - min(options.jobs, options.episodes)),
                note=f"episode {episode + 1}: {clock(frames / 60)} played, {score:g} points",
            )

        try:
            paths = record_episodes(
                library,
                factory,
                options.game,
                options.episodes,
                settings,
                seed,
                options.jobs,
                epsilon,
                options.max_frames,
                options.player or options.by.partition(":")[2],  # --seed-from agent:RUN selects by this name
                on_progress,
            )
        except RecordingStopped as stopped:
            report_recorded(options, stopped.paths, seed=seed)
            raise
    return report_recorded(options, paths, seed=seed)


def _record_actions(options: argparse.Namespace, library: Library) -> int:
    from data.actions_file import read_actions_file
    from data.episode_import import import_play

    path = Path(options.by.removeprefix("actions:"))
    wanted = import_options(options)
    with progress_counter(f"Simulating {path.name}", "steps") as on_progress:
        play = read_actions_file(path, wanted.game or DEFAULT_GAME, options.held_for, options.actions)
        if wanted.game is None and play.game is None:
            wanted = replace(wanted, game=DEFAULT_GAME)
        results = import_play(library, play, wanted, on_progress)
    report_notes(results)
    return report_recorded(options, [result.path for result in results], seed=None)


def summaries_of(paths: list[Path]) -> list[EpisodeSummary]:
    found = []
    for path in paths:
        with ReplayFile(path) as replay:
            found.append(replay.summary())
    return found


def _count_duplicates(paths: list[Path]) -> int:
    """Return how many files hold exactly the actions of an earlier one in the list."""
    played = set()
    for path in paths:
        with ReplayFile(path) as replay:
            played.add(replay.actions.tobytes())
    return len(paths) - len(played)


def report_recorded(
    options: argparse.Namespace, paths: list[Path], seed: int | None, pace: PaceReport | None = None
) -> int:
    """Report the episodes that were played or recorded; returns exit code 0."""
    summaries = summaries_of(paths)
    scores = [summary.score for summary in summaries]
    mean = sum(scores) / len(scores) if scores else None
    if options.json:
        facts = {"episodes": summaries, "mean_score": mean, "seed": seed}
        print_json(facts if pace is None else facts | {"pace": pace})
        return 0
    console = report_console()
    if pace is not None and pace.frames:
        console.print(f"Pace: {pace}.")
    if not summaries:
        console.print("No episode was saved.")
        return 0
    shown = table("Episode", "Score>", "Time>", "Ended by")
    for summary in summaries:
        shown.add_row(*row(summary.path, f"{summary.score:g}", clock(summary.seconds), summary.ended_by))
    console.print(shown)
    many = f"{len(summaries)} episodes, mean score {mean:.1f}" if len(summaries) > 1 else "1 episode"
    console.print(f"{many}; saved in {options.library}." + ("" if seed is None else f" Seed {seed}."))
    duplicates = _count_duplicates(paths)
    if duplicates:
        what = "1 of them is identical to another" if duplicates == 1 else f"{duplicates} of them repeat others"
        console.print(f"{what}; --epsilon 0.01 or --sticky 0.25 makes each one different.")
    return 0
