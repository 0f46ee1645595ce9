"""The newest weights of a training for its viewers: one small file, written only on request."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from agent.array_file import read_arrays, write_arrays
from agent.player import LoadedAgent, load_agent_weights
from data.errors import CoachError
from data.runs import RunFolder

WRITE_SECONDS = 15.0
"""Between two files of weights."""
FRESH_SECONDS = 600.0
"""A viewer repeats its request with each game; after this long without one, it is considered closed."""


class LiveWeights:
    """Writes the weights of one training while somebody watches it."""

    def __init__(self, run_folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = run_folder
        self._clock = clock
        self._next = float("-inf")

    def offer(self, step: int, weights: Callable[[], dict[str, np.ndarray]]) -> None:
        """Write the weights if they were requested and the last file is old enough. Disk errors are ignored."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + 1.0
        with contextlib.suppress(OSError):
            if time.time() - (self._folder / "live.weights.wanted").stat().st_mtime < FRESH_SECONDS:
                write_arrays(self._folder / "live.weights.npz", {**weights(), "step": np.array(step)})
                self._next = now + WRITE_SECONDS


def newest_agent(folder: RunFolder, wait_seconds: float = 0.0) -> LoadedAgent:
    """Return the newest agent of a run, and ask its training, if it is running, to write newer weights.

    wait_seconds: how long to wait for weights of the last WRITE_SECONDS, if the run is being trained. They are written
    within a second unless it pretrains or evaluates. Raises CoachError if the run has no checkpoint yet.
    """
    saved = load_agent_weights(folder)
    if folder.is_supplied:
        return saved
    with contextlib.suppress(OSError):
        (folder.path / "live.weights.wanted").touch()
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline and folder.is_trained() and not _are_fresh(folder.path / "live.weights.npz"):
        time.sleep(0.05)
    try:
        arrays = read_arrays(folder.path / "live.weights.npz")
        step = int(arrays.pop("step"))
    except (CoachError, KeyError, ValueError):
        return saved
    if step <= saved.step or not folder.is_trained():
        return saved
    return replace(saved, weights=arrays, step=step)


def _are_fresh(weights: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - weights.stat().st_mtime < WRITE_SECONDS
    return False
