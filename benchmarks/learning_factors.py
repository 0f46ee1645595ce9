"""Measure six settings at once with sixteen short seeded trainings; every training contributes to every setting.

    python -m benchmarks.learning_factors [--seconds 420] [--jobs 2]

``benchmarks.learning_design`` says which training has which settings. Each has its own random seed and stops after
--seconds. Rows are saved in docs/results/learning/factors.jsonl; a training that has one is not repeated. Stop it with
Ctrl-C; unfinished trainings start again. Demonstrations and evaluation episodes are those of
``benchmarks.learning_trials``, which the study does not use.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import joblib

from agent.config import TrainConfig, preset
from agent.evaluation import evaluate
from agent.quiet_keras import backend_name
from agent.training import train
from benchmarks import learning_report
from benchmarks.learning_demonstrator import record_demonstrations
from benchmarks.learning_design import FACTORS, design
from benchmarks.learning_study import GAME, RESULTS, STEPS, add_row, read_rows, this_machine
from benchmarks.learning_trials import DEMONSTRATION_SEED, EPISODES, TUNING_SEED, WORK, measured
from data.library import Library

ROWS = RESULTS / "factors.jsonl"
SECONDS = 420.0
RUN = "factors"


def settings_of(index: int) -> TrainConfig:
    """Return a training's settings; its random seed is its number."""
    changes: dict[str, Any] = {"game": GAME, "seed_from": ("planner",), "steps": STEPS, "seed": index, "threads": 1}
    for present, change in zip(design()[index], FACTORS.values(), strict=True):
        if present:
            changes |= change
    return dataclasses.replace(preset("default"), **changes, evaluate_every=0, checkpoint_every=STEPS)


def train_one(index: int, seconds: float, work: Path) -> dict[str, Any]:
    """Train once on the demonstrations in ``work``, in a temporary library there."""
    began = time.monotonic()
    library = Library(work / f"factors-{index}")
    shutil.rmtree(library.folder, ignore_errors=True)  # of a training that was stopped
    library.prepare()
    shutil.copytree(Library(work / "library").replays, library.replays, dirs_exist_ok=True)
    summary = train(library, RUN, settings_of(index), should_stop=lambda: time.monotonic() - began > seconds)
    found = evaluate(library, RUN, EPISODES, "nature", seed=TUNING_SEED)
    shutil.rmtree(library.folder)
    return {"index": index, **measured(summary, found), "machine": f"{this_machine()}, Keras on {backend_name()}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a training (default: 420)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="trainings in parallel (default: 2)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    record_demonstrations(Library(WORK / "library"), WORK, seed=DEMONSTRATION_SEED)
    there = {row["index"] for row in read_rows(ROWS)}
    missing = [index for index in range(len(design())) if index not in there]
    parallel = joblib.Parallel(n_jobs=options.jobs, batch_size=1, return_as="generator_unordered")
    try:
        for row in parallel(joblib.delayed(train_one)(i, options.seconds, WORK) for i in missing):
            add_row(ROWS, row)
    except KeyboardInterrupt:
        print("Stopped; the same command trains what is missing", flush=True)
    learning_report.write_report()


if __name__ == "__main__":
    main()
