"""What a share is: a zip that carries episodes and the verdicts on them to another library.

A share holds ``manifest.json``, ``replays/<episode id>.h5`` for each episode, and ``labels.jsonl`` if there are
verdicts. The manifest names every other member with its size and SHA-256; nothing else may be in the zip.
docs/file-format.md says the same in words.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

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
"""How much larger than packed a member may be: verdicts come to 25; a zip bomb needs more than 1,000."""

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
