"""What happened in an episode and when, without its pictures: what queues choose from and timelines show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from curator.rules import death_frames
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile


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
    """(row, points) of every row that brought or cost points, in order."""
    deaths: tuple[int, ...]
    """Rows in which a life was lost, in order."""
    markers: tuple[int, ...]
    """Frames that the player marked, in order."""

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
    )


def read_outlines(
    library: Library, game: str | None = None, on_progress: Callable[[int, int], None] | None = None
) -> list[EpisodeOutline]:
    """Outlines of all episodes of a library that hold at least one frame, oldest first.

    A file that has become unreadable is left out: it can be neither shown nor judged, and ``coach verify`` names it.
    """
    summaries = library.episodes(game)
    outlines = []
    for done, summary in enumerate(summaries):
        if on_progress:
            on_progress(done, len(summaries))
        try:
            with ReplayFile(summary.path) as replay:
                outline = outline_of(replay)
        except CoachError:
            continue
        if outline.frame_count:
            outlines.append(outline)
    return outlines


def clock(frame: int) -> str:
    """A frame's time in its episode, as minutes and seconds: "0:41"."""
    seconds = frame // FRAMES_PER_SECOND
    return f"{seconds // 60}:{seconds % 60:02d}"


def points(amount: float) -> str:
    """Points as people write them: "20 points", "1 point"."""
    number = f"{amount:g}"
    return f"{number} point" if number in ("1", "-1") else f"{number} points"
