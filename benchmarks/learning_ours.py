"""One of our trainings beside Stable-Baselines3's, in its own process.

    python -m benchmarks.learning_ours ARM SEED FOLDER STEPS RESULTS [EVERY EPISODES PRESET]

Evaluated every EVERY steps (25,000) in so many EPISODES (30); PRESET is "first-default", with which the study began.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

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
from data.files import write_atomic
from data.library import Library
from data.run_curves import read_evaluations
from data.run_progress import Progress
from data.runs import RunFolder


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a training may have other than in the study."""

    every: int = EVALUATE_EVERY
    """Own steps between evaluations."""
    episodes: int = EPISODES
    """Of an evaluation."""
    preset: str = "first-default"


STUDY = Plan()


class TrainingClock:
    """The wall clock of a training without its evaluations, in a file, so that a resumed training continues it."""

    def __init__(self, run: RunFolder, path: Path) -> None:
        self._run, self._path = run, path
        saved: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {"elapsed": 0.0, "seconds": {}}
        self.seconds: dict[int, float] = {int(step): seconds for step, seconds in saved["seconds"].items()}
        """Seconds of training until each evaluation, by its step."""
        self._started = time.monotonic() - saved["elapsed"]
        self._evaluating = False

    def report(self, progress: Progress) -> None:
        """Take in the progress: the end of an evaluation is saved."""
        was, self._evaluating = self._evaluating, progress.phase == "evaluating"
        if was and not self._evaluating:
            self.save()

    def save(self) -> None:
        """Save the time until now, and until each evaluation that is new."""
        elapsed = time.monotonic() - self._started
        rows = read_evaluations(self._run)
        trained = elapsed - sum(row["seconds"] for row in rows)
        for row in rows:
            self.seconds.setdefault(row["step"], trained)
        write_atomic(self._path, json.dumps({"elapsed": elapsed, "seconds": self.seconds}))


def clock_path(library: Library, run: str) -> Path:
    return library.folder / f"{run}-clock.json"


def evaluations_so_far(library: Library, run: str) -> tuple[Evaluated, ...]:
    """Return the evaluations of a run, also while it is trained, with their times."""
    folder, path = RunFolder(library.run_folder(run)), clock_path(library, run)
    seconds = json.loads(path.read_text())["seconds"] if path.is_file() else {}
    rows = read_evaluations(folder) if folder.exists else []
    return tuple(Evaluated(r["step"], tuple(r["scores"]), seconds.get(str(r["step"]))) for r in rows)


def settings_of(arm: str, seed: int, steps: int, plan: Plan = STUDY) -> TrainConfig:
    """Return the plan's preset with the study's settings."""
    config = preset(plan.preset)
    if arm == "unseeded":
        config = dataclasses.replace(config, pretrain_steps=0)
    else:
        config = dataclasses.replace(config, seed_from=("planner",))
    return dataclasses.replace(
        config,
        game=GAME,
        seed=seed,
        steps=steps,
        evaluate_every=min(plan.every, steps),
        evaluation_episodes=plan.episodes,
        threads=1,
    )


def run(arm: str, seed: int, library: Library, steps: int, stop: threading.Event, plan: Plan = STUDY) -> Result | None:
    """Train, from the last checkpoint if there is one; return None if it was stopped before the end."""
    name = f"{arm}-{seed}"
    folder = RunFolder(library.run_folder(name))
    config = settings_of(arm, seed, steps, plan)
    clock = TrainingClock(folder, clock_path(library, name))
    summary = train(library, name, config, resume=folder.exists, report=clock.report, should_stop=stop.is_set)
    clock.save()
    if summary.stopped:
        return None
    evaluations = evaluations_so_far(library, name)
    usual = preset(plan.preset)
    names = [item.name for item in dataclasses.fields(TrainConfig)]
    changed = {name: getattr(config, name) for name in names if getattr(config, name) != getattr(usual, name)}
    return Result(arm, seed, steps, changed, evaluations, round(summary.seconds), this_machine())


def main() -> None:
    arm, seed, folder, steps, results = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C and then sends SIGTERM
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    plan = Plan(int(sys.argv[6]), int(sys.argv[7]), sys.argv[8]) if len(sys.argv) > 6 else STUDY
    result = run(arm, seed, Library(folder), steps, stop, plan)
    if result is None:
        sys.exit(STOPPED)
    result.write(Path(results))


if __name__ == "__main__":
    main()
