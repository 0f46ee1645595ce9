"""``coach train``: train an agent, seeded from the library, with a live display in the terminal."""

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
from commands.supplied_play import record_supplied_play
from data.durations import clock
from data.library import Library
from data.run_curves import read_curves
from data.run_progress import Progress, ProgressFile
from data.runs import open_own_run, open_run, run_folder

if TYPE_CHECKING:
    from agent.progress import TrainSummary


LINE_SECONDS = 10.0
PHASES_BEFORE_SAVING = ("comparing", "filling")
"""Phases of a new training in which nothing exists that could be saved; a recording before them saves by itself."""
"""Between two lines of progress if there is no terminal."""
BLOCKS = "▁▂▃▄▅▆▇█"
CURVE_WIDTH = 40
LONGEST_HISTORY = 2000


def add(commands: Commands) -> None:
    from agent.config_options import add_train_arguments

    train = commands.add("train", "train an agent, seeded from the library", run_train)
    train.add_argument("--run", required=True, metavar="NAME", dest="run_name", help="the run's name")
    train.add_argument("--resume", action="store_true", help="continue from the run's newest checkpoint")
    train.add_argument(
        "--from", metavar="RUN", dest="from_run", help="start with the weights, and the network, of another run"
    )
    add_labels(train)
    add_train_arguments(train)


def run_train(options: argparse.Namespace) -> int:
    from agent.config import run_config
    from agent.config_options import config_from_arguments

    library = Library(options.library)
    folder = run_folder(library, options.run_name)
    base = run_config(open_own_run(library, options.run_name)) if options.resume else None
    starts_from = options.from_run is not None and not options.resume
    weights_of = run_config(open_run(library, options.from_run)) if starts_from else None
    config = config_from_arguments(options, base, weights_of)
    library.prepare()
    from agent.training import train

    earlier = read_curves(folder).running_mean.tolist() if options.resume else []
    display = TrainingDisplay(options.run_name, scores=earlier)
    published = ProgressFile(folder.progress_file)

    def report(progress: Progress) -> None:
        display.report(progress)
        published.write(progress, stopping=display.should_stop())

    with display.running():
        try:
            if not (options.resume or folder.exists):
                with folder.locked():  # so that the progress is shown
                    record_supplied_play(library, config.game, config.seed_from, report)
            summary = train(
                library,
                options.run_name,
                config,
                resume=options.resume,
                labels=labels_of(options, library),
                from_run=options.from_run,
                report=report,
                should_stop=display.should_stop,
                follow_verdicts=True,
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
        f"{summary.episodes:,} episodes{score}, {clock(summary.seconds)}. Saved in {summary.path}."
    )
    if summary.note:
        console.print(summary.note)
    best, step = summary.best_evaluation, summary.best_step
    if best is not None and step is not None and step < summary.step:
        console.print(
            f"Its best evaluation, {best:.0f} points, was at step {step:,}: `coach watch {summary.run} --weights best` "
            "shows that agent."
        )
    if summary.stopped:
        console.print(f"Stopped early; `coach train --run {summary.run} --resume` continues it.")
    else:
        console.print(f"Next: `coach evaluate {summary.run}` or `coach watch {summary.run}`.")


def sparkline(values: Sequence[float], width: int = CURVE_WIDTH) -> str:
    """Return a curve in one line of at most ``width`` blocks, each as high as the mean of its values."""
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
    """The figures reported so far, thinned to what a line can show."""

    def __init__(self, scores: Sequence[float] = ()) -> None:
        self.scores = list(scores)
        self.losses: list[float] = []
        self.values: list[float] = []
        self._episodes = -1

    def add(self, progress: Progress) -> None:
        if progress.mean_score is not None and progress.episodes != self._episodes:
            self.scores.append(progress.mean_score)
            self._episodes = progress.episodes
        for kept, value in ((self.losses, progress.loss), (self.values, progress.mean_value)):
            if value is not None and progress.phase != "evaluating":
                kept.append(value)
        for kept in (self.scores, self.losses, self.values):
            if len(kept) > LONGEST_HISTORY:
                kept[:] = [(one + other) / 2 for one, other in zip(kept[::2], kept[1::2], strict=False)]


def _facts(progress: Progress) -> list[tuple[str, str, str]]:
    """Return (name, value, name of its curve in ``History``)."""
    facts = []
    if progress.mean_score is not None:
        last = f"last {min(100, progress.episodes)} of {progress.episodes} episodes"
        facts.append(("Mean score", f"{progress.mean_score:.0f} points ({last})", "scores"))
    if progress.loss is not None:
        facts.append(("Loss", f"{progress.loss:.4f}", "losses"))
    if progress.mean_value is not None:
        facts.append(("Q-values, mean", f"{progress.mean_value:.3f}", "values"))
    if progress.agreement is not None:
        error = "" if progress.return_error is None else f", error of returns {progress.return_error:.2f}"
        facts.append(("Held-out decisions", f"{progress.agreement:.0%} agree{error}", ""))
    if progress.seeded_share is not None:
        facts.append(("Seeded share of a batch", f"{progress.seeded_share:.0%}", ""))
    if progress.epsilon is not None:
        facts.append(("Epsilon", f"{progress.epsilon:.3f}", ""))
    return facts


def _rate(progress: Progress) -> str:
    unit = {
        "recording": "seconds of play/s",
        "pretraining": "updates/s",
        "comparing": "decisions/s",
        "filling": "decisions/s",
        "evaluating": "episodes/s",
        "checking": "episodes/s",
    }.get(progress.phase, "steps/s")
    left = "" if progress.seconds_left is None else f"  {clock(progress.seconds_left)} left"
    return f"{progress.steps_per_second:.0f} {unit}{left}"


def _panel(run: str, progress: Progress, history: History) -> Group:
    head = Table.grid(padding=(0, 2))
    head.add_row(
        Text(f"{run}: {progress.phase}", style=f"bold {GREEN}"),
        ProgressBar(total=max(1, progress.total), completed=progress.step, width=40, complete_style=GREEN),
        Text(f"{progress.step:,} of {progress.total:,}".replace(",", " ")),
        Text(_rate(progress), style=QUIET),
    )
    facts = Table.grid(padding=(0, 2))
    for name, value, curve in _facts(progress):
        drawn = sparkline(getattr(history, curve)) if curve else ""
        facts.add_row(Text(name, style=QUIET), value, Text(drawn, style=GREEN))
    if progress.run_seconds_left is not None:
        done = f"step {progress.own_step:,} of {progress.own_steps:,}".replace(",", " ")
        facts.add_row(Text("Whole training", style=QUIET), f"{clock(progress.run_seconds_left)} left", done)
    return Group(head, facts, Text("Ctrl-C stops with a checkpoint; --resume continues.", style=QUIET))


class TrainingDisplay:
    """Shows a training: pass its methods ``report`` and ``should_stop`` to ``train``."""

    def __init__(self, run: str, console: Console | None = None, scores: Sequence[float] = ()) -> None:
        """scores: the running means so far of a resumed run, with which its curve starts."""
        self._run = run
        self._history = History(scores)
        self._console = console or progress_console()
        self._live: Live | None = None
        self._stop = False
        self._last_plain = float("-inf")
        self._last_phase = ""
        self._phase = "filling"
        self._noted = ""

    def should_stop(self) -> bool:
        return self._stop

    def report(self, progress: Progress) -> None:
        """Show the progress. Raises KeyboardInterrupt after Ctrl-C while there is no run yet that could be saved."""
        self._phase = progress.phase
        if self._stop and progress.phase in PHASES_BEFORE_SAVING and progress.step < progress.total:
            raise KeyboardInterrupt
        self._history.add(progress)
        if progress.note and progress.note != self._noted:
            self._noted = progress.note
            self._console.print(progress.note, soft_wrap=True)
        if self._live is not None:
            self._live.update(_panel(self._run, progress, self._history))
            return
        now = time.monotonic()
        if progress.phase != self._last_phase or now - self._last_plain >= LINE_SECONDS:
            self._last_plain, self._last_phase = now, progress.phase
            facts = [f"{name.lower()} {value}" for name, value, _ in _facts(progress)]
            done = f"{self._run}: {progress.phase} {progress.step} of {progress.total}"
            self._console.print("; ".join([done, *_rate(progress).split("  "), *facts]), soft_wrap=True)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        what = "" if self._phase in PHASES_BEFORE_SAVING else " after this step, with a checkpoint"
        self._console.print(f"Stopping{what} (Ctrl-C again: stop at once).", style=OLIVE)

    @contextmanager
    def running(self) -> Iterator[TrainingDisplay]:
        """Show the display; Ctrl-C asks the training to stop instead of interrupting it."""
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
