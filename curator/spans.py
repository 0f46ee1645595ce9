"""Spans of frames: joining them, cutting them, and what they cover."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence

from data.clip import Clip
from data.episode import FRAMES_PER_SECOND

SHORTEST_CLIP_SECONDS, LONGEST_CLIP_SECONDS = 1.0, 5.0
SHORTEST_CLIP_FRAMES = int(SHORTEST_CLIP_SECONDS * FRAMES_PER_SECOND)
LONGEST_CLIP_FRAMES = int(LONGEST_CLIP_SECONDS * FRAMES_PER_SECOND)

Span = tuple[int, int]
"""(start, stop): rows start <= t < stop."""


def windows_ending_at(rows: Iterable[int], frames: int) -> list[Span]:
    """Return windows of the last ``frames`` rows up to and including each of ``rows`` (in order).

    Windows that overlap are merged; those that only touch are not. Row 0 cuts them short.
    """
    found: list[Span] = []
    for row in rows:
        start = max(0, row + 1 - frames)
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], row + 1)
        else:
            found.append((start, row + 1))
    return found


def long_enough_to_see(spans: Sequence[Span], frame_count: int) -> list[Span]:
    """Return the spans, with a first one that the episode's start cut to less than a second extended at its end."""
    if not spans or spans[0][1] - spans[0][0] >= SHORTEST_CLIP_FRAMES:
        return list(spans)
    limit = spans[1][0] if len(spans) > 1 else frame_count
    start, stop = spans[0]
    return [(start, max(stop, min(start + SHORTEST_CLIP_FRAMES, limit))), *spans[1:]]


def cut(span: Span, frames: int, good_cuts: Sequence[int] = ()) -> list[Span]:
    """Cut a span into parts of about equal length, each as close to ``frames`` as possible.

    No part is longer than five seconds, and none shorter than about one unless the span is. A cut moves to the nearest
    of ``good_cuts`` if that is within an eighth of a clip, so that an action stays with its result.
    """
    start, stop = span
    length = stop - start
    parts = min(round(length / frames), length // SHORTEST_CLIP_FRAMES)
    parts = max(1, parts, -(-length // LONGEST_CLIP_FRAMES))
    cuts = [start]
    for number in range(1, parts):
        even = start + round(length * number / parts)
        near = min(good_cuts, key=lambda cut: abs(cut - even), default=even)
        cuts.append(near if abs(near - even) <= frames / 8 and start < near < stop else even)
    cuts.append(stop)
    if any(later - earlier > LONGEST_CLIP_FRAMES for earlier, later in itertools.pairwise(cuts)):
        cuts = [start + round(length * number / parts) for number in range(parts + 1)]
    return list(itertools.pairwise(cuts))


class Coverage:
    """The frames that a set of clips covers."""

    def __init__(self, clips: Iterable[Clip] = ()) -> None:
        self._spans: dict[str, list[Span]] = {}
        by_episode: dict[str, list[Span]] = {}
        for clip in clips:
            by_episode.setdefault(clip.episode_id, []).append((clip.start, clip.stop))
        for episode_id, spans in by_episode.items():
            self._spans[episode_id] = _united(spans)

    def add(self, clip: Clip) -> None:
        spans = self._spans.get(clip.episode_id, [])
        self._spans[clip.episode_id] = _united([*spans, (clip.start, clip.stop)])

    def share(self, clip: Clip) -> float:
        """Return the share of a clip's frames that are covered, 0 to 1."""
        spans = self._spans.get(clip.episode_id, [])
        covered = 0
        # The spans are sorted and do not touch, so start at the last one that starts before the clip.
        for start, stop in spans[max(0, bisect.bisect_right(spans, (clip.start, clip.stop)) - 1) :]:
            if start >= clip.stop:
                break
            covered += max(0, min(stop, clip.stop) - max(start, clip.start))
        return covered / (clip.stop - clip.start)


def _united(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, with those that overlap or touch merged."""
    found: list[Span] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found
