"""The queues of clips that a curator is shown: what is in each, in which order, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.outline import EpisodeOutline
from curator.queued_clips import MANUAL_CUT, REPEAT_PREFIX, QueuedClip, mixed, order_of, with_repeats
from curator.spans import (
    LONGEST_CLIP_FRAMES,
    LONGEST_CLIP_SECONDS,
    SHORTEST_CLIP_SECONDS,
    Coverage,
    Span,
    cut,
    long_enough_to_see,
    windows_ending_at,
)
from data.clip import Clip, Verdict
from data.counted import counted
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError

DEFAULT_CLIP_SECONDS = 3.0
SECOND_LOOK, UNCERTAIN, SURPRISING = "second-look", "uncertain", "surprising"


@dataclass(frozen=True)
class SurprisingFrame:
    """A frame at which a run's temporal-difference error was large."""

    episode_id: str
    frame: int
    td_error: float


def clip_frames(clip_seconds: float) -> int:
    """Return a clip's length in frames; raises CoachError unless it is 1 to 5 seconds."""
    if not SHORTEST_CLIP_SECONDS <= clip_seconds <= LONGEST_CLIP_SECONDS:
        raise CoachError(f"A clip lasts 1 to 5 seconds, not {clip_seconds:g}; choose another --clip-seconds.")
    return round(clip_seconds * FRAMES_PER_SECOND)


def queue_before_reward(episode: EpisodeOutline, frames: int) -> list[QueuedClip]:
    """Clips of the last ``frames`` frames before points; overlapping ones are merged, and cut where too long."""
    gains = episode.gains
    found = []
    for clip in _clips_up_to(episode, [row for row, _ in gains], frames):
        inside = [(row, amount) for row, amount in gains if clip.start <= row < clip.stop]
        if inside:
            reason = _gains_in_words(inside)
        else:
            row, amount = next((row, amount) for row, amount in gains if row >= clip.stop)
            reason = f"leads up to {counted(amount, 'point')} at {frame_clock(row + 1)}"
        found.append(QueuedClip(clip, "before-reward", reason))
    return found


def queue_before_death(episode: EpisodeOutline, frames: int) -> list[QueuedClip]:
    """Clips of the last ``frames`` frames before a life is lost, merged and cut in the same way."""
    found = []
    for clip in _clips_up_to(episode, episode.deaths, frames):
        times = [frame_clock(row + 1) for row in episode.deaths if clip.start <= row < clip.stop]
        if len(times) > 1:
            reason = f"{len(times)} lives lost, at {' and '.join(times)}"
        elif times:
            reason = f"a life lost at {times[0]}"
        else:
            reason = (
                f"leads up to a life lost at {frame_clock(next(row for row in episode.deaths if row >= clip.stop) + 1)}"
            )
        found.append(QueuedClip(clip, "before-death", reason))
    return found


def queue_uniform(episode: EpisodeOutline, frames: int) -> list[QueuedClip]:
    """The whole episode in equal parts of about ``frames`` frames, each frame in exactly one."""
    clips = [Clip(episode.episode_id, *part) for part in cut((0, episode.frame_count), frames)]
    return [QueuedClip(clip, "uniform", f"sampled at random, at {frame_clock(clip.start)}") for clip in clips]


def queue_markers(episode: EpisodeOutline, frames: int) -> list[QueuedClip]:
    """A clip around each marker, two thirds of it before, because players mark what they have just seen."""
    found: list[QueuedClip] = []
    for marker in episode.markers:
        at = frame_clock(marker)
        if found and marker < found[-1].clip.stop:
            found[-1] = QueuedClip(found[-1].clip, "markers", f"{found[-1].reason} and at {at}")
            continue
        clip = _clip_around(episode, marker, frames, share_before=2 / 3)
        if found and clip.start < found[-1].clip.stop:
            start = found[-1].clip.stop
            if start >= episode.frame_count:
                continue
            clip = Clip(episode.episode_id, start, min(episode.frame_count, start + frames))
        found.append(QueuedClip(clip, "markers", f"marked by the player at {at}"))
    return found


def queue_coached(episode: EpisodeOutline, frames: int) -> list[QueuedClip]:
    """The whole of an episode that starts inside a game of an agent's training, in equal parts."""
    if not episode.corrects:
        return []
    clips = [Clip(episode.episode_id, *part) for part in cut((0, episode.frame_count), frames)]
    return [
        QueuedClip(clip, "coached", f"a correction of {episode.corrects}, at {frame_clock(clip.start)}")
        for clip in clips
    ]


def queue_surprising(
    episodes: Iterable[EpisodeOutline], surprising: Iterable[SurprisingFrame], frames: int
) -> list[QueuedClip]:
    """A clip around each frame with a large temporal-difference error, the largest first, without overlaps.

    Frames of episodes that are not in ``episodes`` are left out.
    """
    by_id = {episode.episode_id: episode for episode in episodes}
    covered = Coverage()
    found = []
    for one in sorted(surprising, key=lambda one: (-abs(one.td_error), one.episode_id, one.frame)):
        episode = by_id.get(one.episode_id)
        if episode is None or not 0 <= one.frame < episode.frame_count:
            continue
        clip = _clip_around(episode, one.frame, frames, share_before=1 / 2)
        if covered.share(clip) > 0:
            continue
        covered.add(clip)
        found.append(
            QueuedClip(
                clip, "surprising", f"surprised the agent at {frame_clock(one.frame)}, TD error {one.td_error:+.2g}"
            )
        )
    return found


def queue_uncertain(scores: Mapping[Clip, float]) -> list[QueuedClip]:
    """Clips about which the learned judge is least sure, the least sure first. ``scores``: its probability of "good".

    The reason does not give the prediction, because it would influence the curator.
    """
    least_sure_first = sorted(scores, key=lambda clip: (abs(scores[clip] - 0.5), clip))
    return [
        QueuedClip(clip, "uncertain", f"the learned judge is unsure, at {frame_clock(clip.start)}")
        for clip in least_sure_first
    ]


def queue_second_look(standing: Iterable[Verdict]) -> list[QueuedClip]:
    """Clips that the curator put aside for a second look, the oldest first."""
    return [
        QueuedClip(verdict.clip, "second-look", f"put aside by you, at {frame_clock(verdict.clip.start)}")
        for verdict in standing
        if verdict.put_aside
    ]


@dataclass(frozen=True)
class Queue:
    """A kind of queue: its names, and the clips that it holds."""

    name: str
    """Its name in ``--queue`` and in the database."""
    title: str
    """Its name in the window."""
    shows: str
    """What its clips show, in a few words."""
    why_empty: str
    """Why it can be empty."""
    of_episode: Callable[[EpisodeOutline, int], list[QueuedClip]] | None = None
    """Returns the clips of about this many frames in an episode; None if the queue requires more than episodes."""


QUEUES: tuple[Queue, ...] = (
    Queue(
        "before-reward",
        "Before points",
        "What led to points",
        "Nobody scored in these episodes.",
        queue_before_reward,
    ),
    Queue(
        "before-death",
        "Before a lost life",
        "What led to the loss of a life",
        "No life was lost in these episodes.",
        queue_before_death,
    ),
    Queue(
        "markers",
        "Marked moments",
        "What the player marked with K",
        "No markers yet. Press K while playing.",
        queue_markers,
    ),
    Queue(
        "coached",
        "Corrections",
        "What was played from an agent's moments",
        "Nobody has corrected an agent yet.",
        queue_coached,
    ),
    Queue("uniform", "Random sample", "Play sampled at random", "", queue_uniform),
    Queue(SECOND_LOOK, "Second look", "What you put aside with V", "Press V while judging to see a clip again later."),
    Queue(
        UNCERTAIN,
        "Learned judge unsure",
        "Where the learned judge is least sure",
        "The learned judge has no clips left to ask about.",
    ),
    Queue(
        SURPRISING,
        "Surprising",
        "Where the values of a run were most wrong",
        "None of the clips that surprised the run is in these episodes.",
    ),
)
"""All queues, in the order in which they are listed. A queue that needs the episodes alone is one entry here."""


def queue_kind(queue: str) -> Queue:
    """Return the kind of a queue such as "uniform" or "surprising:RUN"; raises CoachError for an unknown one."""
    name, colon, run = queue.partition(":")
    kind = next((one for one in QUEUES if one.name == name), None)
    if kind is None or bool(colon) != (name == SURPRISING) or bool(run) != bool(colon):
        known = ", ".join(f"{one.name}:RUN" if one.name == SURPRISING else one.name for one in QUEUES)
        raise CoachError(f"There is no queue called {queue!r}; the queues are {known}.")
    return kind


def queue_title(queue: str) -> str:
    """Return the title of a queue as windows show it, with the run that it belongs to."""
    run = queue.partition(":")[2]
    return f"{queue_kind(queue).title} to {run}" if run else queue_kind(queue).title


def stored_queue_title(queue: str) -> str:
    """Return the title of the queue that is stored with a verdict; one that is unknown here is returned as it is."""
    return next((kind.title for kind in QUEUES if kind.name == queue), queue)


def build_queue(
    episodes: Sequence[EpisodeOutline],
    queue: str,
    clip_seconds: float,
    seed: int,
    judged: Sequence[Verdict] = (),
    surprising: Iterable[SurprisingFrame] = (),
    scores: Mapping[Clip, float] | None = None,
    curator: str = "",
) -> list[QueuedClip]:
    """Return the clips that wait for one curator's verdict, in the order in which they are shown.

    ``judged``: this curator's verdicts; a clip is left out if more than half of it is judged. The rest keeps its order,
    so that a session continues where the last one ended. One clip in ten is sampled uniformly; where it overlaps a clip
    of the queue, the queue's clip is dropped, because dropping samples would bias them. Each ``curator`` has their own
    order, so that several cover a library together. One clip in twenty comes from a list that is the same for all, and
    after every 32 new clips an earlier one is repeated (see ``with_repeats``). Without a name there are no repeats.
    Raises CoachError for an unknown queue, or a clip that is not 1 to 5 seconds long.
    """
    frames = clip_frames(clip_seconds)
    kind = queue_kind(queue)
    if kind.name == SECOND_LOOK:
        return queue_second_look(judged)
    sampled = order_of(curator, [queue_uniform(episode, frames) for episode in episodes], seed)
    if kind.name == "uniform":
        wanted = sampled
    else:
        if kind.of_episode is not None:
            chosen = order_of(curator, [kind.of_episode(episode, frames) for episode in episodes], seed)
        elif kind.name == SURPRISING:
            chosen = queue_surprising(episodes, surprising, frames)
        else:
            chosen = queue_uncertain(scores or {})
        wanted = mixed(chosen, sampled, np.random.default_rng(seed))
    done = JudgedFrames(judged, all_count_for_samples=kind.name == "uniform")
    waiting = [queued for queued in wanted if not done.are_enough(queued)]
    if not curator:
        return waiting
    ids = {episode.episode_id for episode in episodes}
    in_library = [verdict for verdict in judged if verdict.clip.episode_id in ids]
    return with_repeats(waiting, in_library, {queued.clip: queued.reason for queued in wanted}, curator)


class JudgedFrames:
    """What a curator has judged, and so which clips need no verdict any more: those of which more than half is judged.

    A random sample in another queue needs one even if clips chosen for their events cover it: leaving it out would bias
    the samples.
    """

    def __init__(self, judged: Iterable[Verdict], all_count_for_samples: bool = False) -> None:
        verdicts = list(judged)
        self._clips = {verdict.clip for verdict in verdicts}
        self._all = Coverage(self._clips)
        chosen_by_chance = {"uniform", MANUAL_CUT, ""}
        self._for_samples = self._all
        if not all_count_for_samples:
            self._for_samples = Coverage(
                one.clip for one in verdicts if one.queue.removeprefix(REPEAT_PREFIX) in chosen_by_chance
            )

    def are_enough(self, queued: QueuedClip) -> bool:
        """Return whether a clip needs no verdict any more."""
        covered = self._for_samples if queued.queue == "uniform" else self._all
        return queued.clip in self._clips or covered.share(queued.clip) > 0.5


@dataclass(frozen=True)
class WaitingQueue:
    """A queue and the clips that wait in it."""

    name: str
    clips: tuple[QueuedClip, ...]


def first_waiting(build: Callable[[str], Iterable[QueuedClip]], after: str = "") -> WaitingQueue | None:
    """Return the first queue in which clips wait, of those that need only episodes and verdicts.

    ``build`` returns a queue's waiting clips. ``after``: the queue that has just ended, if one has; it is left out, and
    what the curator put aside then comes first.
    """
    names = [kind.name for kind in QUEUES if kind.of_episode is not None]
    names = [SECOND_LOOK, *names] if after else [*names, SECOND_LOOK]
    for name in names:
        if name != after and (clips := tuple(build(name))):
            return WaitingQueue(name, clips)
    return None


def clips_waiting(
    episodes: Sequence[EpisodeOutline],
    judged: Sequence[Verdict],
    curator: str,
    clip_seconds: float = DEFAULT_CLIP_SECONDS,
    seed: int = 0,
) -> WaitingQueue | None:
    """Return the queue with which a session starts unless another is chosen; None if every clip is judged.

    ``judged``: the curator's verdicts. The home window counts these clips, and the curator's window shows them.
    """

    def build(name: str) -> list[QueuedClip]:
        return build_queue(episodes, name, clip_seconds, seed, judged, curator=curator)

    return first_waiting(build)


def _clips_up_to(episode: EpisodeOutline, rows: Sequence[int], frames: int) -> list[Clip]:
    ends = [row + 1 for row in rows]
    parts: list[Span] = []
    for span in long_enough_to_see(windows_ending_at(rows, frames), episode.frame_count):
        parts += [span] if span[1] - span[0] <= LONGEST_CLIP_FRAMES else cut(span, frames, ends)
    return [Clip(episode.episode_id, *part) for part in parts]


def _clip_around(episode: EpisodeOutline, frame: int, frames: int, share_before: float) -> Clip:
    """Return a clip of ``frames`` frames around a frame, moved into the episode; all of a shorter episode."""
    start = min(frame - round(frames * share_before), episode.frame_count - frames)
    start = max(0, start)
    return Clip(episode.episode_id, start, min(episode.frame_count, start + frames))


def _gains_in_words(gains: Sequence[tuple[int, float]]) -> str:
    if len(gains) <= 2:
        return " and ".join(f"{counted(amount, 'point')} at {frame_clock(row + 1)}" for row, amount in gains)
    total = sum(amount for _, amount in gains)
    start, end = frame_clock(gains[0][0] + 1), frame_clock(gains[-1][0] + 1)
    return f"{counted(total, 'point')} in {len(gains)} gains, {start} to {end}"


def unreadable_sentence(clips: int) -> str:
    """Return a sentence about clips that could not be shown; "" for none."""
    if not clips:
        return ""
    return f"{clips} clip{'s' * (clips != 1)} could not be read; `coach verify` finds what is broken."
