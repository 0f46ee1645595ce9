"""``coach verify``: simulate episodes again and compare every frame, reward, life and RAM byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from commands.output import GREEN, ORANGE, print_json, progress_counter, report_console, styled
from commands.parser import Commands, at_least
from data.errors import AnswerIsNo, CoachError


def add(commands: Commands) -> None:
    verify = commands.add(
        "verify", "simulate episodes again and compare every frame, reward, life and RAM byte", run_verify
    )
    verify.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="replay files, or folders of them")
    verify.add_argument("--jobs", type=int, default=1, metavar="N", help="number of processes")


def run_verify(options: argparse.Namespace) -> int:
    from data.quarantine import replay_paths, verify_many

    at_least(options.jobs, 1, "--jobs")
    paths = replay_paths(options.paths)
    with progress_counter("Verifying", "files") as on_progress:
        results = verify_many(paths, options.jobs, on_progress)
    wrong = [result for result in results if not result.ok]
    unreadable = [result for result in wrong if result.kind == "structure"]
    if unreadable and len(results) == 1:
        raise CoachError(unreadable[0].sentence)
    if options.json:
        print_json({"ok": not wrong, "files": results})
    else:
        for result in results:
            mark = ("verified  ", GREEN) if result.ok else ("failed    ", ORANGE)
            report_console().print(styled(mark, f"{result.path}: {result.sentence}"))
    if len(unreadable) == len(wrong) > 0:
        raise CoachError(f"{len(wrong)} of {len(results)} files are not complete replay files.")
    if wrong:
        raise AnswerIsNo(f"{len(wrong)} of {len(results)} files did not verify.")
    return 0
