"""The command reference, made from the commands themselves: one section a command, one line an option."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator

import coach

LIBRARY = "--library DIR"
"""An option of every command; it is listed once."""
TABLE_HEAD = ("| option | what it does |", "|---|---|")


def reference() -> str:
    """Every command and option of ``coach``, as Markdown."""
    parser = coach.build_parser()
    home = "Without a command: opens the home window. `--library` belongs to every command, on either side of its name."
    lines = ["## coach", "", home, "", *_table(parser)]
    for name, command in commands(parser).items():
        lines += [
            f"## coach {name}",
            "",
            command.description or "",
            "",
            *_usage(name, command),
            *_table(command, {LIBRARY}),
        ]
    return "\n".join(lines)


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands by name, in the order of ``coach --help``."""
    chooser = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(chooser.choices)


def options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """(how it is written, what it does) of each option, without ``--help``."""
    formatter = parser._get_formatter()
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        # As argparse says it, with the default in it where there is one.
        yield _spelled(action), formatter._expand_help(action) if action.help else ""


def _spelled(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    names = ", ".join(action.option_strings)
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return names
    if action.metavar:
        return f"{names} {action.metavar}"
    shown = "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
    return f"{names} {shown}"


def _usage(name: str, parser: argparse.ArgumentParser) -> list[str]:
    needed = [action for action in parser._actions if action.required]
    words = ["coach", name, *map(_spelled, needed), "[OPTIONS]"]
    return ["```text", " ".join(words), "```", ""]


def _table(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> list[str]:
    rows = [f"| `{_cell(written)}` | {_cell(text)} |" for written, text in options(parser) if written not in without]
    return [*TABLE_HEAD, *rows, ""]


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*").replace("<", "&lt;")


if __name__ == "__main__":
    print(reference())
