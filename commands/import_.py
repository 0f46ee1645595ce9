"""``coach import``: bring episodes or verdicts from elsewhere into the library."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from commands.output import print_json, progress_counter, report_console
from commands.parser import Commands, add_labels, at_least, labels_of
from commands.shares import import_shares
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library


def add(commands: Commands) -> None:
    importer = commands.add("import", "bring episodes or verdicts from elsewhere into the library", run_import)
    importer.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="shares (made by `coach library --share`) or folders of them; or one file of another format; for minari, "
        "the id of a local data set",
    )
    importer.add_argument(
        "--from",
        dest="origin",
        choices=("share", "npz", "minari", "labels"),
        help="the format (default: share, for zip files and folders)",
    )
    importer.add_argument("--jobs", type=int, default=1, metavar="N", help="shares: number of processes that verify")
    importer.add_argument("--game", help="the game, where the file does not name it")
    importer.add_argument("--player", default="", metavar="NAME", help="the player's name to store")
    importer.add_argument(
        "--keep-anyway", action="store_true", help="keep the episode even if its rewards are not reproduced"
    )
    add_labels(importer)


def run_import(options: argparse.Namespace) -> int:
    at_least(options.jobs, 1, "--jobs")
    if origin_of(options) == "share":
        return import_shares(options)
    if len(options.paths) > 1:
        raise CoachError(f"Only shares can be imported several at a time, not what is {options.origin}.")
    options.path = options.paths[0]
    library = Library(options.library)
    if options.origin == "labels":
        from data.label_exchange import import_labels

        library.prepare()
        with LabelDatabase(labels_of(options, library)) as labels:
            new = import_labels(labels, options.path)
        if options.json:
            print_json({"new_verdicts": new})
        else:
            report_console().print(f"{new} new verdicts.")
        return 0
    with progress_counter(f"Importing {options.path}") as on_progress:
        paths = _import_episodes(options, library, on_progress)
    if options.json:
        print_json({"imported": paths})
    else:
        for path in paths:
            report_console().print(str(path))
    return 0


def origin_of(options: argparse.Namespace) -> str:
    """Return the format to import; raises CoachError if it is neither given nor evident."""
    if options.origin:
        return str(options.origin)
    for path in options.paths:
        if Path(path).suffix.lower() != ".zip" and not Path(path).is_dir():
            raise CoachError(f"The format of {path} is needed: --from npz, minari, labels or share.")
    return "share"


def _import_episodes(
    options: argparse.Namespace, library: Library, on_progress: Callable[[int, int], None]
) -> list[Path]:
    if options.origin == "minari":
        from data.minari_exchange import import_minari

        return import_minari(library, options.path, options.game, options.player, options.keep_anyway, on_progress)
    from data.actions_file import rebuild

    if options.game is None:
        raise CoachError("The game that these actions belong to is needed: --game NAME.")
    path = Path(options.path)
    return [rebuild(library, options.game, path, options.player, "imported", options.keep_anyway, on_progress)]
