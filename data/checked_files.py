"""Results of reading replay files whole, kept in the user's cache until a file changes."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from data.errors import CoachError, without_folder
from data.files import write_atomic
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from data.user_folders import cache_folder


class FileAnswers:
    """Answers about files as JSON values, each valid while its file has the same size and time of change."""

    def __init__(self, name: str) -> None:
        self._path = cache_folder() / f"{name}.json"
        self._known: dict[str, list[object]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                self._known = found

    def get(self, path: Path) -> object | None:
        """Return the answer about a file, or None if there is none or the file has changed since."""
        known = self._known.get(str(path.absolute()))
        if not isinstance(known, list) or len(known) != 3 or known[:2] != _stamp(path):
            return None
        return known[2]

    def set(self, path: Path, answer: object) -> None:
        self._known[str(path.absolute())], self._changed = [*_stamp(path), answer], True

    def save(self) -> None:
        """Write the answers about files that still exist, if there are new ones and they can be written."""
        if not self._changed:
            return
        known = {name: about for name, about in self._known.items() if Path(name).exists()}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, json.dumps(known), durable=False)
        self._changed = False


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


class DamageCheck:
    """Reports which replay files are damaged. Use it as a context manager: the answers are saved at its end.

    A file is read whole once, at about 10 s for an hour of play, and again when it has changed.
    """

    def __init__(self) -> None:
        self._answers = FileAnswers("checked-files")

    def problem(self, path: Path) -> str:
        """Return why a file cannot be read whole, in one sentence without its folder, or ""."""
        known = self._answers.get(path)
        if isinstance(known, str):
            return known
        problem = _problem(path)
        self._answers.set(path, problem)
        return problem

    def __enter__(self) -> DamageCheck:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.save()


def _problem(path: Path) -> str:
    try:
        with ReplayFile(path) as replay:
            for first in range(0, replay.frame_count + 1, CHUNK_FRAMES):
                replay.frames(first, first + CHUNK_FRAMES)
    except CoachError as error:
        return without_folder(str(error), path)
    return ""
