"""The exceptions of Replay Coach."""

from __future__ import annotations

from pathlib import Path


class CoachError(Exception):
    """Wrong usage, bad input or a failure of the system, described to the user in one sentence.

    The message says what is wrong, where, and what to do about it. ``coach`` prints it on standard error without a
    traceback and exits with ``exit_code``.
    """

    exit_code = 2


def without_folder(message: str, path: Path) -> str:
    """Return the message with the path replaced by the file's name, for where space is short."""
    return message.replace(str(path), path.name)


class AnswerIsNo(CoachError):
    """The command completed and the answer is no: a mismatch or a failed check (exit code 1)."""

    exit_code = 1
