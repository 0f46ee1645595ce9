"""What recording costs with Minari's DataCollector; run by benchmarks/recording.py in an environment with Minari.

Prints one JSON object: for lossy (JPEG) and lossless storage, megabytes an hour at 60 frames a second, and what the
collector adds to each step of the same environment, in milliseconds.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import ale_py
import gymnasium
import numpy as np

FRAMES_PER_HOUR = 216_000


def play(env: Any, frames: int) -> list[float]:
    """Return the seconds of each step, including resets at an episode's end, for which the game waits too."""
    actions = np.random.default_rng(0).integers(6, size=frames)
    env.reset(seed=0)
    seconds = []
    for at in range(frames):
        began = time.perf_counter()
        _, _, terminated, truncated, _ = env.step(int(actions[at // 4]))
        if terminated or truncated:
            env.reset()
        seconds.append(time.perf_counter() - began)
    return seconds


def measure(frames: int, jpeg_encoding: bool) -> dict[str, float]:
    import minari

    gymnasium.register_envs(ale_py)
    options: dict[str, Any] = {"frameskip": 1, "repeat_action_probability": 0.0}
    plain = np.array(play(gymnasium.make("ALE/SpaceInvaders-v5", **options), frames))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MINARI_DATASETS_PATH"] = folder
        env = minari.DataCollector(gymnasium.make("ALE/SpaceInvaders-v5", **options), jpeg_encoding=jpeg_encoding)
        collected = np.array(play(env, frames))
        began = time.perf_counter()
        env.create_dataset("bench/recording-v0")
        closing = time.perf_counter() - began
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.hdf5"))
    added = 1e3 * np.maximum(collected - np.median(plain), 0.0)
    return {
        "megabytes_per_hour": size / frames * FRAMES_PER_HOUR / 1e6,
        "median_ms": float(np.median(added)),
        "p999_ms": float(np.quantile(added, 0.999)),
        "longest_ms": float(max(added.max(), 1e3 * closing)),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    frames = int(sys.argv[1])
    print(json.dumps({"jpeg": measure(frames, True), "lossless": measure(frames // 4, False)}))


if __name__ == "__main__":
    main()
