"""Which replay files are damaged: each is read whole once, and the answer is cached in the user's cache folder."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from data.errors import CoachError, without_folder
from data.files import write_atomic
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from data.user_folders import cache_folder


class DamageCheck:
    """Use it as a context manager: the answers are saved at its end.

    A file whose size or time of change differs from the cached ones is read again, at about 10 s for an hour of play.
    """

    def __init__(self) -> None:
        self._path = cache_folder() / "checked-files.json"
        self._known: dict[str, list[object]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                self._known = found

    def problem(self, path: Path) -> str:
        """Return why a file cannot be read whole, in one sentence without its folder, or ""."""
        try:
            status = path.stat()
        except OSError as error:
            return f"{path.name} cannot be read ({error.strerror or error})."
        name, stamp = str(path.absolute()), [status.st_size, status.st_mtime_ns]
        known = self._known.get(name)
        if isinstance(known, list) and known[:2] == stamp and len(known) == 3:
            return str(known[2])
        problem = _problem(path)
        self._known[name], self._changed = [*stamp, problem], True
        return problem

    def __enter__(self) -> DamageCheck:
        return self

    def __exit__(self, *_: object) -> None:
        if self._changed:
            known = {name: about for name, about in self._known.items() if Path(name).exists()}
            with contextlib.suppress(OSError):  # it is checked again the next time
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(self._path, json.dumps(known), durable=False)


def _problem(path: Path) -> str:
    try:
        with ReplayFile(path) as replay:
            for first in range(0, replay.frame_count + 1, CHUNK_FRAMES):
                replay.frames(first, first + CHUNK_FRAMES)
    except CoachError as error:
        return without_folder(str(error), path)
    return ""
