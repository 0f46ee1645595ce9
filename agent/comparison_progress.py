"""The progress of a comparison: ``progress.json``, a small file that is replaced atomically.

``coach compare`` and ``coach transfer`` write it into ``--out`` about twice a second while they run and once more at
their end::

    {"format": "replay-coach-comparison-progress", "version": 1,
     "name": "seedings",                   name of the comparison
     "question": "...", "game": "SpaceInvaders",
     "library": "/abs/library", "out": "/abs/out",
     "process": 4711,                      of the command; it runs while this process lives and "phase" is one of
                                           the first three
     "phase": "preparing",                 "preparing", "running", "reporting", and at the end "done" (report written),
                                           "stopped" (the same command resumes) or "failed" ("error" says why)
     "error": null,
     "done": 3, "failed": 0, "total": 8,   runs
     "share": 0.41,                        of all the work, 0 to 1
     "seconds": 125.0,                     since this start
     "seconds_left": 180.0,                or null
     "report": null,                       path of report.html once it is written
     "runs": [{"run": "seedings-none-s0",  name in the library
               "arm": "none", "seed": 0,   title of its arm
               "state": "running",         "waiting", "running", "done" or "failed"
               "phase": "training",        while running: "filling", "pretraining", "training", "evaluating" or
                                           "final evaluation"
               "step": 1200, "total": 50000,   own steps; of the phase if that is not training
               "share": 0.2,               of this run's work, 0 to 1
               "steps_per_second": 61.0,   or null
               "score": 210.0,             points, or null: mean of its last episodes; once it is done, of its
                                           final evaluation
               "error": null}]}            one sentence where it failed
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.comparison import Plan, Task
from agent.progress import all_updates, updates_left
from data.comparisons import ComparedRun, ComparisonFolder, read_json, write_json
from data.run_progress import read_progress

FILE = "progress.json"
FORMAT = "replay-coach-comparison-progress"
VERSION = 1
EVALUATION_SHARE = 0.05
"""Approximate share of a run's work that is its final evaluation."""


class ComparisonMonitor:
    """Reads the files of a comparison's runs and publishes their progress."""

    def __init__(self, folder: ComparisonFolder, plan: Plan, out: Path) -> None:
        self._folder, self.plan, self._out = folder, plan, out
        self._tasks = plan.tasks()
        self._titles = {arm.slug: arm.title for arm in plan.arms}
        self._start = time.monotonic()
        self._share_before: float | None = None
        self._finished: dict[str, ComparedRun] = {}
        self._shares: dict[str, float] = {}

    def runs(self) -> list[ComparedRun]:
        """Return the progress of every run."""
        return [self._finished.get(task.run) or self._read(task) for task in self._tasks]

    def _read(self, task: Task) -> ComparedRun:
        title = self._titles[task.arm]
        steps = self.plan.arm(task.arm).config.steps
        result = read_json(self._folder.result(task.run))
        if result is not None:
            score = result["evaluation"]["mean"]
            finished = ComparedRun(task.run, title, task.seed, "done", "", result["step"], steps, 1.0, None, score)
            self._finished[task.run] = finished
            return finished
        failure = read_json(self._folder.failure(task.run))
        if failure is not None:
            return ComparedRun(task.run, title, task.seed, "failed", total=steps, error=failure["error"])
        return self._unfinished(task, title, steps)

    def _unfinished(self, task: Task, title: str, steps: int) -> ComparedRun:
        report = read_progress(self._folder.progress(task.run))
        if report is None:
            return ComparedRun(task.run, title, task.seed, "waiting", total=steps)
        state = "running" if self._folder.claim(task.run).exists() else "waiting"
        now = report.progress
        share = self._shares[task.run] = self._share(task, now.phase, now.step, now.total)
        rate = now.steps_per_second if state == "running" else None
        return ComparedRun(
            task.run, title, task.seed, state, now.phase, now.step, now.total, share, rate, now.mean_score
        )

    def _share(self, task: Task, phase: str, step: int, total: int) -> float:
        config = self.plan.arm(task.arm).config
        training = 1.0 - EVALUATION_SHARE
        if phase == "final evaluation":
            return training + EVALUATION_SHARE * step / max(1, total)
        if phase in ("pretraining", "training"):
            pretrained, own_step = (step, 0) if phase == "pretraining" else (config.pretrain_steps, step)
            left = updates_left(config, pretrained, own_step)
            return training * (1.0 - left / max(1.0, all_updates(config)))
        return self._shares.get(task.run, 0.0)  # filling, or an evaluation during training

    def summary(self, phase: str, error: str | None = None, report: Path | None = None) -> dict[str, Any]:
        """Return the content of ``progress.json``."""
        runs = self.runs()
        share = sum(run.share if run.state != "failed" else 1.0 for run in runs) / max(1, len(runs))
        if self._share_before is None:
            self._share_before = share
        seconds = time.monotonic() - self._start
        gained = share - self._share_before
        left = seconds * (1.0 - share) / gained if gained > 0.01 and phase == "running" else None
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.plan.name,
            "question": self.plan.question,
            "game": self.plan.game,
            "library": str(self._folder.library.folder.absolute()),
            "out": str(self._out.absolute()),
            "process": os.getpid(),
            "phase": phase,
            "error": error,
            "done": sum(run.state == "done" for run in runs),
            "failed": sum(run.state == "failed" for run in runs),
            "total": len(runs),
            "share": share,
            "seconds": seconds,
            "seconds_left": left,
            "report": None if report is None else str(report.absolute()),
            "runs": [asdict(run) for run in runs],
        }

    def publish(self, phase: str, error: str | None = None, report: Path | None = None) -> dict[str, Any]:
        """Write ``progress.json`` and return its content."""
        found = self.summary(phase, error, report)
        write_json(self._out / FILE, found)
        return found
