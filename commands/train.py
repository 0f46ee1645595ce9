"""``coach train``: train an agent, seeded from the library."""

from __future__ import annotations

import argparse
import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from commands.output import GREEN, OLIVE, QUIET, print_json, progress_console, report_console
from commands.parser import Commands, add_labels, labels_of
from data.durations import clock
from data.library import Library
from data.run_curves import read_curves
from data.run_progress import Progress, ProgressFile
from data.runs import open_run, run_folder

if TYPE_CHECKING:
    from agent.progress import TrainSummary


PLAIN_EVERY_SECONDS = 10.0
BLOCKS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 40
MOST_KEPT = 2000


def add(commands: Commands) -> None:
    from agent.config import add_train_arguments

    train = commands.add("train", "train an agent, seeded from the library", run_train)
    train.add_argument("--run", required=True, metavar="NAME", dest="run_name", help="the run's name")
    train.add_argument("--resume", action="store_true", help="go on from the run's newest checkpoint")
    train.add_argument("--from", metavar="RUN", dest="from_run", help="begin with the weights of another run")
    add_labels(train)
    add_train_arguments(train)


def run_train(options: argparse.Namespace) -> int:
    from agent.config import config_from_arguments, run_config

    library = Library(options.library)
    folder = run_folder(library, options.run_name)
    base = run_config(open_run(library, options.run_name)) if options.resume else None
    config = config_from_arguments(options, base)
    library.prepare()
    from agent.training import train

    earlier = read_curves(folder).running_mean.tolist() if options.resume else []
    display = TrainingDisplay(options.run_name, scores=earlier)
    published = ProgressFile(folder.progress_file)

    def report(state: Progress) -> None:
        display.report(state)
        published.write(state, stopping=display.should_stop())

    with display.running():
        try:
            summary = train(
                library,
                options.run_name,
                config,
                resume=options.resume,
                labels=labels_of(options, library),
                from_run=options.from_run,
                report=report,
                should_stop=display.should_stop,
            )
        finally:
            published.remove()
    if options.json:
        print_json(summary)
    else:
        _print_summary(summary)
    return 0


def _print_summary(summary: TrainSummary) -> None:
    score = "" if summary.mean_score is None else f", mean score {summary.mean_score:.0f}"
    console = report_console()
    console.print(
        f"{summary.run}: {summary.step:,} of {summary.steps:,} steps, {summary.updates:,} updates, "
        f"{summary.episodes:,} episodes{score}, {clock(summary.seconds)}. Kept in {summary.path}."
    )
    if summary.stopped:
        console.print(f"Stopped early; `coach train --run {summary.run} --resume` goes on.")
    else:
        console.print(f"Next: `coach evaluate {summary.run}` or `coach watch {summary.run}`.")


def sparkline(values: Sequence[float], width: int = CURVE_WIDTH) -> str:
    """A curve in one line of text: ``width`` blocks at most, each as high as the mean of its values; "" for none."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ""
    columns = min(width, len(known))
    edges = [round(number * len(known) / columns) for number in range(columns + 1)]
    means = [sum(known[start:stop]) / (stop - start) for start, stop in pairwise(edges)]
    low, high = min(means), max(means)
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[round((mean - low) / (high - low) * top) if high > low else 0] for mean in means)


class History:
    """What a training has told so far, thinned to what a line can show."""

    def __init__(self, scores: Sequence[float] = ()) -> None:
        self.scores = list(scores)
        self.losses: list[float] = []
        self.values: list[float] = []
        self._episodes = -1

    def add(self, state: Progress) -> None:
        if state.mean_score is not None and state.episodes != self._episodes:
            self.scores.append(state.mean_score)
            self._episodes = state.episodes
        for kept, value in ((self.losses, state.loss), (self.values, state.mean_value)):
            if value is not None and state.phase != "evaluating":
                kept.append(value)
        for kept in (self.scores, self.losses, self.values):
            if len(kept) > MOST_KEPT:
                kept[:] = [(one + other) / 2 for one, other in zip(kept[::2], kept[1::2], strict=False)]


def _facts(state: Progress) -> list[tuple[str, str, str]]:
    """(name, value, name of the curve in ``History`` that goes with it)."""
    facts = []
    if state.mean_score is not None:
        last = f"last {min(100, state.episodes)} of {state.episodes} episodes"
        facts.append(("Mean score", f"{state.mean_score:.0f} points ({last})", "scores"))
    if state.loss is not None:
        facts.append(("Loss", f"{state.loss:.4f}", "losses"))
    if state.mean_value is not None:
        facts.append(("Q-values, mean", f"{state.mean_value:.3f}", "values"))
    if state.seeded_share is not None:
        facts.append(("Seeded share of a batch", f"{state.seeded_share:.0%}", ""))
    if state.epsilon is not None:
        facts.append(("Epsilon", f"{state.epsilon:.3f}", ""))
    return facts


def _rate(state: Progress) -> str:
    unit = {"pretraining": "updates/s", "filling": "decisions/s", "evaluating": "episodes/s"}.get(
        state.phase, "steps/s"
    )
    left = "" if state.seconds_left is None else f"  {clock(state.seconds_left)} left"
    return f"{state.steps_per_second:.0f} {unit}{left}"


def _panel(run: str, state: Progress, history: History) -> Group:
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(f"{run}: {state.phase}", style=f"bold {GREEN}"),
        ProgressBar(total=max(1, state.total), completed=state.step, width=40, complete_style=GREEN),
        Text(f"{state.step:,} of {state.total:,}".replace(",", " ")),
        Text(_rate(state), style=QUIET),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value, curve in _facts(state):
        drawn = sparkline(getattr(history, curve)) if curve else ""
        facts.add_row(Text(name, style=QUIET), value, Text(drawn, style=GREEN))
    if state.run_seconds_left is not None:
        done = f"step {state.own_step:,} of {state.own_steps:,}".replace(",", " ")
        facts.add_row(Text("Whole training", style=QUIET), f"{clock(state.run_seconds_left)} left", done)
    return Group(head, facts, Text("Ctrl-C ends cleanly with a checkpoint; --resume goes on.", style=QUIET))


class TrainingDisplay:
    """Give ``report`` to the training as its listener and ``should_stop`` as its question."""

    def __init__(self, run: str, console: Console | None = None, scores: Sequence[float] = ()) -> None:
        """scores: of a resumed run, the running means so far; the curve goes on from them."""
        self._run = run
        self._history = History(scores)
        self._console = console or progress_console()
        self._live: Live | None = None
        self._stop = False
        self._last_plain = float("-inf")
        self._last_phase = ""

    def should_stop(self) -> bool:
        return self._stop

    def report(self, state: Progress) -> None:
        self._history.add(state)
        if self._live is not None:
            self._live.update(_panel(self._run, state, self._history))
            return
        now = time.monotonic()
        if state.phase != self._last_phase or now - self._last_plain >= PLAIN_EVERY_SECONDS:
            self._last_plain, self._last_phase = now, state.phase
            facts = [f"{name.lower()} {value}" for name, value, _ in _facts(state)]
            progress = f"{self._run}: {state.phase} {state.step} of {state.total}"
            self._console.print("; ".join([progress, *_rate(state).split("  "), *facts]), soft_wrap=True)

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
