"""Clips that the curator cuts: by marking both ends with keys, or by dragging an edge of a clip on the timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES
from data.clip import Clip
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError

Edge = Literal["start", "stop"]


class ManualCut:
    """A clip that the curator is cutting: two ends, marked in either order."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.stop: int | None = None

    @property
    def started(self) -> bool:
        return self.start is not None or self.stop is not None

    def discard(self) -> None:
        self.start = self.stop = None

    def mark(self, key: str, frame: int) -> tuple[int, int] | None:
        """Mark the start (key "i") or the end ("o"). Return the span (start, stop) once both are marked.

        Raises CoachError for a span that is not 1 to 5 seconds long; both ends stay, so that one can be moved.
        """
        if key == "i":
            self.start = frame
        else:
            self.stop = frame
        if self.start is None or self.stop is None:
            return None
        start, stop = sorted((self.start, self.stop))
        if not SHORTEST_CLIP_FRAMES <= stop - start <= LONGEST_CLIP_FRAMES:
            seconds = (stop - start) / FRAMES_PER_SECOND
            raise CoachError(f"A clip lasts 1 to 5 seconds, not {seconds:.1f}; move one end.")
        return start, stop

    @property
    def hint(self) -> str:
        """What to do next; empty where no end is marked."""
        if self.start is not None and self.stop is not None:
            return f"Clip {frame_clock(self.start)} to {frame_clock(self.stop)}: move an end with I or O."
        if self.start is not None:
            return f"Clip from {frame_clock(self.start)}: press O at its end, Esc to cancel."
        if self.stop is not None:
            return f"Clip up to {frame_clock(self.stop)}: press I at its start, Esc to cancel."
        return ""


@dataclass(frozen=True)
class EdgeDrag:
    """An edge of a clip while it is dragged."""

    original: Clip
    clip: Clip
    edge: Edge

    def moved(self, frame: int, frame_count: int) -> EdgeDrag:
        """Return the drag with the edge at a frame, or as near to it as a clip of 1 to 5 seconds allows."""
        start, stop = self.original.start, self.original.stop
        if self.edge == "start":
            latest = max(0, stop - SHORTEST_CLIP_FRAMES)
            start = min(max(frame, stop - LONGEST_CLIP_FRAMES, 0), latest)
        else:
            earliest = min(frame_count, start + SHORTEST_CLIP_FRAMES)
            stop = max(min(frame, start + LONGEST_CLIP_FRAMES, frame_count), earliest)
        return replace(self, clip=Clip(self.original.episode_id, start, stop))

    @property
    def frame(self) -> int:
        """The frame at the edge."""
        return self.clip.start if self.edge == "start" else self.clip.stop

    @property
    def hint(self) -> str:
        """The span and length of the clip as dragged."""
        seconds = (self.clip.stop - self.clip.start) / FRAMES_PER_SECOND
        return f"Clip {frame_clock(self.clip.start)} to {frame_clock(self.clip.stop)}, {seconds:.1f} seconds"
