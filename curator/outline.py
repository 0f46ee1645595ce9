"""Outlines of episodes: what happened and when, without pictures. Queues and timelines are made from them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile

CACHE_NAME = "outlines.jsonl"


@dataclass(frozen=True)
class EpisodeOutline:
    """The events of one episode. Rows are those of the replay file: row t leads from frame t to frame t + 1."""

    episode_id: str
    path: str
    game: str
    player: str
    frame_count: int
    """T: the number of rows."""
    score: float
    rewards: tuple[tuple[int, float], ...]
    """(row, points) of every row with a reward, positive or negative, in order."""
    deaths: tuple[int, ...]
    """Rows in which a life was lost, in order."""
    markers: tuple[int, ...]
    """Frames that the player marked, in order."""
    corrects: str = ""
    """The run inside whose game it starts, where it is a correction."""

    @property
    def gains(self) -> tuple[tuple[int, float], ...]:
        """The rows that brought points."""
        return tuple((row, points) for row, points in self.rewards if points > 0)


def outline_of(replay: ReplayFile) -> EpisodeOutline:
    rows = np.flatnonzero(replay.rewards)
    return EpisodeOutline(
        episode_id=replay.episode_id,
        path=str(replay.path),
        game=replay.origin.game,
        player=replay.origin.player,
        frame_count=replay.frame_count,
        score=replay.score,
        rewards=tuple((int(row), float(replay.rewards[row])) for row in rows),
        deaths=tuple(death_frames(replay.lives)),
        markers=tuple(sorted(int(frame) for frame in replay.markers)),
        corrects="" if replay.origin.started_from is None else replay.origin.started_from.run,
    )


def read_outlines(
    library: Library, game: str | None = None, on_progress: Callable[[int, int], None] | None = None
) -> list[EpisodeOutline]:
    """Return the outlines of all episodes of a library with at least one frame, the oldest first.

    Outlines are cached in the library, so that a large one opens at once. A file that has become unreadable is left
    out: it can be neither shown nor judged, and ``coach verify`` reports it.
    """
    summaries = library.episodes(game)
    cache = _OutlineCache(library.folder / CACHE_NAME)
    outlines = []
    for done, summary in enumerate(summaries):
        if on_progress:
            on_progress(done, len(summaries))
        path = Path(summary.path)
        with contextlib.suppress(CoachError, FileNotFoundError):
            outline = cache.find(path, summary.episode_id)
            if outline is None:
                with ReplayFile(path) as replay:
                    outline = outline_of(replay)
                cache.add(outline)
            if outline.frame_count:
                outlines.append(outline)
    cache.save()
    return outlines


class _OutlineCache:
    """A cache of outlines in a file of JSON Lines, which may be missing, truncated or unwritable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new: list[EpisodeOutline] = []
        self._known: dict[str, dict[str, object]] = {}
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    self._known[str(entry["outline"]["episode_id"])] = entry

    @staticmethod
    def _stamp(path: Path) -> list[int]:
        stat = path.stat()
        return [stat.st_size, stat.st_mtime_ns]

    def find(self, path: Path, episode_id: str) -> EpisodeOutline | None:
        entry = self._known.get(episode_id)
        if entry is None or entry.get("stamp") != self._stamp(path):
            return None
        try:
            return _outline_from(entry["outline"], path, episode_id)
        except (ValueError, KeyError, TypeError):
            return None

    def add(self, outline: EpisodeOutline) -> None:
        self._new.append(outline)

    def save(self) -> None:
        if not self._new:
            return
        lines = [
            json.dumps({"stamp": self._stamp(Path(outline.path)), "outline": asdict(outline)}) + "\n"
            for outline in self._new
        ]
        with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write("".join(lines))


def _outline_from(values: object, path: Path, episode_id: str) -> EpisodeOutline:
    """Return an outline; raises ValueError, KeyError or TypeError for anything else."""
    if not isinstance(values, dict):
        raise TypeError("not an outline")
    return EpisodeOutline(
        episode_id=episode_id,
        path=str(path),
        game=str(values["game"]),
        player=str(values["player"]),
        frame_count=int(values["frame_count"]),
        score=float(values["score"]),
        rewards=tuple((int(row), float(amount)) for row, amount in values["rewards"]),
        deaths=tuple(int(row) for row in values["deaths"]),
        markers=tuple(int(frame) for frame in values["markers"]),
    )


def rewarded_frames(rewards: np.ndarray) -> list[int]:
    """Return the rows t of (T,) rewards that brought points, in order."""
    return [int(t) for t in np.flatnonzero(np.asarray(rewards) > 0)]


def death_frames(lives: np.ndarray) -> list[int]:
    """Return the rows t in which a life of the (T+1,) lives was lost, from frame t to frame t + 1, in order."""
    counted = np.asarray(lives, np.int16)
    return [int(t) for t in np.flatnonzero(counted[1:] < counted[:-1])]
