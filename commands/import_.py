"""``coach import``: import episodes or verdicts from elsewhere into the library."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.output import print_json, progress_console, progress_counter, report_console
from commands.parser import Commands, add_labels, at_least, labels_of
from commands.shares import import_shares
from data.counted import counted
from data.decision_labels import CLOSEST, LABELS_BY
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.label_database import LabelDatabase
from data.library import Library

if TYPE_CHECKING:
    from data.episode_import import Imported, ImportOptions


def add(commands: Commands) -> None:
    importer = commands.add("import", "import episodes or verdicts from elsewhere into the library", run_import)
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
        choices=("share", "npz", "minari", "demo", "labels"),
        help="the format (default: share, for zip files and folders); demo: OpenAI's pickled demonstrations",
    )
    importer.add_argument("--jobs", type=int, default=1, metavar="N", help="shares: number of processes that verify")
    importer.add_argument("--game", help="the game, where the input does not name it")
    importer.add_argument("--player", default="", metavar="NAME", help="the player's name to store")
    add_import_options(importer)
    add_labels(importer)


def add_import_options(parser: argparse.ArgumentParser, of: str = "") -> None:
    """Add the options for reading actions from elsewhere. of: prefix of their help, such as "actions: "."""
    parser.add_argument(
        "--held-for", type=int, default=1, metavar="N", help=f"{of}frames for which each action is held (default: 1)"
    )
    parser.add_argument(
        "--actions",
        choices=("minimal", "full"),
        default="",
        help=f"{of}what actions are indices of: the game's minimal set, or all 18 (default: what the input says)",
    )
    parser.add_argument(
        "--label-by",
        choices=LABELS_BY,
        default=CLOSEST,
        help=f"{of}the action of a decision in which several were executed: the one held longest, or the one whose "
        "effect, if held alone, is closest to what was recorded (default)",
    )
    parser.add_argument(
        "--until-mismatch",
        action="store_true",
        help=f"{of}if the emulator contradicts the input, keep what precedes the difference, as truncated",
    )
    parser.add_argument(
        "--keep-anyway", action="store_true", help=f"{of}keep the episode even if the emulator contradicts the input"
    )


def import_options(options: argparse.Namespace, demonstrator: str | None = None) -> ImportOptions:
    """Return how the command line wants actions from elsewhere to be imported."""
    from data.episode_import import ImportOptions
    from data.simulation import rom_path

    at_least(options.held_for, 1, "--held-for")
    if options.game is not None:
        rom_path(options.game)  # an unknown game is refused, with the nearest names
    if options.keep_anyway and options.until_mismatch:
        raise CoachError("--keep-anyway and --until-mismatch exclude each other.")
    return ImportOptions(
        options.game, options.player, demonstrator, options.keep_anyway, options.until_mismatch, options.label_by
    )


def run_import(options: argparse.Namespace) -> int:
    at_least(options.jobs, 1, "--jobs")
    if origin_of(options) == "share":
        return import_shares(options)
    if len(options.paths) > 1:
        raise CoachError(f"Only shares can be imported several at a time, not {options.origin}.")
    options.path = options.paths[0]
    library = Library(options.library)
    if options.origin == "labels":
        return _import_labels(options, library)
    with progress_counter(f"Importing {options.path}") as on_progress:
        results = _import_episodes(options, library, on_progress)
    if options.json:
        print_json(
            {
                "imported": [result.path for result in results if result.is_new],
                "already_here": [result.path for result in results if not result.is_new],
                "episodes": [facts_of(result) for result in results],
            }
        )
        return 0
    for result in results:
        report_console().print(str(result.path), soft_wrap=True)
        if result.proved_by:
            report_console().print(f"  reproduced: {', '.join(result.proved_by)}")
        for sentence in result.sentences():
            report_console().print(f"  {sentence}")
    return 0


def facts_of(result: Imported) -> dict[str, Any]:
    """Return one result as plain values."""
    return asdict(result)


def report_notes(results: Sequence[Imported]) -> None:
    """Print, on standard error, what a person should know about imported episodes."""
    for result in results:
        for sentence in result.sentences():
            progress_console().print(f"{result.path.stem}: {sentence}", soft_wrap=True)


def _import_labels(options: argparse.Namespace, library: Library) -> int:
    from data.label_exchange import read_labels

    library.prepare()
    verdicts = read_labels(Path(options.path))
    with LabelDatabase(labels_of(options, library)) as labels:
        new = labels.merge(verdicts)
    fitted = fit_verdicts(verdicts, frame_counts_of(library.episodes()))
    if options.json:
        print_json({"new_verdicts": new, "verdicts_left_out": fitted.facts()})
        return 0
    report_console().print(f"{counted(new, 'new verdict')}.")
    for sentence in fitted.sentences():
        report_console().print(sentence, soft_wrap=True, markup=False)
    return 0


def origin_of(options: argparse.Namespace) -> str:
    """Return the format to import; raises CoachError if it is neither given nor evident."""
    if options.origin:
        return str(options.origin)
    for path in options.paths:
        if Path(path).suffix.lower() != ".zip" and not Path(path).is_dir():
            raise CoachError(f"The format of {path} is needed: --from npz, minari, demo, labels or share.")
    return "share"


def _import_episodes(
    options: argparse.Namespace, library: Library, on_progress: Callable[[int, int], None]
) -> list[Imported]:
    wanted = import_options(options)
    if options.origin == "minari":
        from data.minari_import import import_minari

        return import_minari(library, options.path, wanted, options.held_for, options.actions, on_progress)
    from data.episode_import import import_play

    path = Path(options.path)
    if options.origin == "demo":
        from data.demo_pickle import read_demo

        return import_play(library, read_demo(path, options.held_for, options.actions), wanted, on_progress)
    from data.actions_file import import_actions

    return import_actions(library, path, wanted, options.held_for, options.actions, on_progress)
