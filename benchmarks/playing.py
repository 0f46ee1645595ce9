"""Playing in the recorder's window beside gymnasium.utils.play: how evenly the frames come, at 60 a second.

    python -m benchmarks.playing [--minutes 1] [--rounds 2] [--keep-awake | --busy] [--alone]

Both windows stand on a virtual screen and get the same keys (a, d and space, held for a fifth of a second), in turns,
so that both meet the same load. Each plays --minutes in all. The recorder also records; gymnasium's window does not.
A third row is a timer that sleeps until its next sixtieth of a second and does nothing else: what sleeping is worth on
this machine. The host of a virtual machine lends an idle processor to others, and gives it back milliseconds late;
--keep-awake keeps the processors busy with work of the lowest kind (SCHED_IDLE), which gives way to all other work;
--busy does so with ordinary work, as a training for each processor would. "Left alone" are the frames before which the
host had taken no processor for a quarter to half a second, as far as the kernel counts that.
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
from pathlib import Path
from typing import Any

import Xlib.display
import Xlib.error
import Xlib.X
import Xlib.XK
from rich.console import Console
from rich.table import Table
from Xlib.ext import xtest

from benchmarks.evenness import StolenTime, evenness
from recorder.pace import Pace, has_realtime_priority

WINDOWS = {"ours": "Replay Coach, recording", "gymnasium": "gymnasium.utils.play"}
ROWS = {**WINDOWS, "timer": "a timer, nothing else"}
LONGEST_TIMER_SECONDS = 60.0
BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"  # ends with its parent
HELD_SECONDS = 0.2
KEYS = ("a", "space", "d", "space")
KEEP_EVERY = 25
"""After so many keys, Return: it keeps an episode that has ended, and does nothing otherwise."""


@contextmanager
def virtual_screen() -> Iterator[str]:
    """A screen of 1280 x 800 without a monitor; its name."""
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
            with suppress(Xlib.error.BadDrawable, Xlib.error.BadWindow):  # it may be gone again: some open twice
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
        name = "Return" if number % KEEP_EVERY == KEEP_EVERY - 1 else KEYS[number % len(KEYS)]
        key(Xlib.X.KeyPress, name)
        time.sleep(HELD_SECONDS)
        key(Xlib.X.KeyRelease, name)
        number += 1


def play(which: str, seconds: float, folder: Path) -> dict[str, Any]:
    """One window for so many seconds; what it wrote down."""
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
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def wait_only(seconds: float) -> list[float]:
    """Times at which a program woke up that did nothing but sleep until its next frame was due."""
    times = [time.perf_counter()]
    pace = Pace(times[0])
    while times[-1] < times[0] + seconds:
        pace.begin_frame(times[-1])
        time.sleep(max(0.0, pace.seconds_to_next(time.perf_counter())))
        times.append(time.perf_counter())
    return times


@contextmanager
def processors_awake(wanted: bool, giving_way: bool = True) -> Iterator[None]:
    """Each processor has something to do, which gives way to everything else or is ordinary work."""
    busy: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range((os.cpu_count() or 1) if wanted else 0):
            busy.append(subprocess.Popen([sys.executable, "-c", BUSY]))
            if giving_way:
                os.sched_setscheduler(busy[-1].pid, os.SCHED_IDLE, os.sched_param(0))
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def priority() -> str:
    """How this program, and with it both windows, waits for a core."""
    return "real-time priority" if has_realtime_priority() else f"niceness {os.nice(0)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of play in each window")
    parser.add_argument("--rounds", type=int, default=2, help="turns in which they are played")
    meanwhile = parser.add_mutually_exclusive_group()
    meanwhile.add_argument("--keep-awake", action="store_true", help="no processor is idle meanwhile (Linux)")
    meanwhile.add_argument("--busy", action="store_true", help="each processor has ordinary work to do meanwhile")
    parser.add_argument("--alone", action="store_true", help="the recorder's window, without gymnasium's beside it")
    options = parser.parse_args()
    windows = ["ours"] if options.alone else list(WINDOWS)
    if options.keep_awake and not hasattr(os, "SCHED_IDLE"):
        parser.error("--keep-awake needs Linux")
    segments: dict[str, list[list[float]]] = {which: [] for which in ROWS}
    episodes, verified = 0, True
    seconds = 60 * options.minutes / options.rounds
    with (
        tempfile.TemporaryDirectory(prefix="replay-coach-bench-") as folder,
        processors_awake(options.keep_awake or options.busy, giving_way=options.keep_awake),
        StolenTime() as host,
    ):
        for _ in range(options.rounds):
            for which in windows:
                told = play(which, seconds, Path(folder))
                segments[which] += told["times"]
                episodes += told.get("episodes", 0)
                verified = verified and told.get("verified", True)
            segments["timer"].append(wait_only(min(seconds, LONGEST_TIMER_SECONDS)))
    load = ", processors kept awake" if options.keep_awake else ", processors kept busy" if options.busy else ""
    console = Console(width=150)
    console.print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"average {os.getloadavg()[2]:.1f}, {priority()}, {host.share:.2%} of the processors' time "
        f"taken by other virtual machines{load}\n"
    )
    shown = Table(
        "window",
        "frames",
        "a second",
        "over 2 ms late",
        "of those left alone",
        "worst",
        "2 ms over the last one",
        "longest",
        "99.9%",
        box=None,
    )
    for which in [*windows, "timer"]:
        of = evenness(segments[which], host)
        shown.add_row(
            ROWS[which],
            str(of.frames),
            f"{of.frames / max(of.seconds, 1e-9):.2f}",
            f"{of.late} ({of.late / max(1, of.frames):.3%})",
            f"{of.late_left_alone} of {of.frames_left_alone} ({of.late_left_alone / max(1, of.frames_left_alone):.3%})",
            f"{of.worst_late_ms:.1f} ms",
            f"{of.uneven} ({of.uneven / max(1, of.frames):.3%})",
            f"{of.longest_ms:.1f} ms",
            f"{of.p999_ms:.1f} ms",
        )
    console.print(shown)
    console.print(f"\n{episodes} episodes recorded, {'all verified' if verified else 'NOT ALL VERIFIED'}.")


if __name__ == "__main__":
    main()
