"""``coach tour``: the whole loop without a window, played by the planner, ending in a report."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.output import print_json, progress_bar, progress_console, report_console
from commands.parser import Commands, add_game
from data.counted import counted
from data.durations import clock
from data.episode import EmulatorSettings, EpisodeSummary
from data.errors import AnswerIsNo
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from data.run_curves import read_curves
from data.runs import run_folder, run_folders

if TYPE_CHECKING:
    from agent.arms import Arm
    from agent.comparison import Plan
    from agent.progress import TrainSummary
    from commands.report import Film
    from commands.tour_report import TourFacts

TOUR_GAME = "MsPacman"
"""The planner plays it well with few plans, and a few minutes of its play are worth more than a short training."""
RECORDING_SEED = 2026
FILM_SEED = 7
FILM_EPSILON = 0.05
RULES = ("before-reward", "before-death")
MEMORY_SIZE = 50_000


def add(commands: Commands) -> None:
    tour = commands.add("tour", "run the whole loop without a window: record, judge, train and report", run_tour)
    add_game(tour, TOUR_GAME)
    tour.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="number of processes")


def run_tour(options: argparse.Namespace) -> int:
    result = take_tour(Library(options.library), options.game, options.jobs)
    if options.json:
        print_json(result.to_json())
        return 0
    console = report_console()
    console.print(f"Report on both agents:    {result.report}")
    console.print(f"Film of the seeded agent: {result.gif}")
    console.print(f"The tour took {clock(result.seconds)}.")
    return 0


@dataclass(frozen=True)
class TourSize:
    """How much is done; the default takes about ten minutes on two cores, in Space Invaders."""

    episodes: int = 2
    """Of the planner."""
    rollouts: int = 6
    """Plans that it tries at each decision."""
    horizon: int = 30
    """Decisions in a plan."""
    hold: int = 1
    """Decisions for which it holds an action at least."""
    steps: int = 2000
    pretrain_steps: int = 800
    evaluation_episodes: int = 10
    film_seconds: float = 20.0


SIZES = {"MsPacman": TourSize(episodes=4, rollouts=5, horizon=20, hold=3, pretrain_steps=2500)}
"""Of games for which other numbers than the default suffice."""


@dataclass(frozen=True)
class TourResult:
    """The files of a tour, and what its report shows."""

    report: Path
    gif: Path
    facts: TourFacts
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return what ``coach tour --json`` prints."""
        return {
            "report": self.report,
            "gif": self.gif,
            "episodes": self.facts.episodes,
            "arms": self.facts.arms(),
            "seconds": self.seconds,
        }


def take_tour(library: Library, game: str, jobs: int, size: TourSize | None = None) -> TourResult:
    """Record, verify, judge, train, evaluate, film and report.

    An interrupted tour of the same library is continued: its episodes are used, and what was trained is not trained
    again. Raises CoachError if a step fails, AnswerIsNo if a file does not verify.
    """
    from agent.comparison_summary import summarise
    from commands.info import installation
    from commands.tour_report import TourFacts, write_tour_report

    started = time.monotonic()
    size = size or SIZES.get(game, TourSize())
    library.prepare()
    folder = library.folder / "tour"
    folder.mkdir(exist_ok=True)
    episodes = _record(library, game, jobs, size)
    _verify(episodes, jobs)
    verdicts = _judge(library, game)
    plan = plan_of(game, size)
    seeded, seeded_result = _train_and_evaluate(library, plan, plan.arms[0], jobs)
    _, unseeded_result = _train_and_evaluate(library, plan, plan.arms[1], jobs)
    gif = folder / "seeded.gif"
    facts = TourFacts(
        plan=plan,
        summary=summarise(plan, [seeded_result, unseeded_result], []),
        curves=tuple(read_curves(run_folder(library, run_name(arm))) for arm in plan.arms),
        episodes=tuple(episodes),
        verdicts=tuple(verdicts),
        seeded_decisions=seeded.seeded_decisions,
        film=_film(library, gif, plan.arms[0], size),
        commands=_commands(game, size),
        versions=installation(),
        seconds=time.monotonic() - started,
    )
    report = folder / "report.html"
    write_tour_report(facts, report)
    return TourResult(report, gif, facts, time.monotonic() - started)


def plan_of(game: str, size: TourSize) -> Plan:
    """Return the tour as a comparison: a seeded and an unseeded agent, each trained once."""
    from agent.arms import parse_arm
    from agent.comparison import Plan
    from agent.config import TrainConfig

    base = TrainConfig(game=game, steps=size.steps, evaluate_every=0, memory_size=MEMORY_SIZE)
    arms = (f"seeded=planner,pretrain-steps={size.pretrain_steps}", "unseeded=none,pretrain-steps=0")
    return Plan(
        name="tour",
        question="Seeded or not? A very small comparison",
        arms=tuple(parse_arm(arm, base) for arm in arms),
        seeds=(0,),
        evaluation_episodes=size.evaluation_episodes,
    )


def run_name(arm: Arm) -> str:
    """Return the name of an arm's run in the library."""
    return f"tour-{arm.slug}"


def _say(words: str) -> None:
    progress_console().print(words, soft_wrap=True)


def _record(library: Library, game: str, jobs: int, size: TourSize) -> list[EpisodeSummary]:
    from commands.demonstrators import MakePlanner
    from recorder.headless import record_episodes

    def by_planner() -> list[EpisodeSummary]:
        return [e for e in library.episodes(game) if e.demonstrator == "planner" and e.ended_by == "game_over"]

    missing = size.episodes - len(by_planner())
    if missing > 0:
        _say(
            f"1 of 6  The planner plays {counted(missing, 'episode')} of {display_name(game)}, each recorded as a "
            "replay file."
        )
        with progress_bar("Recording", "episodes") as progress:
            record_episodes(
                library,
                MakePlanner(size.rollouts, size.horizon, size.hold),
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


def _verify(episodes: list[EpisodeSummary], jobs: int) -> None:
    from data.quarantine import verify_many

    _say("2 of 6  Each file is simulated again and compared, frame by frame and byte by byte.")
    results = verify_many([Path(episode.path) for episode in episodes], jobs)
    for result in results:
        if not result.ok:
            raise AnswerIsNo(f"{result.path} did not verify: {result.sentence}")
    _say(f"        {counted(len(results), 'file')} verified.")


def _judge(library: Library, game: str) -> list[str]:
    from curator.rules import apply_rule, parse_rule

    _say("3 of 6  Two rules judge: clips before a reward are good, clips before a lost life are bad.")
    sentences = []
    with LabelDatabase(library.labels) as labels:
        for text in RULES:
            summary = apply_rule(library, labels, parse_rule(text), game)
            sentences.append(
                f"{summary.curator}: {summary.clips} {summary.verdict} clips, {clock(summary.frames / 60)} of "
                f"{clock(summary.frames_in_all / 60)} of play"
            )
            _say(f"        {sentences[-1]}")
    return sentences


def _train_and_evaluate(library: Library, plan: Plan, arm: Arm, jobs: int) -> tuple[TrainSummary, dict[str, Any]]:
    """Return the training's summary, and the arm's result with the keys of a comparison's results."""
    from agent.evaluation import evaluate
    from agent.training import train
    from commands.train import TrainingDisplay

    name = run_name(arm)
    number, start = (4, "from approved play") if arm.config.seed_from else (5, "from nothing")
    _say(f"{number} of 6  An agent that starts {start} is trained for {arm.config.steps:,} steps and evaluated.")
    display = TrainingDisplay(name)
    with display.running():
        training = train(
            library,
            name,
            arm.config,
            resume=name in [run.name for run in run_folders(library)],
            labels=library.labels,
            report=display.report,
            should_stop=display.should_stop,
        )
    if display.should_stop():
        raise KeyboardInterrupt
    with progress_bar(f"Evaluating {name}", "episodes") as progress:
        evaluation = evaluate(
            library,
            name,
            plan.evaluation_episodes,
            "nature",
            jobs,
            on_progress=lambda done, total: progress.update(progress.task_ids[0], completed=done, total=total),
        )
    _say(f"        {arm.title}: mean {evaluation.mean:.0f} points ({evaluation.low:.0f} to {evaluation.high:.0f})")
    return training, {
        "run": name,
        "arm": arm.slug,
        "seed": arm.config.seed,
        "step": training.step,
        "updates": training.updates,
        "pretrain_updates": arm.config.pretrain_steps,
        "curve": [],
        "sources": [],
        "training_seconds": training.seconds,
        "evaluation": {
            "scores": list(evaluation.scores),
            "mean": evaluation.mean,
            "seconds": evaluation.seconds,
        },
    }


def _film(library: Library, path: Path, arm: Arm, size: TourSize) -> Film:
    from commands.report import Film
    from commands.watch import film_agent

    _say("6 of 6  The seeded agent is filmed, and the report is written.")
    film = film_agent(library, run_name(arm), path, None, size.film_seconds, FILM_EPSILON, FILM_SEED)
    caption = (
        f"{film['seconds']:.0f} seconds of play after {size.pretrain_steps:,} updates of pretraining and "
        f"{size.steps:,} own steps, with epsilon {FILM_EPSILON}; {film['score']:g} points so far."
    )
    return Film(path.name, path.read_bytes(), "The seeded agent playing", caption)


def _commands(game: str, size: TourSize) -> tuple[str, ...]:
    """Return the commands that do the same as the tour."""
    train = f"coach train --game {game} --steps {size.steps} --memory-size {MEMORY_SIZE} --evaluate-every 0"
    return (
        f"coach record --by planner --rollouts {size.rollouts} --horizon {size.horizon} --hold {size.hold} "
        f"--game {game} --episodes {size.episodes} --seed {RECORDING_SEED}",
        *(f"coach label --rule {rule}" for rule in RULES),
        f"{train} --run seeded --seed-from planner --pretrain-steps {size.pretrain_steps}",
        f"{train} --run unseeded --pretrain-steps 0",
        f"coach evaluate seeded --episodes {size.evaluation_episodes}",
        f"coach evaluate unseeded --episodes {size.evaluation_episodes}",
        f"coach watch seeded --gif seeded.gif --seconds {size.film_seconds:g} --epsilon {FILM_EPSILON} "
        f"--seed {FILM_SEED}",
    )
