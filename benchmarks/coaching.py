"""What an addition to a training costs: the pause between two updates, and the time until it is in the memory.

    python -m benchmarks.coaching

Both depend on the number of decisions. The pause is what a training waits; the rest happens in the process that adds.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np

from agent.addition_requests import request_episode
from agent.additions import Additions
from agent.config import TrainConfig
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, Sampler, UniformSampler
from agent.training import new_memory
from data.episode import demonstrator_index
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunFolder
from data.simulation import Emulator

DECISIONS = (75, 1240, 4500)
"""A correction of five seconds, a minute and a half, and five minutes."""


class _StandingTrainer:
    """What an addition needs of a trainer."""

    def __init__(self, memory: ReplayMemory) -> None:
        self.memory = memory
        self.pretrained, self.step = 0, 1000
        self.added: ReplayMemory | None = None


def record(library: Library, decisions: int) -> Path:
    """Record random play of so many decisions, said to be a person's, from one game to the next."""
    emulator = Emulator("SpaceInvaders")
    rng = np.random.default_rng(decisions)
    writer = library.begin_episode(emulator.origin("bench"), "human", emulator.state())
    for _ in range(decisions):
        action = int(rng.integers(6))
        for _ in range(4):
            writer.append(action, demonstrator_index("human"), emulator.step(action))
    return writer.publish("truncated", emulator.palette)


def measure(decisions: int, sampling: str) -> tuple[float, float]:
    """Return the seconds of making a request and those of taking it between two updates."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder)
        library.prepare()
        config = TrainConfig(sampling=sampling, steps=1000)
        run = RunFolder(library.run_folder("bench"))
        names = Emulator("SpaceInvaders").action_meanings
        run.create(dataclasses.asdict(config), names)

        def sampler(slots: int) -> Sampler:
            return UniformSampler() if sampling == "uniform" else PrioritisedSampler(slots, 0.6, 0.001, 1.0)

        additions = Additions(run, config, names, sampler)
        additions.open()
        trainer = _StandingTrainer(new_memory(config, 0))
        path = record(library, decisions)
        started = time.perf_counter()
        with ReplayFile(path) as replay:
            request_episode(run, replay)
        made = time.perf_counter()
        (line,) = additions.take(trainer, [])  # type: ignore[arg-type]
        taken = time.perf_counter()
        assert line.decisions == decisions
        return made - started, taken - made


def main() -> None:
    for sampling in ("uniform", "prioritised"):
        for decisions in DECISIONS:
            made, taken = measure(decisions, sampling)
            print(
                f"{decisions:>5,} decisions, {sampling} sampling: the training pauses for {taken * 1000:.0f} ms; "
                f"making the request takes {made:.2f} s."
            )


if __name__ == "__main__":
    main()
