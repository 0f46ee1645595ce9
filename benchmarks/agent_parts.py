"""Where a training's time goes: each part by itself, at the settings of the Nature paper and of the default preset.

    python -m benchmarks.agent_parts [--replays FOLDER] [--json]

Prints the median time of a step's parts, the memory that a transition takes, how fast a replay file is filled in,
and steps per second of a whole training without and with overlapping. Compare only figures of the same call.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agent.acting import ActingAgent
from agent.config import TrainConfig, preset
from agent.episode_origins import begin_episode, new_emulator
from agent.learner import Learner
from agent.preprocessing import Preprocessor
from agent.run_loop import hold
from agent.seed_filling import fill_episode
from agent.seeding import plan_seeding
from agent.trainer import Generators, Trainer
from agent.training import new_memory
from data.library import Library

ROUNDS = 200


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median milliseconds of one call, after some calls to warm up."""
    for _ in range(max(3, rounds // 20)):
        work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1000.0 * statistics.median(times)


def parts(config: TrainConfig) -> dict[str, float]:
    """Milliseconds of each part of a step, by name."""
    rng = np.random.default_rng(0)
    emulator = new_emulator(config)
    begin_episode(emulator, 1, 0)
    learner = Learner(config, len(emulator.action_meanings), rng)
    agent = ActingAgent(
        learner.q_values, len(emulator.action_meanings), config.preprocessing, config.stack, np.random.default_rng(0)
    )
    agent.observe_start(emulator)
    memory = new_memory(config, 0)
    memory.close_seeding()
    memory.begin(agent.observation)

    def decide() -> object:
        if emulator.game_over:
            begin_episode(emulator, 1, 0)
        return hold(emulator, int(rng.integers(4)), emulator.lives, 10**9)

    found = {"emulator": median_ms(decide)}
    screens = [emulator.step(0).screen for _ in range(4)]
    preprocessor = Preprocessor(config.preprocessing)
    found["preprocessing"] = median_ms(lambda: preprocessor.observe(screens, emulator.palette))
    observation = preprocessor.observe(screens, emulator.palette)
    found["acting"] = median_ms(lambda: learner.q_values(agent.observation_stack()))
    found["storing"] = median_ms(lambda: memory.add(0, 1.0, False, observation), 5000)
    found["sampling"] = median_ms(lambda: memory.sample(rng, config.batch_size, None, 0.5))
    batch = memory.sample(rng, config.batch_size, None)

    def learn() -> None:
        learner.begin_update(batch)
        learner.finish_update()

    found["learning"] = median_ms(learn, 60)
    learner.close()
    return found


def whole(config: TrainConfig, steps: int) -> float:
    """Steps per second of the trainer from the first update on."""
    config = dataclasses.replace(config, steps=steps, learn_from_step=200, memory_size=20_000, epsilon_seeded=0.1)
    memory = new_memory(config, 0)
    memory.close_seeding()
    generators = Generators.from_seed(0)
    learner = Learner(config, 6, generators.sampling)
    trainer = Trainer(config, memory, learner, generators, experienced=True)
    began = 0.0
    for done in trainer.train():
        if done.step == 300:
            began = time.perf_counter()
    seconds = time.perf_counter() - began
    learner.close()
    return (steps - 300) / seconds


def filling(config: TrainConfig, replays: Path) -> float:
    """Seconds to fill in an hour of play."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library(folder)
        library.prepare()
        paths = sorted(replays.glob("*.h5"))[:5]
        chosen = dataclasses.replace(config, seed_from=tuple(map(str, paths)))
        plan = plan_seeding(chosen, library, new_emulator(config).action_meanings, None)
        memory = new_memory(chosen, plan.slots(chosen))
        began = time.perf_counter()
        for number, episode in enumerate(plan.episodes):
            fill_episode(memory, chosen, episode, number)
        return (time.perf_counter() - began) * 3600 * 15 / plan.decisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replays", type=Path, help="folder with replay files of Space Invaders, to time filling")
    parser.add_argument("--steps", type=int, default=1500, help="own steps of the whole training (default: 1500)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    report: dict[str, object] = {}
    for name in ("nature", "default"):
        config = dataclasses.replace(preset(name), memory_size=20_000)
        found = parts(config)
        step = {part: found[part] for part in ("emulator", "preprocessing", "acting", "storing")}
        step |= {part: found[part] / config.train_every for part in ("sampling", "learning")}
        total = sum(step.values())
        report[name] = {
            "milliseconds": found,
            "shares": {part: value / total for part, value in step.items()},
            "steps_per_second_one_after_another": 1000.0 / total,
            "steps_per_second": whole(config, options.steps),
        }
    if options.replays:
        report["seconds_to_fill_an_hour"] = filling(preset("nature"), options.replays)
    if options.json:
        print(json.dumps(report))
        return
    for name in ("nature", "default"):
        row = report[name]
        assert isinstance(row, dict)
        print(f"{name}: {row['steps_per_second']:.0f} steps/s")
        for part, value in row["milliseconds"].items():
            print(f"  {part:14} {value:7.3f} ms   {100 * row['shares'][part]:5.1f} % of a step")
    if options.replays:
        print(f"an hour of play is filled in within {report['seconds_to_fill_an_hour']:.1f} s")


if __name__ == "__main__":
    main()
