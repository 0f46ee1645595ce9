"""One of the study's trainings of ours, in its own process: python -m benchmarks.learning_ours ARM SEED FOLDER."""

from __future__ import annotations

import dataclasses
import signal
import sys
import threading
from pathlib import Path

from agent.config import TrainConfig, preset
from agent.training import train
from benchmarks.learning_study import (
    EPISODES,
    EVALUATE_EVERY,
    GAME,
    STOPPED,
    Evaluated,
    Result,
    this_machine,
)
from data.library import Library
from data.run_curves import read_evaluations
from data.runs import RunFolder


def settings_of(arm: str, seed: int, steps: int) -> TrainConfig:
    """Return the first default preset, with which the study began, with the study's settings."""
    config = preset("first-default")
    if arm == "unseeded":
        config = dataclasses.replace(config, pretrain_steps=0)
    else:
        config = dataclasses.replace(config, seed_from=("planner",))
    return dataclasses.replace(
        config,
        game=GAME,
        seed=seed,
        steps=steps,
        evaluate_every=min(EVALUATE_EVERY, steps),
        evaluation_episodes=EPISODES,
        threads=1,
    )


def run(arm: str, seed: int, library: Library, steps: int, stop: threading.Event) -> Result | None:
    """Train, from the last checkpoint if there is one; return None if it was stopped before the end."""
    name = f"{arm}-{seed}"
    folder = RunFolder(library.run_folder(name))
    config = settings_of(arm, seed, steps)
    summary = train(library, name, config, resume=folder.exists, should_stop=stop.is_set)
    if summary.stopped:
        return None
    evaluations = tuple(Evaluated(row["step"], tuple(row["scores"])) for row in read_evaluations(folder))
    usual = preset("first-default")
    names = [item.name for item in dataclasses.fields(TrainConfig)]
    changed = {name: getattr(config, name) for name in names if getattr(config, name) != getattr(usual, name)}
    return Result(arm, seed, steps, changed, evaluations, round(summary.seconds), this_machine())


def main() -> None:
    arm, seed, folder, steps, results = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and then sends SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    result = run(arm, seed, Library(folder), steps, stop)
    if result is None:
        sys.exit(STOPPED)
    result.write(Path(results))


if __name__ == "__main__":
    main()
