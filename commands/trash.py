"""``coach trash``: list, discard and restore episodes, and empty the trash."""

from __future__ import annotations

import argparse

from commands.output import print_json, report_console, row, table
from commands.parser import Commands
from data.durations import clock
from data.errors import CoachError
from data.library import Library
from data.trash import Moved, Trash


def add(commands: Commands) -> None:
    trash = commands.add("trash", "list discarded episodes; discard, restore, or empty the trash", run_trash)
    action = trash.add_mutually_exclusive_group()
    action.add_argument("--put", nargs="+", metavar="EPISODE", help="move episodes to the trash, by their ids")
    action.add_argument(
        "--restore", nargs="+", metavar="EPISODE", help="restore episodes by their ids, or all of them with `all`"
    )
    action.add_argument("--empty", action="store_true", help="delete everything in the trash permanently")


def run_trash(options: argparse.Namespace) -> int:
    library = Library(options.library)
    trash = Trash(library)
    if options.put:
        names = [name.removesuffix(".h5") for name in options.put]
        for name in names:
            library.episode_path(name)  # before the first one is moved, all must exist
        return _report(options, trash.discard(names), "moved to the trash")
    if options.restore:
        names = [name.removesuffix(".h5") for name in options.restore]
        if names == ["all"]:
            names = trash.names()
        return _report(options, trash.restore(names), "restored")
    if options.empty:
        number = trash.empty()
        if options.json:
            print_json({"removed": number})
        else:
            report_console().print(f"{number} deleted permanently." if number else "The trash was empty.")
        return 0
    return _list(options, trash)


def _report(options: argparse.Namespace, moved: Moved, done: str) -> int:
    if options.json:
        print_json({"episodes": moved.episode_ids})
    for episode_id in () if options.json else moved.episode_ids:
        report_console().print(f"{episode_id}: {done}.")
    if moved.problem:
        raise CoachError(moved.problem)
    return 0


def _list(options: argparse.Namespace, trash: Trash) -> int:
    episodes, broken = trash.episodes(), trash.broken()
    if options.json:
        print_json({"episodes": episodes, "broken": [{"path": str(path), "reason": why} for path, why in broken]})
        return 0
    console = report_console()
    if not episodes and not broken:
        console.print("The trash is empty.")
        return 0
    shown = table("Episode", "Game", "By", "Player", "Score>", "Time>")
    for episode in episodes:
        who = (episode.episode_id, episode.game, episode.demonstrator, episode.player)
        shown.add_row(*row(*who, f"{episode.score:g}", clock(episode.seconds)))
    console.print(shown)
    for path, why in broken:
        console.print(f"{path.stem}: {why}")
    console.print("\n`coach trash --restore EPISODE` restores one.")
    return 0
