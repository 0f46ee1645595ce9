"""The root attributes of a replay file: from an origin to plain values, and back with every value checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from data.episode import DEMONSTRATOR_KINDS, ENDINGS, EmulatorSettings, Origin
from data.errors import CoachError
from data.pace_report import PaceReport
from data.replay_format import ATTRIBUTES_CHECK, FORMAT, VERSION, attributes_digest

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
) -> dict[str, Any]:
    """What a new file says of itself: strings, numbers and lists of strings."""
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
    if pace is not None:
        attributes["pace"] = pace.to_json()
    if imported is not None:
        attributes["imported"] = json.dumps(imported, sort_keys=True)
    return attributes | {ATTRIBUTES_CHECK: attributes_digest(attributes)}


def require_attributes(attributes: Mapping[str, Any], where: str) -> None:
    """Raise CoachError unless the attributes are those of a replay file that this version can read."""
    if attributes.get("format") != FORMAT:
        raise CoachError(f"{where} is an HDF5 file, but not a replay file of Replay Coach.")
    version = attributes.get("version")
    if not isinstance(version, int) or version < 1:
        raise CoachError(f"{where} does not say which version of the replay file it is.")
    if version > VERSION:
        raise CoachError(
            f"{where} is a replay file of format version {version}, written by a later Replay Coach; "
            f"this one reads version {VERSION}: update it."
        )
    for name in TEXTS:
        if not isinstance(attributes.get(name), str):
            raise CoachError(f"{where} is not a whole replay file: its attribute {name} is missing or no text.")
    for name in NAME_LISTS:
        names = attributes.get(name)
        if not isinstance(names, list) or not 0 < len(names) <= MAX_NAMES or not all(isinstance(n, str) for n in names):
            raise CoachError(f"{where} is not a whole replay file: its attribute {name} is no list of names.")
    if not isinstance(attributes.get("score"), int | float):
        raise CoachError(f"{where} is not a whole replay file: its attribute score is no number.")
    if attributes["ended_by"] not in ENDINGS or not attributes["game"].isalnum():
        raise CoachError(f"{where} names a game or an ending that does not exist.")


def origin_of(attributes: Mapping[str, Any]) -> Origin:
    """The origin that checked attributes tell; raises ValueError for a time that is none, CoachError for settings."""
    return Origin(
        game=attributes["game"],
        settings=EmulatorSettings.from_json(attributes["settings"]),
        action_meanings=tuple(attributes["action_meanings"]),
        rom_md5=attributes["rom_md5"],
        ale_version=attributes["ale_version"],
        player=attributes["player"],
        created=datetime.fromisoformat(attributes["created"]),
    )
