"""``coach play``: play a game in a window and record it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands.add import giver
from commands.chosen_settings import chosen_settings, given_or, person
from commands.info import find_replay
from commands.parser import Commands, add_seed, chosen_seed
from commands.record import report_recorded
from commands.recover import recover_before_play
from data.episode import DEFAULT_FRAME_SKIP, EmulatorSettings, PaceReport
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from data.quarantine import vetted
from data.replay_file import ReplayFile
from data.runs import open_own_run

if TYPE_CHECKING:
    from data.continuation import Unended
    from screen.window import Window


def add(commands: Commands) -> None:
    play = commands.add("play", "play a game in a window and record it", run_play)
    default = "(default: from your settings"
    play.add_argument("--game", help=f"the game's ALE id {default}, initially SpaceInvaders)")
    play.add_argument("--player", metavar="NAME", help=f"who plays {default}, initially your login name)")
    add_seed(play)
    play.add_argument(
        "--frame-skip",
        type=int,
        metavar="N",
        help="frames for which an action is held, as for an agent; with 1 it may change at every frame "
        f"{default}, initially {DEFAULT_FRAME_SKIP})",
    )
    play.add_argument(
        "--sticky",
        type=float,
        metavar="P",
        help=f"probability, at each frame, of repeating the previous action {default}, initially 0)",
    )
    play.add_argument("--speed", type=float, default=1.0, metavar="X", help="0.25 to 4 times the console's speed")
    play.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="ID",
        help="resume an unfinished episode: the one with this id, or else the newest",
    )
    play.add_argument("--from", dest="from_episode", metavar="ID", help="play on from inside this episode")
    play.add_argument("--frame", type=int, default=0, metavar="N", help="with --from: the frame to play on from")
    play.add_argument("--coach", metavar="RUN", help="with --from: add what is saved to this run's training")


def run_play(options: argparse.Namespace) -> int:
    from recorder.play_window import play

    chosen = chosen_settings()
    if options.from_episode is not None:
        return _play_inside(options, given_or(options.player, person(chosen)))
    if options.coach is not None:
        raise CoachError("--coach needs --from; `coach add` adds whole episodes.")
    settings = EmulatorSettings(
        seed=chosen_seed(options),
        frame_skip=given_or(options.frame_skip, chosen.frame_skip),
        repeat_action_probability=given_or(options.sticky, chosen.sticky),
    )
    library = Library(options.library)
    recover_before_play(library)
    game, player = given_or(options.game, chosen.game), given_or(options.player, person(chosen))
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
    return report_recorded(options, paths, seed=settings.seed, pace=paces[0] if paces else None)


def _play_inside(options: argparse.Namespace, player: str) -> int:
    library = Library(options.library)
    recover_before_play(library)
    give = None if options.coach is None else giver(library, open_own_run(library, options.coach))
    paths = play_inside(library, find_replay(library, options.from_episode), options.frame, player, give=give)
    return report_recorded(options, paths, seed=None)


def play_inside(
    library: Library,
    episode: Path,
    frame: int,
    player: str,
    window: Window | None = None,
    give: Callable[[Path], str] | None = None,
) -> list[Path]:
    """Let a person play on from a frame of an episode; return the replay files that were saved.

    Raises CoachError if the episode has no such frame.
    """
    from data.continuation import start_inside
    from recorder.play_from import play_from

    with ReplayFile(vetted(episode, library.replays)) as replay:
        settings, start = start_inside(replay, frame)
        game = replay.origin.game
    return play_from(library, game, settings, start, player, window, give)


def episode_to_resume(library: Library, episode_id: str, game: str | None) -> Unended:
    """Return the episode with this id, or the newest one (of ``game``, if given) that was left before its end.

    Raises CoachError if there is none.
    """
    from data.continuation import read_unended, unended_episodes

    if episode_id:
        return read_unended(library.episode_path(episode_id.removesuffix(".h5")))
    found = unended_episodes(library, game)
    if not found:
        of_game = f" of {display_name(game)}" if game else ""
        raise CoachError(f"The library {library.folder} has no abandoned episode{of_game}.")
    return read_unended(Path(found[0].path))
