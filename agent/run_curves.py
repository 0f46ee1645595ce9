"""What a run has written down, read as curves: scores, evaluations and how learning went. Pure but for the reading."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.run import TRACE_COLUMNS, RunFolder

MEAN_EPISODES = 20
"""Episodes over which the score curve's running mean goes."""


@dataclass(frozen=True)
class EvaluationPoint:
    """An evaluation while training."""

    step: int
    mean: float
    low: float
    high: float
    """Ends of the mean's 95% bootstrap interval, points."""


@dataclass(frozen=True)
class RunCurves:
    """Everything there is to draw of a run; all arrays over own steps, pretraining below 0."""

    episode_steps: np.ndarray
    """(E,) int64: own step at which each training episode ended."""
    episode_scores: np.ndarray
    """(E,) float64, points."""
    evaluations: tuple[EvaluationPoint, ...]
    trace: dict[str, np.ndarray]
    """Columns of trace.csv, (T,) float64; NaN where there was nothing to tell."""

    @property
    def running_mean(self) -> np.ndarray:
        """(E,) float64: mean of the last 20 episodes at each episode."""
        return running_mean(self.episode_scores, MEAN_EPISODES)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """(E,) mean of each value and those before it, ``window`` at most."""
    if len(values) == 0:
        return values
    sums = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    means: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def read_curves(folder: RunFolder) -> RunCurves:
    """The run's curves; rows that are not whole, as the one being written now, are left out."""
    scores, lengths = _monitor_rows(_text(folder.monitor))
    return RunCurves(
        np.cumsum(np.array(lengths, np.int64)),
        np.array(scores, np.float64),
        tuple(_evaluations(_text(folder.evaluations))),
        _trace_columns(_text(folder.trace)),
    )


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


def _evaluations(text: str) -> list[EvaluationPoint]:
    found = []
    for line in _whole_lines(text):
        try:
            about: dict[str, Any] = json.loads(line)
            found.append(EvaluationPoint(int(about["step"]), *(float(about[name]) for name in ("mean", "low", "high"))))
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _trace_columns(text: str) -> dict[str, np.ndarray]:
    rows = [line.split(",") for line in _whole_lines(text)[1:]]
    whole = [[_number(cell) for cell in row] for row in rows if len(row) == len(TRACE_COLUMNS)]
    table = np.array([row for row in whole if math.isfinite(row[0])], np.float64).reshape(-1, len(TRACE_COLUMNS))
    return {name: table[:, number] for number, name in enumerate(TRACE_COLUMNS)}
