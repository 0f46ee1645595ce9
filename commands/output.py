"""What commands print: reports on standard output, progress on standard error, or one JSON object."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

LINE_SECONDS = 30.0
"""Interval between lines of progress where standard error is not a terminal."""

GREEN, ORANGE, OLIVE, QUIET = "#4cc38a", "#e5683c", "#c9b458", "#8b95a3"


def report_console() -> Console:
    """Return a console on standard output."""
    # No markup: names and paths are user input and may contain square brackets.
    # In a pipe or a file nothing is shortened to fit a terminal.
    width = None if sys.stdout.isatty() else 10_000
    return Console(highlight=False, soft_wrap=True, markup=False, width=width)


def styled(*parts: str | tuple[str, str]) -> Text:
    """Return text assembled from plain parts and (text, colour) parts."""
    return Text.assemble(*parts)


def progress_console() -> Console:
    """Return a console on standard error."""
    return Console(stderr=True, highlight=False)


def _plain(value: object) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_json(value: object) -> None:
    """Print one JSON object on standard output. Dataclasses become objects, paths and dates strings."""
    json.dump(value, sys.stdout, default=_plain, indent=2, allow_nan=False)
    sys.stdout.write("\n")


class _ProgressLines(Progress):
    """Progress for a file or a pipe: a plain line every ``LINE_SECONDS``."""

    def __init__(self, *columns: ProgressColumn, console: Console, unit: str) -> None:
        super().__init__(*columns, console=console)
        self._unit = unit
        self._printed = time.monotonic()

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        self._print_line(self._tasks[task_id])

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._print_line(self._tasks[task_id])

    def _print_line(self, task: Task) -> None:
        if time.monotonic() - self._printed < LINE_SECONDS:
            return
        self._printed = time.monotonic()
        count = f"{task.completed:g}" + ("" if task.total is None else f" of {task.total:g}")
        line = f"        {task.description}: {count} {self._unit}  {task.fields.get('note', '')}"
        self.console.print(line.rstrip(), soft_wrap=True, markup=False)


@contextmanager
def progress_bar(description: str, unit: str = "") -> Iterator[Progress]:
    """Show a bar with a count and the time left on standard error, and remove it at the end.

    Where standard error is not a terminal, print a line every ``LINE_SECONDS`` instead.
    """
    columns = (
        TextColumn("{task.description}", style=QUIET),
        BarColumn(bar_width=32, complete_style=GREEN, finished_style=GREEN),
        MofNCompleteColumn(),
        TextColumn(unit, style=QUIET),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style=QUIET),
    )
    console = progress_console()
    progress: Progress
    if console.is_terminal:
        progress = Progress(*columns, console=console, transient=True)
    else:
        progress = _ProgressLines(*columns, console=console, unit=unit)
    progress.add_task(description, total=None, note="")
    if console.is_terminal:
        with progress:
            yield progress
    else:
        yield progress


@contextmanager
def progress_counter(description: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar and yield the function that updates it, called with (done, total)."""
    with progress_bar(description, unit) as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        yield on_progress


def row(*values: str) -> list[Text]:
    """Return the cells of a table row, without markup."""
    return [Text(value) for value in values]


def table(*columns: str, title: str | None = None) -> Table:
    """Return a table without lines. A column whose name ends in ">" is aligned to the right."""
    made = Table(title=title, box=None, header_style=QUIET, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column.rstrip(">"), justify="right" if column.endswith(">") else "left", overflow="fold")
    return made
