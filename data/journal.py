"""The journal of an unfinished episode: its origin and actions, on the disk within a second of being played.

The emulator is deterministic, so recovery simulates the rest from these few bytes. A journal is a text file to which
lines are appended. Each line is the CRC-32 of what follows, a space, and one JSON object:

    {"journal": 1, "id": ..., "library": ..., "origin": {...}}            the first line
    {"at": 0, "actions": "0202..", "demonstrators": "0000..", "ram": N}   rows 0, 1, ..; N: CRC-32 of the RAM after them
    {"mark": 120}                                                         the player marked frame 120
    {"rewind": 100}                                                       everything after frame 100 was removed

A line that a crash truncated has a wrong CRC, and reading ends before it. The recording process holds an exclusive
lock on the file.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
import threading
import zlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from data import user_folders
from data.episode import EmulatorSettings, Origin
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.files import BINARY, remove_quietly, sync_folder, try_lock, wait_for_lock, write_all

SUFFIX = ".journal"


def rescue_folder() -> Path:
    """Return the folder of journals that could not be written to the library's disk."""
    return user_folders.state_folder() / "rescued"


def _line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def origin_to_dict(origin: Origin) -> dict[str, Any]:
    return {
        **asdict(origin),
        "settings": origin.settings.to_json(),
        "created": origin.created.isoformat(),
        "players": dict(origin.players),
        "started_from": None if origin.started_from is None else origin.started_from.to_json(),
    }


def origin_from_dict(values: dict[str, Any]) -> Origin:
    """Reverse ``origin_to_dict``. Raises KeyError, TypeError, ValueError or CoachError for invalid values."""
    return Origin(
        game=str(values["game"]),
        settings=EmulatorSettings.from_json(values["settings"]),
        action_meanings=tuple(str(name) for name in values["action_meanings"]),
        rom_md5=str(values["rom_md5"]),
        ale_version=str(values["ale_version"]),
        player=str(values["player"]),
        created=datetime.fromisoformat(values["created"]),
        players=tuple(sorted((str(kind), str(name)) for kind, name in values.get("players", {}).items())),
        started_from=StartedFrom.from_json(values.get("started_from")),
    )


@dataclass
class _Tape:
    """Unwritten records in order: spans of frames, markers and rewinds."""

    records: list[dict[str, Any]] = field(default_factory=list)
    first: int = 0
    actions: bytearray = field(default_factory=bytearray)
    demonstrators: bytearray = field(default_factory=bytearray)
    ram: np.ndarray | None = None

    def close_span(self) -> None:
        if self.actions:
            assert self.ram is not None
            self.records.append(
                {
                    "at": self.first,
                    "actions": self.actions.hex(),
                    "demonstrators": self.demonstrators.hex(),
                    "ram": zlib.crc32(self.ram.tobytes()),
                }
            )
            self.first += len(self.actions)
            self.actions, self.demonstrators = bytearray(), bytearray()


class Journal:
    """Writes one journal.

    ``frame``, ``mark`` and ``rewind`` only change memory. Other threads call ``write`` and ``sync``, which take turns
    and never raise: an error is reported by ``trouble``, and they retry it.
    """

    def __init__(self, path: Path, library: Path, origin: Origin) -> None:
        """Create the file. Raises OSError."""
        self.path = path
        self._header: dict[str, Any] = {
            "journal": 1,
            "id": path.stem,
            "library": str(library.resolve()),
            "origin": origin_to_dict(origin),
        }
        self._lock = threading.Lock()
        """For the tape. It is never held while the disk is waited for."""
        self._writing = threading.Lock()
        self._tape = _Tape()
        self._records: list[dict[str, Any]] = []
        """All records so far, to write the journal again elsewhere."""
        self._unwritten: list[dict[str, Any]] = []
        """Records that the current file does not have yet."""
        self._trouble: str | None = None
        self._descriptor: int | None = None
        self._open(path, [])

    @property
    def trouble(self) -> str | None:
        """The problem, in one sentence, or None."""
        return self._trouble

    def frame(self, action: int, demonstrator: int, ram: np.ndarray) -> None:
        with self._lock:
            self._tape.actions.append(action)
            self._tape.demonstrators.append(demonstrator)
            self._tape.ram = ram

    def mark(self, frame: int) -> None:
        with self._lock:
            self._tape.close_span()
            self._tape.records.append({"mark": frame})

    def rewind(self, frame: int) -> None:
        with self._lock:
            self._tape.close_span()
            self._tape.records.append({"rewind": frame})
            self._tape.first = frame

    def write(self) -> None:
        """Write the new records, so that they survive the end of this process."""
        with self._writing:
            self._update(sync=False)

    def sync(self) -> None:
        """Write the new records, so that they survive a power failure."""
        with self._writing:
            self._update(sync=True)

    def _update(self, sync: bool) -> None:
        with self._lock:
            self._tape.close_span()
            records, self._tape.records = self._tape.records, []
        self._records += records
        self._unwritten += records
        if self._descriptor is None:
            return
        try:
            self._require_in_place(self._descriptor)
            if self._unwritten:
                text = b"".join(map(_line, self._unwritten))
                os.ftruncate(self._descriptor, self._whole_bytes)
                os.lseek(self._descriptor, self._whole_bytes, os.SEEK_SET)
                write_all(self._descriptor, text)
                self._whole_bytes += len(text)
                self._unwritten = []
            if sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self._move(error.strerror or str(error))

    def _require_in_place(self, descriptor: int) -> None:
        """Raise OSError if the file was moved or deleted: the system reports no error when it is written to."""
        try:
            in_place = os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except FileNotFoundError:
            in_place = False
        if not in_place:
            raise OSError(errno.ENOENT, "its folder was moved or deleted")

    def _open(self, path: Path, records: list[dict[str, Any]]) -> None:
        """Write a new file at ``path`` and close the current one. If this raises OSError, the current one remains."""
        text = b"".join(map(_line, [self._header, *records]))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            wait_for_lock(descriptor, path)
            write_all(descriptor, text)
            os.fsync(descriptor)
            sync_folder(path.parent)
        except (OSError, CoachError):
            os.close(descriptor)
            remove_quietly(path)
            raise
        if self._descriptor is not None:
            os.close(self._descriptor)
            remove_quietly(self.path)
        self.path, self._descriptor, self._whole_bytes, self._unwritten = path, descriptor, len(text), []

    def _move(self, reason: str) -> None:
        """Write the complete journal to the first other folder that is writable. Until then the old one is kept."""
        for folder in (rescue_folder(), Path(tempfile.gettempdir())):
            if folder == self.path.parent:
                continue
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._open(folder / self.path.name, self._records)
            except (OSError, CoachError):
                continue
            self._trouble = (
                f"Cannot write to the library ({reason}); the episode's actions are saved in {self.path} instead."
            )
            return
        self._trouble = (
            f"Cannot write to the library or to {rescue_folder()} ({reason}); what you play now is in memory only. "
            "Free some space on the disk before you end the episode."
        )

    def close(self, keep: bool) -> None:
        """Release the lock. keep: leave the file for recovery instead of removing it."""
        if keep:
            self.sync()
        else:
            remove_quietly(self.path)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            if not keep:
                remove_quietly(self.path)  # Windows cannot remove an open file


class NoJournal:
    """Replaces a journal when the episode can be rebuilt from another file, ``path``. All methods do nothing."""

    trouble: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path

    def frame(self, action: int, demonstrator: int, ram: np.ndarray) -> None:
        pass

    def mark(self, frame: int) -> None:
        pass

    def rewind(self, frame: int) -> None:
        pass

    def write(self) -> None:
        pass

    def sync(self) -> None:
        pass

    def close(self, keep: bool) -> None:
        pass


@dataclass(frozen=True)
class JournalContents:
    """The content of a journal: an episode that was not published."""

    path: Path
    episode_id: str
    library: Path
    origin: Origin
    actions: bytes
    """(T,) uint8."""
    demonstrators: bytes
    """(T,) uint8."""
    markers: tuple[int, ...]
    ram_checks: dict[int, int]
    """Frame to CRC-32 of its RAM."""

    @property
    def frame_count(self) -> int:
        return len(self.actions)


def is_blank(path: Path) -> bool:
    """Return whether the journal has no complete first line, because its process ended before anything was played."""
    with path.open("rb") as file:
        return b"\n" not in file.read(2**16)


def is_being_recorded(path: Path) -> bool:
    """Return whether a running process writes this journal."""
    with path.open("rb") as file:
        return not try_lock(file.fileno(), path, shared=True)


def _records(text: bytes) -> list[dict[str, Any]]:
    """Return the records before the first incomplete or damaged line."""
    found = []
    for line in text.split(b"\n")[:-1]:
        try:
            check, content = line.split(b" ", 1)
            if int(check, 16) != zlib.crc32(content):
                break
            found.append(json.loads(content))
        except ValueError:
            break
    return found


def read_journal(path: Path) -> JournalContents:
    """Read a journal. Raises CoachError if it is not a journal of this version."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CoachError(f"Cannot read the journal {path} ({error.strerror or error}).") from error
    records = _records(text)
    actions, demonstrators = bytearray(), bytearray()
    markers: list[int] = []
    ram_checks: dict[int, int] = {}
    try:
        header = records[0]
        if header["journal"] != 1:
            raise CoachError(
                f"The journal {path} was written by a later version of Replay Coach; update to recover it."
            )
        library, episode_id = Path(str(header["library"])), Path(str(header["id"])).name
        origin = origin_from_dict(header["origin"])
        for record in records[1:]:
            if "actions" in record:
                if record["at"] != len(actions):
                    break
                actions += bytes.fromhex(str(record["actions"]))
                demonstrators += bytes.fromhex(str(record["demonstrators"]))
                ram_checks[len(actions)] = int(str(record["ram"]))
            elif "mark" in record:
                markers.append(int(str(record["mark"])))
            elif "rewind" in record:
                frame = int(str(record["rewind"]))
                del actions[frame:], demonstrators[frame:]
                markers = [marker for marker in markers if marker <= frame]
                ram_checks = {at: check for at, check in ram_checks.items() if at <= frame}
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise CoachError(f"{path} is not a journal of Replay Coach, or its first line is damaged.") from error
    return JournalContents(
        path=path,
        episode_id=episode_id,
        library=library,
        origin=origin,
        actions=bytes(actions),
        demonstrators=bytes(demonstrators),
        markers=tuple(markers),
        ram_checks=ram_checks,
    )
