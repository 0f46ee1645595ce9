"""Commands that make episodes: ``coach play`` and ``coach record``."""

from __future__ import annotations

import argparse
import getpass
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exchange import recover_before_play
from commands.output import clock, print_json, progress_bar, report_console, row, table
from commands.parser import AGENT_EPSILON, Commands, add_game, add_seed, add_sticky, at_least
from data.demonstrator import Demonstrator
from data.episode import DEFAULT_FRAME_SKIP, MAX_EPISODE_FRAMES, EmulatorSettings, EpisodeSummary
from data.errors import CoachError
from data.library import Library
from data.pace_report import PaceReport
from data.replay_file import ReplayFile

if TYPE_CHECKING:
    from data.continuation import Unended


def add(commands: Commands) -> None:
    play = commands.add("play", "play a game in a window and record it", run_play)
    of_settings = "(default: as in your settings"
    play.add_argument("--game", help=f"the game, by its ALE id {of_settings}, at first SpaceInvaders)")
    play.add_argument("--player", metavar="NAME", help=f"who plays {of_settings}, at first your login name)")
    add_seed(play)
    play.add_argument(
        "--frame-skip",
        type=int,
        metavar="N",
        help="frames for which an action is held, as an agent's is; 1: it may change at every frame "
        f"{of_settings}, at first {DEFAULT_FRAME_SKIP})",
    )
    play.add_argument(
        "--sticky",
        type=float,
        metavar="P",
        help=f"probability, at each frame, that the last action is executed again {of_settings}, at first 0)",
    )
    play.add_argument("--speed", type=float, default=1.0, metavar="X", help="0.25 to 4 times the console's speed")
    play.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="ID",
        help="go on with an episode that was left before its end: the one with this id, or the newest of them",
    )

    record = commands.add("record", "record episodes without a window", run_record)
    record.add_argument(
        "--by",
        required=True,
        metavar="WHO",
        help="random, planner, agent:RUN, or actions:FILE.npz (one action a frame, of the minimal action set)",
    )
    record.add_argument("--episodes", type=int, default=1, metavar="N", help="how many")
    add_game(record)
    add_seed(record)
    record.add_argument("--jobs", type=int, default=1, metavar="N", help="processes to record with")
    record.add_argument("--player", default="", metavar="NAME", help="whose play this is")
    record.add_argument("--frame-skip", type=int, default=DEFAULT_FRAME_SKIP, metavar="N", help="frames in a decision")
    add_sticky(record)
    record.add_argument(
        "--epsilon",
        type=float,
        metavar="P",
        help=f"probability of a random decision (default: {AGENT_EPSILON} for agent:RUN, else 0)",
    )
    record.add_argument(
        "--max-frames",
        type=int,
        default=MAX_EPISODE_FRAMES,
        metavar="N",
        help="frames after which an episode is cut off",
    )
    record.add_argument("--rollouts", type=int, metavar="N", help="planner: plans tried at each decision")
    record.add_argument("--horizon", type=int, metavar="N", help="planner: decisions in a plan")
    record.add_argument(
        "--hold", type=int, metavar="N", help="planner: decisions for which it holds an action at least (default: 1)"
    )
    record.add_argument(
        "--keep-anyway", action="store_true", help="actions: keep the file even if its rewards are not reproduced"
    )


def default_player() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without a name, as in some containers
        return ""


def chosen_seed(options: argparse.Namespace) -> int:
    """The seed that was asked for, or a new one."""
    return secrets.randbelow(2**31) if options.seed is None else int(options.seed)


def run_play(options: argparse.Namespace) -> int:
    from commands.chosen_settings import chosen_settings, person, told_or
    from recorder.play_window import play

    chosen = chosen_settings()
    settings = EmulatorSettings(
        seed=chosen_seed(options),
        frame_skip=told_or(options.frame_skip, chosen.frame_skip),
        repeat_action_probability=told_or(options.sticky, chosen.sticky),
    )
    library = Library(options.library)
    recover_before_play(library)
    game, player = told_or(options.game, chosen.game), told_or(options.player, person(chosen))
    unended = None if options.resume is None else episode_to_resume(library, options.resume, options.game)
    paces: list[PaceReport] = []
    paths = play(
        library,
        unended.origin.game if unended is not None else game,
        player,
        settings,
        speed=options.speed,
        on_pace=paces.append,
        sound=chosen.sound,
        unended=unended,
    )
    return _report_recorded(options, paths, seed=settings.seed, pace=paces[0] if paces else None)


def episode_to_resume(library: Library, episode_id: str, game: str | None) -> Unended:
    """The episode with this id, or the newest that was left before its end (of the game, if one is named)."""
    from data.continuation import read_unended, unended_episodes

    if episode_id:
        return read_unended(library.episode_path(episode_id.removesuffix(".h5")))
    found = unended_episodes(library, game)
    if not found:
        of_game = f" of {game}" if game else ""
        raise CoachError(f"The library {library.folder} holds no episode{of_game} that was left before its end.")
    return read_unended(Path(found[0].path))


@dataclass(frozen=True)
class MakePlanner:
    """Makes a planner, in whichever process records with it."""

    rollouts: int | None
    horizon: int | None
    hold: int | None = None

    def __call__(self) -> Demonstrator:
        from recorder.planner import Planner

        chosen = {"rollouts": self.rollouts, "horizon": self.horizon, "hold": self.hold}
        return Planner(**{name: value for name, value in chosen.items() if value is not None})


def make_demonstrator(options: argparse.Namespace, library: Library) -> Any:
    """A picklable factory of the demonstrator that ``--by`` names."""
    kind, _, rest = options.by.partition(":")
    if options.by == "random":
        from data.demonstrator import RandomPlay

        return RandomPlay
    if options.by == "planner":
        return MakePlanner(options.rollouts, options.horizon, options.hold)
    if kind == "agent" and rest:
        from agent.player import PlayerFactory
        from agent.run import open_run

        open_run(library, rest)  # a run that does not exist is said before any process is started
        return PlayerFactory(library.folder, rest)
    raise CoachError(f"--by must be random, planner, agent:RUN or actions:FILE.npz, not {options.by!r}.")


def run_record(options: argparse.Namespace) -> int:
    from recorder.headless import RecordingStopped, record_episodes

    library = Library(options.library)
    if options.by.startswith("actions:"):
        return _run_actions(options, library)
    at_least(options.episodes, 1, "--episodes")
    at_least(options.jobs, 1, "--jobs")
    factory = make_demonstrator(options, library)
    seed = chosen_seed(options)
    epsilon = options.epsilon
    if epsilon is None:
        epsilon = AGENT_EPSILON if options.by.startswith("agent:") else 0.0
    settings = EmulatorSettings(seed=seed, frame_skip=options.frame_skip, repeat_action_probability=options.sticky)
    finished: dict[int, bool] = {}
    with progress_bar(f"Recording {options.game} by {options.by}", "episodes") as progress:
        task = progress.task_ids[0]
        progress.update(task, total=options.episodes)

        def on_progress(episode: int, frames: int, score: float) -> None:
            finished.setdefault(episode, True)
            progress.update(
                task,
                completed=max(0, len(finished) - min(options.jobs, options.episodes)),
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
                options.player or options.by.partition(":")[2],  # a seeding finds an agent's play by its run's name
                on_progress,
            )
        except RecordingStopped as stopped:
            paths = stopped.paths
            _report_recorded(options, paths, seed=seed)
            raise
    return _report_recorded(options, paths, seed=seed)


def _run_actions(options: argparse.Namespace, library: Library) -> int:
    from data.actions_file import rebuild

    path = Path(options.by.removeprefix("actions:"))
    with progress_bar(f"Rebuilding {path.name}", "frames") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        rebuilt = rebuild(
            library, options.game, path, player=options.player, keep_anyway=options.keep_anyway, on_progress=on_progress
        )
    return _report_recorded(options, [rebuilt], seed=None)


def summaries_of(paths: list[Path]) -> list[EpisodeSummary]:
    found = []
    for path in paths:
        with ReplayFile(path) as replay:
            found.append(replay.summary())
    return found


def _same_as_another(paths: list[Path]) -> int:
    """How many of the files hold the very actions of one before them."""
    played = set()
    for path in paths:
        with ReplayFile(path) as replay:
            played.add(replay.actions.tobytes())
    return len(paths) - len(played)


def _report_recorded(
    options: argparse.Namespace, paths: list[Path], seed: int | None, pace: PaceReport | None = None
) -> int:
    summaries = summaries_of(paths)
    scores = [summary.score for summary in summaries]
    mean = sum(scores) / len(scores) if scores else None
    if options.json:
        told = {"episodes": summaries, "mean_score": mean, "seed": seed}
        print_json(told if pace is None else told | {"pace": pace})
        return 0
    console = report_console()
    if pace is not None and pace.frames:
        console.print(f"Pace: {pace}.")
    if not summaries:
        console.print("No episode was kept.")
        return 0
    shown = table("Episode", "Score>", "Time>", "Ended by")
    for summary in summaries:
        shown.add_row(*row(summary.path, f"{summary.score:g}", clock(summary.seconds), summary.ended_by))
    console.print(shown)
    many = f"{len(summaries)} episodes, mean score {mean:.1f}" if len(summaries) > 1 else "1 episode"
    console.print(f"{many}; kept in {options.library}." + ("" if seed is None else f" Seed {seed}."))
    same = _same_as_another(paths)
    if same:
        what = "is the same game as one" if same == 1 else "are the same games as others"
        console.print(f"{same} of them {what} before: --epsilon 0.01 or --sticky 0.25 makes each another.")
    return 0
