"""The study of learning: three arms, three random seeds, 100,000 own steps each.

    python -m benchmarks.learning [--jobs 2] [--arms seeded unseeded sb3] [--limit N] [--minutes M] [--report-only]

Stop it at any time with Ctrl-C and call it again: a training resumes from its last checkpoint. A finished one is saved
as a small file in docs/results/learning/, so that another machine can continue from what was committed. Each training
runs in one thread, several in parallel. The demonstrator's episodes are recorded again where they are missing, always
the same ones. After each training docs/results/learning.md and its plot are written again.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import learning_report
from benchmarks.learning_demonstrator import record_demonstrations
from benchmarks.learning_study import ARMS, RESULTS, ROOT, STEPS, STOPPED, missing, result_path
from benchmarks.sb3_environment import sb3_python
from data.library import Library

WORK = ROOT / "build" / "learning"


class Trainings:
    """The trainings that are running, each in its own process."""

    def __init__(self, work: Path, steps: int, results: Path, plan: tuple[str, ...] = ()) -> None:
        """plan: steps between evaluations, their episodes and our preset, where they are not those of the study."""
        self._work, self._steps, self._results, self._plan = work, steps, results, plan
        self._running: dict[tuple[str, int], subprocess.Popen[bytes]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, arm: str, seed: int) -> None:
        print(f"{arm}-{seed} starts or resumes", flush=True)
        ending = [str(self._steps), str(self._results), *self._plan]
        if arm == "sb3":
            script = str(ROOT / "benchmarks" / "learning_sb3.py")
            command = [str(sb3_python()), script, str(seed), str(self._work / f"sb3-{seed}"), *ending]
        else:
            module = ["-m", "benchmarks.learning_ours"]
            command = [sys.executable, *module, arm, str(seed), str(self._work / "library"), *ending]
        self._running[arm, seed] = subprocess.Popen(command, cwd=ROOT, start_new_session=True)

    def ended(self) -> list[tuple[str, int]]:
        """Return those that ended since the last call; raises RuntimeError for one that failed."""
        done = [key for key, process in self._running.items() if process.poll() is not None]
        for key in done:
            status = self._running.pop(key).returncode
            if status not in (0, STOPPED):
                raise RuntimeError(f"The training {key[0]}-{key[1]} failed with exit status {status}; see above.")
        return done

    def stop(self, only: tuple[str, int] | None = None) -> None:
        """Ask all, or one of them, to save a checkpoint and stop, and wait for that."""
        stopped = [key for key in self._running if only is None or key == only]
        for key in stopped:
            self._running[key].send_signal(signal.SIGTERM)
        for key in stopped:
            self._running.pop(key).wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="trainings in parallel (default: 2)")
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS), help="which arms (default: all)")
    parser.add_argument("--limit", type=int, metavar="N", help="start at most this many trainings")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after this many minutes")
    parser.add_argument("--steps", type=int, default=STEPS, help="own steps of a training; the study has 100,000")
    parser.add_argument("--work", type=Path, default=WORK, help="where unfinished trainings are (default: build/)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where finished trainings are")
    parser.add_argument("--report-only", action="store_true", help="only write the report")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    if not options.report_only:
        train_all(options)
    if options.results == RESULTS:
        learning_report.write_report()


def train_all(options: argparse.Namespace) -> None:
    """Train what is missing; Ctrl-C or the end of the allowed time stops, with everything saved."""
    waiting = [(arm, seed) for arm, seed in missing(options.results) if arm in options.arms][: options.limit]
    if any(arm == "seeded" for arm, _ in waiting):
        record_demonstrations(Library(options.work / "library"), options.results)
    deadline = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    trainings = Trainings(options.work, options.steps, options.results)
    try:
        while waiting or len(trainings):
            while waiting and len(trainings) < options.jobs:
                trainings.begin(*waiting.pop(0))
            time.sleep(1.0)
            for arm, seed in trainings.ended():
                kept = result_path(arm, seed, options.results).is_file()
                print(f"{arm}-{seed} {'is finished' if kept else 'was stopped'}", flush=True)
                if options.results == RESULTS:
                    learning_report.write_report()
            if time.monotonic() > deadline:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        print("Stopping; the same command continues from here", flush=True)
    finally:
        trainings.stop()


if __name__ == "__main__":
    main()
