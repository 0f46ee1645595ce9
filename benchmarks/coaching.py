"""Measure what an addition costs a training that runs, and how soon it is in the memory.

    python -m benchmarks.coaching

A training of the default preset runs in a process of its own. Stretches of a person's play are published and given to
it, as the Watch window does when the controls are handed back. Reported are the seconds until the training has recorded
that a stretch is in its memory, and how long its next update waited for that.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from agent import training
from agent.config import preset
from commands.add import giver
from data.additions import AdditionsFolder
from data.episode import EmulatorSettings, demonstrator_index
from data.episode_start import StartedFrom
from data.library import Library
from data.run_progress import ProgressFile
from data.runs import RunFolder
from data.simulation import Emulator
from recorder.stretch import publish_stretch, stretch_of

DECISIONS = (75, 1240, 4500)
"""A correction of five seconds, a minute and a half, and five minutes."""
FRAME_SKIP = 4
SEEDED = 2000
RUN = "bench"
HUMAN = demonstrator_index("human")
GOAL_SECONDS, GOAL_PAUSE_SECONDS = 10.0, 0.2


# ---- the process that trains -----------------------------------------------------------------------------------------


def train(library: Library, sampling: str) -> None:
    """Train until a file named "stop" is in the library, then print the seconds that additions and updates took."""
    pauses: list[float] = []
    ends: list[float] = []
    original = training._Training._take_additions

    def timed(self: Any) -> None:
        started, before = time.perf_counter(), len(self.additions.state())
        original(self)
        ended = time.perf_counter()
        if len(self.additions.state()) > before:
            pauses.append(ended - started)
        ends.append(ended)

    training._Training._take_additions = timed  # type: ignore[method-assign]
    config = dataclasses.replace(
        preset("default"),
        seed_from=("human",),
        sampling=sampling,
        steps=10**6,
        evaluate_every=0,
        pretrain_steps=50,
        learn_from_step=0,
    )
    stop = library.folder / "stop"
    report = ProgressFile(RunFolder(library.run_folder(RUN)).progress_file).write
    training.train(library, RUN, config, report=report, should_stop=stop.exists)
    gaps = np.diff(ends)
    print(
        json.dumps({"pauses": pauses, "gap_median": float(np.median(gaps)), "gap_99": float(np.quantile(gaps, 0.99))})
    )


# ---- the process that coaches ----------------------------------------------------------------------------------------


def record(library: Library, decisions: int) -> None:
    """Record random play as a person's."""
    emulator = Emulator("SpaceInvaders")
    writer = library.begin_episode(emulator.origin("bench"), "human", emulator.state())
    for action in actions(decisions):
        writer.append(action, HUMAN, emulator.step(action))
    writer.publish("truncated", emulator.palette)


def actions(decisions: int) -> bytes:
    return bytes(np.repeat(np.random.default_rng(decisions).integers(6, size=decisions), FRAME_SKIP).astype(np.uint8))


def give_back(library: Library, decisions: int) -> tuple[str, float]:
    """Publish and add a stretch of so many decisions as the Watch window does; return the result and the seconds."""
    give = giver(library, RunFolder(library.run_folder(RUN)))
    emulator = Emulator("SpaceInvaders", EmulatorSettings(seed=decisions, actions_before=bytes(400)))
    played = actions(decisions)
    for action in played:
        emulator.act(action)
    kinds = bytes([HUMAN] * len(played))
    stretch = stretch_of(emulator, played, kinds, (0, len(played)), StartedFrom(0, run=RUN, step=1000))
    started = time.perf_counter()
    sentence = give(publish_stretch(library, stretch, "bench"))
    lines = AdditionsFolder(library.run_folder(RUN))
    wait_for(lambda: not lines.waiting())
    return sentence, time.perf_counter() - started


def wait_for(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("The training did not get there.")
        time.sleep(0.02)


def measure(sampling: str) -> None:
    """Start a training, give it stretches, and print what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder)
        library.prepare()
        record(library, SEEDED)
        command = [sys.executable, "-m", "benchmarks.coaching", folder, sampling]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                run = RunFolder(library.run_folder(RUN))

                def trains() -> bool:
                    report = run.training()
                    return report is not None and report.progress.phase == "training" and report.progress.step > 200

                wait_for(trains)
                given = [give_back(library, decisions) for decisions in DECISIONS]
                time.sleep(2.0)
            finally:
                (Path(folder) / "stop").touch()
            (line,) = [json.loads(line) for line in process.stdout or () if line.startswith("{")]
    print(
        f"{sampling} sampling; an update every {line['gap_median'] * 1000:.0f} ms "
        f"(99 percent within {line['gap_99'] * 1000:.0f})"
    )
    for decisions, (_, seconds), pause in zip(DECISIONS, given, line["pauses"], strict=True):
        print(
            f"{decisions:>5,} decisions: in the memory {seconds:.1f} s after giving back (goal: {GOAL_SECONDS:.0f}); "
            f"the next update waits {pause * 1000:.0f} ms (goal: {GOAL_PAUSE_SECONDS * 1000:.0f})."
        )


def main() -> None:
    if len(sys.argv) == 3:
        train(Library(sys.argv[1]), sys.argv[2])
        return
    for sampling in ("uniform", "prioritised"):
        measure(sampling)


if __name__ == "__main__":
    main()
