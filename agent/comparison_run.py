"""One run of a comparison in a process of its own: train, evaluate, write the result.

``python -m agent.comparison_run LIBRARY COMPARISON RUN`` ends with exit code 0 when the result is written, with 64 when
a failure is written, and with 65 when it was asked to stop and a checkpoint is written. It also stops when its parent
process is gone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from agent.comparison import FrozenLibrary, Plan, Task, read_plan
from data.comparisons import ComparisonFolder, read_json, write_json
from data.errors import CoachError
from data.files import write_atomic
from data.library import Library
from data.run_curves import read_evaluations
from data.run_progress import Progress, ProgressFile
from data.runs import RunFolder

DONE, FAILED, STOPPED = 0, 64, 65
"""Exit codes; Python itself ends with 1 or 2, for example where it cannot import this module."""
POLL_SECONDS = 0.25
"""Interval of the checks for the stop file and the parent process."""
LOCK_SECONDS = 300.0
"""How long to wait for a process of an earlier start that still trains the run."""
EVALUATION_SEED = 0
"""Random seed of the final evaluations, the same for every run of every comparison."""
MOST_SOURCES = 100


class Stopped(Exception):
    """The run must end now and is resumed another time."""


class StopRequest:
    """Whether the run must end now: after a signal, once the stop file exists, or without a parent process."""

    def __init__(self, stop_file: Path, parent: int) -> None:
        self._stop_file = stop_file
        self._parent = parent
        self._requested = False
        self._checked = float("-inf")

    def request(self, *_: object) -> None:
        """Handle a signal."""
        self._requested = True

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._requested and now - self._checked > POLL_SECONDS:
            self._checked = now
            # After the death of its parent, a process has another one.
            self._requested = os.getppid() != self._parent or self._stop_file.exists()
        return self._requested

    def check(self, *_: object) -> None:
        if self():
            raise Stopped


def main(arguments: list[str]) -> int:
    library, name, run = arguments
    folder = ComparisonFolder(Library(library), name)
    stops = StopRequest(folder.stop_file, os.getppid())
    signal.signal(signal.SIGTERM, stops.request)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plan = read_plan(folder)
        if plan is None:
            raise CoachError(f"There is no comparison {name!r} in the library {library}.")
        task = next(task for task in plan.tasks() if task.run == run)
        result = _Work(folder, plan, task, stops).result()
    except Stopped:
        return STOPPED
    except CoachError as error:
        return _fail(folder, run, str(error))
    except Exception as error:  # noqa: BLE001 - the other runs continue, and the report names the error
        traceback.print_exc()
        return _fail(
            folder, run, f"{type(error).__name__}: {error} (an error in the program; see {folder.run_log(run)})."
        )
    write_atomic(folder.result(run), json.dumps(result, indent=1).encode())
    folder.failure(run).unlink(missing_ok=True)
    return DONE


def _fail(folder: ComparisonFolder, run: str, sentence: str) -> int:
    print(f"coach: {sentence}", file=sys.stderr)
    write_json(folder.failure(run), {"run": run, "error": sentence})
    return FAILED


class _Work:
    """The work of one call of ``main``."""

    def __init__(self, folder: ComparisonFolder, plan: Plan, task: Task, stops: StopRequest) -> None:
        self.folder, self.plan, self.task, self.stops = folder, plan, task, stops
        self.arm = plan.arm(task.arm)
        self.config = self.arm.config_of(task.seed)
        self.library = FrozenLibrary(folder.library.folder, plan.episodes)
        self.run = RunFolder(self.library.run_folder(task.run))
        self.progress = ProgressFile(folder.progress(task.run))

    def result(self) -> dict[str, Any]:
        """Train and evaluate. Raises Stopped."""
        self._wait_for_the_run()
        ended_by = self._train()
        self.stops.check()
        return {**self._training_result(), "ended_by": ended_by, "evaluation": self._evaluate()}

    def _wait_for_the_run(self) -> None:
        """Wait until no process of an earlier start trains the run: it may still be writing its checkpoint."""
        self.library.prepare()
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                with self.run.locked():
                    self._remove_without_checkpoint()
                    return
            except CoachError:
                if time.monotonic() > deadline:
                    raise
            self.stops.check()
            time.sleep(POLL_SECONDS)

    def _remove_without_checkpoint(self) -> None:
        """Remove a run that was killed before its first checkpoint: it starts again."""
        if self.run.path.is_dir() and self.run.newest_checkpoint() is None:
            shutil.rmtree(self.run.path)

    def _train(self) -> str:
        """Return what ended the training: "steps" or "seconds"."""
        from agent.training import train

        most, start = self.plan.most_seconds, time.monotonic() - self._seconds_before()

        def out_of_time() -> bool:
            return most is not None and time.monotonic() - start >= most

        summary = train(
            self.library,
            self.task.run,
            self.config,
            resume=self.run.exists,
            labels=self.plan.labels_file(self.folder, self.task.arm),
            from_run=self.arm.from_run,
            carry=self.arm.carry,
            report=self.progress.write,
            should_stop=lambda: self.stops() or out_of_time(),
        )
        self.stops.check()
        return "seconds" if summary.stopped else "steps"

    def _seconds_before(self) -> float:
        found = self.run.newest_state() if self.run.exists else None
        return float(found[1]["seconds"]) if found else 0.0

    def _training_result(self) -> dict[str, Any]:
        found = self.run.newest_state()
        assert found is not None
        state = found[1]
        trainer = state["trainer"]
        rows = read_evaluations(self.run)
        account = read_json(self.run.seeding) or {"sources": [], "seeded_share": 0.0}
        sources = sorted(account["sources"], key=lambda source: -source["drawn"])
        return {
            "run": self.task.run,
            "arm": self.task.arm,
            "seed": self.task.seed,
            "step": trainer["step"],
            "updates": trainer["updates"],
            "pretrain_updates": trainer["pretrained"],
            "episodes": trainer["episodes"],
            "experienced": trainer["experienced"],
            "curve": [_point(row) for row in rows],
            "seeded_share": account["seeded_share"],
            "sources": sources[:MOST_SOURCES],
            "training_seconds": state["seconds"],
        }

    def _evaluate(self) -> dict[str, Any]:
        from agent.evaluation import evaluate

        start = time.monotonic()

        def on_progress(done: int, total: int) -> None:
            self.stops.check()
            rate = done / max(1e-9, time.monotonic() - start)
            self.progress.write(Progress("final evaluation", done, total, rate))

        found = evaluate(
            self.library,
            self.task.run,
            self.plan.evaluation_episodes,
            "nature",
            seed=EVALUATION_SEED,
            on_progress=on_progress,
        )
        return {
            "protocol": found.protocol,
            "seed": EVALUATION_SEED,
            "scores": list(found.scores),
            "mean": found.mean,
            "seconds": found.seconds,
        }


POINT: tuple[str, ...] = ("step", "mean", "episodes", "updates", "memory_seeded_share", "batch_seeded_share", "epsilon")


def _point(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in POINT}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
