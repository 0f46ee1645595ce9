"""The command line's parser: one sentence for each usage error, and the options that several commands share."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from data.errors import CoachError
from data.library import Library

DEFAULT_LIBRARY = Path("library")

Run = Callable[[argparse.Namespace], int]


class HelpWithDefaults(argparse.HelpFormatter):
    """Appends an option's default to its help, unless the help names it already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default in (argparse.SUPPRESS, "", ()) or action.default is None or action.default is False
        if silent or action.help is None or re.search(r"\bdefault\b", action.help):
            return action.help
        return f"{action.help} (default: %(default)s)"


class OneSentenceParser(argparse.ArgumentParser):
    """Reports a usage error as a CoachError of one sentence, without the usage lines."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        raise CoachError(f"{sentence.rstrip('.')}. See `{self.prog} --help`.")


class Commands:
    """The subparsers to which each command's module adds its own."""

    def __init__(self, parser: OneSentenceParser) -> None:
        _add_library(parser, default=DEFAULT_LIBRARY)
        self._subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=OneSentenceParser)

    def add(self, name: str, summary: str, run: Run, reports: bool = True) -> argparse.ArgumentParser:
        """Add a command and return its parser. ``reports``: whether it has the option ``--json``."""
        parser: argparse.ArgumentParser = self._subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=HelpWithDefaults,
        )
        # --library is accepted on either side of the command. Suppressed, this default overrides nothing.
        _add_library(parser, default=argparse.SUPPRESS)
        if reports:
            parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
        parser.set_defaults(run=run)
        return parser


def _add_library(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--library",
        type=Path,
        default=default,
        metavar="DIR",
        help="the folder with replay files, the label database and the runs (default: library)",
    )


DEFAULT_GAME = "SpaceInvaders"


def add_game(parser: argparse.ArgumentParser, default: str = DEFAULT_GAME) -> None:
    parser.add_argument("--game", default=default, help="the game's ALE id")


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, metavar="N", help="the random seed (default: a new one each time)")


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        default="last",
        choices=("last", "best"),
        help="the newest weights, or those of the best evaluation during training",
    )


def chosen_seed(options: argparse.Namespace) -> int:
    """Return ``--seed``, or a new seed if it was not given."""
    return secrets.randbelow(2**31) if options.seed is None else int(options.seed)


AGENT_EPSILON = 0.01
"""Of a trained agent that is watched or recorded. Without any randomness it would repeat one episode."""


def add_sticky(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sticky",
        type=float,
        default=0.0,
        metavar="P",
        help="probability, at each frame, of repeating the previous action",
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--labels",
        metavar="FILE|URL",
        help="the label database, if not the library's own: a file or a postgresql+psycopg:// URL",
    )


def at_least(value: int | float, least: int | float, option: str) -> None:
    """Raise CoachError if an option's value is below ``least``."""
    if value < least:
        raise CoachError(f"{option} must be at least {least}, not {value}.")


def labels_of(options: argparse.Namespace, library: Library) -> Path | str:
    """Return the label database to use: the library's own unless ``--labels`` names another."""
    return options.labels or library.labels
