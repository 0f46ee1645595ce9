"""A clip, the verdicts on it, and the majority of several curators' verdicts for each frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from data.episode import utc_now
from data.errors import CoachError

VERDICTS = ("good", "bad", "skip")
RULE_PREFIX = "rule:"
PUT_ASIDE = "second look"
"""How a clip that was put aside is stored: as the start of its verdict's note. Label schema 1 has no column for it."""


@dataclass(frozen=True, order=True)
class Clip:
    """A span of frames in one episode that is judged as a whole: rows ``start <= t < stop`` of the replay file."""

    episode_id: str
    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise CoachError(
                f"A clip must start at frame 0 or later and have at least one frame, not {self.start} to {self.stop}."
            )


@dataclass(frozen=True)
class Verdict:
    """One curator's verdict on one clip."""

    clip: Clip
    curator: str
    """A person's name, or "rule:..." for a heuristic."""
    verdict: str
    """One of VERDICTS."""
    given: datetime = field(default_factory=utc_now)
    note: str = ""
    queue: str = ""
    """Name of the queue that chose the clip, such as "uniform", or "" if none did. Clips of the queue "uniform" are a
    random sample, so only they give unbiased estimates about all play."""
    put_aside: bool = False
    """Whether the curator skipped the clip for now, to see it again later."""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise CoachError(f"A verdict is one of {', '.join(VERDICTS)}, not {self.verdict!r}.")
        if not self.curator.strip():
            raise CoachError("A verdict requires the name of its curator.")
        if self.put_aside and self.verdict != "skip":
            raise CoachError(f"A clip that is put aside is skipped, not {self.verdict}.")

    @property
    def by_rule(self) -> bool:
        """Whether a rule gave it, not a person."""
        return self.curator.startswith(RULE_PREFIX)

    @property
    def stored_note(self) -> str:
        """The note as databases and files of labels store it, with the mark of a clip that was put aside."""
        if not self.put_aside:
            return self.note
        return f"{PUT_ASIDE}: {self.note}" if self.note else PUT_ASIDE

    @classmethod
    def from_stored(cls, clip: Clip, curator: str, verdict: str, given: datetime, note: str, queue: str) -> Verdict:
        """Return a verdict as it was stored; ``note`` is its ``stored_note``."""
        mark, _, own = note.partition(": ")
        if verdict == "skip" and mark == PUT_ASIDE:
            return cls(clip, curator, verdict, given, own, queue, put_aside=True)
        return cls(clip, curator, verdict, given, note, queue)


def verdict_of_frames(verdicts: Iterable[Verdict], frame_count: int) -> np.ndarray:
    """Return the majority verdict on each frame of one episode: (T,) int8, 1 good, -1 bad, 0 no verdict.

    Each curator has one vote on each frame: the sign of their good minus bad clips there. The majority decides, and a
    tie is no verdict. Rules count only where no person voted good or bad. ``skip`` is not a vote.
    """
    by_curator: dict[str, np.ndarray] = {}
    for verdict in verdicts:
        if verdict.verdict == "skip":
            continue
        balance = by_curator.setdefault(verdict.curator, np.zeros(frame_count, np.int32))
        balance[verdict.clip.start : verdict.clip.stop] += 1 if verdict.verdict == "good" else -1
    people = np.zeros(frame_count, np.int32)
    people_voted = np.zeros(frame_count, bool)
    rules = np.zeros(frame_count, np.int32)
    for curator, balance in by_curator.items():
        vote = np.sign(balance)
        if curator.startswith(RULE_PREFIX):
            rules += vote
        else:
            people += vote
            people_voted |= vote != 0
    return np.sign(np.where(people_voted, people, rules)).astype(np.int8)
