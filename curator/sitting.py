"""A curator's sitting: which clip is before them, what they said, and what is left. No window, no pictures."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace

from curator.clip_queue import SECOND_LOOK, QueuedClip
from curator.outline import clock
from data.clip import RULE_PREFIX, VERDICTS, Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase

BREAK_SECONDS = 60.0
"""A longer time between two verdicts is a break and counts as this much, so that coffee does not slow the figures."""
RATE_VERDICTS = 20
"""The rate is that of so many last verdicts."""
BY_HAND = "by hand"
"""The "queue" of clips that the curator cut."""


@dataclass(frozen=True)
class Progress:
    """How far a curator has come."""

    left: int
    """Clips that wait, the one on show included."""
    given: dict[str, int]
    """Verdict -> number that stand from this curator, over all sittings."""
    this_sitting: int
    """Clips judged in this sitting and not undone."""
    per_minute: float | None
    """Verdicts a minute, breaks left out; None before there are two."""

    @property
    def minutes_left(self) -> float | None:
        """How long the rest takes at this rate."""
        return self.left / self.per_minute if self.per_minute else None


@dataclass(frozen=True)
class SittingSummary:
    """What a sitting came to."""

    curator: str
    given: dict[str, int]
    """Verdict -> number, given in this sitting and not undone."""
    left: int
    """Clips of the queue that still wait."""
    per_minute: float | None


class Sitting:
    """Every verdict is in the database when ``judge`` returns; the next clip is current only then."""

    def __init__(
        self,
        labels: LabelDatabase,
        curator: str,
        queue: Iterable[QueuedClip],
        episodes: Container[str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``episodes``: ids of those that can be shown (None: all). ``now``: a clock in seconds.

        Raises CoachError for a curator's name that a person cannot have.
        """
        curator = curator.strip()
        if not curator or curator.startswith(RULE_PREFIX):
            raise CoachError(f"A curator needs a name that does not begin with {RULE_PREFIX!r}, not {curator!r}.")
        self.curator = curator
        self._labels = labels
        self._line = deque(queue)
        self._episodes = episodes
        self._now = now
        self._standing: dict[Clip, Verdict] = {}
        self._load()
        self._given: list[tuple[Verdict, float]] = []
        self._began = now()

    def _load(self) -> None:
        """What stands, the oldest first."""
        self._standing = {verdict.clip: verdict for verdict in self._labels.verdicts(curator=self.curator)}

    @property
    def current(self) -> QueuedClip | None:
        """The clip on show; None where all are judged."""
        return self._line[0] if self._line else None

    @property
    def standing(self) -> Verdict | None:
        """What the curator's word on the current clip is now: a verdict only where it was reopened."""
        return self._standing.get(self._line[0].clip) if self._line else None

    def upcoming(self, count: int) -> list[QueuedClip]:
        """The clips that follow the current one."""
        return [self._line[i] for i in range(1, min(len(self._line), count + 1))]

    def recent(self, count: int = 10) -> list[Verdict]:
        """The curator's last standing verdicts, the newest first."""
        return list(self._standing.values())[: -count - 1 : -1]

    def verdicts_on(self, episode_id: str) -> list[Verdict]:
        """The curator's standing verdicts on one episode."""
        return [verdict for clip, verdict in self._standing.items() if clip.episode_id == episode_id]

    def judge(self, verdict: str, note: str = "") -> Verdict:
        """Give a verdict on the current clip; it is on disk when this returns, and the next clip is current."""
        queued = self.current
        if queued is None:
            raise CoachError("There is no clip to judge.")
        given = Verdict(queued.clip, self.curator, verdict, note=note, queue=queued.queue)
        self._labels.record(given)
        self._standing.pop(given.clip, None)
        self._standing[given.clip] = given
        self._line.popleft()
        self._given.append((given, self._now()))
        return given

    def look_again_later(self, note: str = "") -> Verdict:
        """Put the current clip aside: it counts as skipped, and the queue "second-look" shows it again."""
        return self.judge("skip", f"{SECOND_LOOK}: {note}" if note else SECOND_LOOK)

    def undo(self) -> Verdict | None:
        """Take back the curator's latest verdict, of this or an earlier sitting, and show its clip again.

        Returns the verdict, or None where none is left. A clip whose episode is gone cannot be shown; its verdict is
        taken back all the same.
        """
        taken_back = self._labels.undo(self.curator)
        if taken_back is None:
            return None
        self._load()
        if self._given and self._given[-1][0] == taken_back:
            self._given.pop()
        if self.can_show(taken_back.clip):
            self._show(
                QueuedClip(
                    taken_back.clip,
                    taken_back.queue,
                    f"taken back: you said {taken_back.verdict}, at {clock(taken_back.clip.start)}",
                )
            )
        return taken_back

    def reopen(self, verdict: Verdict) -> None:
        """Show a judged clip again; its verdict stands until another is given. The clip on show comes after it."""
        if not self.can_show(verdict.clip):
            raise CoachError(f"The episode {verdict.clip.episode_id} is no longer in the library.")
        self._show(
            QueuedClip(
                verdict.clip, verdict.queue, f"reopened: you said {verdict.verdict}, at {clock(verdict.clip.start)}"
            )
        )

    def leave_reopened(self) -> bool:
        """Go on with the queue and let a reopened clip's verdict stand; False where the clip is not a reopened one."""
        if self.standing is None:
            return False
        self._line.popleft()
        return True

    def cut_by_hand(self, clip: Clip) -> None:
        """Show a clip that the curator cut. The clip on show comes after it."""
        self._show(QueuedClip(clip, BY_HAND, f"cut by you, {clock(clip.start)} to {clock(clip.stop)}"))

    def can_show(self, clip: Clip) -> bool:
        return self._episodes is None or clip.episode_id in self._episodes

    def _show(self, queued: QueuedClip) -> None:
        if self._line and (self._line[0].clip in self._standing or self._line[0].queue == BY_HAND):
            self._line.popleft()  # It has its verdict, or nobody asked for one.
        # A clip stands in the line once, and keeps what put it there.
        for other in list(self._line):
            if other.clip == queued.clip:
                self._line.remove(other)
                queued = replace(queued, queue=other.queue)
        self._line.appendleft(queued)

    @property
    def progress(self) -> Progress:
        counted = Counter(verdict.verdict for verdict in self._standing.values())
        return Progress(
            left=len(self._line) - (self.standing is not None),
            given={verdict: counted[verdict] for verdict in VERDICTS},
            this_sitting=len(self._given_here()),
            per_minute=verdicts_a_minute([self._began, *(when for _, when in self._given)]),
        )

    def summary(self) -> SittingSummary:
        counted = Counter(self._given_here().values())
        progress = self.progress
        given = {verdict: counted[verdict] for verdict in VERDICTS}
        return SittingSummary(self.curator, given, progress.left, progress.per_minute)

    def _given_here(self) -> dict[Clip, str]:
        """What was said in this sitting and not undone."""
        return {given.clip: given.verdict for given, _ in self._given}


def verdicts_a_minute(times: list[float]) -> float | None:
    """The rate of the last verdicts, breaks cut short. ``times``: the sitting's begin, then each verdict's, seconds."""
    latest = times[-RATE_VERDICTS - 1 :]
    if len(times) < 3:
        return None
    gaps = [min(BREAK_SECONDS, later - earlier) for earlier, later in itertools.pairwise(latest)]
    return 60 * len(gaps) / max(sum(gaps), 1e-9)
