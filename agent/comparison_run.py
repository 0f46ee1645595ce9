"""One run of a comparison in a process of its own: train, evaluate, write down what came of it.

``python -m agent.comparison_run LIBRARY COMPARISON RUN`` ends with 0 when the result is written, with 64 when a failure
is written, and with 65 when it was asked to stop and a checkpoint is written. It stops, too, when its parent is gone.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.array_file import write_bytes
from agent.comparison import ComparisonFolder, FrozenLibrary, Plan, Task, read_json, write_json
from data.errors import CoachError
from data.library import Library
from data.run_curves import read_evaluations
from data.runs import RunFolder

if TYPE_CHECKING:
    from data.run_progress import Progress

DONE, FAILED, STOPPED = 0, 64, 65
"""Exit codes; Python itself ends with 1 or 2, for example where it cannot import this module."""
LOOK_SECONDS = 0.25
"""Time from one look at the stop file and the parent to the next."""
TELL_SECONDS = 0.5
LOCK_SECONDS = 300.0
"""For how long a run is waited for that a process of an earlier start has still in hand."""
EVALUATION_SEED = 0
"""Decides the episodes of the final evaluations: the same for every run of every comparison."""
LONGEST_SOURCES = 100


class Stopped(Exception):
    """The run is to end, and goes on another time."""


class Stops:
    """Whether the run is to end now."""

    def __init__(self, stop_file: Path, parent: int) -> None:
        self._stop_file = stop_file
        self._parent = parent
        self._asked = False
        self._looked = float("-inf")

    def ask(self, *_: object) -> None:
        """A signal says so."""
        self._asked = True

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._asked and now - self._looked > LOOK_SECONDS:
            self._looked = now
            # With its parent's death a process gets another one.
            self._asked = os.getppid() != self._parent or self._stop_file.exists()
        return self._asked

    def check(self, *_: object) -> None:
        if self():
            raise Stopped


def main(arguments: list[str]) -> int:
    library, name, run = arguments
    folder = ComparisonFolder(Library(library), name)
    stops = Stops(folder.stop_file, os.getppid())
    signal.signal(signal.SIGTERM, stops.ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plan = folder.read_plan()
        if plan is None:
            raise CoachError(f"There is no comparison {name!r} in the library {library}.")
        task = next(task for task in plan.tasks() if task.run == run)
        result = _Work(folder, plan, task, stops).result()
    except Stopped:
        return STOPPED
    except CoachError as error:
        return _fail(folder, run, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other runs go on, and the report names it
        traceback.print_exc()
        return _fail(folder, run, f"{type(error).__name__}: {error} (a fault of the program; see {folder.log(run)}).")
    write_bytes(folder.result(run), json.dumps(result, indent=1).encode())
    folder.failure(run).unlink(missing_ok=True)
    return DONE


def _fail(folder: ComparisonFolder, run: str, sentence: str) -> int:
    print(f"coach: {sentence}", file=sys.stderr)
    write_json(folder.failure(run), {"run": run, "error": sentence})
    return FAILED


class _Work:
    """One call of ``main``."""

    def __init__(self, folder: ComparisonFolder, plan: Plan, task: Task, stops: Stops) -> None:
        self.folder, self.plan, self.task, self.stops = folder, plan, task, stops
        self.arm = plan.arm(task.arm)
        self.config = self.arm.config_of(task.seed)
        self.library = FrozenLibrary(folder.library.folder, plan.episodes)
        self.run = RunFolder(self.library.run_folder(task.run))
        self._told = float("-inf")

    def result(self) -> dict[str, Any]:
        """Train and evaluate; raises Stopped."""
        self._wait_for_the_run()
        ended_by = self._train()
        self.stops.check()
        return {**self._training_facts(), "ended_by": ended_by, "evaluation": self._evaluate()}

    def _wait_for_the_run(self) -> None:
        """Until no process of an earlier start holds the run: after a kill one may still be writing its checkpoint."""
        self.library.prepare()
        patience = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                with self.run.locked():
                    self._remove_stillborn()
                    return
            except CoachError:
                if time.monotonic() > patience:
                    raise
            self.stops.check()
            time.sleep(LOOK_SECONDS)

    def _remove_stillborn(self) -> None:
        """A run that was killed before its first checkpoint begins anew."""
        if self.run.path.is_dir() and self.run.newest_checkpoint() is None:
            shutil.rmtree(self.run.path)

    def _train(self) -> str:
        """Returns what ended the training: "steps" or "seconds"."""
        from agent.training import train

        most, begun = self.plan.most_seconds, time.monotonic() - self._seconds_before()

        def out_of_time() -> bool:
            return most is not None and time.monotonic() - begun >= most

        summary = train(
            self.library,
            self.task.run,
            self.config,
            resume=self.run.exists,
            labels=self.folder.labels(self.plan, self.task.arm),
            from_run=self.arm.from_run,
            carry=self.arm.carry,
            report=self._tell,
            should_stop=lambda: self.stops() or out_of_time(),
        )
        self.stops.check()
        return "seconds" if summary.stopped else "steps"

    def _seconds_before(self) -> float:
        found = self.run.newest_state() if self.run.exists else None
        return float(found[1]["seconds"]) if found else 0.0

    def _tell(self, state: Progress) -> None:
        now = time.monotonic()
        if now - self._told < TELL_SECONDS:
            return
        self._told = now
        facts = dataclasses.asdict(state)
        write_json(self.folder.progress(self.task.run), {**facts, "process": os.getpid()})

    def _training_facts(self) -> dict[str, Any]:
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
            "sources": sources[:LONGEST_SOURCES],
            "training_seconds": state["seconds"],
        }

    def _evaluate(self) -> dict[str, Any]:
        from agent.evaluation import evaluate

        begun = time.monotonic()

        def on_progress(done: int, total: int) -> None:
            self.stops.check()
            rate = done / max(1e-9, time.monotonic() - begun)
            facts = {"phase": "final evaluation", "step": done, "total": total, "steps_per_second": rate}
            write_json(self.folder.progress(self.task.run), {**facts, "process": os.getpid()})

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
    run_main: Callable[[list[str]], int] = main
    sys.exit(run_main(sys.argv[1:]))
