"""The live view of a training in the terminal, and Ctrl-C that ends it cleanly."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from commands.output import GREEN, OLIVE, QUIET, clock, progress_console

PLAIN_EVERY_SECONDS = 10.0


class TrainingState(Protocol):
    """What the display shows; ``agent.training.Progress`` has it."""

    phase: str
    step: int
    total: int
    steps_per_second: float
    mean_score: float | None
    epsilon: float
    seeded_share: float
    loss: float | None
    seconds_left: float | None
    episodes: int


def _facts(state: TrainingState) -> list[tuple[str, str]]:
    score = "no episode yet" if state.mean_score is None else f"{state.mean_score:.0f} points"
    return [
        ("Mean score", f"{score} (last 100 of {state.episodes} episodes)"),
        ("Epsilon", f"{state.epsilon:.3f}"),
        ("Seeded share of memory", f"{state.seeded_share:.0%}"),
        ("Loss", "-" if state.loss is None else f"{state.loss:.4f}"),
    ]


def _rate(state: TrainingState) -> str:
    unit = {"pretraining": "updates/s", "filling": "decisions/s", "evaluating": "episodes/s"}.get(
        state.phase, "steps/s"
    )
    left = "" if state.seconds_left is None else f"  {clock(state.seconds_left)} left"
    return f"{state.steps_per_second:.0f} {unit}{left}"


def _panel(run: str, state: TrainingState) -> Group:
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(f"{run}: {state.phase}", style=f"bold {GREEN}"),
        ProgressBar(total=max(1, state.total), completed=state.step, width=40, complete_style=GREEN),
        Text(f"{state.step:,} of {state.total:,}".replace(",", " ")),
        Text(_rate(state), style=QUIET),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(state):
        facts.add_row(Text(name, style=QUIET), value)
    return Group(head, facts, Text("Ctrl-C ends cleanly with a checkpoint; --resume goes on.", style=QUIET))


class TrainingDisplay:
    """Give ``report`` to the training as its listener and ``should_stop`` as its question."""

    def __init__(self, run: str, console: Console | None = None) -> None:
        self._run = run
        self._console = console or progress_console()
        self._live: Live | None = None
        self._stop = False
        self._last_plain = float("-inf")
        self._last_phase = ""

    def should_stop(self) -> bool:
        return self._stop

    def report(self, state: TrainingState) -> None:
        if self._live is not None:
            self._live.update(_panel(self._run, state))
            return
        now = time.monotonic()
        if state.phase != self._last_phase or now - self._last_plain >= PLAIN_EVERY_SECONDS:
            self._last_plain, self._last_phase = now, state.phase
            facts = "; ".join(f"{name.lower()} {value}" for name, value in _facts(state))
            rate = _rate(state).replace("  ", "; ")
            line = f"{self._run}: {state.phase} {state.step} of {state.total}; {rate}; {facts}"
            self._console.print(line, soft_wrap=True)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        self._console.print("Stopping after this step and writing a checkpoint (Ctrl-C again: at once).", style=OLIVE)

    @contextmanager
    def running(self) -> Iterator[TrainingDisplay]:
        """While this lasts, Ctrl-C asks the training to stop instead of breaking it off."""
        before = {kind: signal.signal(kind, self._interrupt) for kind in (signal.SIGINT, signal.SIGTERM)}
        try:
            if self._console.is_terminal:
                with Live(console=self._console, refresh_per_second=4, transient=True) as self._live:
                    yield self
            else:
                yield self
        finally:
            self._live = None
            for kind, handler in before.items():
                signal.signal(kind, handler)
