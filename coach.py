"""The ``coach`` command line: every command, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from commands import (
    add,
    compare,
    curate,
    evaluate,
    export,
    home,
    import_,
    info,
    label,
    library,
    play,
    record,
    recover,
    tour,
    train,
    transfer,
    trash,
    verify,
    watch,
)
from commands.parser import Commands, OneSentenceParser
from data.errors import CoachError

DESCRIPTION = "Play an Atari game, judge clips of play, and watch a deep Q-network learn from what you approved."

COMMANDS = (
    play,
    record,
    curate,
    label,
    train,
    evaluate,
    compare,
    transfer,
    watch,
    add,
    info,
    library,
    verify,
    trash,
    recover,
    export,
    import_,
    tour,
)
"""The modules of the commands, in the order of ``coach --help``."""


def build_parser() -> OneSentenceParser:
    """Return the parser of the whole command line."""
    parser = OneSentenceParser(
        "coach", description=DESCRIPTION, epilog="`coach COMMAND --help` describes each command."
    )
    parser.set_defaults(run=home.open_home)
    commands = Commands(parser)
    for module in COMMANDS:
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Return 0 if it is done, 1 if it ran and the answer is no, 2 for wrong usage or input."""
    try:
        options = build_parser().parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except CoachError as error:
        print(f"coach: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("coach: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of the output has gone (`coach library | head`). Without this, Python would report it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"coach: {error.strerror or error}{where}.", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
