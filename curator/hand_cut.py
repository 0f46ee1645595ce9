"""A clip that is being cut by hand: two ends, marked one after the other, in either order."""

from __future__ import annotations

from curator.outline import clock
from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError


class HandCut:
    """The ends of the cut, as far as they are marked."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.stop: int | None = None

    @property
    def begun(self) -> bool:
        return self.start is not None or self.stop is not None

    def forget(self) -> None:
        self.start = self.stop = None

    def mark(self, key: str, frame: int) -> tuple[int, int] | None:
        """Mark the start (key "i") or the end ("o"). Returns the span (start, stop) once it is whole.

        Raises CoachError for a span that is no clip; both ends stay, so that one can be moved.
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
        """What to do next; empty where no cut is begun."""
        if self.start is not None and self.stop is not None:
            return f"Cut {clock(self.start)} to {clock(self.stop)}: move an end with I or O."
        if self.start is not None:
            return f"Cut from {clock(self.start)}: press O at its end, Esc forgets."
        if self.stop is not None:
            return f"Cut up to {clock(self.stop)}: press I at its start, Esc forgets."
        return ""
