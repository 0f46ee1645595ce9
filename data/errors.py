"""The one exception family of Replay Coach."""

from __future__ import annotations

from pathlib import Path


class CoachError(Exception):
    """Wrong usage, bad input or bad luck, told to the user in one clear sentence.

    The message says what is wrong, where, and what to do about it. ``coach`` prints it on standard
    error without a traceback and exits with ``exit_code``.
    """

    exit_code = 2


def without_folder(message: str, path: Path) -> str:
    """The message with a file's name for its path, where the folder goes without saying and room is short."""
    return message.replace(str(path), path.name)


class AnswerIsNo(CoachError):
    """The command ran to its end and the answer is no: a mismatch, a failed check (exit code 1)."""

    exit_code = 1
