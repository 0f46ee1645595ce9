"""Processor time of each window standing still and minimised, and the memory with it and after it was closed.

    python -m benchmarks.idle_windows [--seconds 5] [--checkout FOLDER] [--json]

Runs the program on a virtual screen (Xvfb and xdotool, Linux only), opens one window after another by its key, and
measures the processor time of the program with its child processes while nothing happens. 100% is one processor. The
targets are 1% standing still and nothing minimised. ``--checkout`` measures another copy of the source.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.curating import make_library

EPISODES = 12
SETTLE_SECONDS = 6.0
"""From the opening of a window to the measurement, in which it reads the library."""
HERTZ = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Screen:
    """A virtual screen with a keyboard."""

    def __init__(self, name: str) -> None:
        self.environment = {**os.environ, "DISPLAY": name, "SDL_VIDEODRIVER": "x11", "SDL_AUDIODRIVER": "dummy"}

    def xdotool(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout.strip()

    def wait_for(self, title: str, seconds: float = 60.0) -> str:
        """Return the id of the window with that title (a regular expression), focused."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for window in self.xdotool("search", "--class", ".").split():
                if re.search(title, self.xdotool("getwindowname", window)):
                    self.xdotool("windowfocus", "--sync", window)
                    return window
            time.sleep(0.2)
        raise SystemExit(f"No window called {title!r} opened.")


@contextmanager
def virtual_screen() -> Iterator[Screen]:
    """Start an X server without a monitor."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL)
    os.close(writes)
    try:
        with os.fdopen(reads) as numbers:
            yield Screen(f":{numbers.readline().strip()}")
    finally:
        server.terminate()
        server.wait()


def processor_seconds(process: int) -> float:
    """Return the processor time of a process and its descendants."""
    total, todo = 0.0, [process]
    while todo:
        number = todo.pop()
        try:
            fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            for task in Path(f"/proc/{number}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text(encoding="utf-8").split()]
        except OSError:
            continue
        total += sum(int(ticks) for ticks in fields[11:15]) / HERTZ  # with that of children that have ended
    return total


def memory_megabytes(process: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def percent_of_a_processor(process: int, seconds: float) -> float:
    """Return the processor time that a process uses from now on, in percent."""
    before, began = processor_seconds(process), time.monotonic()
    time.sleep(seconds)
    return 100 * (processor_seconds(process) - before) / (time.monotonic() - began)


WINDOWS = (
    ("home", (), "home", ()),
    ("picker", ("g",), "choosing a game", ("Escape",)),
    ("library", ("l",), "library|episodes", ("Escape",)),
    ("settings", ("s",), "settings", ("Escape",)),
    ("train", ("t",), "training", ("Escape", "Escape")),  # from the form to the list, where the supplied run is
    ("compare", ("c",), "compar", ("Escape",)),
    ("curator, paused", ("j", "p"), "curating", ("Escape",)),
    ("watch, paused", ("w", "sleep", "p"), "paused", ("Escape",)),
    ("recorder, ready", ("p",), "ready", ("Escape",)),
    ("recorder, paused", ("p", "Return", "sleep", "p"), "paused", ("Escape", "Return", "Escape")),
)
"""Name, keys that open it from the home window, a part of its title, and keys that lead back."""


def measure(checkout: Path, seconds: float) -> dict[str, dict[str, float]]:
    """Return percent of a processor, standing still and minimised, and megabytes, open and closed, by window."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, virtual_screen() as screen:
        library = make_library(Path(folder) / "library", EPISODES)
        config = Path(folder) / "config" / "replay-coach"
        config.mkdir(parents=True)
        (config / "settings.json").write_text(json.dumps({"seen_tour": True}), encoding="utf-8")
        environment = {**screen.environment, "XDG_CONFIG_HOME": str(config.parent)}
        command = [sys.executable, "-c", "import coach; raise SystemExit(coach.main())"]
        command += ["--library", str(library.folder)]
        environment["PYTHONPATH"] = str(checkout)
        program = subprocess.Popen(command, cwd=checkout, env=environment)
        try:
            for name, keys, title, back in WINDOWS:
                screen.wait_for("home")
                time.sleep(1.0)
                for key in keys:
                    time.sleep(1.5)
                    if key != "sleep":
                        screen.xdotool("key", key)
                window = screen.wait_for(title)
                time.sleep(SETTLE_SECONDS)
                figures[name] = {"still": percent_of_a_processor(program.pid, seconds)}
                screen.xdotool("windowunmap", "--sync", window)
                time.sleep(1.0)
                figures[name]["minimised"] = percent_of_a_processor(program.pid, seconds)
                figures[name]["megabytes"] = memory_megabytes(program.pid)
                screen.xdotool("windowmap", "--sync", window)
                screen.xdotool("windowfocus", "--sync", window)
                time.sleep(0.5)
                for key in back:
                    screen.xdotool("key", key)
                    time.sleep(1.0)
                figures[name]["closed_megabytes"] = memory_megabytes(program.pid)
            screen.wait_for("home")
            time.sleep(SETTLE_SECONDS)
            figures["home, after all"] = {
                "still": percent_of_a_processor(program.pid, seconds),
                "megabytes": memory_megabytes(program.pid),
            }
        finally:
            program.terminate()
            program.wait()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--checkout", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit("This measurement needs Linux, Xvfb and xdotool.")
    figures = measure(options.checkout.resolve(), options.seconds)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{'window':20s} {'standing still':>15s} {'minimised':>12s} {'memory':>10s} {'closed':>10s}")
    for name, row in figures.items():
        minimised = f"{row['minimised']:11.1f}%" if "minimised" in row else 12 * " "
        closed = f"{row['closed_megabytes']:7.0f} MB" if "closed_megabytes" in row else ""
        print(f"{name:20s} {row['still']:14.1f}% {minimised} {row['megabytes']:7.0f} MB {closed}")


if __name__ == "__main__":
    main()
