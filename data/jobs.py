"""Background jobs: our own modules, run in Python processes that outlive the program that starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent
"""The folder with our packages."""


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules in a Python process.

    ``-P`` keeps the working folder off the import path: a file called ``agent.py`` there would hide our package.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def import_path() -> str:
    """Return the ``PYTHONPATH`` with which a child imports the same packages as this process, in any working folder.

    "" in ``sys.path`` means the working folder and is left out. Our own folder is added for the case that it was that.
    """
    return os.pathsep.join([*(os.path.abspath(path) for path in sys.path if path), str(SOURCES)])


def start(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a job whose output is appended to ``log``. Ctrl-C in the terminal does not reach it.

    environment: variables to set beside those of this process. pass_fds: descriptors that the job inherits.
    Raises OSError.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {}), "PYTHONPATH": import_path()},
            pass_fds=tuple(pass_fds),
        )
