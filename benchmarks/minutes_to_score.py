"""Measure the minutes of training until a score, beside Stable-Baselines3's DQN, in Space Invaders.

    python -m benchmarks.minutes_to_score [--points 250] [--seeds 0] [--minutes M] [--write]

Both sides train from scratch, without demonstrations, at the same time, in one thread each: our default preset and
Stable-Baselines3's DQN with the settings of benchmarks/learning_sb3.py. Every 5,000 own steps (--every) each is
evaluated on the same episodes. A side is finished when two evaluations in a row together have a mean of at least
--points, or after --steps: one evaluation alone can be luck, and the one before the first step does not count. Its
time starts at that one and ends at the second of the two, and evaluations are left out of it.

It takes about an hour. Stop it with Ctrl-C or by --minutes and call it again: the trainings resume from their
checkpoints in build/minutes_to_score.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import time
from pathlib import Path

from benchmarks.agent_parts import PAGE, write_page
from benchmarks.learning import Trainings
from benchmarks.learning_ours import evaluations_so_far
from benchmarks.learning_study import EPISODES, ROOT, STEPS, Evaluated, evaluated, this_machine
from data.library import Library

WORK = ROOT / "build" / "minutes_to_score"
BEGIN, END = "<!-- made by python -m benchmarks.minutes_to_score --write -->", "<!-- end of minutes to a score -->"
SIDES = {"unseeded": "Replay Coach", "sb3": "Stable-Baselines3's DQN"}
AIM = 1 / 3
"""Our minutes as a part of Stable-Baselines3's."""


def evaluations(side: str, seed: int, work: Path) -> tuple[Evaluated, ...]:
    """Return a side's evaluations so far, also while it is trained."""
    if side != "sb3":
        return evaluations_so_far(Library(work / "library"), f"{side}-{seed}")
    state = work / f"sb3-{seed}" / "state.json"
    return evaluated(json.loads(state.read_text())["evaluations"]) if state.is_file() else ()


def minutes(row: Evaluated, rows: tuple[Evaluated, ...]) -> float:
    """Return the minutes of training from the first evaluation to another one whose time is known."""
    assert row.seconds is not None
    assert rows[0].seconds is not None
    return (row.seconds - rows[0].seconds) / 60.0


def reaching(points: float, rows: tuple[Evaluated, ...]) -> tuple[Evaluated, Evaluated] | None:
    """Return the first two evaluations in a row with a mean of at least ``points`` whose times are known.

    The one before the first step is none of them: a network that has learned nothing scores, too.
    """
    return next((pair for pair in itertools.pairwise(_timed(rows)[1:]) if mean_of(pair) >= points), None)


def _timed(rows: tuple[Evaluated, ...]) -> list[Evaluated]:
    return [row for row in rows if row.seconds is not None]


def mean_of(pair: tuple[Evaluated, Evaluated]) -> float:
    return (pair[0].mean + pair[1].mean) / 2


def is_finished(points: float, last_step: int, rows: tuple[Evaluated, ...]) -> bool:
    """Return whether a side has reached the points, or has had its last evaluation."""
    return reaching(points, rows) is not None or any(row.step >= last_step and row.seconds is not None for row in rows)


def train_both(options: argparse.Namespace, work: Path) -> None:
    """Train both sides of each seed; Ctrl-C or the end of the allowed time stops, with everything saved."""
    deadline = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    plan = str(options.every), str(options.episodes), "default"
    last_step = options.steps // options.every * options.every or options.steps
    trainings = Trainings(work, options.steps, work / "results", plan)

    def finished(side: str, seed: int) -> bool:
        return is_finished(options.points, last_step, evaluations(side, seed, work))

    try:
        for seed in options.seeds:
            running = [(side, seed) for side in SIDES if not finished(side, seed)]
            for key in running:
                trainings.begin(*key)
            while running:
                time.sleep(1.0)
                ended = trainings.ended()
                for key in [key for key in running if key in ended or finished(*key)]:
                    trainings.stop(key)
                    running.remove(key)
                if time.monotonic() > deadline:
                    raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("Stopping; the same command continues from here", flush=True)
    finally:
        trainings.stop()


def report_lines(options: argparse.Namespace, work: Path) -> list[str]:
    """Return the lines of the report."""
    lines = [f"{this_machine()}; one thread for each side, both at the same time"]
    lines.append(
        f"minutes of training until {options.points:g} points, no demonstrations "
        f"(two evaluations in a row, {options.episodes} episodes each):"
    )
    for seed in options.seeds:
        reached = []
        for side, title in SIDES.items():
            rows = evaluations(side, seed, work)
            timed = _timed(rows)
            pair = reaching(options.points, rows)
            if pair is not None:
                reached.append(minutes(pair[1], rows))
                found = f"{reached[-1]:6.1f} minutes, {pair[1].step:,} steps: {mean_of(pair):.0f} points"
            elif timed:
                best = max(map(mean_of, itertools.pairwise(timed[1:])), default=timed[-1].mean)
                found = (
                    f"not in {minutes(timed[-1], rows):.1f} minutes, {timed[-1].step:,} steps; best: {best:.0f} points"
                )
            else:
                found = "not measured"
            lines.append(f"  seed {seed}  {title:24} {found}")
        if len(reached) == len(SIDES):
            lines.append(f"  seed {seed}  ours / theirs: {reached[0] / max(reached[1], 1e-9):.2f} (aim: {AIM:.2f})")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=float, default=250.0, help="the mean score to reach (default: 250)")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], help="random seeds, one after another (default: 0)"
    )
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after this many minutes")
    parser.add_argument("--steps", type=int, default=STEPS, help="most own steps of a training (default: 100,000)")
    parser.add_argument("--every", type=int, default=5_000, help="own steps between evaluations (default: 5,000)")
    parser.add_argument("--episodes", type=int, default=EPISODES, help="of an evaluation (default: 30)")
    parser.add_argument("--work", type=Path, default=WORK, help="where the trainings are (default: build/)")
    parser.add_argument("--write", action="store_true", help=f"put the report into {PAGE.relative_to(ROOT)} too")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    # Exploring depends on the number of steps, and a mean on the episodes: other numbers are other trainings.
    work = options.work / f"{options.steps}-steps-{options.episodes}-episodes"
    work.mkdir(parents=True, exist_ok=True)
    train_both(options, work)
    lines = report_lines(options, work)
    if options.write:
        write_page(lines, PAGE, BEGIN, END)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
