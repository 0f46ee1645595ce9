"""``coach tour``: the whole loop with no window and the planner at the controls, ending in a page."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

from commands.output import print_json, progress_bar, progress_console, report_console
from commands.parser import Commands, add_game
from commands.tour_report import Arm, TourFacts, write_report
from data.durations import clock
from data.episode import EmulatorSettings, EpisodeSummary
from data.errors import AnswerIsNo
from data.label_database import LabelDatabase
from data.library import Library
from data.run_curves import read_curves
from data.runs import RunFolder, run_folder, run_folders

RECORDING_SEED = 2026
FILM_SEED = 7
FILM_EPSILON = 0.05
RULES = ("before-reward", "before-death")


def add(commands: Commands) -> None:
    tour = commands.add("tour", "run the whole loop without a window: record, judge, train and report", run_tour)
    add_game(tour)
    tour.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="number of processes")


def run_tour(options: argparse.Namespace) -> int:
    result = take_tour(Library(options.library), options.game, options.jobs)
    if options.json:
        print_json(result)
        return 0
    console = report_console()
    console.print(f"Report on both agents:    {result.report}")
    console.print(f"Film of the seeded agent: {result.gif}")
    console.print(f"The tour took {clock(result.seconds)}.")
    return 0


@dataclass(frozen=True)
class TourSize:
    """How much is done; the default takes some ten minutes on two cores."""

    episodes: int = 2
    """Of the planner."""
    rollouts: int = 6
    """Plans that it tries at each decision."""
    horizon: int = 30
    """Decisions in a plan."""
    steps: int = 2000
    pretrain_steps: int = 800
    evaluation_episodes: int = 10
    film_seconds: float = 20.0


@dataclass(frozen=True)
class TourResult:
    """Where everything is, and the two agents' scores."""

    report: Path
    gif: Path
    episodes: tuple[EpisodeSummary, ...]
    arms: tuple[Arm, ...]
    seconds: float


def take_tour(library: Library, game: str, jobs: int, size: TourSize | None = None) -> TourResult:
    """Record, verify, judge, train, evaluate, film and report.

    Goes on where an earlier tour of this library was stopped: planner's episodes that are there are used, and agents
    that are trained are not trained again. Raises CoachError where a step fails, AnswerIsNo if a file does not verify.
    """
    begun = time.monotonic()
    size = size or TourSize()
    library.prepare()
    folder = library.folder / "tour"
    folder.mkdir(exist_ok=True)
    episodes = _recorded(library, game, jobs, size)
    verified = _verified(episodes, jobs)
    verdicts = _judged(library, game)
    arms = []
    seeding = ""
    for name, title, extra in (
        ("tour-seeded", "seeded", ("--seed-from", "planner", "--pretrain-steps", str(size.pretrain_steps))),
        ("tour-unseeded", "unseeded", ("--pretrain-steps", "0")),
    ):
        arm, seeded_with = _trained(library, game, name, title, extra, jobs, size)
        arms.append(arm)
        seeding = seeding or seeded_with
    film = folder / "seeded.gif"
    film_words = _filmed(library, film, size)
    report = folder / "report.html"
    seconds = time.monotonic() - begun
    facts = _facts(game, episodes, verified, verdicts, seeding, tuple(arms), film, film_words, seconds, size)
    write_report(facts, report)
    return TourResult(report, film, tuple(episodes), tuple(arms), time.monotonic() - begun)


def _say(words: str) -> None:
    progress_console().print(words, soft_wrap=True)


def _recorded(library: Library, game: str, jobs: int, size: TourSize) -> list[EpisodeSummary]:
    from commands.record import MakePlanner
    from recorder.headless import record_episodes

    def by_planner() -> list[EpisodeSummary]:
        return [e for e in library.episodes(game) if e.demonstrator == "planner" and e.ended_by == "game_over"]

    missing = size.episodes - len(by_planner())
    if missing > 0:
        _say(f"1 of 6  The planner plays {missing} episodes of {game}; each replay file holds everything.")
        with progress_bar("Recording", "episodes") as progress:
            record_episodes(
                library,
                MakePlanner(size.rollouts, size.horizon),
                game,
                missing,
                EmulatorSettings(),
                RECORDING_SEED + size.episodes - missing,
                jobs,
                player="planner",
                on_progress=lambda episode, frames, score: progress.update(
                    progress.task_ids[0], note=f"episode {episode + 1}: {clock(frames / 60)} played, {score:g} points"
                ),
            )
    episodes = by_planner()[-size.episodes :]
    _say("        scores: " + ", ".join(f"{episode.score:g}" for episode in episodes))
    return episodes


def _verified(episodes: list[EpisodeSummary], jobs: int) -> int:
    from data.verification import verify_many

    _say("2 of 6  Each file is simulated again and compared, frame by frame and byte by byte.")
    results = verify_many([Path(episode.path) for episode in episodes], jobs)
    for result in results:
        if not result.ok:
            raise AnswerIsNo(f"{result.path} did not verify: {result.sentence}")
    _say(f"        {len(results)} files are true.")
    return len(results)


def _judged(library: Library, game: str) -> list[str]:
    from curator.rules import apply_rule, parse_rule

    _say("3 of 6  Two rules judge: what came before points is good, what came before a lost life is bad.")
    words = []
    with LabelDatabase(library.labels) as labels:
        for text in RULES:
            summary = apply_rule(library, labels, parse_rule(text), game)
            words.append(
                f"{summary.curator}: {summary.clips} {summary.verdict} clips, {clock(summary.frames / 60)} of "
                f"{clock(summary.frames_in_all / 60)} of play"
            )
            _say(f"        {words[-1]}")
    return words


def _trained(
    library: Library, game: str, name: str, title: str, extra: tuple[str, ...], jobs: int, size: TourSize
) -> tuple[Arm, str]:
    from agent.config import add_train_arguments, config_from_arguments
    from agent.evaluation import evaluate
    from agent.training import train
    from commands.train import TrainingDisplay

    number = 4 if title == "seeded" else 5
    what = "begins with what was approved" if title == "seeded" else "begins with nothing"
    _say(f"{number} of 6  An agent that {what} trains for {size.steps} steps and is evaluated.")
    parser = argparse.ArgumentParser()
    add_train_arguments(parser)
    arguments = ["--game", game, "--steps", str(size.steps), "--evaluate-every", "0", "--memory-size", "50000", *extra]
    config = config_from_arguments(parser.parse_args(arguments))
    display = TrainingDisplay(name)
    with display.running():
        summary = train(
            library,
            name,
            config,
            resume=name in [run.name for run in run_folders(library)],
            labels=library.labels,
            report=display.report,
            should_stop=display.should_stop,
        )
    if display.should_stop():
        raise KeyboardInterrupt
    with progress_bar(f"Evaluating {name}", "episodes") as progress:
        result = evaluate(
            library,
            name,
            size.evaluation_episodes,
            "nature",
            jobs,
            on_progress=lambda done, total: progress.update(progress.task_ids[0], completed=done, total=total),
        )
    _say(f"        {title}: mean {result.mean:.0f} points ({result.low:.0f} to {result.high:.0f})")
    arm = Arm(
        name=name,
        title=title,
        pretrain_steps=config.pretrain_steps,
        steps=config.steps,
        training_seconds=summary.seconds,
        training_scores=tuple(_training_scores(run_folder(library, name))),
        scores=tuple(result.scores),
        mean=result.mean,
        median=result.median,
        low=result.low,
        high=result.high,
    )
    seeded_with = (
        f"{summary.seeded_decisions:,} decisions of the planner, those of bad clips left out (--keep {config.keep}). "
        "They stay in the replay memory; their share of each batch begins at 1 and falls."
    )
    return arm, seeded_with


def _training_scores(folder: RunFolder) -> list[tuple[int, float]]:
    """(own step at its end, score) of each training episode."""
    curves = read_curves(folder)
    return list(zip(curves.episode_steps.tolist(), curves.episode_scores.tolist(), strict=True))


def _filmed(library: Library, path: Path, size: TourSize) -> str:
    from commands.watch import film_agent

    _say("6 of 6  The seeded agent is filmed, and a page is written.")
    facts = film_agent(library, "tour-seeded", path, None, size.film_seconds, FILM_EPSILON, FILM_SEED)
    return (
        f"{facts['seconds']:.0f} seconds of play after {size.pretrain_steps:,} updates of pretraining and "
        f"{size.steps:,} steps of its own; {facts['score']:g} points so far; epsilon {FILM_EPSILON}."
    )


def _facts(
    game: str,
    episodes: list[EpisodeSummary],
    verified: int,
    verdicts: list[str],
    seeding: str,
    arms: tuple[Arm, ...],
    film: Path,
    film_words: str,
    seconds: float,
    size: TourSize,
) -> TourFacts:
    from commands.info import installation

    train = f"coach train --game {game} --steps {size.steps} --memory-size 50000 --evaluate-every 0"
    return TourFacts(
        game=game,
        episodes=tuple(episodes),
        verified=verified,
        verdicts=tuple(verdicts),
        seeding=seeding,
        arms=arms,
        film=film,
        film_words=film_words,
        protocol=f"Evaluated on {size.evaluation_episodes} episodes of their own seeds, nature protocol.",
        versions=installation(),
        commands=(
            f"coach record --by planner --rollouts {size.rollouts} --horizon {size.horizon} --game {game} "
            f"--episodes {size.episodes} --seed {RECORDING_SEED}",
            *(f"coach label --rule {rule}" for rule in RULES),
            f"{train} --run seeded --seed-from planner --pretrain-steps {size.pretrain_steps}",
            f"{train} --run unseeded --pretrain-steps 0",
            f"coach evaluate seeded --episodes {size.evaluation_episodes}",
            f"coach evaluate unseeded --episodes {size.evaluation_episodes}",
            f"coach watch seeded --gif seeded.gif --seconds {size.film_seconds:g} --epsilon {FILM_EPSILON} "
            f"--seed {FILM_SEED}",
        ),
        seconds=seconds,
    )
