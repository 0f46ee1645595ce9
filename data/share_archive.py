"""Opening a share that comes from anybody: the zip is looked at from outside before anything in it is unpacked."""

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

FORMAT = "replay-coach-share"
VERSION = 1

MANIFEST = "manifest.json"
LABELS = "labels.jsonl"
REPLAYS = "replays/"
SUFFIX = ".h5"

MAX_EPISODES = 10_000
MAX_SHARE_BYTES = 2**32 - 2**20
"""Below the 4 GiB at which a zip needs its 64-bit extension; that is 80 hours of play or more."""
MAX_REPLAY_BYTES = 2**30
"""Three hours, the longest episode, take 700 MB where they are packed worst."""
MAX_LABELS_BYTES = 2**26
MAX_MANIFEST_BYTES = 2**22
MAX_RATIO = 100
"""How much larger than packed a member may be: verdicts are up to 25 times larger; a zip bomb needs more than 1,000."""

_EPISODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Listed:
    """One line of the manifest: a member's size in bytes and its SHA-256 as hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a share says that it holds."""

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
        """Read a manifest from anywhere; raises CoachError that says what is wrong, without saying where."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CoachError("its manifest cannot be read") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise CoachError("its manifest is not that of a share")
        if type(values.get("version")) is not int or values["version"] < 1:
            raise CoachError("its manifest does not say of which version it is")
        if values["version"] > VERSION:
            raise CoachError(f"it was made by a later Replay Coach (version {values['version']}): update this one")
        rows = values.get("episodes")
        if not isinstance(rows, list) or len(rows) > MAX_EPISODES:
            raise CoachError("its manifest lists no episodes, or too many")
        episodes: dict[str, Listed] = {}
        folded: set[str] = set()
        for row in rows:
            name = row.get("id") if isinstance(row, dict) else None
            if not isinstance(name, str) or not is_episode_id(name):
                raise CoachError("its manifest lists an episode with an impossible name")
            if name.casefold() in folded:  # some systems tell names apart by more than their case, some do not
                raise CoachError(f"its manifest lists the episode {name} twice")
            folded.add(name.casefold())
            episodes[name] = _listed(row, MAX_REPLAY_BYTES)
        labels = values.get("labels")
        return cls(episodes, None if labels is None else _listed(labels, MAX_LABELS_BYTES))


def is_episode_id(name: str) -> bool:
    """Whether an episode of this name can be carried: the name is a file's on whichever system receives it."""
    return _EPISODE_ID.fullmatch(name) is not None and not name.endswith(".")


def member_of(episode_id: str) -> str:
    return f"{REPLAYS}{episode_id}{SUFFIX}"


def episode_of(member: str) -> str | None:
    """The episode id of a member's name, or None for a name that no replay file in a share has."""
    if not member.startswith(REPLAYS) or not member.endswith(SUFFIX):
        return None
    name = member[len(REPLAYS) : -len(SUFFIX)]
    return name if is_episode_id(name) else None


def _plain(listed: Listed) -> dict[str, Any]:
    return {"bytes": listed.bytes, "sha256": listed.sha256}


def _listed(row: Any, most: int) -> Listed:
    size, digest = (row.get("bytes"), row.get("sha256")) if isinstance(row, dict) else (None, None)
    if type(size) is not int or not 0 < size <= most:
        raise CoachError("its manifest gives a file an impossible size")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise CoachError("its manifest gives a file no SHA-256")
    return Listed(size, digest)


PART_BYTES = 2**20
_END = struct.Struct("<4s4H2LH")
"""The end record of a zip: signature, disk, disk of the directory, entries here, entries, directory size and offset,
length of a comment."""
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_BYTES, _LOCATOR_SIGNATURE = 20, b"PK\x06\x07"
_LOCAL_HEADER_BYTES, _DIRECTORY_ENTRY_BYTES = 30, 46
MAX_NAME_BYTES = 200
_HARMLESS_FLAGS = 0x2 | 0x4 | 0x8 | 0x800
"""How hard deflate tried, sizes that follow the data, and names in UTF-8."""
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, struct.error)


class ShareArchive:
    """A share, opened and checked: its manifest, and its members in parts.

    Raises CoachError, in one sentence that begins with the share's path, for a zip that no ``coach library --share``
    makes: members that nobody expects, twice the same name, links, encryption, members within one another, more
    bytes than there may be, or packed better than play can be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise CoachError(f"{path} cannot be read ({error.strerror or error}).") from error
        try:
            directory_start = _checked_end(self._file)
            self._zip = zipfile.ZipFile(self._file)
            self._members = _checked_members(self._zip.infolist(), directory_start)
            self.manifest = Manifest.from_json(self._whole_manifest())
            _require_listed(self.manifest, self._members)
        except (*_BROKEN, OSError) as error:
            self._file.close()
            raise CoachError(f"{path} is not a share, or is damaged: get it again from where it came from.") from error
        except CoachError as error:
            self._file.close()
            raise CoachError(f"{path} is refused: {error}.") from error

    def _whole_manifest(self) -> bytes:
        if MANIFEST not in self._members:
            raise CoachError("it has no manifest; make shares with `coach library --share FILE.zip`")
        with self._zip.open(self._members[MANIFEST]) as member:
            return member.read(MAX_MANIFEST_BYTES + 1)

    def parts_of_episode(self, episode_id: str) -> Iterator[bytes]:
        """The bytes of a replay file; raises CoachError, at the last, where they are not those of the manifest."""
        return self._parts(member_of(episode_id), self.manifest.episodes[episode_id])

    def parts_of_labels(self) -> Iterator[bytes]:
        """The bytes of the verdicts, as ``parts_of_episode``; nothing where there are none."""
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
            raise CoachError(
                f"{name} in {self.path} is damaged: get the share again from where it came from."
            ) from error
        if count != listed.bytes or digest.hexdigest() != listed.sha256:
            raise CoachError(f"{name} in {self.path} is not the file that the share's manifest tells of.")

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def __enter__(self) -> ShareArchive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _checked_end(file: BinaryIO) -> int:
    """Where the directory of the zip begins. The directory is read as a whole, so its size is looked at first."""
    size = file.seek(0, 2)
    if size > MAX_SHARE_BYTES:
        raise CoachError(f"it is larger than a share may be ({MAX_SHARE_BYTES / 2**30:.0f} GiB)")
    file.seek(max(0, size - _END.size - _LOCATOR_BYTES))
    tail = file.read(_END.size + _LOCATOR_BYTES)
    signature, disk, first_disk, here, entries, length, start, comment = _END.unpack(tail[-_END.size :])
    if signature != _END_SIGNATURE or comment or disk or first_disk or here != entries:
        raise zipfile.BadZipFile
    if tail.startswith(_LOCATOR_SIGNATURE) and len(tail) == _END.size + _LOCATOR_BYTES:
        raise CoachError("it is a 64-bit zip, which a share never is")
    if start + length != size - _END.size:
        raise zipfile.BadZipFile
    if entries > MAX_EPISODES + 2 or length > (MAX_EPISODES + 2) * (_DIRECTORY_ENTRY_BYTES + 2 * MAX_NAME_BYTES):
        raise CoachError(f"it holds more files than a share may ({MAX_EPISODES:,} episodes)")
    file.seek(0)
    return int(start)


def _checked_members(infos: Sequence[zipfile.ZipInfo], directory_start: int) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _require_plain(info)
        if info.filename.casefold() in members:
            raise CoachError(f"it holds {info.filename} twice")
        members[info.filename.casefold()] = info
    if sum(info.file_size for info in infos) > MAX_SHARE_BYTES:
        raise CoachError(f"it unpacks to more than a share may ({MAX_SHARE_BYTES / 2**30:.0f} GiB)")
    in_order = sorted(infos, key=lambda info: info.header_offset)
    starts = [info.header_offset for info in in_order[1:]] + [directory_start]
    for info, next_start in zip(in_order, starts, strict=False):
        if info.header_offset + _LOCAL_HEADER_BYTES + len(info.filename) + info.compress_size > next_start:
            raise CoachError(f"{info.filename} lies within another file of the zip")
    return {info.filename: info for info in infos}


def _require_plain(info: zipfile.ZipInfo) -> None:
    name = info.filename
    most = {MANIFEST: MAX_MANIFEST_BYTES, LABELS: MAX_LABELS_BYTES}.get(name)
    if most is None and episode_of(name) is not None:
        most = MAX_REPLAY_BYTES
    if most is None or info.orig_filename != name:
        shown = ascii(info.orig_filename)[:80]
        raise CoachError(
            f"it holds {shown}, which no share does; send the file as `coach library --share` made it, not packed again"
        )
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or info.external_attr & 0x10:
        raise CoachError(f"{name} in it is a link or a folder instead of a file")
    if info.flag_bits & ~_HARMLESS_FLAGS:
        raise CoachError(f"{name} in it is encrypted or patched")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CoachError(f"{name} in it is packed in a way that shares do not use")
    if info.file_size > most:
        raise CoachError(f"{name} in it says that it is {info.file_size:,} bytes long; {most:,} is the most")
    if info.file_size > MAX_RATIO * (info.compress_size + 64):
        raise CoachError(f"{name} in it would unpack to {info.file_size:,} bytes from {info.compress_size:,}")


def _require_listed(manifest: Manifest, members: dict[str, zipfile.ZipInfo]) -> None:
    listed = {member_of(name): line for name, line in manifest.episodes.items()}
    if manifest.labels is not None:
        listed[LABELS] = manifest.labels
    for name in sorted(set(listed) ^ (set(members) - {MANIFEST})):
        where = "the manifest but not in the zip" if name in listed else "the zip but not in its manifest"
        raise CoachError(f"{name} is in {where}")
