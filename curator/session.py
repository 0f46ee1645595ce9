"""A curator's session: the clip on show, the verdicts given and the clips left. No window, no pictures."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from curator.queues import MANUAL_CUT, QueuedClip, aside_note, is_aside, is_repeat, unreadable_sentence
from data.clip import RULE_PREFIX, VERDICTS, Clip, Verdict
from data.durations import frame_clock
from data.errors import CoachError
from data.label_database import LabelDatabase

BREAK_SECONDS = 60.0
"""A longer time between two verdicts is a break and counts as this much in the rate."""
RATE_VERDICTS = 20
"""Verdicts over which the rate is measured."""


@dataclass(frozen=True)
class Progress:
    """How far a curator has come."""

    left: int
    """Clips of the queue that wait, including the one on show unless it was reopened or cut by the curator."""
    given: dict[str, int]
    """Verdict -> how many clips have it from this curator, over all sessions."""
    this_session: int
    """Clips judged in this session and not undone; a repeated clip counts twice."""
    per_minute: float | None
    """Verdicts a minute, without breaks; None before there are two."""


@dataclass(frozen=True)
class SessionSummary:
    """The result of a session."""

    curator: str
    given: dict[str, int]
    """Verdict -> number, given in this session and not undone."""
    left: int
    """Clips of the queue that still wait."""
    per_minute: float | None
    unreadable: int = 0
    """Clips that could not be shown and wait for the next session."""

    def __str__(self) -> str:
        given = ", ".join(f"{number} {verdict}" for verdict, number in self.given.items())
        pace = f" at {self.per_minute:.0f} a minute" if self.per_minute is not None else ""
        count = sum(self.given.values())
        left = "1 clip is" if self.left == 1 else f"{self.left} clips are"
        text = f"{self.curator} gave {count} verdict{'s' * (count != 1)} ({given}){pace}; {left} left."
        return f"{text} {unreadable_sentence(self.unreadable)}".rstrip()


class Session:
    """Clips in, verdicts out. A verdict is in the database before the next clip becomes current."""

    def __init__(
        self,
        labels: LabelDatabase,
        curator: str,
        queue: Iterable[QueuedClip],
        episodes: Container[str] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``episodes``: ids of the episodes that can be shown (None: all). ``now``: a clock in seconds.

        Raises CoachError for a curator's name that a person cannot have.
        """
        curator = curator.strip()
        if not curator or curator.startswith(RULE_PREFIX):
            raise CoachError(f"A curator needs a name that does not start with {RULE_PREFIX!r}, not {curator!r}.")
        self.curator = curator
        self._labels = labels
        self._waiting = deque(queue)
        self._outside: QueuedClip | None = None
        self._episodes = episodes
        self._now = now
        self._standing: dict[Clip, Verdict] = {}
        self._load()
        self._given: list[tuple[Verdict, float]] = []
        self._started = now()
        self._unreadable: set[Clip] = set()

    def _load(self) -> None:
        """Read the curator's current verdicts, the oldest first."""
        self._standing = {verdict.clip: verdict for verdict in self._labels.verdicts(curator=self.curator)}

    @property
    def current(self) -> QueuedClip | None:
        """The clip on show; None when all are judged."""
        return self._outside or (self._waiting[0] if self._waiting else None)

    @property
    def outside_queue(self) -> bool:
        """Whether the clip on show was reopened or cut by the curator; the queue then waits."""
        return self._outside is not None

    @property
    def standing(self) -> Verdict | None:
        """The curator's verdict on the clip on show, if there is one."""
        return self._standing.get(self.current.clip) if self.current else None

    def upcoming(self, count: int) -> list[QueuedClip]:
        """Return the clips that follow the one on show."""
        first = 0 if self._outside else 1
        return [self._waiting[i] for i in range(first, min(len(self._waiting), first + count))]

    def recent(self, count: int = 10) -> list[Verdict]:
        """Return the curator's last verdicts, the newest first."""
        return list(itertools.islice(reversed(self._standing.values()), count))

    def verdicts_on(self, episode_id: str) -> list[Verdict]:
        """Return the curator's verdicts on one episode."""
        return [verdict for clip, verdict in self._standing.items() if clip.episode_id == episode_id]

    def judge(self, verdict: str, note: str = "") -> Verdict:
        """Give a verdict on the current clip. It is on disk when this returns, and the next clip is current."""
        queued = self.current
        if queued is None:
            raise CoachError("There is no clip to judge.")
        given = Verdict(queued.clip, self.curator, verdict, note=note, queue=queued.queue)
        self._labels.record(given)
        self._standing.pop(given.clip, None)
        self._standing[given.clip] = given
        if self._outside is None:
            self._waiting.popleft()
        else:
            self._outside = None
            self._remove_waiting(given.clip)
        self._given.append((given, self._now()))
        return given

    def put_aside(self, note: str = "") -> Verdict:
        """Skip the current clip for now; the queue "second-look" shows it again."""
        return self.judge("skip", aside_note(note))

    def undo(self) -> Verdict | None:
        """Undo the curator's latest verdict, of this or an earlier session, and show its clip again.

        Return the verdict, or None if none is left. A clip whose episode is gone cannot be shown, but its verdict is
        undone.
        """
        undone = self._labels.undo(self.curator)
        if undone is None:
            return None
        self._load()
        if self._given and self._given[-1][0] == undone:
            self._given.pop()
        if self.can_show(undone.clip):
            self._show_again(undone)
        return undone

    def _show_again(self, undone: Verdict) -> None:
        queued = QueuedClip(
            undone.clip,
            undone.queue,
            f"undone: you said {undone.verdict}, at {frame_clock(undone.clip.start)}",
        )
        earlier = self._standing.get(undone.clip)
        was_aside = earlier is not None and is_aside(earlier)
        if is_repeat(undone):
            self._outside = None
            self._waiting.appendleft(queued)
        elif undone.queue == MANUAL_CUT or (earlier is not None and not was_aside):
            self._outside = queued
        else:
            self._outside = None
            self._remove_waiting(undone.clip)
            self._waiting.appendleft(queued)

    def reopen(self, verdict: Verdict) -> None:
        """Show a judged clip again; its verdict stays until another is given. The queue waits."""
        if not self.can_show(verdict.clip):
            raise CoachError(f"The episode {verdict.clip.episode_id} is no longer in the library.")
        self._outside = QueuedClip(
            verdict.clip, verdict.queue, f"reopened: you said {verdict.verdict}, at {frame_clock(verdict.clip.start)}"
        )

    def show_cut(self, clip: Clip) -> None:
        """Show a clip that the curator cut. The queue waits."""
        self._outside = QueuedClip(
            clip, MANUAL_CUT, f"cut by you, {frame_clock(clip.start)} to {frame_clock(clip.stop)}"
        )

    def replace_queue(self, queue: Iterable[QueuedClip]) -> None:
        """Let these clips wait instead of those that still do."""
        self._waiting = deque(queue)

    def return_to_queue(self) -> bool:
        """Return to the queue, leaving a reopened or cut clip as it is; False where there is none."""
        left, self._outside = self._outside is not None, None
        return left

    def skip_unreadable(self) -> None:
        """Skip the current clip without a verdict, because it cannot be shown. It waits again in the next session."""
        if self.current is not None:
            self._unreadable.add(self.current.clip)
        if self._outside is not None:
            self._outside = None
        elif self._waiting:
            self._waiting.popleft()

    @property
    def unreadable(self) -> int:
        """How many clips were skipped as unreadable in this session."""
        return len(self._unreadable)

    def _remove_waiting(self, clip: Clip) -> None:
        """Remove a clip that was judged outside the queue; a repeat of it still comes."""
        for queued in [queued for queued in self._waiting if queued.clip == clip and not queued.is_repeat]:
            self._waiting.remove(queued)

    def can_show(self, clip: Clip) -> bool:
        return self._episodes is None or clip.episode_id in self._episodes

    @property
    def progress(self) -> Progress:
        counted = Counter(verdict.verdict for verdict in self._standing.values())
        return Progress(
            left=len(self._waiting),
            given={verdict: counted[verdict] for verdict in VERDICTS},
            this_session=len(self._given_now()),
            per_minute=verdicts_a_minute([self._started, *(when for _, when in self._given)]),
        )

    def summary(self) -> SessionSummary:
        counted = Counter(self._given_now().values())
        progress = self.progress
        given = {verdict: counted[verdict] for verdict in VERDICTS}
        return SessionSummary(self.curator, given, progress.left, progress.per_minute, self.unreadable)

    def _given_now(self) -> dict[tuple[Clip, bool], str]:
        """Verdicts of this session that were not undone, for each clip and each repeat."""
        return {(given.clip, is_repeat(given)): given.verdict for given, _ in self._given}


def verdicts_a_minute(times: list[float]) -> float | None:
    """Return the rate of the last verdicts. ``times``: of the session's start, then of each verdict, in seconds."""
    latest = times[-RATE_VERDICTS - 1 :]
    if len(times) < 3:
        return None
    gaps = [min(BREAK_SECONDS, later - earlier) for earlier, later in itertools.pairwise(latest)]
    return 60 * len(gaps) / max(sum(gaps), 1e-9)
