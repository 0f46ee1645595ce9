"""Format version 1 of the replay file: columns, attributes, limits and checksums.

docs/file-format.md describes the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from data.episode import DEMONSTRATOR_KINDS, ENDINGS, EmulatorSettings, Origin, PaceReport
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.simulation import RAM_BYTES

FORMAT = "replay-coach"
VERSION = 1

CHUNK_FRAMES = 64
"""Frames in one compressed block, about a second, so that Zstandard can refer to earlier frames."""

SCREEN_WIDTH = 160
MAX_SCREEN_HEIGHT = 256
MAX_FILE_FRAMES = 648_000
"""Three hours at 60 frames a second. A larger file is refused, because it could exhaust the reader's memory."""
MAX_CHUNK_BYTES = 64 * 2**20
MAX_ATTRIBUTE_BYTES = 64 * 2**10
MAX_OBJECTS = 64
"""Limit of the datasets, groups and attributes of one object, with room for later additions."""


@dataclass(frozen=True)
class Column:
    """The type and shape of one dataset."""

    dtype: str
    extra_rows: int | None
    """How many more rows than actions it has; None: any number of rows."""
    row_shape: tuple[int, ...] | None = ()
    """None: (height, width) of the game's screen."""


COLUMNS: dict[str, Column] = {
    "frames": Column("|u1", 1, None),
    "palette": Column("|u1", None, (3,)),
    "actions": Column("|u1", 0),
    "rewards": Column("<f4", 0),
    "lives": Column("|u1", 1),
    "ram": Column("|u1", 1, (RAM_BYTES,)),
    "demonstrator": Column("|u1", 0),
    "markers": Column("<i8", None),
}
OPTIONAL_COLUMNS: dict[str, Column] = {"choice_checks": Column("|u1", 0), "decision_actions": Column("|u1", 0)}

SELF_CHECKED = ("palette", "demonstrator", "markers", "decision_actions")
"""Datasets that a simulation cannot verify. They have their SHA-256 as an attribute."""
COLUMN_CHECK = "sha256"
ATTRIBUTES_CHECK = "attributes_sha256"


def digest_of(actions: np.ndarray, rewards: np.ndarray, ram_blocks: Iterable[np.ndarray]) -> str:
    """Return the SHA-256, as hex, of actions (T,) uint8, rewards (T,) little-endian float32 and RAM (T+1, 128) uint8.

    ram_blocks: the RAM in consecutive blocks of rows.
    """
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(actions, np.uint8).tobytes())
    digest.update(np.ascontiguousarray(rewards, "<f4").tobytes())
    for block in ram_blocks:
        digest.update(np.ascontiguousarray(block, np.uint8).tobytes())
    return digest.hexdigest()


def column_digest(column: np.ndarray) -> str:
    """Return the SHA-256, as hex, of a column's bytes as stored."""
    return hashlib.sha256(np.ascontiguousarray(column).tobytes()).hexdigest()


def attributes_digest(attributes: Mapping[str, object]) -> str:
    """Return the SHA-256, as hex, of the root attributes (without this digest) as JSON with sorted keys."""
    checked = {name: value for name, value in attributes.items() if name != ATTRIBUTES_CHECK}
    return hashlib.sha256(json.dumps(checked, sort_keys=True).encode()).hexdigest()


def choice_checks(actions: np.ndarray, demonstrator: np.ndarray) -> np.ndarray:
    """Return (action + 37 * demonstrator + 101) modulo 256 of each row, (T,) uint8.

    An action may have no visible effect, such as a shot while another is in flight. With this column a reader can still
    name the frame at which an action was altered. 37 is odd, so one altered byte always changes the sum.
    """
    total = np.asarray(actions, np.uint32) + 37 * np.asarray(demonstrator, np.uint32) + 101
    return total.astype(np.uint8)


ID = "id"
"""The optional attribute with the episode's id."""
_EPISODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")


def is_episode_id(text: object) -> bool:
    """Return whether a text can be an episode's id, which is a file name on every system."""
    return isinstance(text, str) and _EPISODE_ID.fullmatch(text) is not None and not text.endswith(".")


TEXTS = ("format", "game", "rom_md5", "ale_version", "settings", "player", "created", "ended_by", "digest")
NAME_LISTS = ("action_meanings", "demonstrator_kinds")
MAX_NAMES = 255


def attributes_of(
    origin: Origin,
    ended_by: str,
    score: float,
    digest: str,
    pace: PaceReport | None = None,
    imported: Mapping[str, Any] | None = None,
    episode_id: str | None = None,
) -> dict[str, Any]:
    """Return the root attributes of a new file: strings, numbers and lists of strings.

    episode_id: stored if it is an id; a file without one has its name as its id.
    """
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "game": origin.game,
        "rom_md5": origin.rom_md5,
        "ale_version": origin.ale_version,
        "settings": origin.settings.to_json(),
        "action_meanings": list(origin.action_meanings),
        "demonstrator_kinds": list(DEMONSTRATOR_KINDS),
        "player": origin.player,
        "created": origin.created.isoformat(),
        "ended_by": ended_by,
        "score": score,
        "digest": digest,
    }
    if origin.players:
        attributes["players"] = json.dumps(dict(origin.players), sort_keys=True)
    if origin.started_from is not None:
        attributes["started_from"] = origin.started_from.to_json()
    if pace is not None:
        attributes["pace"] = pace.to_json()
    if episode_id is not None and is_episode_id(episode_id):
        attributes[ID] = episode_id
    if imported is not None:
        attributes["imported"] = json.dumps(imported, sort_keys=True)
    return attributes | {ATTRIBUTES_CHECK: attributes_digest(attributes)}


def require_attributes(attributes: Mapping[str, Any], where: str) -> None:
    """Raise CoachError unless the attributes are those of a replay file that this version can read."""
    if attributes.get("format") != FORMAT:
        raise CoachError(f"{where} is an HDF5 file, but not a replay file of Replay Coach.")
    version = attributes.get("version")
    if not isinstance(version, int) or version < 1:
        raise CoachError(f"{where} does not state its format version.")
    if version > VERSION:
        raise CoachError(
            f"{where} is a replay file of format version {version}, written by a later version of Replay Coach; "
            f"this one reads version {VERSION}. Update Replay Coach."
        )
    for name in TEXTS:
        if not isinstance(attributes.get(name), str):
            raise CoachError(f"{where} is not a complete replay file: its attribute {name} is missing or not a text.")
    for name in NAME_LISTS:
        names = attributes.get(name)
        if not isinstance(names, list) or not 0 < len(names) <= MAX_NAMES or not all(isinstance(n, str) for n in names):
            raise CoachError(f"{where} is not a complete replay file: its attribute {name} is not a list of names.")
    if not isinstance(attributes.get("score"), int | float):
        raise CoachError(f"{where} is not a complete replay file: its attribute score is not a number.")
    if ID in attributes and not is_episode_id(attributes[ID]):
        raise CoachError(f"{where} is damaged: its attribute {ID} is not the id of an episode.")
    if attributes["ended_by"] not in ENDINGS or not attributes["game"].isalnum():
        raise CoachError(f"{where} names a game or an ending that does not exist.")


def origin_of(attributes: Mapping[str, Any]) -> Origin:
    """Return the origin from checked attributes. Raises ValueError for an invalid time, CoachError for the settings."""
    return Origin(
        game=attributes["game"],
        settings=EmulatorSettings.from_json(attributes["settings"]),
        action_meanings=tuple(attributes["action_meanings"]),
        rom_md5=attributes["rom_md5"],
        ale_version=attributes["ale_version"],
        player=attributes["player"],
        created=datetime.fromisoformat(attributes["created"]),
        players=players_from_json(attributes.get("players")),
        started_from=StartedFrom.from_json(attributes.get("started_from")),
    )


def players_from_json(text: object) -> tuple[tuple[str, str], ...]:
    """Return (demonstrator kind, name) pairs, sorted; () where the text says nothing or nothing that is valid."""
    try:
        said = json.loads(str(text))
        return tuple(sorted((str(kind), str(name)) for kind, name in said.items() if kind in DEMONSTRATOR_KINDS))
    except (ValueError, AttributeError, RecursionError):
        return ()
