"""Small trials of settings: one short seeded training each, evaluated on seeds that no other result uses.

    python -m benchmarks.learning_trials [NAME...] [--own-steps 10000] [--list] [--demonstrations FOLDER]

Trains and evaluates what has no row yet in docs/results/learning/trials.jsonl, after pretraining and again after
--own-steps, and then writes docs/results/learning.md. It can be stopped with Ctrl-C and continues when called again.
The demonstrations are 15 minutes of the planner's play with other seeds than the study's, or the replay files in
FOLDER. Defaults change only where such trials, and then the study (``benchmarks.learning``), measured better.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import signal
import threading
from pathlib import Path
from typing import Any

from agent.config import TrainConfig, preset
from agent.evaluation import Evaluation, evaluate
from agent.progress import TrainSummary
from agent.training import train
from benchmarks import learning_report
from benchmarks.learning_demonstrator import record_demonstrations
from benchmarks.learning_study import GAME, RESULTS, ROOT, add_row, read_rows
from data.library import Library
from data.runs import RunFolder

TUNING_SEED = 7_000_001
"""Decides the episodes of trials; the study's are others."""
DEMONSTRATION_SEED = 500_000
PRETRAIN_STEPS = 1_500
OWN_STEPS = 10_000
EPISODES = 20
ROWS = RESULTS / "trials.jsonl"
WORK = ROOT / "build" / "learning-trials"

TRIALS: dict[str, dict[str, Any]] = {
    "default": {},
    "pictures not shifted": {"shift_pixels": 0},
    "shifts of 8 pixels": {"shift_pixels": 8},
    "no margin": {"margin_weight": 0.0},
    "margin of 0.3": {"margin": 0.3},
    "conservative loss instead of the margin": {"margin_weight": 0.0, "conservative_weight": 0.5},
    "4,000 updates of pretraining": {"pretrain_steps": 4_000},
    "all seeded, always": {"seed_share": 1.0},
    "three quarters seeded in the end": {"seed_share": 0.75},
    "a seeded share that falls over 100,000 steps": {"seed_anneal_steps": 100_000},
    "a tenth seeded in the end, from 50,000 steps on": {"seed_share": 0.1, "seed_anneal_steps": 50_000},
    "exploring at 0.02 from the first step": {"epsilon_seeded": 0.02},
    "squared weights in the loss": {"l2_weight": 1e-5},
    "prioritised sampling": {"sampling": "prioritised"},
    "10-step returns": {"n_steps": 10},
    "logarithmic rewards": {"reward": "log"},
    "dueling": {"dueling": True},
    "batches of 64": {"batch_size": 64},
    "batches of 128": {"batch_size": 128},
    "not bounded by the recorded return": {"bound_by_return": False},
    "half the learning rate": {"learning_rate": 5e-5},
    "a target network copied every 2,000 updates": {"target_update_steps": 2_000},
}
"""The change of each to the default preset."""


def settings_of(name: str) -> TrainConfig:
    fixed = {"game": GAME, "seed_from": ("planner",), "steps": 0, "pretrain_steps": PRETRAIN_STEPS}
    return dataclasses.replace(preset("default"), **{**fixed, "evaluate_every": 0, "threads": 1, **TRIALS[name]})


def run_name(name: str) -> str:
    return "-".join(re.findall("[a-z0-9.]+", name.lower()))


def run_trial(name: str, library: Library, path: Path, stop: threading.Event, own_steps: int = OWN_STEPS) -> None:
    """Run the parts of a trial that have no row yet; return early when asked to stop."""
    folder = RunFolder(library.run_folder(run_name(name)))
    for steps in (0, own_steps):
        if any(row["trial"] == name and row["steps"] == steps for row in read_rows(path)):
            continue
        config = dataclasses.replace(settings_of(name), steps=steps)
        summary = train(library, folder.name, config, resume=folder.exists, should_stop=stop.is_set)
        if summary.stopped or stop.is_set():
            return
        found = evaluate(library, folder.name, EPISODES, "nature", seed=TUNING_SEED)
        about = {"trial": name, "changes": TRIALS[name], "seed": config.seed}
        add_row(path, {**about, "seeded_decisions": summary.seeded_decisions, **measured(summary, found)})


def measured(summary: TrainSummary, found: Evaluation) -> dict[str, Any]:
    """Return a row's figures of a training and its evaluation."""
    return {
        "updates": summary.updates,
        "steps": summary.step,
        "mean": round(found.mean, 1),
        "low": round(found.low, 1),
        "high": round(found.high, 1),
        "episodes": found.episodes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which trials (default: all)")
    parser.add_argument("--own-steps", type=int, default=OWN_STEPS, help="own steps after pretraining")
    parser.add_argument("--list", action="store_true", help="print the names and their changes")
    parser.add_argument("--demonstrations", type=Path, metavar="FOLDER", help="replay files to seed from")
    options = parser.parse_args()
    if options.list:
        for name, changes in TRIALS.items():
            print(f"{name}: {changes}")
        return
    unknown = [name for name in options.names if name not in TRIALS]
    if unknown:
        parser.error(f"there is no trial {unknown[0]!r}; see --list")
    library = Library(WORK / "library")
    if options.demonstrations:
        library = Library(options.demonstrations)
    else:
        record_demonstrations(library, WORK, seed=DEMONSTRATION_SEED)
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    for name in options.names or TRIALS:
        if not stop.is_set():
            run_trial(name, library, ROWS, stop, options.own_steps)
    learning_report.write_report()


if __name__ == "__main__":
    main()
