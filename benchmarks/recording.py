"""Recording, verifying, reading and listing replay files, beside Minari's DataCollector in the same run.

    python -m benchmarks.recording [--seconds 20] [--hours 1.0] [--no-minari]

Minari runs in this environment where it is installed, otherwise in .venv-minari, which is made once.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from data.actions_file import import_actions
from data.episode import FRAMES_PER_SECOND, EmulatorSettings, demonstrator_index
from data.episode_import import ImportOptions
from data.files import write_atomic
from data.library import Library
from data.replay_file import ReplayFile, renamed_image
from data.replay_writer import ReplayWriter
from data.simulation import Emulator
from data.verification import verify

FRAMES_PER_HOUR = 3600 * FRAMES_PER_SECOND
GAME = "SpaceInvaders"
RANDOM = demonstrator_index("random")
CLIPS = 100
CLIP_FRAMES = 3 * FRAMES_PER_SECOND
LIBRARY_FILES = 2000
MINARI_FRAMES = 3600
MINARI_PACKAGES = ("minari[hdf5,create]==0.5.4", "ale-py>=0.12,<0.13", "gymnasium>=1.2", "pillow")
ROOT = Path(__file__).parent.parent
HUMAN_DEMOS = Path(os.environ.get("REPLAY_COACH_HUMAN_DEMOS", ROOT.parent / "shared" / "data" / "human_demos"))

Row = tuple[str, str, str]
"""What is measured, our figure, and the goal."""


def random_actions(emulator: Emulator, seed: int) -> Iterator[int]:
    """Yield random actions, each held for four frames."""
    rng = np.random.default_rng(seed)
    while True:
        action = int(rng.integers(len(emulator.action_meanings)))
        yield from (action,) * 4


def begin(library: Library, seed: int) -> tuple[ReplayWriter, Emulator]:
    emulator = Emulator(GAME, EmulatorSettings(seed=seed))
    return library.begin_episode(emulator.origin(), "random", emulator.state()), emulator


def in_real_time(library: Library, seconds: float) -> tuple[list[Row], Path]:
    """Play in real time and measure what the game's thread spends on recording."""
    writer, emulator = begin(library, 0)
    actions = random_actions(emulator, 0)
    spent = []
    due = time.perf_counter()
    for _ in range(round(seconds * FRAMES_PER_SECOND)):
        action = next(actions)
        state = emulator.step(action)
        began = time.perf_counter()
        writer.append(action, RANDOM, state)
        spent.append(time.perf_counter() - began)
        due += 1 / FRAMES_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
    began = time.perf_counter()
    path = writer.publish("truncated", emulator.palette)
    closing = time.perf_counter() - began
    ms = 1e3 * np.array(spent)
    return [
        ("a frame, of the game's thread, median", f"{np.median(ms):.4f} ms", "0.1 ms"),
        ("the same, 99.9th percentile", f"{np.quantile(ms, 0.999):.3f} ms", "1 ms"),
        ("the same, longest", f"{ms.max():.2f} ms", ""),
        ("publishing, once an episode", f"{1e3 * closing:.0f} ms", ""),
    ], path


def resident_megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def an_hour_as_fast_as_possible(library: Library, hours: float) -> list[Row]:
    """Record an hour as fast as the emulator runs. At game over the game is reset and recording continues."""
    writer, emulator = begin(library, 1)
    start = emulator.snapshot()
    actions = random_actions(emulator, 1)
    total = round(hours * FRAMES_PER_HOUR)
    megabytes = []
    for frame in range(total):
        action = next(actions)
        state = emulator.step(action)
        writer.append(action, RANDOM, state)
        if state.game_over:
            emulator.restore(start)
        if frame % (total // 20) == total // 40:
            megabytes.append(resident_megabytes())
    trouble = writer.trouble or "none"
    path = writer.publish("truncated", emulator.palette)
    grown = np.mean(megabytes[-3:]) - np.mean(megabytes[2:5])
    size = path.stat().st_size / 1e6 / hours
    # It was reset many times, so it is not an episode that could be verified.
    path.unlink()
    return [
        (f"memory, grown over {hours:g} h of recording", f"{grown:+.1f} MB (of {megabytes[-1]:.0f})", "flat"),
        ("problems reported in that hour", trouble, "none"),
        (f"disk, {GAME} at random, lossless", f"{size:.1f} MB/h", "25 MB/h"),
    ]


def human_play(library: Library) -> tuple[list[Row], Path | None]:
    """Measure human play; return the figures and the longest of its episodes."""
    rows, longest = [], None
    for game in ("PrivateEye", "Pitfall"):
        source = HUMAN_DEMOS / f"{game}.npz"
        if source.is_file():
            longest = import_actions(library, source, ImportOptions(game=game))[0].path
            with ReplayFile(longest) as replay:
                size = longest.stat().st_size / replay.frame_count * FRAMES_PER_HOUR / 1e6
            rows.append((f"disk, {game} played by a person, lossless", f"{size:.1f} MB/h", ""))
    return rows, longest


def reading(path: Path) -> list[Row]:
    began = time.process_time()
    answer = verify(path)
    core_seconds = time.process_time() - began
    assert answer.ok, answer.sentence
    speed, speed_on_the_clock = (
        answer.frames_checked / FRAMES_PER_SECOND / seconds for seconds in (core_seconds, answer.seconds)
    )
    rng = np.random.default_rng(0)
    spent = []
    with ReplayFile(path) as replay:
        for start in rng.integers(replay.frame_count - CLIP_FRAMES, size=CLIPS).tolist():
            began = time.perf_counter()
            replay.frames(start, start + CLIP_FRAMES)
            spent.append(time.perf_counter() - began)
    return [
        (f"verify {answer.frames_checked} frames, per second of one core", f"{speed:.0f} x real time", "60 x"),
        ("the same, by the clock", f"{speed_on_the_clock:.0f} x real time", ""),
        ("read a 3-second clip at a random place, median", f"{1e3 * np.median(spent):.1f} ms", "15 ms"),
    ]


def listing(path: Path, folder: Path) -> list[Row]:
    library = Library(folder)
    library.prepare()
    for number in range(LIBRARY_FILES):
        name = f"20260101T000000Z-{GAME}-random-{number:08x}"
        with ReplayFile(path) as replay:
            write_atomic(library.replays / f"{name}.h5", renamed_image(replay, {}, name), mode=0o444)
    spent = []
    for _ in range(2):
        began = time.perf_counter()
        assert len(library.episodes()) == LIBRARY_FILES
        spent.append(time.perf_counter() - began)
    return [
        (f"open a library of {LIBRARY_FILES} files", f"{spent[1]:.2f} s", "2 s"),
        ("the same while its index is rebuilt", f"{spent[0]:.1f} s", ""),
    ]


def minari_python() -> Path:
    """Return a Python that has Minari: this one, or one of an environment made for it."""
    if importlib.util.find_spec("minari") and importlib.util.find_spec("jax"):
        return Path(sys.executable)
    folder = ROOT / ".venv-minari"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != "\n".join(MINARI_PACKAGES):
        print(f"Installing Minari into {folder} (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *MINARI_PACKAGES], check=True)
        complete.write_text("\n".join(MINARI_PACKAGES))
    return python


def minari_figures() -> dict[str, dict[str, float]]:
    command = [str(minari_python()), str(ROOT / "benchmarks" / "recording_minari.py"), str(MINARI_FRAMES)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return figures


def show(rows: list[Row]) -> None:
    console = Console(width=110)
    table = Table("what", "Replay Coach", "goal", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    )
    console.print(f"Waiting for a core while this ran (load average): {os.getloadavg()[1]:.1f}\n")
    console.print(table)


def show_minari(minari: dict[str, dict[str, float]]) -> None:
    console = Console(width=110)
    names: dict[str, Any] = {"jpeg": "JPEG, lossy (its default)", "lossless": "lossless"}
    table = Table("Minari 0.5.4 DataCollector", "disk", "median", "99.9th percentile", "longest stall", box=None)
    for kind, figures in minari.items():
        times = [f"{figures[name]:.2f} ms" for name in ("median_ms", "p999_ms", "longest_ms")]
        table.add_row(names[kind], f"{figures['megabytes_per_hour']:.0f} MB/h", *times)
    console.print()
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of play in real time")
    parser.add_argument("--hours", type=float, default=1.0, help="of play as fast as the emulator runs")
    parser.add_argument("--no-minari", action="store_true", help="measure Replay Coach alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replay-coach-bench-") as folder:
        library = Library(Path(folder) / "library")
        paced, short = in_real_time(library, options.seconds)
        hour = an_hour_as_fast_as_possible(library, options.hours)
        human, longest = human_play(library)
        rows = [*paced, *hour, *human, *reading(longest or short), *listing(short, Path(folder) / "many")]
        show(rows)
    if not options.no_minari:
        show_minari(minari_figures())


if __name__ == "__main__":
    main()
