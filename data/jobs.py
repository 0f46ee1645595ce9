"""Background jobs: modules of this project, run in processes that outlive the program that starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).resolve().parent.parent
"""The folder of this project's packages."""


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this project in a Python process.

    ``-P`` keeps the working folder off the import path: a file called ``agent.py`` there would hide the package.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def import_path() -> str:
    """Return the ``PYTHONPATH`` with which a child imports the same packages as this process, in any working folder.

    "" in ``sys.path`` means the working folder and is left out. SOURCES is added in case it was that folder.
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


def is_alive(process: int) -> bool:
    """Return whether a process with this id exists. It may be another one that received the id later."""
    if process <= 0:
        return False
    if os.name == "nt":  # there, os.kill(process, 0) would interrupt the process
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def request_stop(process: int) -> None:
    """Request a job to write a checkpoint and end, as Ctrl-C does. A second request ends it at once."""
    os.kill(process, signal.SIGINT)


def failure_sentence(job: str, code: int, log: Path) -> str:
    """Return one sentence that says why a job, such as "the training of NAME", ended with this exit code.

    log: its output, the last line of which is quoted. A ``coach`` command ends it with "coach: " and a sentence.
    """
    job = job[:1].upper() + job[1:]
    if code < 0:
        hint = ", perhaps because the machine ran out of memory" if -code == 9 else ""
        return f"{job} was killed by signal {-code}{hint}."
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    if not lines:
        return f"{job} ended with exit code {code} and without any output."
    sentence = lines[-1].removeprefix("coach: ")
    return sentence if lines[-1].startswith("coach: ") else f"{job} failed: {sentence}"


def _is_alive_on_windows(process: int) -> bool:
    import ctypes

    kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
    if handle:
        kernel.CloseHandle(handle)
    return bool(handle)
