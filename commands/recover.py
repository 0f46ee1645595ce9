"""``coach recover``: rebuild episodes that a crash left unfinished."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.output import print_json, progress_console, progress_counter, report_console
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
        report_console().print("There are no unfinished episodes.")
    return 0


def recover_with_progress(library: Library, paths: list[Path] | None) -> list[Path]:
    """Rebuild unfinished episodes, showing a progress bar; return their replay files."""
    from data.recovery import recover

    with progress_counter("Rebuilding", "frames") as on_progress:
        return recover(library, paths, on_progress=on_progress)


def recover_before_play(library: Library) -> None:
    """Rebuild what an earlier crash left unfinished. A failure is reported but does not prevent playing."""
    if not library.replays.is_dir() or library.is_read_only:
        return
    try:
        for path in recover_with_progress(library, None):
            progress_console().print(f"An interrupted episode has been rebuilt: {path}", soft_wrap=True)
    except CoachError as error:
        progress_console().print(f"coach: {error}", soft_wrap=True)
