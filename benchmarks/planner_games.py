"""The planner against random play in ten games of different action sets, every episode recorded and verified.

    python -m benchmarks.planner_games [--episodes 20] [--max-frames 1200] [--rollouts 5] [--horizon 20] [--games ...]

Each finished episode is one line of build/planner_games.jsonl, so it can be stopped at any moment and continues from
there. Episodes are played in turns, so that all games have about as many. Prints the table of docs/results/planner.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from agent.statistics import mean_interval
from data.demonstrator import RandomPlay
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.verification import verify
from recorder.headless import record_episodes
from recorder.planner import Planner

GAMES = ("Pong", "Breakout", "Seaquest", "MsPacman", "Pitfall", "Freeway", "Qbert", "Assault", "Gopher", "Amidar")
RESAMPLES = 10_000
OUT = Path("build/planner_games.jsonl")


@dataclass(frozen=True)
class Conditions:
    """The settings that must be equal for episodes to be compared."""

    max_frames: int
    rollouts: int
    horizon: int


@dataclass(frozen=True)
class Played:
    """One recorded episode."""

    game: str
    by: str
    seed: int
    score: float
    frames: int
    verified: bool


def play(game: str, by: str, seed: int, conditions: Conditions, folder: Path) -> Played:
    """Record one episode, verify its file, and remove it."""
    planner = partial(Planner, rollouts=conditions.rollouts, horizon=conditions.horizon)
    library = Library(folder)
    make = planner if by == "planner" else RandomPlay
    (path,) = record_episodes(library, make, game, 1, EmulatorSettings(), seed, max_frames=conditions.max_frames)
    verified = verify(path).ok
    with ReplayFile(path) as replay:
        played = Played(game, by, seed, replay.score, replay.frame_count, verified)
    shutil.rmtree(folder)
    return played


def known(out: Path, conditions: Conditions) -> list[Played]:
    """Return what earlier calls with the same conditions have played."""
    if not out.is_file():
        return []
    lines = [json.loads(line) for line in out.read_text().splitlines() if line.endswith("}")]
    return [Played(**line["played"]) for line in lines if line["conditions"] == asdict(conditions)]


def table(played: list[Played], games: list[str]) -> str:
    """Return the table in Markdown."""
    rng = np.random.default_rng(0)
    lines = [
        "| game | actions | planner, mean (95%) | random, mean (95%) | episodes | all verified | planner better |",
        "|---|---|---|---|---|---|---|",
    ]
    better = 0
    for game in games:
        of_game = [episode for episode in played if episode.game == game]
        cells, means = [], {}
        for by in ("planner", "random"):
            scores = np.array([episode.score for episode in of_game if episode.by == by])
            if not len(scores):
                break
            low, high = mean_interval(scores, rng, RESAMPLES)
            means[by] = (scores.mean(), low, high)
            cells.append(f"{scores.mean():.1f} ({low:.1f} to {high:.1f})")
        if len(means) < 2:
            continue
        ahead = means["planner"][0] > means["random"][0]
        clearly = means["planner"][1] > means["random"][2]
        better += ahead
        verdict = "yes" if clearly else "yes, intervals overlap" if ahead else "no"
        counts = " + ".join(str(sum(episode.by == by for episode in of_game)) for by in ("planner", "random"))
        verified = "yes" if all(episode.verified for episode in of_game) else "NO"
        actions = len(Emulator(game).action_meanings)
        lines.append(f"| {game} | {actions} | {cells[0]} | {cells[1]} | {counts} | {verified} | {verdict} |")
    return "\n".join([*lines, "", f"The planner is better in {better} of {len(games)} games."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(GAMES), metavar="GAME")
    parser.add_argument("--episodes", type=int, default=20, help="of each demonstrator in each game")
    parser.add_argument("--max-frames", type=int, default=1200, help="frames after which an episode is truncated")
    parser.add_argument("--rollouts", type=int, default=5, help="the planner's plans at each decision")
    parser.add_argument("--horizon", type=int, default=20, help="the planner's decisions in a plan")
    parser.add_argument("--out", type=Path, default=OUT, help="the file of the episodes played so far")
    parser.add_argument("--table", action="store_true", help="only print the table of the episodes played so far")
    options = parser.parse_args()
    conditions = Conditions(options.max_frames, options.rollouts, options.horizon)
    played = known(options.out, conditions)
    there = {(episode.game, episode.by, episode.seed) for episode in played}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="planner-games-"))
    todo = [
        turn
        for turn in itertools.product(range(options.episodes), options.games, ("random", "planner"))
        if not options.table and (turn[1], turn[2], turn[0]) not in there
    ]
    try:
        for number, (seed, game, by) in enumerate(todo):
            episode = play(game, by, seed, conditions, scratch / "library")
            played.append(episode)
            with options.out.open("a") as out:
                out.write(json.dumps({"conditions": asdict(conditions), "played": asdict(episode)}) + "\n")
            print(f"{number + 1} of {len(todo)}: {game}, {by}, {episode.score:g} points", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("Stopped; the same command continues from here.", file=sys.stderr)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    seconds = conditions.max_frames / FRAMES_PER_SECOND
    print(
        f"At most {seconds:g} s an episode; planner: {conditions.rollouts} plans of {conditions.horizon} decisions.\n"
    )
    print(table([episode for episode in played if episode.seed < options.episodes], options.games))


if __name__ == "__main__":
    main()
