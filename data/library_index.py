"""The library's index: what each replay file says of itself, so that a list of thousands opens at once.

``index.jsonl`` holds one line for each file: its name, size, time of change and summary (or why it cannot be read).
Publishing adds a line; a file whose size or time does not fit its line is read again. The index may be deleted at any
time: it heals itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from data.episode import EpisodeSummary
from data.errors import CoachError
from data.files import BINARY, write_all, write_atomic
from data.quarantine import Quarantine, ReaderUnavailable

READERS = 2
FILES_WORTH_A_SECOND_READER = 100
NEVER = -1
"""A time at which no file was changed."""


@dataclass(frozen=True)
class Entry:
    """One file of the library: its summary, or why there is none."""

    name: str
    size: int
    changed_ns: int
    summary: EpisodeSummary | None
    problem: str

    def to_line(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Raises ValueError, TypeError or KeyError for a line of another version or a damaged one."""
        values: dict[str, Any] = json.loads(line)
        summary = values["summary"]
        return cls(**(values | {"summary": None if summary is None else EpisodeSummary(**summary)}))


class LibraryIndex:
    """The index of the replay files in one folder."""

    def __init__(self, path: Path, replays: Path) -> None:
        self._path = path
        self._replays = replays

    def add(self, path: Path, summary: EpisodeSummary) -> None:
        """Note a file that was just published. A disk that refuses is no harm: the next reader heals the index."""
        try:
            status = path.stat()
            line = Entry(path.name, status.st_size, status.st_mtime_ns, summary, "").to_line()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | BINARY, 0o644)
            try:
                write_all(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError:
            return

    def entries(self) -> list[Entry]:
        """All files of the folder, by name. Files that the index does not know are read, in a child process."""
        known = self._known()
        present = list(self._present())
        entries = {
            name: known[name]
            for name, size, changed_ns in present
            if name in known and (known[name].size, known[name].changed_ns) == (size, changed_ns)
        }
        strange = [status for status in present if status[0] not in entries]
        entries |= {entry.name: entry for entry in self._read(strange)}
        if strange or len(known) != len(entries):
            self._write(entries)
        return [
            entry
            if entry.summary is None
            else replace(entry, summary=replace(entry.summary, path=str(self._replays / name)))
            for name, entry in sorted(entries.items())
        ]

    def _known(self) -> dict[str, Entry]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return {}
        known = {}
        for line in lines:
            try:
                entry = Entry.from_line(line)
            except (ValueError, TypeError, KeyError):
                continue
            known[entry.name] = entry
        return known

    def _present(self) -> Iterator[tuple[str, int, int]]:
        try:
            with os.scandir(self._replays) as found:
                for item in found:
                    if item.name.endswith(".h5"):
                        status = item.stat(follow_symlinks=False)
                        yield item.name, status.st_size, status.st_mtime_ns
        except FileNotFoundError:
            return

    def _read(self, strange: list[tuple[str, int, int]]) -> list[Entry]:
        if not strange:
            return []
        readers: SimpleQueue[Quarantine] = SimpleQueue()
        all_readers = [Quarantine() for _ in range(READERS if len(strange) > FILES_WORTH_A_SECOND_READER else 1)]
        for reader in all_readers:
            readers.put(reader)

        def one(status: tuple[str, int, int]) -> Entry:
            reader = readers.get()
            try:
                return self._entry(status, reader)
            finally:
                readers.put(reader)

        try:
            with ThreadPoolExecutor(len(all_readers)) as pool:
                return list(pool.map(one, strange))
        finally:
            for reader in all_readers:
                reader.close()

    def _entry(self, status: tuple[str, int, int], reader: Quarantine) -> Entry:
        path = self._replays / status[0]
        if path.is_symlink():
            return Entry(*status, None, f"{path} is a link; a library holds its own files: copy the file there.")
        try:
            return Entry(*status, reader.summary(path), "")
        except ReaderUnavailable as error:
            # Nothing is known of the file: a line that fits no file has it read again the next time.
            return Entry(status[0], status[1], NEVER, None, str(error))
        except CoachError as error:
            return Entry(*status, None, str(error))

    def _write(self, entries: dict[str, Entry]) -> None:
        text = b"".join(entry.to_line() for _, entry in sorted(entries.items()))
        try:
            write_atomic(self._path, text)
        except OSError:
            # A library that may only be read is still a library: its index is rebuilt each time.
            return
