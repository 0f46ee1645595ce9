"""The live display of a comparison in the terminal, and Ctrl-C that stops it cleanly."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from agent.comparison_progress import ComparisonMonitor
from commands.output import GREEN, OLIVE, ORANGE, QUIET, progress_console
from data.durations import clock

POLL_SECONDS = 0.5
PLAIN_EVERY_SECONDS = 30.0
MOST_ROWS = 16
STATE_COLOURS = {"done": GREEN, "running": OLIVE, "failed": ORANGE, "waiting": QUIET}


def panel(state: dict[str, Any]) -> Group:
    """Return a line for the comparison and one for each run, those that are running first if there are many."""
    head = Table.grid(padding=(0, 2))
    left = "" if state["seconds_left"] is None else f"{clock(state['seconds_left'])} left"
    head.add_row(
        Text(f"{state['name']}: {state['done']} of {state['total']} runs", style=f"bold {GREEN}"),
        ProgressBar(total=1.0, completed=state["share"], width=40, complete_style=GREEN),
        Text(f"{state['share']:.0%}"),
        Text(left, style=QUIET),
    )
    table = Table.grid(padding=(0, 2))
    for run in _shown(state["runs"]):
        words = run["error"] or (run["phase"] if run["state"] == "running" else "")
        rate = "" if run["steps_per_second"] is None else f"{run['steps_per_second']:.0f}/s"
        table.add_row(
            Text(run["state"], style=STATE_COLOURS[run["state"]]),
            Text(f"{run['arm']}, seed {run['seed']}"),
            ProgressBar(total=1.0, completed=run["share"], width=20, complete_style=GREEN),
            Text("" if run["score"] is None else f"{run['score']:.0f} points"),
            Text(rate, style=QUIET),
            Text(words, style=QUIET, overflow="ellipsis", no_wrap=True),
        )
    return Group(head, table, Text("Ctrl-C stops cleanly; the same command resumes.", style=QUIET))


def _shown(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(runs) <= MOST_ROWS:
        return runs
    order = {"running": 0, "failed": 1, "waiting": 2, "done": 3}
    chosen = sorted(runs, key=lambda run: order[run["state"]])[:MOST_ROWS]
    return [run for run in runs if run in chosen]


def line(state: dict[str, Any]) -> str:
    """Return the progress as one line, for a log."""
    running = ", ".join(
        f"{run['arm']} seed {run['seed']} {run['phase']} {run['step']:,} of {run['total']:,}"
        for run in state["runs"]
        if run["state"] == "running"
    )
    failed = f", {state['failed']} failed" if state["failed"] else ""
    left = "" if state["seconds_left"] is None else f", {clock(state['seconds_left'])} left"
    return f"{state['name']}: {state['done']} of {state['total']} runs{failed}{left}" + (
        f": {running}" if running else ""
    )


class ComparisonDisplay:
    """Publishes ``progress.json`` and shows it, from a thread of its own, while the runs are trained."""

    def __init__(self, monitor: ComparisonMonitor, stop_file: Path, console: Console | None = None) -> None:
        self._monitor = monitor
        self._stop_file = stop_file
        self._console = console or progress_console()
        self._live: Live | None = None
        self._ended = threading.Event()
        self.stopped = False
        """Whether Ctrl-C was pressed."""

    def say(self, words: str) -> None:
        """Print a line above the live display."""
        self._console.print(words, soft_wrap=True, markup=False)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = True
        with suppress(OSError):
            self._stop_file.touch()
        self.say("Stopping: every run writes a checkpoint first (Ctrl-C again stops at once).")

    def _update(self) -> None:
        printed = time.monotonic() - PLAIN_EVERY_SECONDS + 5.0
        finished = 0
        while not self._ended.wait(POLL_SECONDS):
            with suppress(OSError):  # a full disk must not end the comparison
                state = self._monitor.publish("running")
                if self._live is not None:
                    self._live.update(panel(state))
                    continue
                now, done = time.monotonic(), state["done"] + state["failed"]
                if now - printed >= PLAIN_EVERY_SECONDS or done > finished:
                    printed, finished = now, done
                    self.say(line(state))

    @contextmanager
    def running(self) -> Iterator[ComparisonDisplay]:
        """Show the progress in this context. Ctrl-C asks all runs to write a checkpoint and end."""
        before = {kind: signal.signal(kind, self._interrupt) for kind in (signal.SIGINT, signal.SIGTERM)}
        thread = threading.Thread(target=self._update, name="comparison-display", daemon=True)
        try:
            if self._console.is_terminal:
                with Live(console=self._console, refresh_per_second=4, transient=True) as self._live:
                    thread.start()
                    yield self
                    self._ended.set()
                    thread.join()
            else:
                thread.start()
                yield self
        finally:
            self._live = None
            self._ended.set()
            thread.join()
            for kind, handler in before.items():
                signal.signal(kind, handler)
