"""Measure how long a curator waits for the first clip of a large library, and from a verdict to the next clip.

    python -m benchmarks.curating [--episodes 500] [--verdicts 300] [--json]

Opens a window, or draws into memory if there is no display. The targets are 2 s to the first clip, and 50 ms at the
95th percentile from a verdict to the next clip on the screen, which includes writing the verdict to disk. Processor
seconds are given beside elapsed ones, to show how much of a wait is due to other programs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from curator.controller import CuratorController
from curator.frame_reader import FrameReader
from curator.outline import read_outlines
from curator.queues import build_queue
from curator.session import Session
from curator.window import WindowLoop
from data.episode import EmulatorSettings, demonstrator_index
from data.files import write_atomic
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile, renamed_image
from data.simulation import Emulator
from screen.window import Window

PLAYED_EPISODES = 5
EPISODE_FRAMES = 3600


def make_library(folder: Path, episodes: int) -> Library:
    """Make a library of ``episodes`` files: a few episodes of random play, copied under other names."""
    library = Library(folder)
    originals = []
    for seed in range(min(PLAYED_EPISODES, episodes)):
        emulator = Emulator("SpaceInvaders", EmulatorSettings(seed=seed))
        rng = np.random.default_rng(seed)
        writer = library.begin_episode(emulator.origin(), "random", emulator.state())
        while writer.frame_count < EPISODE_FRAMES and not emulator.game_over:
            action = int(rng.integers(len(emulator.action_meanings)))
            for _ in range(4):
                if not emulator.game_over:
                    writer.append(action, demonstrator_index("random"), emulator.step(action))
        originals.append(writer.publish("game_over" if emulator.game_over else "truncated", emulator.palette))
    for number in range(len(originals), episodes):
        source = originals[number % len(originals)]
        name = f"{source.stem[:-8]}{number:08x}"
        with ReplayFile(source) as replay:
            write_atomic(source.with_name(f"{name}.h5"), renamed_image(replay, {}, name), mode=0o444)
    return library


def measure(library: Library, verdicts: int) -> dict[str, float]:
    """Return seconds to the first clip, in a new and in a known library, and milliseconds from verdict to clip."""
    library.episodes()  # Builds the library's index, which is not measured.
    figures: dict[str, float] = {}
    waits: list[float] = []
    for opening in ("first_opening_s", "later_opening_s"):
        started, started_cpu = time.perf_counter(), time.process_time()
        with Window("Replay Coach - benchmark") as window, LabelDatabase(library.labels) as labels:
            outlines = {outline.episode_id: outline for outline in read_outlines(library)}
            judged = labels.verdicts(curator="benchmark")
            clips = build_queue(list(outlines.values()), "uniform", 3.0, 0, judged, curator="benchmark")
            with FrameReader({name: outline.path for name, outline in outlines.items()}) as reader:
                session = Session(labels, "benchmark", clips, {name: one.frame_count for name, one in outlines.items()})
                controller = CuratorController(session, reader, outlines, "uniform")
                loop = WindowLoop(window, controller)
                loop.draw()
                figures[opening] = time.perf_counter() - started
                figures[opening.replace("_s", "_cpu_s")] = time.process_time() - started_cpu
                for _ in range(verdicts // 2):
                    for _ in range(6):  # A tenth of a second of play, in which the next clips are decoded.
                        controller.advance(1 / 60)
                        loop.draw()
                        window.events()
                    pressed = time.perf_counter()
                    controller.press("g")
                    loop.draw()
                    waits.append(1000 * (time.perf_counter() - pressed))
    for percentile in (50, 95, 99):
        figures[f"verdict_to_clip_ms_p{percentile}"] = float(np.percentile(waits, percentile))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--verdicts", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    with tempfile.TemporaryDirectory() as folder:
        library = make_library(Path(folder), options.episodes)
        figures = measure(library, options.verdicts)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{options.episodes} episodes, {options.verdicts} verdicts")
    for name, value in figures.items():
        print(f"  {name:28s} {value:8.2f}")


if __name__ == "__main__":
    main()
