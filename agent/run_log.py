"""The logs of a training: monitor.csv as Stable-Baselines3 writes it, trace.csv, TensorBoard and evaluations."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import agent.quiet_keras  # noqa: F401 - TensorBoard imports TensorFlow, which must be quiet
from data.run_curves import MONITOR_COLUMNS, TRACE_COLUMNS
from data.runs import RunFolder

from tensorboard.summary import Writer  # isort: skip


class RunLog:
    """Appends to the run's files. After a resume, rows that are newer than the checkpoint are dropped first."""

    def __init__(self, folder: RunFolder, game: str, episodes: int, evaluations: int, step: int) -> None:
        """episodes, evaluations: number of rows to keep. step: own step of the run; below 0 in pretraining."""
        self._folder = folder
        header = ["#" + json.dumps({"t_start": 0.0, "env_id": game}), MONITOR_COLUMNS]
        rows = folder.monitor.read_text().splitlines()[2:] if folder.monitor.exists() else []
        folder.monitor.write_text("\n".join([*header, *rows[:episodes]]) + "\n")
        lines = folder.evaluations.read_text().splitlines() if folder.evaluations.exists() else []
        folder.evaluations.write_text("".join(line + "\n" for line in lines[:evaluations]))
        traced = folder.trace.read_text().splitlines()[1:] if folder.trace.exists() else []
        self._start_trace([row for row in traced if _step_of(row) <= step])
        self._monitor = folder.monitor.open("a", buffering=1)
        self._scalars = Writer(str(folder.tensorboard))

    def _start_trace(self, rows: list[str]) -> None:
        self._folder.trace.write_text("\n".join([",".join(TRACE_COLUMNS), *rows]) + "\n")
        self._trace = self._folder.trace.open("a", buffering=1)

    def drop_trace(self) -> None:
        """Start trace.csv again, for a pretraining that starts again."""
        self._trace.close()
        self._start_trace([])

    def episode(self, score: float, steps: int, seconds: float) -> None:
        """Append to monitor.csv: points, length in steps, seconds since the run's start."""
        self._monitor.write(f"{score:g},{steps},{seconds:.3f}\n")

    def trace(self, values: Mapping[str, float | None]) -> None:
        """Append to trace.csv; None leaves a cell empty."""
        cells = (values[column] for column in TRACE_COLUMNS)
        self._trace.write(",".join("" if value is None else f"{value:.6g}" for value in cells) + "\n")

    def scalars(self, step: int, values: Mapping[str, float | None]) -> None:
        """Write TensorBoard scalars at an own step; those that are None are left out."""
        for tag, value in values.items():
            if value is not None:
                self._scalars.add_scalar(tag, value, step)

    def evaluation(self, report: dict[str, Any]) -> None:
        """Append to evaluations.jsonl."""
        with self._folder.evaluations.open("a") as file:
            file.write(json.dumps(report) + "\n")

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._monitor.close()
        self._trace.close()
        self._scalars.close()


def _step_of(row: str) -> float:
    """Return the step of a row of trace.csv, or infinity for a row that a kill left incomplete."""
    cells = row.split(",")
    try:
        return float(cells[0]) if len(cells) == len(TRACE_COLUMNS) else math.inf
    except ValueError:
        return math.inf
