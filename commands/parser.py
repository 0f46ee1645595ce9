"""How the command line is read: one sentence for every mistake, and options that all commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from data.errors import CoachError
from data.library import Library

DEFAULT_LIBRARY = Path("library")

Run = Callable[[argparse.Namespace], int]


class HelpWithDefaults(argparse.HelpFormatter):
    """Tells an option's default where it has one and its help does not say it already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default in (argparse.SUPPRESS, "", ()) or action.default is None or action.default is False
        if silent or action.help is None or re.search(r"\bdefault\b", action.help):
            return action.help
        return f"{action.help} (default: %(default)s)"


class OneSentenceParser(argparse.ArgumentParser):
    """A mistake is one sentence on standard error and exit code 2, without the usage lines."""

    def error(self, message: str) -> NoReturn:
        sentence = message[:1].upper() + message[1:]
        raise CoachError(f"{sentence.rstrip('.')}. See `{self.prog} --help`.")


class Commands:
    """Where each module of this package adds its commands."""

    def __init__(self, parser: OneSentenceParser) -> None:
        _add_library(parser, default=DEFAULT_LIBRARY)
        self._subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=OneSentenceParser)

    def add(self, name: str, summary: str, run: Run, reports: bool = True) -> argparse.ArgumentParser:
        """A command; ``reports``: whether it has anything to say as JSON."""
        parser: argparse.ArgumentParser = self._subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=HelpWithDefaults,
        )
        # The option may stand on either side of the command; only where it stands does it set anything.
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


def add_game(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--game", default="SpaceInvaders", help="the game, by its ALE id")


def add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, metavar="N", help="makes it repeatable (default: a new one each time)")


AGENT_EPSILON = 0.01
"""Where a trained agent plays to be seen or recorded. Without any chance it plays one game again and again."""


def add_sticky(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sticky",
        type=float,
        default=0.0,
        metavar="P",
        help="probability, at each frame, that the last action is executed again",
    )


def add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--labels",
        metavar="FILE|URL",
        help="the label database, if it is not the library's own: a file or a postgresql+psycopg:// address",
    )


def at_least(value: int | float, least: int | float, option: str) -> None:
    """Raises CoachError if an option's number is too small."""
    if value < least:
        raise CoachError(f"{option} must be at least {least}, not {value}.")


def labels_of(options: argparse.Namespace, library: Library) -> Path | str:
    """Where the verdicts are: the library's own database unless another is named."""
    return options.labels or library.labels
