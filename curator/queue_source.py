"""The queues of a library for one curator: which there are, how many clips wait in each, and the clips."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from curator.judge_predictions import score_clips
from curator.learned_judge import LearnedJudge
from curator.outline import EpisodeOutline
from curator.queued_clips import QueuedClip
from curator.queues import (
    QUEUES,
    SURPRISING,
    UNCERTAIN,
    SurprisingFrame,
    WaitingQueue,
    build_queue,
    clip_frames,
    clips_waiting,
    first_waiting,
    queue_kind,
)
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts
from data.label_database import LabelDatabase
from data.library import Library
from data.runs import list_runs, open_run

Scores = Callable[[Callable[[Callable[[int, int], None]], dict[Clip, float]]], dict[Clip, float] | None]
"""Runs the work it is passed, and returns its result, or None if the curator did not wait for it."""

MOST_RUNS = 4
"""Newest runs whose surprising clips are listed."""


class QueueSource:
    """The queues that one curator can choose from."""

    def __init__(
        self,
        library: Library,
        labels: LabelDatabase,
        curator: str,
        outlines: Sequence[EpisodeOutline],
        judges: Mapping[str, LearnedJudge],
        clip_seconds: float,
        seed: int,
        scored: Scores,
        surprising: Iterable[SurprisingFrame] = (),
    ) -> None:
        """``judges``: the learned judge of each game. ``scored``: runs the judge while the curator sees its progress.

        ``surprising``: frames for a queue ``surprising:RUN``, where they are not to be read from the run.
        """
        self._library = library
        self._labels = labels
        self._curator = curator
        self._outlines = outlines
        self._judges = judges
        self._clip_seconds = clip_seconds
        self._seed = seed
        self._scored = scored
        self._surprising = tuple(surprising)
        self.frame_counts = {outline.episode_id: outline.frame_count for outline in outlines}
        """The number of rows of each episode."""

    def _judged(self) -> list[Verdict]:
        """Return the curator's verdicts on these episodes."""
        return fit_verdicts(self._labels.verdicts(curator=self._curator), self.frame_counts).fitting

    def names(self, current: str) -> list[str]:
        """Return the queues that can be chosen, in the order in which they are listed; ``current`` is among them."""
        names = [kind.name for kind in QUEUES if kind.name != SURPRISING]
        runs = [run for run in list_runs(self._library) if run.game in {one.game for one in self._outlines}]
        runs = [run for run in runs if _has_spans(self._library, run.name)]
        newest = sorted(runs, key=lambda run: run.path.stat().st_mtime, reverse=True)[:MOST_RUNS]
        names += [f"{SURPRISING}:{run.name}" for run in newest]
        return names if current in names else [*names, current]

    def why_not(self, name: str) -> str:
        """Return why a queue cannot be chosen; empty where it can."""
        if queue_kind(name).name == UNCERTAIN and not self._judges:
            return "Train it with: coach label --rule learned"
        return ""

    def count(self, name: str) -> int | None:
        """Return how many clips wait in a queue; None if only the learned judge can say."""
        if queue_kind(name).name == UNCERTAIN:
            return None
        try:
            return len(self.build(name) or ())
        except CoachError:
            return 0

    def build(self, name: str) -> list[QueuedClip] | None:
        """Return a queue's waiting clips; None if the curator did not wait for the learned judge."""
        kind = queue_kind(name)
        judged = self._judged()
        scores: dict[Clip, float] | None = None
        if kind.name == UNCERTAIN:
            frames = clip_frames(self._clip_seconds)
            scores = self._scored(
                lambda report: score_clips(self._outlines, self._judges, frames, self._seed, judged, report)
            )
            if scores is None:
                return None
        surprising: Sequence[SurprisingFrame] = ()
        if kind.name == SURPRISING:
            surprising = self._surprising or read_surprising_frames(self._library, name.partition(":")[2])
        return build_queue(
            self._outlines, name, self._clip_seconds, self._seed, judged, surprising, scores, self._curator
        )

    def first(self) -> WaitingQueue | None:
        """Return the queue with which a session starts; None if every clip is judged."""
        judged = self._judged()
        return clips_waiting(self._outlines, judged, self._curator, self._clip_seconds, self._seed)

    def following(self, done: str) -> WaitingQueue | None:
        """Return the queue to continue with after another; None if every clip is judged."""
        return first_waiting(lambda name: self.build(name) or (), after=done)


def _has_spans(library: Library, run: str) -> bool:
    try:
        return bool(read_surprising_frames(library, run))
    except CoachError:
        return False


def read_surprising_frames(library: Library, run: str) -> list[SurprisingFrame]:
    """Return the middle frame of each span in which a run's TD errors were largest.

    Raises CoachError if the run has not recorded any such spans.
    """
    path = open_run(library, run).seeding
    try:
        spans = json.loads(path.read_text())["spans"]
        found = [
            SurprisingFrame(
                str(span["episode_id"]), (int(span["start"]) + int(span["stop"])) // 2, float(span["mean_td_error"])
            )
            for span in spans
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CoachError(f"The run {run!r} has not recorded its TD errors yet ({path}); train it further.") from error
    if not found:
        raise CoachError(f"The run {run!r} was not seeded from replay files, so it has no surprising clips.")
    return found
