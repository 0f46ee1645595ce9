"""The front door: every command, nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from commands import comparing, curating, exchange, looking, playing, seeing, starting, training, trash
from commands.parser import Commands, OneSentenceParser
from data.errors import CoachError

DESCRIPTION = "Play an Atari game, judge clips of play, and watch a deep Q-network learn from what you approved."


def build_parser() -> OneSentenceParser:
    """The parser of the whole command line."""
    parser = OneSentenceParser(
        "coach", description=DESCRIPTION, epilog="`coach COMMAND --help` says more of each command."
    )
    parser.set_defaults(run=starting.open_home)
    commands = Commands(parser)
    for module in (playing, curating, training, comparing, seeing, looking, trash, exchange, starting):
        module.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0: done; 1: it ran and the answer is no; 2: wrong usage or input."""
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
        # Whoever read the output has gone (`coach library | head`); Python must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"coach: {error.strerror or error}{where}.", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
