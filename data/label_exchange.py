"""Verdicts as JSON Lines, so that people who judge separately can combine their verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.clip import Clip, Verdict
from data.errors import CoachError
from data.files import write_atomic
from data.fitting_verdicts import fits
from data.label_database import LabelDatabase

FORMAT = "replay-coach-labels"
VERSION = 1
LONGEST_LINE = 100_000
"""Characters. A verdict has a few hundred, so a longer line is not a verdict."""


def export_labels(
    labels: LabelDatabase, path: Path | str, curator: str | None = None, frame_counts: Mapping[str, int] | None = None
) -> int:
    """Write the current verdicts, of one curator or of all, and return their number.

    The first line says what the file is; each other line is one verdict. frame_counts: number of actions of each
    episode that is at hand, by id; verdicts on frames that such an episode does not have are left out. Verdicts on
    other episodes are written: the importing library may have those. The file appears complete or not at all. Raises
    CoachError if it cannot be written.
    """
    known = frame_counts or {}
    verdicts = [v for v in labels.verdicts(curator=curator) if fits(v.clip, known.get(v.clip.episode_id, v.clip.stop))]
    if curator is not None and not verdicts:
        curators = ", ".join(labels.curators()) or "nobody"
        raise CoachError(f"There is no verdict of {curator!r} to export; there are verdicts of {curators}.")
    target = Path(path)
    try:
        write_atomic(target, labels_text(verdicts))
    except OSError as error:
        raise CoachError(f"Cannot write the verdicts to {target} ({error.strerror or error}).") from error
    return len(verdicts)


def import_labels(labels: LabelDatabase, path: Path | str) -> int:
    """Add the verdicts of an exported file to a label database, and return how many were new.

    Importing a file again adds nothing, and a verdict that was undone here does not come back. If a curator's verdicts
    on one clip differ, the latest one counts. The whole file is read before anything is added, so a file with a
    mistake changes nothing. Raises CoachError that names the line.
    """
    return labels.merge(read_labels(Path(path)))


def labels_text(verdicts: Iterable[Verdict]) -> bytes:
    """Return the contents of a file of verdicts: one line that says what it is, and one for each verdict."""
    lines = [json.dumps({"format": FORMAT, "version": VERSION}), *(_line(verdict) for verdict in verdicts)]
    return ("\n".join(lines) + "\n").encode()


def read_labels(path: Path, name: str | None = None) -> list[Verdict]:
    """Return all verdicts of an exported file; ``name``: what messages call it. Raises CoachError with the line."""
    return list(_read(path, name or str(path)))


def _line(verdict: Verdict) -> str:
    clip = verdict.clip
    return json.dumps(
        {
            "episode": clip.episode_id,
            "start": clip.start,
            "stop": clip.stop,
            "curator": verdict.curator,
            "verdict": verdict.verdict,
            "given": verdict.given.isoformat(),
            "note": verdict.stored_note,
            "queue": verdict.queue,
        },
        ensure_ascii=False,
    )


def _read(path: Path, name: str) -> Iterator[Verdict]:
    for number, values in _objects(path, name):
        if number == 1:
            if values.get("format") != FORMAT:
                raise CoachError(f"{name} is not a file of labels: its first line does not say {FORMAT!r}.")
            if values.get("version") != VERSION:
                raise CoachError(
                    f"{name} has labels of version {values.get('version')!r}, and this program reads {VERSION}."
                )
            continue
        try:
            yield _verdict(values)
        except (KeyError, TypeError, ValueError, CoachError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise CoachError(f"{name}, line {number}, is not a verdict: {what.rstrip('.')}.") from error


def _objects(path: Path, name: str) -> Iterable[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        with path.open(encoding="utf-8") as file:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise CoachError(f"{name}, line {number}, is too long to be a verdict.")
                values = json.loads(line)
                if not isinstance(values, dict):
                    raise CoachError(f"{name}, line {number}, is not a verdict: {line.strip()[:60]}.")
                yield number, values
    except OSError as error:
        raise CoachError(f"Cannot read the verdicts {name} ({error.strerror or error}).") from error
    except (ValueError, RecursionError) as error:
        raise CoachError(f"{name}, line {number}, is not a file of labels ({error}).") from error
    if number == 0:
        raise CoachError(f"{name} is empty; it is not a file of labels.")


def _verdict(values: dict[str, Any]) -> Verdict:
    """Parse a verdict. Raises KeyError, TypeError, ValueError or CoachError for anything else."""
    for name, kind in (("episode", str), ("start", int), ("stop", int), ("curator", str), ("verdict", str)):
        if not isinstance(values[name], kind) or isinstance(values[name], bool):
            raise TypeError(f"its {name} is {values[name]!r}")
    for name in ("given", "note", "queue"):
        if not isinstance(values.get(name, ""), str):
            raise TypeError(f"its {name} is {values[name]!r}")
    for text in (value for value in values.values() if isinstance(value, str)):
        if "\0" in text:
            raise ValueError("it contains a zero byte, which databases cannot store")
        text.encode()  # Half of a surrogate pair raises ValueError here instead of failing later.
    episode_id = values["episode"]
    if Path(episode_id).name != episode_id or len(episode_id) > 250:
        raise ValueError(f"its episode is {episode_id[:60]!r}")
    if len(values["curator"]) > 200 or values["stop"] > 2**31 - 1:
        raise ValueError("its curator's name is too long, or its clip is")
    given = datetime.fromisoformat(values["given"])
    if given.tzinfo is None:
        raise ValueError(f"its time {values['given']!r} has no time zone")
    return Verdict.from_stored(
        Clip(episode_id, values["start"], values["stop"]),
        values["curator"],
        values["verdict"],
        given.astimezone(UTC),
        values.get("note", ""),
        values.get("queue", "")[:200],
    )
