"""The curves of a run: episode scores (monitor.csv), evaluations and the learning trace (trace.csv)."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from data.runs import RunFolder

MONITOR_COLUMNS = "r,l,t"
"""Points, length in steps, seconds since the run's start; the format of Stable-Baselines3."""
TRACE_COLUMNS = ("step", "loss", "mean_value", "seeded_share", "epsilon", "steps_per_second")
"""Rows of pretraining have steps below 0."""
RUNNING_MEAN_EPISODES = 20


def _empty() -> np.ndarray:
    return np.zeros(0)


def _empty_trace() -> dict[str, np.ndarray]:
    return {name: _empty() for name in TRACE_COLUMNS}


@dataclass(frozen=True)
class EvaluationPoint:
    """An evaluation during training."""

    step: int
    mean: float
    low: float
    high: float
    """Ends of the mean's 95% bootstrap interval, points."""


@dataclass(frozen=True)
class RunCurves:
    """The curves of a run, over own steps; pretraining has steps below 0."""

    episode_steps: np.ndarray = field(default_factory=_empty)
    """(E,) int64: own step at which each training episode ended."""
    episode_scores: np.ndarray = field(default_factory=_empty)
    """(E,) float64, points."""
    evaluations: tuple[EvaluationPoint, ...] = ()
    trace: dict[str, np.ndarray] = field(default_factory=_empty_trace)
    """Column of trace.csv to (T,) float64; NaN where a value is missing."""

    @cached_property
    def running_mean(self) -> np.ndarray:
        """(E,) float64: mean of the last 20 episodes at each episode."""
        return running_mean(self.episode_scores, RUNNING_MEAN_EPISODES)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the (E,) means of up to ``window`` values ending at each value."""
    if len(values) == 0:
        return values
    sums = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def read_curves(folder: RunFolder) -> RunCurves:
    """Read the curves of a run. Incomplete rows, such as the one being written, are left out."""
    scores, lengths = _monitor_rows(_text(folder.monitor))
    return RunCurves(
        np.cumsum(np.array(lengths, np.int64)),
        np.array(scores, np.float64),
        tuple(_points(read_evaluations(folder))),
        _trace_columns(_text(folder.trace)),
    )


def read_evaluations(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the complete rows of evaluations.jsonl: the fields of ``agent.evaluation.Evaluation`` and others."""
    found = []
    for line in _whole_lines(_text(folder.evaluations)):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _whole_lines(text: str) -> list[str]:
    return text[: text.rfind("\n") + 1].splitlines()


def _number(text: str | None) -> float:
    try:
        return float(text) if text else math.nan
    except ValueError:
        return math.nan


def _monitor_rows(text: str) -> tuple[list[float], list[int]]:
    scores, lengths = [], []
    for row in csv.DictReader(line for line in _whole_lines(text) if not line.startswith("#")):
        score, length = _number(row.get("r")), _number(row.get("l"))
        if math.isfinite(score) and 0 <= length < 2**40:
            scores.append(score)
            lengths.append(int(length))
    return scores, lengths


def _points(rows: list[dict[str, Any]]) -> list[EvaluationPoint]:
    found = []
    for row in rows:
        try:
            found.append(EvaluationPoint(int(row["step"]), *(float(row[name]) for name in ("mean", "low", "high"))))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _trace_columns(text: str) -> dict[str, np.ndarray]:
    rows = [line.split(",") for line in _whole_lines(text)[1:]]
    whole = [[_number(cell) for cell in row] for row in rows if len(row) == len(TRACE_COLUMNS)]
    table = np.array([row for row in whole if math.isfinite(row[0])], np.float64).reshape(-1, len(TRACE_COLUMNS))
    return {name: table[:, number] for number, name in enumerate(TRACE_COLUMNS)}
