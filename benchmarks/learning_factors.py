"""Six settings at once: sixteen short seeded trainings, each of which tells something about every setting.

    python -m benchmarks.learning_factors [--seconds 420] [--jobs 2]

``benchmarks.learning_design`` says which training has which settings. Each has a random seed of its own and stops after
--seconds, wherever it stands. Rows are kept in docs/results/learning/factors.jsonl; what has one is not trained again.
Stop it with Ctrl-C; trainings that are not finished begin anew. Demonstrations and evaluation episodes are those of
``benchmarks.learning_trials``, which the study does not use.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.config import TrainConfig, preset
from benchmarks import learning_report
from benchmarks.learning_demonstrator import record_demonstrations
from benchmarks.learning_design import FACTORS, ROWS, design, rows_there
from benchmarks.learning_study import GAME, ROOT, STEPS, this_machine
from benchmarks.learning_trials import DEMONSTRATION_SEED, EPISODES, TUNING_SEED, WORK
from data.library import Library

SECONDS = 420.0
RUN = "factors"


def settings_of(index: int) -> TrainConfig:
    """A training's settings; its random seed is its number."""
    changes: dict[str, Any] = {"game": GAME, "seed_from": ("planner",), "steps": STEPS, "seed": index, "threads": 1}
    for present, change in zip(design()[index], FACTORS.values(), strict=True):
        changes |= change if present else {}
    return dataclasses.replace(preset("default"), **changes, evaluate_every=0, checkpoint_every=STEPS)


def train_one(index: int, seconds: float, demonstrations: Path) -> dict[str, Any]:
    """One training, in a library of its own that is gone afterwards, and its evaluation."""
    from agent.evaluation import evaluate
    from agent.quiet_keras import backend_name
    from agent.training import train

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="replay-coach-factors-") as folder:
        library = Library(folder)
        library.prepare()
        shutil.copytree(demonstrations, library.replays, dirs_exist_ok=True)
        summary = train(library, RUN, settings_of(index), should_stop=lambda: time.monotonic() - began > seconds)
        found = evaluate(library, RUN, EPISODES, "nature", seed=TUNING_SEED)
    return {
        "index": index,
        "steps": summary.step,
        "updates": summary.updates,
        "mean": round(found.mean, 1),
        "low": round(found.low, 1),
        "high": round(found.high, 1),
        "episodes": found.episodes,
        "machine": f"{this_machine()}, Keras on {backend_name()}",
    }


def train_all(waiting: list[int], seconds: float, jobs: int) -> None:
    """Train these, each in a process of its own; Ctrl-C ends them."""
    running: dict[int, subprocess.Popen[str]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                index = waiting.pop(0)
                command = [sys.executable, "-m", "benchmarks.learning_factors", "--one", str(index)]
                command += ["--seconds", str(seconds)]
                running[index] = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            time.sleep(1.0)
            for index in [index for index, process in running.items() if process.poll() is not None]:
                said, _ = running.pop(index).communicate()
                if not said:
                    raise RuntimeError(f"The training {index} failed; see above.")
                with ROWS.open("a") as file:
                    file.write(said.splitlines()[-1] + "\n")
                print(said.splitlines()[-1], flush=True)
    except KeyboardInterrupt:
        print("Stopping; the same command trains what is missing", flush=True)
    finally:
        for process in running.values():
            process.terminate()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a training (default: 420)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="trainings beside each other (default: 2)")
    parser.add_argument("--one", type=int, metavar="INDEX", help="train this one alone, and print its row")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in what a shell began in the background
        signal.signal(number, signal.default_int_handler)
    library = Library(WORK / "library")
    if options.one is not None:
        with suppress(KeyboardInterrupt):
            print(json.dumps(train_one(options.one, options.seconds, library.replays)), flush=True)
        return
    record_demonstrations(library, WORK, seed=DEMONSTRATION_SEED)
    there = {row["index"] for row in rows_there()}
    train_all([index for index in range(len(design())) if index not in there], options.seconds, options.jobs)
    learning_report.write_report()


if __name__ == "__main__":
    main()
