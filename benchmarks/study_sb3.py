"""Stable-Baselines3's DQN as an arm of the study: without demonstrations, with the settings of learning_sb3.py."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.learning_study import ROOT, STOPPED
from benchmarks.sb3_environment import sb3_python

SB3 = "Stable-Baselines3's DQN"
STEPS = 100_000
"""Own steps for which its exploration and its memory are set, whatever the stage."""


def sb3_results(
    folder: Path, game: str, seed: int, stage: int, plan: tuple[int, int], stop: threading.Event
) -> dict[str, Any] | None:
    """Train up to a stage, from the one before, and return a row's results; None when asked to stop.

    folder: of all its trainings in this game. plan: episodes of an evaluation, and the seed that decides them.
    """
    began = time.monotonic()
    own = folder / f"sb3-{seed}"
    command = [sb3_python(), ROOT / "benchmarks" / "learning_sb3.py", seed, own, STEPS, own, stage or STEPS, plan[0]]
    command += ["--game", game, "--until", stage, "--evaluation-seed", plan[1]]
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT, start_new_session=True)
    while process.poll() is None:
        if stop.wait(0.5):
            process.send_signal(signal.SIGTERM)
            process.wait()
            return None
    if process.returncode not in (0, STOPPED):
        return {"error": f"its process ended with exit status {process.returncode}"}
    evaluations = json.loads((own / "state.json").read_text())["evaluations"]
    scores = next(row["scores"] for row in evaluations if row["step"] == stage)
    mean = round(sum(scores) / len(scores), 1)
    return {"scores": scores, "mean": mean, "seconds": round(time.monotonic() - began)}
