"""A curator's sitting: which clip is before them, what they said, and what is left. No window, no pictures."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from curator.outline import clock
from curator.queues import BY_HAND, SECOND_LOOK, QueuedClip, is_repeat, told_unreadable
from data.clip import RULE_PREFIX, VERDICTS, Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase

BREAK_SECONDS = 60.0
"""A longer time between two verdicts is a break and counts as this much, so that coffee does not slow the figures."""
RATE_VERDICTS = 20
"""The rate is that of so many last verdicts."""


@dataclass(frozen=True)
class Progress:
    """How far a curator has come."""

    left: int
    """Clips of the queue that wait, the one on show included unless it was reopened or cut by hand."""
    given: dict[str, int]
    """Verdict -> number that stand from this curator, over all sittings."""
    this_sitting: int
    """Clips judged in this sitting and not undone; one that came twice counts twice."""
    per_minute: float | None
    """Verdicts a minute, breaks left out; None before there are two."""

    @property
    def minutes_left(self) -> float | None:
        """How long the rest takes at this rate."""
        return self.left / self.per_minute if self.per_minute else None


@dataclass(frozen=True)
class SessionSummary:
    """What a sitting came to."""

    curator: str
    given: dict[str, int]
    """Verdict -> number, given in this sitting and not undone."""
    left: int
    """Clips of the queue that still wait."""
    per_minute: float | None
    unreadable: int = 0
    """Clips that could not be shown and wait for the next sitting."""

    def __str__(self) -> str:
        given = ", ".join(f"{number} {verdict}" for verdict, number in self.given.items())
        pace = f" at {self.per_minute:.0f} a minute" if self.per_minute is not None else ""
        count = sum(self.given.values())
        left = "1 clip is" if self.left == 1 else f"{self.left} clips are"
        text = f"{self.curator} gave {count} verdict{'s' * (count != 1)} ({given}){pace}; {left} left."
        return f"{text} {told_unreadable(self.unreadable)}".rstrip()


class Session:
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
        self._visit: QueuedClip | None = None
        self._episodes = episodes
        self._now = now
        self._standing: dict[Clip, Verdict] = {}
        self._load()
        self._given: list[tuple[Verdict, float]] = []
        self._began = now()
        self._unreadable: set[Clip] = set()

    def _load(self) -> None:
        """What stands, the oldest first."""
        self._standing = {verdict.clip: verdict for verdict in self._labels.verdicts(curator=self.curator)}

    @property
    def current(self) -> QueuedClip | None:
        """The clip on show; None where all are judged."""
        return self._visit or (self._line[0] if self._line else None)

    @property
    def visiting(self) -> bool:
        """Whether the clip on show was reopened or cut by hand, while the queue waits behind it."""
        return self._visit is not None

    @property
    def standing(self) -> Verdict | None:
        """What the curator has said of the clip on show, where they have."""
        return self._standing.get(self.current.clip) if self.current else None

    def upcoming(self, count: int) -> list[QueuedClip]:
        """The clips that follow the one on show."""
        first = 0 if self._visit else 1
        return [self._line[i] for i in range(first, min(len(self._line), first + count))]

    def recent(self, count: int = 10) -> list[Verdict]:
        """The curator's last standing verdicts, the newest first."""
        return list(itertools.islice(reversed(self._standing.values()), count))

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
        if self._visit is None:
            self._line.popleft()
        else:
            self._visit = None
            self._take_from_line(given.clip)
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
            self._show_again(taken_back)
        return taken_back

    def _show_again(self, taken_back: Verdict) -> None:
        queued = QueuedClip(
            taken_back.clip,
            taken_back.queue,
            f"taken back: you said {taken_back.verdict}, at {clock(taken_back.clip.start)}",
        )
        earlier = self._standing.get(taken_back.clip)
        was_aside = earlier is not None and earlier.note.startswith(SECOND_LOOK)
        if is_repeat(taken_back):
            self._visit = None
            self._line.appendleft(queued)
        elif taken_back.queue == BY_HAND or (earlier is not None and not was_aside):
            self._visit = queued
        else:
            self._visit = None
            self._take_from_line(taken_back.clip)
            self._line.appendleft(queued)

    def reopen(self, verdict: Verdict) -> None:
        """Show a judged clip again; its verdict stands until another is given. The queue waits behind it."""
        if not self.can_show(verdict.clip):
            raise CoachError(f"The episode {verdict.clip.episode_id} is no longer in the library.")
        self._visit = QueuedClip(
            verdict.clip, verdict.queue, f"reopened: you said {verdict.verdict}, at {clock(verdict.clip.start)}"
        )

    def cut_by_hand(self, clip: Clip) -> None:
        """Show a clip that the curator cut. The queue waits behind it."""
        self._visit = QueuedClip(clip, BY_HAND, f"cut by you, {clock(clip.start)} to {clock(clip.stop)}")

    def go_on_with(self, queue: Iterable[QueuedClip]) -> None:
        """Let other clips wait, in place of those that still do."""
        self._line = deque(queue)

    def leave_visit(self) -> bool:
        """Go back to the queue and leave a reopened or cut clip as it is; False where there is none."""
        left, self._visit = self._visit is not None, None
        return left

    def pass_over(self) -> None:
        """Leave the clip on show without a verdict, because it cannot be shown. It waits again in the next sitting."""
        if self.current is not None:
            self._unreadable.add(self.current.clip)
        if self._visit is not None:
            self._visit = None
        elif self._line:
            self._line.popleft()

    @property
    def unreadable(self) -> int:
        """Clips that were passed over in this sitting."""
        return len(self._unreadable)

    def _take_from_line(self, clip: Clip) -> None:
        """A clip that was judged otherwise need not wait any longer; a repeat comes all the same."""
        for queued in [queued for queued in self._line if queued.clip == clip and not queued.is_repeat]:
            self._line.remove(queued)

    def can_show(self, clip: Clip) -> bool:
        return self._episodes is None or clip.episode_id in self._episodes

    @property
    def progress(self) -> Progress:
        counted = Counter(verdict.verdict for verdict in self._standing.values())
        return Progress(
            left=len(self._line),
            given={verdict: counted[verdict] for verdict in VERDICTS},
            this_sitting=len(self._given_here()),
            per_minute=verdicts_a_minute([self._began, *(when for _, when in self._given)]),
        )

    def summary(self) -> SessionSummary:
        counted = Counter(self._given_here().values())
        progress = self.progress
        given = {verdict: counted[verdict] for verdict in VERDICTS}
        return SessionSummary(self.curator, given, progress.left, progress.per_minute, self.unreadable)

    def _given_here(self) -> dict[tuple[Clip, bool], str]:
        """What was said in this sitting and not undone, of each clip and of each repeat."""
        return {(given.clip, is_repeat(given)): given.verdict for given, _ in self._given}


def verdicts_a_minute(times: list[float]) -> float | None:
    """The rate of the last verdicts, breaks cut short. ``times``: the sitting's begin, then each verdict's, seconds."""
    latest = times[-RATE_VERDICTS - 1 :]
    if len(times) < 3:
        return None
    gaps = [min(BREAK_SECONDS, later - earlier) for earlier, later in itertools.pairwise(latest)]
    return 60 * len(gaps) / max(sum(gaps), 1e-9)
