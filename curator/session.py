"""A curator's session: the clip on show, the verdicts given and the clips left. No window, no pictures."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.queued_clips import MANUAL_CUT, QueuedClip, is_repeat
from curator.queues import SECOND_LOOK, JudgedFrames, unreadable_sentence
from data.clip import RULE_PREFIX, VERDICTS, Clip, Verdict
from data.counted import counted
from data.durations import frame_clock
from data.errors import CoachError
from data.fitting_verdicts import fits
from data.label_database import JudgedElsewhere, LabelDatabase

BREAK_SECONDS = 60.0
"""A longer time between two verdicts is a break and counts as this much in the rate."""
RATE_VERDICTS = 20
"""Verdicts over which the rate is measured."""


@dataclass(frozen=True)
class Progress:
    """A curator's progress."""

    left: int
    """Clips of the queue that wait, including the one on show unless it was reopened or cut by the curator."""
    given: dict[str, int]
    """Verdict -> how many clips have it from this curator, over all sessions."""
    this_session: int
    """Clips judged in this session and not undone; a repeated clip counts twice."""
    per_minute: float | None
    """Verdicts a minute, without breaks; None before there are two."""


@dataclass(frozen=True)
class JudgingSummary:
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
        left = counted(self.left, "clip is", "clips are")
        text = f"{self.curator} gave {counted(count, 'verdict')} ({given}){pace}; {left} left."
        return f"{text} {unreadable_sentence(self.unreadable)}".rstrip()


@dataclass(frozen=True)
class _Given:
    """A verdict of this session, with what is needed to undo it."""

    verdict: Verdict
    row_id: int
    when: float
    covered: tuple[QueuedClip, ...]
    """Clips that no longer waited, because the verdict covers most of them."""
    cuts: tuple[QueuedClip | None, ...]
    """What was shown before each cut that led to the judged clip."""


class Session:
    """Shows clips and records verdicts. A verdict is in the database before the next clip becomes current."""

    def __init__(
        self,
        labels: LabelDatabase,
        curator: str,
        queue: Iterable[QueuedClip],
        frame_counts: Mapping[str, int] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``frame_counts``: number of actions of each episode that can be shown (None: all can be shown), by id.
        Verdicts on frames that such an episode does not have are left out. ``now``: a clock in seconds.

        Raises CoachError for a curator's name that a person cannot have.
        """
        curator = curator.strip()
        if not curator or curator.startswith(RULE_PREFIX):
            raise CoachError(f"A curator needs a name that does not start with {RULE_PREFIX!r}, not {curator!r}.")
        self.curator = curator
        self._labels = labels
        self._waiting = deque(queue)
        self._outside: QueuedClip | None = None
        self._cuts: list[QueuedClip | None] = []
        """What was shown before each cut of the clip on show; None for the clip of the queue."""
        self._frame_counts = frame_counts
        self._now = now
        self._standing: dict[Clip, Verdict] = {}
        self._load()
        self._newest_before = labels.newest_id(curator)
        """The latest verdict before this session; later ones that are not in ``_given`` are another window's."""
        self._given: list[_Given] = []
        self._given_before_queue = 0
        """How many verdicts this session had when it changed to the present queue."""
        self._newest_row: int | None = None
        """Id of the last verdict of this session; ids grow by one with each verdict of anybody."""
        self._others_judge = False
        """Whether somebody else has given a verdict during this session."""
        self._started = now()
        self._unreadable: set[Clip] = set()

    def _load(self) -> None:
        """Read the curator's current verdicts, the oldest first."""
        self._standing = {
            verdict.clip: verdict
            for verdict in self._labels.verdicts(curator=self.curator)
            if self._frame_counts is None
            or fits(verdict.clip, self._frame_counts.get(verdict.clip.episode_id, verdict.clip.stop))
        }

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

    def has_judged(self, queue: str) -> bool:
        """Return whether the curator has judged a clip of a queue, in this session or before.

        A queue also shows clips sampled at random; after one of those in this session, it has been judged too.
        """
        name = queue.partition(":")[0]
        return len(self._given) > self._given_before_queue or any(
            verdict.queue == name for verdict in self._standing.values()
        )

    def judge(self, verdict: str, note: str = "", put_aside: bool = False) -> Verdict:
        """Give a verdict on the current clip. It is on disk when this returns, and the next clip is current.

        Raises JudgedElsewhere, and saves nothing, if the curator has judged the clip in another window meanwhile; a
        second call replaces that verdict.
        """
        queued = self.current
        if queued is None:
            raise CoachError("There is no clip to judge.")
        given = Verdict(queued.clip, self.curator, verdict, note=note, queue=queued.queue, put_aside=put_aside)
        try:
            row_id = self._labels.record_if_unchanged(given, self._standing.get(queued.clip))
        except JudgedElsewhere as error:
            self._add(error.standing)
            self._others_judge = True
            raise
        self._others_judge |= self._newest_row is not None and row_id != self._newest_row + 1
        self._newest_row = row_id
        self._add(given)
        covered: list[QueuedClip] = []
        if self._outside is None:
            self._waiting.popleft()
        else:
            self._outside = None
            self._remove_waiting(given.clip)
            covered = self._remove_covered(given)
        self._given.append(_Given(given, row_id, self._now(), tuple(covered), tuple(self._cuts)))
        self._cuts.clear()
        return given

    def _add(self, verdict: Verdict) -> None:
        self._standing.pop(verdict.clip, None)
        self._standing[verdict.clip] = verdict

    def drop_judged_elsewhere(self) -> list[Verdict]:
        """Remove the next clips that the curator has judged in another window; return the verdicts given there."""
        found: list[Verdict] = []
        if not self._others_judge and self._given:
            return found
        while self._outside is None and self._waiting and not self._waiting[0].is_repeat:
            clip = self._waiting[0].clip
            standing = self._labels.verdict_on(clip, self.curator)
            if standing is None or standing == self._standing.get(clip):
                break
            self._add(standing)
            self._waiting.popleft()
            found.append(standing)
        return found

    def put_aside(self, note: str = "") -> Verdict:
        """Skip the current clip for now; the queue "second-look" shows it again."""
        return self.judge("skip", note, put_aside=True)

    def undo(self) -> Verdict | None:
        """Undo the latest verdict of this session, or of an earlier one, and show its clip again.

        Return the verdict, or None if none is left. A clip whose episode is gone cannot be shown, but its verdict is
        undone. Verdicts given in another window meanwhile stay.
        """
        last = self._given[-1] if self._given else None
        undone = self._labels.undo(self.curator, up_to=last.row_id if last else self._newest_before)
        if undone is None:
            return None
        self._load()
        self._cuts.clear()
        if last is not None and last.verdict == undone:
            self._given.pop()
            self._waiting.extendleft(reversed(last.covered))
        if self.can_show(undone.clip):
            self._show_again(undone)
            if last is not None and last.verdict == undone and self._outside is not None:
                self._cuts = list(last.cuts)
        return undone

    def _show_again(self, undone: Verdict) -> None:
        queued = QueuedClip(
            undone.clip,
            undone.queue,
            f"undone: you said {undone.verdict}, at {frame_clock(undone.clip.start)}",
        )
        earlier = self._standing.get(undone.clip)
        was_aside = earlier is not None and earlier.put_aside
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
        self._cuts.clear()

    def show_cut(self, clip: Clip) -> None:
        """Show a clip that the curator cut. The queue waits; ``undo_cut`` shows what was on show before."""
        self._cuts.append(self._outside)
        self._outside = QueuedClip(
            clip, MANUAL_CUT, f"cut by you, {frame_clock(clip.start)} to {frame_clock(clip.stop)}"
        )

    def undo_cut(self) -> bool:
        """Show the clip as it was before the last cut; False where it was not cut."""
        if not self._cuts:
            return False
        self._outside = self._cuts.pop()
        return True

    def replace_queue(self, queue: Iterable[QueuedClip]) -> None:
        """Let these clips wait instead of those that still do."""
        self._waiting = deque(queue)
        self._given_before_queue = len(self._given)
        self._outside = None
        self._cuts.clear()

    def return_to_queue(self) -> bool:
        """Return to the queue, leaving a reopened or cut clip as it is; False if there is none."""
        left, self._outside = self._outside is not None, None
        self._cuts.clear()
        return left

    def skip_unreadable(self) -> None:
        """Skip the current clip without a verdict, because it cannot be shown. It waits again in the next session."""
        if self.current is not None:
            self._unreadable.add(self.current.clip)
        self._cuts.clear()
        if self._outside is not None:
            self._outside = None
        elif self._waiting:
            self._waiting.popleft()

    @property
    def unreadable(self) -> int:
        """How many clips were skipped as unreadable in this session."""
        return len(self._unreadable)

    def _remove_waiting(self, clip: Clip) -> None:
        """Remove a clip that was judged outside the queue; a repeat of it stays."""
        for queued in [queued for queued in self._waiting if queued.clip == clip and not queued.is_repeat]:
            self._waiting.remove(queued)

    def _remove_covered(self, given: Verdict) -> list[QueuedClip]:
        """Remove and return the clips that no longer need a verdict after one on a clip that the curator cut.

        They are those that a new queue would leave out too (see ``build_queue``).
        """
        if given.queue != MANUAL_CUT:
            return []
        episode_id = given.clip.episode_id
        done = JudgedFrames(self.verdicts_on(episode_id))
        covered = [
            queued
            for queued in self._waiting
            if queued.clip.episode_id == episode_id
            and not queued.is_repeat
            and queued.queue != SECOND_LOOK
            and done.are_enough(queued)
        ]
        for queued in covered:
            self._waiting.remove(queued)
        return covered

    def can_show(self, clip: Clip) -> bool:
        return self._frame_counts is None or clip.episode_id in self._frame_counts

    @property
    def progress(self) -> Progress:
        counted = Counter(verdict.verdict for verdict in self._standing.values())
        return Progress(
            left=len(self._waiting),
            given={verdict: counted[verdict] for verdict in VERDICTS},
            this_session=len(self._given_now()),
            per_minute=verdicts_a_minute([self._started, *(given.when for given in self._given)]),
        )

    def summary(self) -> JudgingSummary:
        counted = Counter(self._given_now().values())
        progress = self.progress
        given = {verdict: counted[verdict] for verdict in VERDICTS}
        return JudgingSummary(self.curator, given, progress.left, progress.per_minute, self.unreadable)

    def _given_now(self) -> dict[tuple[Clip, bool], str]:
        """Verdicts of this session that were not undone, for each clip and each repeat."""
        verdicts = [given.verdict for given in self._given]
        return {(verdict.clip, is_repeat(verdict)): verdict.verdict for verdict in verdicts}


def verdicts_a_minute(times: list[float]) -> float | None:
    """Return the rate of the last verdicts. ``times``: of the session's start, then of each verdict, in seconds."""
    latest = times[-RATE_VERDICTS - 1 :]
    if len(times) < 3:
        return None
    gaps = [min(BREAK_SECONDS, later - earlier) for earlier, later in itertools.pairwise(latest)]
    return 60 * len(gaps) / max(sum(gaps), 1e-9)


def judged_elsewhere_sentence(verdicts: Sequence[Verdict]) -> str:
    """Return a sentence about clips that left the queue because the curator judged them in another window."""
    if len(verdicts) == 1:
        verdict = verdicts[0]
        return f"Also judged in another window: {verdict.verdict} at {frame_clock(verdict.clip.start)}."
    return f"Also judged in another window: the next {len(verdicts)} clips."
