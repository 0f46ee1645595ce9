"""The study of defaults: games x arms x random seeds, in stages after which only the better arms continue.

    python -m benchmarks.study [--games NAME...] [--arms NAME...] [--seeds 1 2] [--stages 0 5000 25000]
                               [--episodes 10] [--jobs 1] [--minutes M] [--confirm] [--greedy] [--list] [--report-only]

Every stage trains each remaining arm on each game with each seed up to so many own steps, and evaluates it. Then the
better half of the arms continues (successive halving: Jamieson and Talwalkar 2016), judged by the mean rank over the
games of the area under the curve so far. Each trial is a row in docs/results/study/trials.jsonl, failures included, and
is not repeated. Stop the study with Ctrl-C and call it again: trainings resume from their checkpoints.

--confirm trains fresh seeds, evaluates on episodes that influenced no choice, and lets every arm named continue.
--greedy evaluates the trainings in --work once more with one random action in a thousand instead of one in twenty.
The arm "Stable-Baselines3's DQN" is trained only where it is named.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from agent.config import TrainConfig, preset
from benchmarks import study_page
from benchmarks.learning_study import ROOT, add_row, read_rows, this_machine
from benchmarks.study_games import GAMES, library_of
from benchmarks.study_sb3 import SB3, sb3_results
from data.errors import CoachError
from data.files import write_atomic
from data.library import Library

WORK = ROOT / "build" / "study"
STAGES = (0, 5_000, 25_000)
"""Own steps after which an arm is evaluated."""
TUNING_SEED, CONFIRMING_SEED = 7_000_001, 9_000_001
"""Decide the evaluation episodes of trials and of confirmations."""
GREEDY_EPSILON = 0.001
"""Share of random actions in the second evaluation, as in Dopamine (Castro et al. 2018)."""
CONFIRMING_SEEDS = 1000
"""Added to the random seeds of trainings that confirm."""

QUANTILES: dict[str, Any] = {"quantiles": 32, "double_q": False, "optimizer_epsilon": 1e-5}
SMALL: dict[str, Any] = {**QUANTILES, "network": "small", "margin_weight": 1 / 16}
"""Imitation counts a sixteenth here, as in the first trials with quantiles, whose losses were not yet scaled alike."""
QUICK: dict[str, Any] = {**QUANTILES, "pretrain_learning_rate": 3e-4, "averaging": 0.995}
NORMED: dict[str, Any] = {**QUICK, "network": "small-norm"}
CHECKED: dict[str, Any] = {"check_episodes": 8, "margin_anneal_steps": 10_000}
DEFAULT: dict[str, Any] = {**NORMED, **CHECKED, "margin_anneal_rule": "points"}
CHANGES: dict[str, Any] = {**DEFAULT, "change_weight": 4.0}
OLDER: dict[str, Any] = {**DEFAULT, "older_observations": 2}
STARTS: dict[str, Any] = {**OLDER, "start_weight": 10.0}
ARMS: dict[str, dict[str, Any]] = {
    "first default": {},
    "no demonstrations": {"seed_from": (), "start_inside": 0.0},
    "small": SMALL,
    "small, no demonstrations": {**SMALL, "seed_from": (), "start_inside": 0.0},
    "small, double Q": {**SMALL, "double_q": True},
    "small, pretrained on returns": {**SMALL, "pretrain_on": "returns"},
    "small, on returns, no imitation": {**SMALL, "pretrain_on": "returns", "margin_weight": 0.0},
    "small, balanced": {**SMALL, "balance_actions": True},
    "small, margin fades over 2,500": {**SMALL, "margin_anneal_steps": 2_500},
    "small, margin fades over 10,000": {**SMALL, "margin_anneal_steps": 10_000},
    "small, margin fades over 25,000": {**SMALL, "margin_anneal_steps": 25_000},
    "small, own steps bounded": {**SMALL, "bound_returns": "own"},
    "small, an update every step": {**SMALL, "train_every": 1},
    "small, starts inside": {**SMALL, "start_inside": 0.5},
    "small, imitation 16 times": {**QUANTILES, "network": "small"},
    "small, imitation 32 times": {**QUANTILES, "network": "small", "margin_weight": 2.0},
    "small, quick": {**QUICK, "network": "small"},
    "small, quick, 5,000 updates": {**QUICK, "network": "small", "pretrain_steps": 5_000},
    "normed": NORMED,
    "normed, resets": {**NORMED, "reset_every": 2_500},
    "normed, imitates above value": {**NORMED, "imitate_above_value": True},
    "normed, calibrated": {**NORMED, "conservative_weight": 0.5, "calibrate": True},
    "normed, no demonstrations": {**NORMED, "seed_from": (), "start_inside": 0.0},
    "fades by steps": {**NORMED, **CHECKED},
    "fades by steps, starts inside": {**NORMED, **CHECKED, "start_inside": 0.5},
    "default": DEFAULT,
    "default, held out": {**DEFAULT, "held_out": 0.1},
    "default, balanced": {**DEFAULT, "balance_actions": True},
    "default, starts inside": {**DEFAULT, "start_inside": 0.5},
    "default, starts backward": {**DEFAULT, "start_inside": 0.8, "start_rule": "backward"},
    "default, equivalent actions": {**DEFAULT, "equivalent_actions": True},
    "default, imitates own half": {**DEFAULT, "imitate_own": 0.5},
    "default, an update every step": {**DEFAULT, "train_every": 1},
    "default, roots of points": {**DEFAULT, "reward": "root"},
    "default, roots of points, discount 0.997": {**DEFAULT, "reward": "root", "discount": 0.997},
    "default, 10,000 updates": {**DEFAULT, "pretrain_steps": 10_000},
    "default, changes 4 times": CHANGES,
    "default, changes 4 times, imitates own half": {**CHANGES, "imitate_own": 0.5},
    "default, changes 4 times, starts inside": {**CHANGES, "start_inside": 0.5},
    "default, changes 4 times, share 0.75": {**CHANGES, "seed_share": 0.75},
    "default, changes 4 times, discount 0.997": {**CHANGES, "discount": 0.997},
    "default, starts 10 times": {**DEFAULT, "start_weight": 10.0},
    "default, older observations": OLDER,
    "default, older observations, starts 10 times": STARTS,
    "default, older observations, starts 10 times, imitates own half": {**STARTS, "imitate_own": 0.5},
}
"""The changes of each to the preset "first-default"."""


@dataclass(frozen=True)
class Trial:
    """One training up to one stage."""

    game: str
    arm: str
    seed: int
    steps: int
    """Own steps of the stage."""
    confirms: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        return self.game, self.arm, self.seed, self.steps

    @property
    def run(self) -> str:
        words = "".join(letter if letter.isalnum() else " " for letter in self.arm.lower()).split()
        return f"{'-'.join(words)}-{self.seed}"


def settings_of(trial: Trial) -> TrainConfig:
    """Return a trial's settings: the base preset, the game's changes, then the arm's."""
    game = GAMES[trial.game]
    fixed = {"game": game.game, "seed": trial.seed, "steps": trial.steps, "threads": 1}
    fixed |= {"evaluate_every": 0, "checkpoint_every": 5_000, "seed_from": (game.source,)}
    return dataclasses.replace(preset("first-default"), **{**fixed, **dict(game.changes), **ARMS[trial.arm]})


def run_trial(trial: Trial, library: Library, episodes: int, stop: threading.Event) -> dict[str, Any] | None:
    """Train, from the last checkpoint where there is one, evaluate, and return the row; None when asked to stop."""
    row = {**dataclasses.asdict(trial), "machine": this_machine()}
    plan = episodes, CONFIRMING_SEED if trial.confirms else TUNING_SEED
    try:
        if trial.arm == SB3:
            found = sb3_results(library.folder, GAMES[trial.game].game, trial.seed, trial.steps, plan, stop)
        else:
            row["changes"] = {key: value for key, value in ARMS[trial.arm].items() if key != "seed_from"}
            found = _our_results(trial, library, plan, stop)
    except Exception as error:  # noqa: BLE001 - a failure is a row, too
        return {**row, "error": f"{type(error).__name__}: {error}"}
    return None if found is None else {**row, **found}


def _our_results(trial: Trial, library: Library, plan: tuple[int, int], stop: threading.Event) -> dict[str, Any] | None:
    from agent.evaluation import evaluate
    from agent.training import train
    from data.runs import RunFolder

    began = time.monotonic()
    resume = RunFolder(library.run_folder(trial.run)).exists
    summary = train(library, trial.run, settings_of(trial), resume=resume, should_stop=stop.is_set)
    if summary.stopped or stop.is_set():
        return None
    if summary.step > trial.steps:
        raise CoachError(
            f"the training {trial.run} has taken {summary.step:,} steps already; evaluate earlier stages first"
        )
    episodes, seed = plan
    found = evaluate(library, trial.run, episodes, "nature", seed=seed)
    return {
        "updates": summary.updates,
        "scores": list(found.scores),
        "mean": round(found.mean, 1),
        "seconds": round(time.monotonic() - began),
        "note": summary.note,
    }


def evaluate_greedily(rows: list[dict[str, Any]], work: Path) -> list[dict[str, Any]]:
    """Return the rows, with "greedy_scores" where the training is in ``work`` and has taken exactly the row's steps.

    Its evaluation has the same episodes, with one random action in a thousand.
    """
    from agent.evaluation import episode_tasks, play_episodes, protocol_named
    from agent.player import load_agent_weights
    from data.runs import RunFolder

    protocol = dataclasses.replace(protocol_named("nature"), epsilon=GREEDY_EPSILON)
    found = []
    for row in rows:
        folder = RunFolder(Library(work / row["game"]).run_folder(_trial_of(row).run))
        if "scores" in row and "greedy_scores" not in row and folder.exists:
            loaded = load_agent_weights(folder)
            tasks = episode_tasks(protocol, len(row["scores"]), CONFIRMING_SEED if row["confirms"] else TUNING_SEED)
            if loaded.step == row["steps"]:
                played = play_episodes(loaded.config, loaded.action_meanings, loaded.q_function(), protocol, tasks)
                row = {**row, "greedy_scores": list(played)}
        found.append(row)
    return found


def _trial_of(row: dict[str, Any]) -> Trial:
    return Trial(**{item.name: row[item.name] for item in dataclasses.fields(Trial)})


def _in_worker(trial: Trial, folder: Path, episodes: int) -> dict[str, Any] | None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return run_trial(trial, Library(folder), episodes, stop)


def surviving(rows: Iterable[dict[str, Any]], arms: list[str], stage: int, keep: float = 0.5) -> list[str]:
    """Return the arms that continue after a stage, best first: a share ``keep`` of them, at least one.

    An arm's result in a game is the area under its curve up to the stage, divided by the stage's steps, averaged over
    seeds; at step 0 it is the score. Arms are compared by their mean rank over the games. One that failed is out.
    """
    marks: dict[str, dict[str, float]] = defaultdict(dict)
    failed = set()
    curves: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["arm"] in arms and row["steps"] <= stage and not row["confirms"]:
            if "error" in row:
                failed.add(row["arm"])
            else:
                curves[row["game"], row["arm"]][row["steps"]].append(row["mean"])
    for (game, arm), points in curves.items():
        steps = sorted(points)
        means = [float(np.mean(points[step])) for step in steps]
        width = steps[-1] - steps[0]
        marks[game][arm] = float(np.trapezoid(means, steps)) / width if width else means[0]
    ranks: dict[str, list[int]] = defaultdict(list)
    for found in marks.values():
        for arm in arms:
            ranks[arm].append(sum(other > found.get(arm, -np.inf) for other in found.values()))
    able = [arm for arm in arms if arm not in failed and ranks[arm]]
    ordered = sorted(able, key=lambda arm: (np.mean(ranks[arm]), arms.index(arm)))
    return ordered[: max(1, int(np.ceil(keep * len(arms))))]


def study(options: argparse.Namespace) -> None:
    """Run all stages; Ctrl-C or the end of the allowed time stops, with everything saved."""
    arms, deadline = list(options.arms), time.monotonic() + 60 * (options.minutes or np.inf)
    seeds = [seed + CONFIRMING_SEEDS * options.confirm for seed in options.seeds]
    libraries = {name: library_of(GAMES[name], options.work) for name in options.games}
    for stage in options.stages:
        done = {(r["game"], r["arm"], r["seed"], r["steps"]) for r in read_rows(options.rows)}
        trials = [Trial(g, arm, seed, stage, options.confirm) for seed in seeds for g in options.games for arm in arms]
        waiting = [trial for trial in trials if trial.key not in done]
        for start in range(0, len(waiting), options.jobs):
            if time.monotonic() > deadline:
                return
            together = waiting[start : start + options.jobs]
            tasks = (joblib.delayed(_in_worker)(t, libraries[t.game].folder, options.episodes) for t in together)
            found = joblib.Parallel(n_jobs=options.jobs)(tasks)
            for row in found:
                if row is not None:
                    add_row(options.rows, row)
            study_page.write_page(read_rows(options.rows))
            if None in found:
                return
        if not options.confirm:
            arms = surviving(read_rows(options.rows), arms, stage, options.keep)
            print(f"After {stage:,} own steps these continue: {', '.join(arms)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", choices=tuple(GAMES), default=list(GAMES), help="(default: all)")
    parser.add_argument("--arms", nargs="+", choices=(*ARMS, SB3), default=list(ARMS), metavar="ARM", help="see --list")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="random seeds of the trainings")
    parser.add_argument("--stages", nargs="+", type=int, default=list(STAGES), help="own steps, ascending")
    parser.add_argument("--keep", type=float, default=0.5, help="share of the arms that continue (default: 0.5)")
    parser.add_argument("--episodes", type=int, default=10, help="of an evaluation")
    parser.add_argument("--jobs", type=int, default=1, help="trainings in parallel, a thread each")
    parser.add_argument("--minutes", type=float, help="start no trial after this many minutes")
    parser.add_argument("--confirm", action="store_true", help="fresh seeds and episodes, and no arm is left out")
    parser.add_argument("--greedy", action="store_true", help="evaluate the trainings once more, nearly without chance")
    parser.add_argument("--work", type=Path, default=WORK, help="where demonstrations and trainings are")
    parser.add_argument("--rows", type=Path, default=study_page.ROWS, help="the file of rows")
    parser.add_argument("--list", action="store_true", help="print games and arms")
    parser.add_argument("--report-only", action="store_true", help="only write the page")
    options = parser.parse_args()
    if options.list:
        for name, about in [
            *((g.name, g.title) for g in GAMES.values()),
            *ARMS.items(),
            (SB3, "the settings of RL Baselines3 Zoo"),
        ]:
            print(f"{name}: {about}")
    elif options.greedy:
        rows = evaluate_greedily(read_rows(options.rows), options.work)
        write_atomic(options.rows, "".join(f"{json.dumps(row)}\n" for row in rows))
        study_page.write_page(rows)
    elif options.report_only:
        study_page.write_page(read_rows(options.rows))
    else:
        study(options)


if __name__ == "__main__":
    main()
