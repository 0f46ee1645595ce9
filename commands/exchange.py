"""Commands that bring episodes back, out and in: ``coach recover``, ``coach export`` and ``coach import``."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.output import print_json, progress_bar, progress_console, report_console
from commands.parser import Commands
from data.errors import CoachError
from data.library import Library


def add(commands: Commands) -> None:
    recover = commands.add("recover", "rebuild episodes that a crash left unfinished", run_recover)
    recover.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="journals, or folders of them (default: the library's own)"
    )


def run_recover(options: argparse.Namespace) -> int:
    recovered = recover_with_progress(Library(options.library), options.paths or None)
    if options.json:
        print_json({"recovered": recovered})
        return 0
    for path in recovered:
        report_console().print(f"Rebuilt: {path}")
    if not recovered:
        report_console().print("Nothing was left unfinished.")
    return 0


def recover_with_progress(library: Library, paths: list[Path] | None) -> list[Path]:
    """Rebuild what is unfinished, with a bar."""
    from data.recovery import recover

    with progress_bar("Rebuilding", "frames") as progress:

        def on_progress(done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total)

        return recover(library, paths, on_progress=on_progress)


def recover_before_play(library: Library) -> None:
    """Rebuild what an earlier crash left unfinished; what cannot be rebuilt is said and does not stop the play."""
    if not library.replays.is_dir():
        return
    try:
        for path in recover_with_progress(library, None):
            progress_console().print(f"An episode that was cut short has been rebuilt: {path}", soft_wrap=True)
    except CoachError as error:
        progress_console().print(f"coach: {error}", soft_wrap=True)
