"""Compare the pace of the recorder's window with that of gymnasium.utils.play, at 60 frames a second.

    python -m benchmarks.playing [--minutes 1] [--rounds 2]

Both windows are on a virtual screen and get the same keys (a, d and space, held for a fifth of a second), in turns, so
that both meet the same load. Each plays --minutes in all. The recorder also records; gymnasium's window does not. A
third row is a timer that sleeps until its next sixtieth of a second and does nothing else: the limit of this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import Xlib.display
import Xlib.error
import Xlib.X
import Xlib.XK
from rich.console import Console
from rich.table import Table
from Xlib.ext import xtest

from data.episode import FRAMES_PER_SECOND, LATE_SECONDS
from recorder.pace import Pace

WINDOWS = {"ours": "Replay Coach, recording", "gymnasium": "gymnasium.utils.play"}
ROWS = {**WINDOWS, "timer": "a timer, nothing else"}
LONGEST_TIMER_SECONDS = 60.0
HELD_SECONDS = 0.2
KEYS = ("a", "space", "d", "space")
SAVE_EVERY = 25
"""After this many keys, Return is pressed: it saves an episode that has ended, and does nothing otherwise."""


@dataclass(frozen=True)
class Evenness:
    """How evenly the frames of one window came."""

    frames: int
    seconds: float
    late: int
    worst_late_ms: float
    uneven: int
    """Gaps between two frames that are more than LATE_SECONDS too long."""
    longest_ms: float
    p999_ms: float


def lateness(times: list[float]) -> np.ndarray:
    """Return the seconds, (N,), by which each of N frames was late, by the recorder's own schedule."""
    pace = Pace(times[0])
    late = []
    for now in times:
        late.append(-pace.seconds_to_next(now))
        if pace.begin_frame(now):
            pace.restart(now + 1 / FRAMES_PER_SECOND)
    return np.array(late)


def evenness(segments: list[list[float]]) -> Evenness:
    """Summarize the times of the frames of several episodes, in seconds."""
    segments = [times for times in segments if times]
    late = np.concatenate([lateness(times) for times in segments]) if segments else np.zeros(0)
    gaps = np.concatenate([np.diff(times) for times in segments]) if segments else np.zeros(1)
    return Evenness(
        len(late),
        float(gaps.sum()),
        int(np.sum(late > LATE_SECONDS)),
        1e3 * max(0.0, float(late.max(initial=0.0))),
        int(np.sum(gaps > 1 / FRAMES_PER_SECOND + LATE_SECONDS)),
        1e3 * float(gaps.max()),
        1e3 * float(np.quantile(gaps, 0.999)),
    )


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Yield the name of a screen of 1280 x 800 without a monitor."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        name = f":{pipe.readline().strip()}"
    try:
        yield name
    finally:
        server.terminate()
        server.wait()


def focus_window(display: Any, seconds: float = 120.0) -> None:
    """Give the keyboard to the first large window that opens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for window in display.screen().root.query_tree().children:
            with suppress(Xlib.error.BadDrawable, Xlib.error.BadWindow):  # it may be closed again: some open twice
                shape = window.get_geometry()
                if shape.width > 300 and window.get_attributes().map_state == Xlib.X.IsViewable:
                    window.set_input_focus(Xlib.X.RevertToParent, Xlib.X.CurrentTime)
                    display.sync()
                    return
        time.sleep(0.2)
    raise SystemExit("no window opened")


def press_keys(display: Any, process: subprocess.Popen[bytes]) -> None:
    """Hold one key after another until the program ends."""

    def key(kind: int, name: str) -> None:
        code = display.keysym_to_keycode(Xlib.XK.string_to_keysym(name))
        xtest.fake_input(display, kind, code)
        display.sync()

    number = 0
    while process.poll() is None:
        name = "Return" if number % SAVE_EVERY == SAVE_EVERY - 1 else KEYS[number % len(KEYS)]
        key(Xlib.X.KeyPress, name)
        time.sleep(HELD_SECONDS)
        key(Xlib.X.KeyRelease, name)
        number += 1


def play(which: str, seconds: float, folder: Path) -> dict[str, Any]:
    """Play in one window for this many seconds; return the measurements."""
    out = folder / f"{which}.json"
    with virtual_screen() as name:
        environment = {**os.environ, "DISPLAY": name, "SDL_VIDEODRIVER": "x11", "SDL_AUDIODRIVER": "dummy"}
        environment["XDG_CONFIG_HOME"] = str(folder)
        command = [sys.executable, "-m", "benchmarks.playing_child", which, str(seconds), str(out)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        display = Xlib.display.Display(name)
        focus_window(display)
        press_keys(display, process)
        if process.returncode:
            raise SystemExit(f"{WINDOWS[which]} ended with {process.returncode}")
    measured: dict[str, Any] = json.loads(out.read_text())
    return measured


def wait_only(seconds: float) -> list[float]:
    """Return the times at which a loop woke up that only sleeps until its next frame is due."""
    times = [time.perf_counter()]
    pace = Pace(times[0])
    while times[-1] < times[0] + seconds:
        pace.begin_frame(times[-1])
        time.sleep(max(0.0, pace.seconds_to_next(time.perf_counter())))
        times.append(time.perf_counter())
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of play in each window")
    parser.add_argument("--rounds", type=int, default=2, help="turns in which they are played")
    options = parser.parse_args()
    segments: dict[str, list[list[float]]] = {which: [] for which in ROWS}
    episodes, verified = 0, True
    seconds = 60 * options.minutes / options.rounds
    with tempfile.TemporaryDirectory(prefix="replay-coach-bench-") as folder:
        for _ in range(options.rounds):
            for which in WINDOWS:
                measured = play(which, seconds, Path(folder))
                segments[which] += measured["times"]
                episodes += measured.get("episodes", 0)
                verified = verified and measured.get("verified", True)
            segments["timer"].append(wait_only(min(seconds, LONGEST_TIMER_SECONDS)))
    console = Console(width=130)
    console.print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"average {os.getloadavg()[2]:.1f}\n"
    )
    columns = ("window", "frames", "a second", "over 2 ms late", "worst", "gaps over 2 ms too long", "longest", "99.9%")
    shown = Table(*columns, box=None)
    for which, name in ROWS.items():
        of = evenness(segments[which])
        shown.add_row(
            name,
            str(of.frames),
            f"{of.frames / max(of.seconds, 1e-9):.2f}",
            f"{of.late} ({of.late / max(1, of.frames):.3%})",
            f"{of.worst_late_ms:.1f} ms",
            f"{of.uneven} ({of.uneven / max(1, of.frames):.3%})",
            f"{of.longest_ms:.1f} ms",
            f"{of.p999_ms:.1f} ms",
        )
    console.print(shown)
    console.print(f"\n{episodes} episodes recorded, {'all verified' if verified else 'NOT ALL VERIFIED'}.")


if __name__ == "__main__":
    main()
