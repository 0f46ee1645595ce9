"""Demonstrations before a training beside corrections during it: the same number of a planner's decisions.

    python -m benchmarks.coaching_study [--games NAME...] [--arms NAME...] [--seeds 1 2 3] [--minutes M] [--tiny]
                                        [--list] [--report-only]

In place of a person, the planner demonstrates and corrects. The arm "before" records all decisions before the
training. The arm "corrections" has the first half of them, and the planner plays on from the agent's worst moments for
the other half, in three pauses of the training. Everything else is the default preset, one thread each.

Each training is a row in docs/results/coaching/trials.jsonl, failures included, and is not repeated. Stop the study
with Ctrl-C or kill it, and call it again: trainings resume from their checkpoints. A row names the default preset with
which it was made. If that changes, its trainings are made again, and never mixed with those of another one.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config import TrainConfig
from benchmarks import coaching_page
from benchmarks.learning_study import ROOT, add_row, read_rows, this_machine
from commands.add import add_episodes
from commands.corrections import CORRECTION_SECONDS, correct, worst_moments
from commands.demonstrators import MakePlanner
from data.additions import AdditionsFolder
from data.demonstrator import Demonstrator
from data.episode import DEFAULT_FRAME_SKIP, FRAMES_PER_SECOND, EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunFolder
from recorder.headless import record_episodes

WORK = ROOT / "build" / "coaching_study"
GAMES = ("SpaceInvaders", "Qbert")
ARMS = {
    "before": "all decisions before the training",
    "corrections": "half of them before, half as corrections in three pauses",
    "none": "no demonstrations",
}
RUN = "run"
PLANNER = MakePlanner(5, 20, 3)
"""Fewer and shorter plans than by default, at a fifth of the cost; it holds actions, as a person does."""
FIRST_DEMONSTRATION = 600_000
"""Random seed of the first demonstrated episode, which no other result uses."""
MOST_LATE_STEPS = 100
"""A training that continues takes additions between two of its updates, once they are read from the disk."""
FINAL_EVALUATION = 11_000_003
"""Decides the episodes of the final evaluation, which influenced no choice."""


@dataclass(frozen=True)
class Design:
    """The sizes of the study."""

    decisions: int = 4_000
    """The planner's, in each seeded arm."""
    pauses: tuple[int, ...] = (10_000, 20_000, 30_000)
    """Own steps at which the planner corrects."""
    steps: int = 50_000
    evaluate_every: int = 10_000
    episodes: int = 10
    """Of an evaluation during the training."""
    final_episodes: int = 30
    changes: tuple[tuple[str, Any], ...] = ()
    """Changes to the default preset."""

    def corrected_by(self, pause: int) -> int:
        """Return the decisions of corrections after the pause with this index."""
        half = self.decisions - self.decisions // 2
        return half * (pause + 1) // len(self.pauses)


TINY = Design(360, (1_500, 2_000, 2_500), 3_000, 500, 2, 3, (("pretrain_steps", 500), ("check_episodes", 1)))
"""Takes minutes: to find faults."""


@dataclass(frozen=True)
class Trial:
    """One training."""

    game: str
    arm: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.game}-{self.arm}-{self.seed}"


def default_id() -> str:
    """Return eight digits that stand for the settings of the default preset."""
    return hashlib.sha256(TrainConfig().to_json().encode()).hexdigest()[:8]


def decisions_in(path: Path) -> int:
    """Return the number of decisions in a replay file."""
    with ReplayFile(path) as replay:
        return len(replay.decisions(DEFAULT_FRAME_SKIP))


def demonstrations(
    game: str, folder: Path, design: Design, make: Callable[[], Demonstrator] = PLANNER
) -> tuple[list[Path], list[Path]]:
    """Return the replay files of the first half of the demonstrated decisions and of the second, recorded if missing.

    Each half has exactly its number of decisions: its last episode is truncated there.
    """
    library, half = Library(folder), design.decisions // 2
    while True:
        paths = [Path(episode.path) for episode in library.episodes(game)]
        counts = [decisions_in(path) for path in paths]
        done = sum(counts)
        if done >= design.decisions:
            break
        left = (half if done < half else design.decisions) - done
        seed = FIRST_DEMONSTRATION + len(paths)
        record_episodes(library, make, game, 1, EmulatorSettings(), seed, max_frames=left * DEFAULT_FRAME_SKIP)
    first = next(number for number in range(len(paths) + 1) if sum(counts[:number]) == half)
    return paths[:first], paths[first:]


def correct_up_to(library: Library, folder: RunFolder, demonstrated: set[str], decisions: int) -> None:
    """Let the planner correct a run's worst moments until exactly so many decisions of corrections were added.

    demonstrated: names of the replay files in the library that are no corrections. What was recorded before a kill is
    counted: an episode is added only once.
    """
    planner = PLANNER()
    while True:
        stretches = [str(path) for path in sorted(library.replays.glob("*.h5")) if path.name not in demonstrated]
        facts = add_episodes(library, folder, stretches, planner.kind, library.labels, wait=0.0)
        left = decisions - sum(fact["decisions"] for fact in facts)
        if left <= 0:
            return
        (moment,) = worst_moments(folder, 1)
        seconds = min(CORRECTION_SECONDS, left * DEFAULT_FRAME_SKIP / FRAMES_PER_SECOND)
        correct(library, folder, moment, planner, seconds)


def settings_of(trial: Trial, design: Design, steps: int) -> TrainConfig:
    """Return a trial's settings up to so many own steps: the default preset, whose schedules do not depend on them."""
    changes: dict[str, Any] = {"game": trial.game, "seed": trial.seed, "steps": steps, "threads": 1}
    changes |= {"seed_from": () if trial.arm == "none" else ("planner",), "checkpoint_every": 5_000}
    changes |= {"evaluate_every": design.evaluate_every, "evaluation_episodes": design.episodes}
    return TrainConfig(**changes | dict(design.changes))


def run_trial(trial: Trial, design: Design, work: Path, should_stop: Callable[[], bool]) -> dict[str, Any] | None:
    """Train with pauses, from the last checkpoint where there is one, and return the row; None when asked to stop."""
    row: dict[str, Any] = {**dataclasses.asdict(trial), "default": default_id(), "machine": this_machine()}
    try:
        first, second = demonstrations(trial.game, work / "demonstrations" / trial.game, design)
        library = Library(work / default_id() / trial.name)
        library.prepare()
        before = {"before": first + second, "corrections": first, "none": []}[trial.arm]
        for path in before:
            if not (library.replays / path.name).exists():
                shutil.copy(path, library.replays)
        found = _train(trial, design, library, {path.name for path in before}, should_stop)
    except Exception as error:  # noqa: BLE001 - a failure is a row, too
        return {**row, "error": f"{type(error).__name__}: {error}"}
    return None if found is None else {**row, **found}


def _train(
    trial: Trial, design: Design, library: Library, demonstrated: set[str], should_stop: Callable[[], bool]
) -> dict[str, Any] | None:
    from agent.evaluation import evaluate
    from agent.training import train

    folder = RunFolder(library.run_folder(RUN))
    pauses = design.pauses if trial.arm == "corrections" else ()
    for number, stop in enumerate((*pauses, design.steps)):
        if not folder.exists or step_of(folder) < stop:
            train(library, RUN, settings_of(trial, design, stop), folder.exists, should_stop=should_stop)
            if should_stop():
                return None
        if stop < design.steps:
            correct_up_to(library, folder, demonstrated, design.corrected_by(number))
    began = time.monotonic()
    final = evaluate(library, RUN, design.final_episodes, "nature", seed=FINAL_EVALUATION)
    state = _state(folder)
    account = json.loads(folder.seeding.read_text())
    lines = [json.loads(line) for line in folder.evaluations.read_text().splitlines()]
    return {
        **counted(folder, trial, design),
        "starts": [round(start / FRAMES_PER_SECOND, 1) for start in _starts(library, demonstrated)],
        "evaluations": {line["step"]: line["scores"] for line in lines},
        "final": list(final.scores),
        "sampled": sum(source["drawn"] for source in account["sources"]),
        "sampled_corrections": account.get("coached", {}).get("drawn", 0),
        "trust": state["trainer"]["trust"],
        "note": state["note"],
        "seconds": round(state["seconds"] + time.monotonic() - began),
    }


def _state(folder: RunFolder) -> dict[str, Any]:
    found = folder.newest_state()
    if found is None:
        raise CoachError(f"The run {folder.name} has no checkpoint.")
    return found[1]


def step_of(folder: RunFolder) -> int:
    """Return the own step of a run's newest checkpoint."""
    return int(_state(folder)["step"])


def _starts(library: Library, demonstrated: set[str]) -> list[int]:
    """Return the frame of the agent's game at which each correction starts."""
    frames = []
    for path in sorted(library.replays.glob("*.h5")):
        if path.name not in demonstrated:
            with ReplayFile(path) as replay:
                started_from = replay.origin.started_from
            frames.append(0 if started_from is None else started_from.frame)
    return frames


def counted(folder: RunFolder, trial: Trial, design: Design) -> dict[str, Any]:
    """Return the planner's decisions in a finished run's memory: those before, and those of each pause.

    Raises CoachError if they are not those of the design: then the arms could not be compared.
    """
    before = sum(int(source["decisions"]) for source in _state(folder)["sources"])
    pauses: dict[int, int] = {}
    lines = AdditionsFolder(folder.path).taken()
    for line in lines:
        pause = next((stop for stop in design.pauses if 0 <= line.step - stop <= MOST_LATE_STEPS), line.step)
        pauses[pause] = pauses.get(pause, 0) + line.decisions
    expected = {"before": design.decisions, "corrections": design.decisions // 2, "none": 0}[trial.arm]
    targets = [0, *map(design.corrected_by, range(len(design.pauses)))]
    wanted = {stop: after - earlier for stop, earlier, after in zip(design.pauses, targets, targets[1:], strict=False)}
    if before != expected or pauses != (wanted if trial.arm == "corrections" else {}):
        raise CoachError(f"{trial.name} has {before} decisions from before and {pauses} corrections.")
    return {"before": before, "corrections": pauses, "stretches": len(lines)}


def trials_of(games: list[str], arms: list[str], seeds: list[int]) -> list[Trial]:
    """Return the trials in order: whole groups of arms with one seed, and the first game before the others."""
    return [Trial(game, arm, seed) for game in games for seed in seeds for arm in arms]


def done_in(rows: list[dict[str, Any]]) -> set[Trial]:
    """Return the trials that have a row with the present default preset."""
    return {Trial(row["game"], row["arm"], row["seed"]) for row in rows if row["default"] == default_id()}


def study(options: argparse.Namespace, stop: threading.Event) -> None:
    """Run all trials; Ctrl-C or the end of the allowed time stops, with everything saved."""
    design, deadline = TINY if options.tiny else Design(), time.monotonic() + 60 * (options.minutes or float("inf"))
    done = done_in(read_rows(options.rows))
    for trial in trials_of(options.games, options.arms, options.seeds):
        if trial in done:
            continue
        if time.monotonic() > deadline:
            return
        row = run_trial(trial, design, options.work, stop.is_set)
        if row is None:
            return
        add_row(options.rows, row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(GAMES), metavar="GAME", help="(default: both)")
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=["before", "corrections"], help="see --list")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="random seeds of the trainings")
    parser.add_argument("--minutes", type=float, help="start no trial after this many minutes")
    parser.add_argument("--tiny", action="store_true", help="minutes, to find faults; rows in the work folder")
    parser.add_argument("--work", type=Path, default=WORK, help="where demonstrations and trainings are")
    parser.add_argument("--rows", type=Path, default=coaching_page.ROWS, help="the file of rows")
    parser.add_argument("--list", action="store_true", help="print games, arms and trials that are done")
    parser.add_argument("--report-only", action="store_true", help="only write the page")
    options = parser.parse_args()
    if options.tiny:
        options.work /= "tiny"
        options.rows = options.work / "trials.jsonl"
    if options.list:
        for name, about in ARMS.items():
            print(f"{name}: {about}")
        done = done_in(read_rows(options.rows))
        for trial in trials_of(options.games, options.arms, options.seeds):
            print(f"{trial.name}: {'done' if trial in done else 'to do'}")
    elif options.report_only:
        coaching_page.write_page(read_rows(options.rows))
    else:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        study(options, stop)


if __name__ == "__main__":
    main()
