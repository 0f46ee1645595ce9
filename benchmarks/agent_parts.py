"""Measure where the time of a training goes, part by part, and an update of the presets in turns.

    python -m benchmarks.agent_parts [--replays FOLDER] [--rounds 3] [--no-sb3] [--write]

Prints the median time of a step's parts with the presets "nature" and "default", the memory of a transition, how fast a
replay file fills the replay memory, the steps per second of a whole training, and the time of an update of the presets
"default" and "first-default" beside Stable-Baselines3's. Stable-Baselines3's DQN and a loop like CleanRL's run at the
same settings in a separate environment, .venv-sb3, which is made once. All sides take turns, ``--rounds`` times, and
medians are reported, because a machine's speed varies. Compare only figures of the same call.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from agent.acting import ActingAgent
from agent.batch import augment
from agent.config import TrainConfig, preset
from agent.learner import Learner
from agent.memory_of_config import new_memory
from agent.preprocessing import Preprocessor
from agent.run_loop import begin_episode, hold, new_emulator
from agent.seeding import plan_seeding
from agent.seeding_fill import fill_episode
from agent.slots import SLOT_BYTES
from agent.trainer import Generators, Trainer
from benchmarks.sb3_environment import ROOT, sb3_python
from data.library import Library

PAGE = ROOT / "docs" / "results" / "speed.md"
BEGIN, END = "<!-- made by python -m benchmarks.agent_parts --write -->", "<!-- end of what was made -->"
ROUNDS = 200
UPDATED_PRESETS = ("default", "first-default")
LIKE_SB3: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "optimizer_epsilon": 1e-8,
    "gradient_norm": 10.0,
    "target_update_steps": 250,
}
"""Changes that make the Nature preset learn as Stable-Baselines3's DQN: batch 32, every 4 steps, Huber loss."""


def median_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median milliseconds of one call, after some warm-up calls."""
    for _ in range(max(3, rounds // 20)):
        work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1000.0 * statistics.median(times)


def parts(config: TrainConfig) -> dict[str, float]:
    """Return the milliseconds of each part of a step, by name."""
    rng = np.random.default_rng(0)
    emulator = new_emulator(config)
    begin_episode(emulator, 1, 0)
    learner = Learner(config, len(emulator.action_meanings), rng)
    agent = ActingAgent(
        learner.q_values, len(emulator.action_meanings), config.preprocessing, config.ages, np.random.default_rng(0)
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
    """Return the trainer's steps per second once learning has started."""
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
    """Return the seconds that an hour of play takes to fill the memory."""
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


def ours(name: str, config: TrainConfig, steps: int) -> dict[str, Any]:
    """Return all figures of one configuration."""
    found = parts(config)
    step = {part: found[part] for part in ("emulator", "preprocessing", "acting", "storing")}
    step |= {part: found[part] / config.train_every for part in ("sampling", "learning")}
    total = sum(step.values())
    return {
        "name": name,
        "milliseconds": found,
        "shares": {part: value / total for part, value in step.items()},
        "steps_per_second_one_after_another": 1000.0 / total,
        "steps_per_second": whole(config, steps),
        "bytes_a_transition": SLOT_BYTES,
    }


def theirs(steps: int) -> dict[str, Any]:
    """Return the figures of Stable-Baselines3 and of a loop like CleanRL's, from a process in their environment."""
    command = [str(sb3_python()), str(ROOT / "benchmarks" / "agent_parts_sb3.py"), str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def updater(config: TrainConfig) -> Callable[[], object]:
    """Return what makes one update as in a training: sample a batch from a memory of random pictures, shift, learn."""
    rng = np.random.default_rng(0)
    config = dataclasses.replace(config, steps=1000, memory_size=1000)
    memory = new_memory(config, 0)
    memory.close_seeding()
    memory.begin(rng.integers(0, 256, (84, 84)).astype(np.uint8))
    for number in range(500):
        memory.add(number % 6, float(number % 7 == 0), False, rng.integers(0, 256, (84, 84)).astype(np.uint8))
    learner = Learner(config, 6, rng)
    share = None if config.mixing == "free" else 0

    def update() -> None:
        learner.update(augment(memory.sample(rng, config.batch_size, share), config.shift_pixels, rng))

    return update


def measure_in_turns(steps: int, rounds: int, with_sb3: bool) -> dict[str, Any]:
    """Return medians over rounds in which all sides take turns.

    "updates": milliseconds of an update by side. "beside", with SB3: by side and figure, at SB3's settings.
    """
    config = dataclasses.replace(preset("nature"), memory_size=20_000, **LIKE_SB3)
    rows: dict[str, list[dict[str, float]]] = {"ours": [], "sb3": [], "cleanrl": []}
    updates = {name: updater(preset(name)) for name in UPDATED_PRESETS}
    times: dict[str, list[float]] = {name: [] for name in updates}
    for _ in range(rounds):
        for name, update in updates.items():
            times[name].append(median_ms(update, 60))
        if not with_sb3:
            continue
        mine = ours("as SB3", config, steps)
        figures = {name: mine["milliseconds"][name] for name in ("sampling", "learning")}
        rows["ours"].append({"steps_per_second": mine["steps_per_second"], **figures, "bytes_a_transition": SLOT_BYTES})
        other = theirs(steps)
        rows["sb3"].append(other["sb3"])
        rows["cleanrl"].append(other["cleanrl"])
    found: dict[str, Any] = {"updates": {name: statistics.median(times[name]) for name in updates}}
    if with_sb3:
        found["beside"] = {
            side: {key: statistics.median(row[key] for row in rows[side]) for key in rows[side][0]} for side in rows
        }
        found["updates"]["sb3"] = found["beside"]["sb3"]["learning"]
    return found


def update_lines(report: dict[str, Any]) -> list[str]:
    """Return the lines that compare an update of the default preset with the others'."""
    titles = {"default": "default", "first-default": "first-default", "sb3": "Stable-Baselines3"}
    default = report["updates"]["default"]
    lines = [
        f"an update (sample 32, shift, learn), medians of {report['rounds']} rounds in turns; the default's aim: half"
    ]
    lines[0] += " of first-default's:"
    for side, value in report["updates"].items():
        ratio = "" if side == "default" else f"   default / {titles[side]}: {default / value:.2f}"
        lines.append(f"  {titles[side]:18} {value:7.1f} ms{ratio}")
    return lines


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return the lines of the report."""
    lines = [f"{report['machine']}; load average at the end: {report['load']:.1f}"]
    for name in ("nature", "default"):
        row = report[name]
        lines.append(f"{name}: {row['steps_per_second']:.0f} steps/s")
        for part, value in row["milliseconds"].items():
            lines.append(f"  {part:14} {value:7.3f} ms   {100 * row['shares'][part]:5.1f} % of a step")
    lines.append(f"1,000,000 transitions take {SLOT_BYTES / 1000:.2f} GB")
    if "seconds_to_fill_an_hour" in report:
        lines.append(f"an hour of play fills the memory in {report['seconds_to_fill_an_hour']:.1f} s")
    if "updates" in report:
        lines += update_lines(report)
    if "beside" in report:
        titles = {"ours": "Replay Coach", "sb3": "Stable-Baselines3", "cleanrl": "like CleanRL"}
        lines.append(f"at the same settings, medians of {report['rounds']} rounds in turns:")
        lines.append(f"  {'':18} steps/s   sample 32   update   bytes a transition   steps/s, ours to theirs")
        for side, row in report["beside"].items():
            ratio = report["beside"]["ours"]["steps_per_second"] / row["steps_per_second"]
            lines.append(
                f"  {titles[side]:18} {row['steps_per_second']:7.1f} {row['sampling']:8.2f} ms"
                f" {row['learning']:5.1f} ms   {row['bytes_a_transition']:18,.0f}   {ratio:10.2f}"
            )
    return lines


def write_page(lines: list[str], page: Path = PAGE, begin: str = BEGIN, end: str = END) -> None:
    """Put the report between the page's two marks and leave the rest as it is."""
    before, _, rest = page.read_text().partition(begin)
    after = rest.partition(end)[2]
    page.write_text("\n".join([before + begin, "", "```", *lines, "```", "", end]) + after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replays", type=Path, help="folder with replay files of Space Invaders, to time filling")
    parser.add_argument("--steps", type=int, default=1500, help="own steps of a whole training (default: 1500)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the comparison (default: 3)")
    parser.add_argument("--no-sb3", action="store_true", help="measure Replay Coach alone")
    parser.add_argument("--write", action="store_true", help=f"put the report into {PAGE.relative_to(ROOT)} too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    report: dict[str, Any] = {"machine": machine, "rounds": options.rounds}
    for name in ("nature", "default"):
        report[name] = ours(name, dataclasses.replace(preset(name), memory_size=20_000), options.steps)
    if options.replays:
        report["seconds_to_fill_an_hour"] = filling(preset("nature"), options.replays)
    report |= measure_in_turns(options.steps, options.rounds, with_sb3=not options.no_sb3)
    report["load"] = os.getloadavg()[0]
    if options.write:
        write_page(report_lines(report))
    print(json.dumps(report) if options.json else "\n".join(report_lines(report)))


if __name__ == "__main__":
    main()
