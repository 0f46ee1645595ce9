"""``coach trash``: list, discard and restore episodes, and empty the trash."""

from __future__ import annotations

import argparse

from commands.output import print_json, report_console, row, table
from commands.parser import Commands
from data.durations import clock
from data.errors import CoachError
from data.library import Library
from data.runs import run_folders, supplied_folders
from data.trash import Moved, Trash


def add(commands: Commands) -> None:
    trash = commands.add("trash", "list discarded episodes and runs; discard, restore, or empty the trash", run_trash)
    action = trash.add_mutually_exclusive_group()
    action.add_argument(
        "--put", nargs="+", metavar="EPISODE", help="move episodes to the trash, by their ids, or runs, by their names"
    )
    action.add_argument(
        "--restore",
        nargs="+",
        metavar="EPISODE",
        help="restore episodes by their ids, runs by their names, or everything with `all`",
    )
    action.add_argument("--empty", action="store_true", help="delete everything in the trash permanently")


def run_trash(options: argparse.Namespace) -> int:
    library = Library(options.library)
    trash = Trash(library)
    if options.put:
        known = {folder.name for folder in (*run_folders(library), *supplied_folders(library))}
        runs = [name for name in options.put if name in known]
        names = [name.removesuffix(".h5") for name in options.put if name not in known]
        for name in names:
            library.episode_path(name)  # before the first one is moved, all must exist
        for name in runs:
            trash.discard_run(name)
        return _report(options, trash.discard(names), runs, "moved to the trash")
    if options.restore:
        everything = options.restore == ["all"]
        runs = [name for name in trash.run_names() if everything or name in options.restore]
        names = [name.removesuffix(".h5") for name in options.restore if name not in runs]
        for name in runs:
            trash.restore_run(name)
        return _report(options, trash.restore(trash.names() if everything else names), runs, "restored")
    if options.empty:
        number = trash.empty()
        if options.json:
            print_json({"removed": number})
        else:
            report_console().print(f"{number} deleted permanently." if number else "The trash was empty.")
        return 0
    return _list(options, trash)


def _report(options: argparse.Namespace, moved: Moved, runs: list[str], done: str) -> int:
    if options.json:
        print_json({"episodes": moved.episode_ids, "runs": runs})
    for name in () if options.json else (*moved.episode_ids, *(f"Run {run}" for run in runs)):
        report_console().print(f"{name}: {done}.")
    if moved.problem:
        raise CoachError(moved.problem)
    return 0


def _list(options: argparse.Namespace, trash: Trash) -> int:
    episodes, broken, runs = trash.episodes(), trash.broken(), trash.run_names()
    if options.json:
        print_json(
            {"episodes": episodes, "broken": [{"path": str(path), "reason": why} for path, why in broken], "runs": runs}
        )
        return 0
    console = report_console()
    if not (episodes or broken or runs):
        console.print("The trash is empty.")
        return 0
    shown = table("Episode", "Game", "By", "Player", "Score>", "Time>")
    for episode in episodes:
        who = (episode.episode_id, episode.game, episode.demonstrator, episode.player)
        shown.add_row(*row(*who, f"{episode.score:g}", clock(episode.seconds)))
    if episodes:
        console.print(shown)
    for run in runs:
        console.print(f"Run {run}")
    for path, why in broken:
        console.print(f"{path.stem}: {why}")
    console.print("\n`coach trash --restore NAME` restores one.")
    return 0
