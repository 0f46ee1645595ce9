"""Open an untrusted share: its zip and its manifest are checked before anything is decompressed."""

from __future__ import annotations

import hashlib
import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from data.errors import CoachError
from data.replay_format import is_episode_id

FORMAT = "replay-coach-share"
VERSION = 1

MANIFEST = "manifest.json"
LABELS = "labels.jsonl"
REPLAYS = "replays/"
SUFFIX = ".h5"

MAX_EPISODES = 10_000
MAX_SHARE_BYTES = 2**32 - 2**20
"""Below the 4 GiB at which a zip requires its 64-bit extension: 80 hours of play or more."""
MAX_REPLAY_BYTES = 2**30
"""The longest episode, three hours, is 700 MB at the worst compression."""
MAX_LABELS_BYTES = 2**26
MAX_MANIFEST_BYTES = 2**22
MAX_RATIO = 100
"""Limit of a member's compression ratio. Verdicts reach 25, a zip bomb exceeds 1,000."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Listed:
    """A file in the manifest: its size in bytes and its SHA-256 as hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of a share according to its manifest."""

    episodes: dict[str, Listed]
    """By episode id."""
    labels: Listed | None

    def to_json(self) -> bytes:
        episodes = [{"id": name, **_plain(listed)} for name, listed in self.episodes.items()]
        labels = None if self.labels is None else _plain(self.labels)
        about = {"format": FORMAT, "version": VERSION, "episodes": episodes, "labels": labels}
        return json.dumps(about, indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Parse a manifest. Raises CoachError, whose message does not name the share."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CoachError("its manifest is not readable") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise CoachError("its manifest is not that of a share")
        if type(values.get("version")) is not int or values["version"] < 1:
            raise CoachError("its manifest does not state its version")
        if values["version"] > VERSION:
            raise CoachError(
                f"it was made by a later version of Replay Coach (share version {values['version']}): update"
            )
        rows = values.get("episodes")
        if not isinstance(rows, list) or len(rows) > MAX_EPISODES:
            raise CoachError("its manifest lists no episodes, or too many")
        episodes: dict[str, Listed] = {}
        folded: set[str] = set()
        for row in rows:
            name = row.get("id") if isinstance(row, dict) else None
            if not isinstance(name, str) or not is_episode_id(name):
                raise CoachError("its manifest lists an episode with an invalid name")
            if name.casefold() in folded:  # some file systems ignore case
                raise CoachError(f"its manifest lists the episode {name} twice")
            folded.add(name.casefold())
            episodes[name] = _listed(row, MAX_REPLAY_BYTES)
        labels = values.get("labels")
        return cls(episodes, None if labels is None else _listed(labels, MAX_LABELS_BYTES))


def member_of(episode_id: str) -> str:
    return f"{REPLAYS}{episode_id}{SUFFIX}"


def episode_of(member: str) -> str | None:
    """Return the episode id in a member's name, or None if the name is not that of a replay file in a share."""
    if not member.startswith(REPLAYS) or not member.endswith(SUFFIX):
        return None
    name = member[len(REPLAYS) : -len(SUFFIX)]
    return name if is_episode_id(name) else None


def _plain(listed: Listed) -> dict[str, Any]:
    return {"bytes": listed.bytes, "sha256": listed.sha256}


def _listed(row: Any, most: int) -> Listed:
    size, digest = (row.get("bytes"), row.get("sha256")) if isinstance(row, dict) else (None, None)
    if type(size) is not int or not 0 < size <= most:
        raise CoachError("its manifest states an invalid size of a file")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise CoachError("its manifest states no SHA-256 of a file")
    return Listed(size, digest)


PART_BYTES = 2**20
_END = struct.Struct("<4s4H2LH")
"""The end record of a zip: signature, disk, disk of the directory, entries on this disk, entries, size and offset of
the directory, length of the comment."""
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_BYTES, _LOCATOR_SIGNATURE = 20, b"PK\x06\x07"
_LOCAL_HEADER_BYTES, _DIRECTORY_ENTRY_BYTES = 30, 46
MAX_NAME_BYTES = 200
_HARMLESS_FLAGS = 0x2 | 0x4 | 0x8 | 0x800
"""Compression effort, sizes after the data, and names in UTF-8."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, struct.error)


class ShareArchive:
    """A checked share: its manifest, and its members in parts.

    Raises CoachError, in one sentence that begins with the share's path, for a zip that ``coach library --share`` does
    not make: unexpected members, duplicate names, links, encryption, overlapping members, too many bytes, or an
    implausible compression ratio.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise CoachError(f"Cannot read {path} ({error.strerror or error}).") from error
        try:
            directory_start = _checked_end(self._file)
            self._zip = zipfile.ZipFile(self._file)
            self._members = _checked_members(self._zip.infolist(), directory_start)
            self.manifest = Manifest.from_json(self._whole_manifest())
            _require_listed(self.manifest, self._members)
        except (*_BROKEN, OSError) as error:
            self._file.close()
            raise CoachError(f"{path} is damaged or not a share. Copy it again from its source.") from error
        except CoachError as error:
            self._file.close()
            raise CoachError(f"{path} is refused: {error}.") from error

    def _whole_manifest(self) -> bytes:
        if MANIFEST not in self._members:
            raise CoachError("it has no manifest; make shares with `coach library --share FILE.zip`")
        with self._zip.open(self._members[MANIFEST]) as member:
            return member.read(MAX_MANIFEST_BYTES + 1)

    def parts_of_episode(self, episode_id: str) -> Iterator[bytes]:
        """Yield the bytes of a replay file. Raises CoachError, at the latest after the last, if they do not match."""
        return self._parts(member_of(episode_id), self.manifest.episodes[episode_id])

    def parts_of_labels(self) -> Iterator[bytes]:
        """Yield the bytes of the verdicts, if there are any. Raises CoachError if they do not match the manifest."""
        return iter(()) if self.manifest.labels is None else self._parts(LABELS, self.manifest.labels)

    def _parts(self, name: str, listed: Listed) -> Iterator[bytes]:
        digest, count = hashlib.sha256(), 0
        try:
            with self._zip.open(self._members[name]) as member:
                while part := member.read(PART_BYTES):
                    count += len(part)
                    if count > listed.bytes:
                        break
                    digest.update(part)
                    yield part
        except (*_BROKEN, OSError) as error:
            raise CoachError(f"{name} in {self.path} is damaged. Copy the share again from its source.") from error
        if count != listed.bytes or digest.hexdigest() != listed.sha256:
            raise CoachError(f"{name} in {self.path} does not match the share's manifest.")

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def __enter__(self) -> ShareArchive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _checked_end(file: BinaryIO) -> int:
    """Check the end record and return the start of the directory, whose size must be checked before it is read."""
    size = file.seek(0, 2)
    if size > MAX_SHARE_BYTES:
        raise CoachError(f"it is larger than a share may be ({MAX_SHARE_BYTES / 2**30:.0f} GiB)")
    file.seek(max(0, size - _END.size - _LOCATOR_BYTES))
    tail = file.read(_END.size + _LOCATOR_BYTES)
    signature, disk, first_disk, here, entries, length, start, comment = _END.unpack(tail[-_END.size :])
    if signature != _END_SIGNATURE or comment or disk or first_disk or here != entries:
        raise zipfile.BadZipFile
    if tail.startswith(_LOCATOR_SIGNATURE) and len(tail) == _END.size + _LOCATOR_BYTES:
        raise CoachError("it is a 64-bit zip, which shares never are")
    if start + length != size - _END.size:
        raise zipfile.BadZipFile
    if entries > MAX_EPISODES + 2 or length > (MAX_EPISODES + 2) * (_DIRECTORY_ENTRY_BYTES + 2 * MAX_NAME_BYTES):
        raise CoachError(f"it contains more files than a share may ({MAX_EPISODES:,} episodes)")
    file.seek(0)
    return int(start)


def _checked_members(infos: Sequence[zipfile.ZipInfo], directory_start: int) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _require_plain(info)
        if info.filename.casefold() in members:
            raise CoachError(f"it contains {info.filename} twice")
        members[info.filename.casefold()] = info
    if sum(info.file_size for info in infos) > MAX_SHARE_BYTES:
        raise CoachError(f"its content is larger than a share may be ({MAX_SHARE_BYTES / 2**30:.0f} GiB)")
    in_order = sorted(infos, key=lambda info: info.header_offset)
    starts = [info.header_offset for info in in_order[1:]] + [directory_start]
    for info, next_start in zip(in_order, starts, strict=False):
        if info.header_offset + _LOCAL_HEADER_BYTES + len(info.filename) + info.compress_size > next_start:
            raise CoachError(f"{info.filename} overlaps another file of the zip")
    return {info.filename: info for info in infos}


def _require_plain(info: zipfile.ZipInfo) -> None:
    name = info.filename
    most = {MANIFEST: MAX_MANIFEST_BYTES, LABELS: MAX_LABELS_BYTES}.get(name)
    if most is None and episode_of(name) is not None:
        most = MAX_REPLAY_BYTES
    if most is None or info.orig_filename != name:
        shown = ascii(info.orig_filename)[:80]
        raise CoachError(
            f"it contains {shown}, which shares do not; send the file that `coach library --share` made, not a new zip"
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or info.external_attr & 0x10:
        raise CoachError(f"{name} in it is a link or a folder, not a file")
    if info.flag_bits & ~_HARMLESS_FLAGS:
        raise CoachError(f"{name} in it is encrypted or patched")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CoachError(f"{name} in it has a compression that shares do not use")
    if info.file_size > most:
        raise CoachError(f"{name} in it has {info.file_size:,} bytes; the limit is {most:,}")
    if info.file_size > MAX_RATIO * (info.compress_size + 64):
        raise CoachError(f"{name} in it would decompress to {info.file_size:,} bytes from {info.compress_size:,}")


def _require_listed(manifest: Manifest, members: dict[str, zipfile.ZipInfo]) -> None:
    listed = {member_of(name): line for name, line in manifest.episodes.items()}
    if manifest.labels is not None:
        listed[LABELS] = manifest.labels
    for name in sorted(set(listed) ^ (set(members) - {MANIFEST})):
        where = "the manifest but not in the zip" if name in listed else "the zip but not in its manifest"
        raise CoachError(f"{name} is in {where}")
