"""Results of verification, saved beside the library's index, so that they outlast the window that verified."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.files import write_atomic
from data.library import Library
from data.simulation import ale_version
from data.verification import Verification

FILE_NAME = "verified.json"


class VerifiedEpisodes(MutableMapping[str, Verification]):
    """Results by episode id. Each is saved at once, and holds as long as its file and the emulator are the same.

    In a library that cannot be written, results last as long as this object.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._file = library.folder / FILE_NAME
        self._results: dict[str, Verification] = {}
        self._stamps: dict[str, list[str | int]] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            for episode_id, entry in json.loads(self._file.read_text(encoding="utf-8")).items():
                if entry["stamp"] == self._stamp(episode_id):
                    result = Verification(**{**entry["result"], "path": Path(self._path(episode_id))})
                    self._results[episode_id], self._stamps[episode_id] = result, entry["stamp"]

    def _path(self, episode_id: str) -> Path:
        return self._library.replays / f"{episode_id}.h5"

    def _stamp(self, episode_id: str) -> list[str | int]:
        """Return what a result depends on: the file's size and time of change, and the emulator's version."""
        with contextlib.suppress(OSError):
            status = self._path(episode_id).stat()
            return [status.st_size, status.st_mtime_ns, ale_version()]
        return []

    def __getitem__(self, episode_id: str) -> Verification:
        return self._results[episode_id]

    def __setitem__(self, episode_id: str, result: Verification) -> None:
        self._results[episode_id], self._stamps[episode_id] = result, self._stamp(episode_id)
        self._save()

    def __delitem__(self, episode_id: str) -> None:
        del self._results[episode_id], self._stamps[episode_id]
        self._save()

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def _save(self) -> None:
        entries: dict[str, dict[str, Any]] = {
            episode_id: {"stamp": self._stamps[episode_id], "result": {**asdict(result), "path": result.path.name}}
            for episode_id, result in self._results.items()
            if self._stamps[episode_id]
        }
        with contextlib.suppress(OSError):
            write_atomic(self._file, json.dumps(entries) + "\n", durable=False)
