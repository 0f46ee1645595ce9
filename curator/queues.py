"""The queues of clips that a curator is shown: what is in each, in which order, and why."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.outline import EpisodeOutline, points
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
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError

SECOND_LOOK = "second look"
"""Start of the note of a skip whose clip the curator wants to see again. Label schema 1 has no column for it."""
MANUAL_CUT = "by hand"
"""The "queue" of clips that the curator cut, as it is stored with their verdicts."""
REPEAT_PREFIX = "repeat:"
"""Start of the queue of a verdict on a clip that was shown a second time, to measure the curator's self-agreement."""

CHANCE_SHARE = 0.1
"""Share of each queue that is sampled uniformly, so that the verdicts allow estimates about all play."""
SHARED_EVERY = 20
"""One clip in this many is shown to every curator, so that their agreement can be measured."""
REPEAT_EVERY = 32
"""After this many new clips an earlier one is shown again: one showing in 33, or 3%."""
FEWEST_BETWEEN = 20
"""Fewest other clips between the two showings, so that the curator judges again and does not remember."""
CATCHING_UP = 8
"""Clips between repeats that are overdue because verdicts were given elsewhere."""
QUEUES_TO_FOLLOW = ("second-look", "before-reward", "before-death", "markers", "uniform")
"""Queues that are built from the episodes alone, in the order in which they are offered at the end of another."""


@dataclass(frozen=True)
class QueuedClip:
    """A clip that waits for a verdict."""

    clip: Clip
    queue: str
    """The queue that it comes from, such as "before-reward" or "uniform"."""
    reason: str
    """Why it is shown, in words: "20 points at 0:41"."""

    @property
    def is_repeat(self) -> bool:
        return self.queue.startswith(REPEAT_PREFIX)


def is_repeat(verdict: Verdict) -> bool:
    """Return whether a verdict was given on a clip that the queue showed a second time."""
    return verdict.queue.startswith(REPEAT_PREFIX)


def aside_note(note: str) -> str:
    """Return the note of a verdict that puts a clip aside, with the curator's own note."""
    return f"{SECOND_LOOK}: {note}" if note else SECOND_LOOK


def is_aside(verdict: Verdict) -> bool:
    """Return whether a verdict put its clip aside for a second look."""
    note = verdict.note
    return verdict.verdict == "skip" and (note == SECOND_LOOK or note.startswith(f"{SECOND_LOOK}: "))


def own_note(verdict: Verdict) -> str:
    """Return what the curator wrote, without the mark of a clip that was put aside."""
    return verdict.note.removeprefix(SECOND_LOOK).removeprefix(": ") if is_aside(verdict) else verdict.note


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


def queue_name(queue: str) -> str:
    """Return the queue's name without its parameter ("surprising" of "surprising:RUN"); raises CoachError."""
    name, colon, run = queue.partition(":")
    if name not in QUEUES or bool(colon) != (name == "surprising") or bool(run) != bool(colon):
        known = ", ".join(f"{one}:RUN" if one == "surprising" else one for one in QUEUES)
        raise CoachError(f"There is no queue called {queue!r}; the queues are {known}.")
    return name


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
            reason = f"leads up to {points(amount)} at {frame_clock(row + 1)}"
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


EPISODE_QUEUES: Mapping[str, Callable[[EpisodeOutline, int], list[QueuedClip]]] = {
    "before-reward": queue_before_reward,
    "before-death": queue_before_death,
    "uniform": queue_uniform,
    "markers": queue_markers,
}
QUEUES = (*EPISODE_QUEUES, "second-look", "uncertain", "surprising")


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
        if is_aside(verdict)
    ]


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
    name = queue_name(queue)
    if name == "second-look":
        return queue_second_look(judged)
    sampled = _order_of(curator, [queue_uniform(episode, frames) for episode in episodes], seed)
    if name == "uniform":
        wanted = sampled
    else:
        if name == "surprising":
            chosen = queue_surprising(episodes, surprising, frames)
        elif name == "uncertain":
            chosen = queue_uncertain(scores or {})
        else:
            chosen = _order_of(curator, [EPISODE_QUEUES[name](episode, frames) for episode in episodes], seed)
        wanted = mixed(chosen, sampled, np.random.default_rng(seed))
    done = Coverage(verdict.clip for verdict in judged)
    waiting = [queued for queued in wanted if done.share(queued.clip) <= 0.5]
    if not curator:
        return waiting
    ids = {episode.episode_id for episode in episodes}
    in_library = [verdict for verdict in judged if verdict.clip.episode_id in ids]
    return with_repeats(waiting, in_library, {queued.clip: queued.reason for queued in wanted}, curator)


def _order_of(curator: str, by_episode: Sequence[Sequence[QueuedClip]], seed: int) -> list[QueuedClip]:
    """Return one curator's order, in which every twentieth clip is the next of a list that all curators share."""

    def is_shared(queued: QueuedClip) -> bool:
        return zlib.crc32(f"{seed} {queued.clip}".encode()) % SHARED_EVERY == 0

    shared = fair_order([[queued for queued in clips if is_shared(queued)] for clips in by_episode], seed)
    own = fair_order([[queued for queued in clips if not is_shared(queued)] for clips in by_episode], seed, curator)
    found: list[QueuedClip] = []
    for place, start in enumerate(range(0, len(own), SHARED_EVERY - 1)):
        found += [*shared[place : place + 1], *own[start : start + SHARED_EVERY - 1]]
    return found + shared[-(-len(own) // (SHARED_EVERY - 1)) :]


def fair_order(by_episode: Iterable[Sequence[QueuedClip]], seed: int, salt: str = "") -> list[QueuedClip]:
    """Return one clip of each episode in turn, the episodes and each episode's clips shuffled.

    An episode's place and the order of its clips depend only on the seed, the salt and its id, so adding episodes does
    not change the order of the others.
    """
    shuffled: list[tuple[float, list[QueuedClip]]] = []
    for clips in by_episode:
        if clips:
            name = clips[0].clip.episode_id
            rng = np.random.default_rng([seed, zlib.crc32(salt.encode()), zlib.crc32(name.encode())])
            place = float(rng.random())
            shuffled.append((place, [clips[i] for i in rng.permutation(len(clips))]))
    shuffled.sort(key=lambda one: (one[0], one[1][0].clip))
    longest = max((len(clips) for _, clips in shuffled), default=0)
    return [clips[turn] for turn in range(longest) for _, clips in shuffled if turn < len(clips)]


def mixed(chosen: Sequence[QueuedClip], sampled: Sequence[QueuedClip], rng: np.random.Generator) -> list[QueuedClip]:
    """Return ``chosen`` with the first of ``sampled`` mixed in: one at a random place in every ten clips."""
    block = round(1 / CHANCE_SHARE)
    extras = list(sampled[: -(-len(chosen) // (block - 1))])
    while True:
        covered = Coverage(queued.clip for queued in extras)
        rest = [queued for queued in chosen if covered.share(queued.clip) <= 0.5]
        # Dropping clips leaves room for fewer samples, but what replaces a dropped clip must be shown.
        room = max(-(-len(rest) // (block - 1)), 1)
        if len(extras) <= room:
            break
        extras = extras[:room]
    found: list[QueuedClip] = []
    for number, extra in enumerate(extras):
        part = rest[number * (block - 1) : (number + 1) * (block - 1)]
        part.insert(int(rng.integers(len(part) + 1)), extra)
        found += part
    return found + rest[len(extras) * (block - 1) :]


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
        return " and ".join(f"{points(amount)} at {frame_clock(row + 1)}" for row, amount in gains)
    total = sum(amount for _, amount in gains)
    return f"{points(total)} in {len(gains)} gains, {frame_clock(gains[0][0] + 1)} to {frame_clock(gains[-1][0] + 1)}"


@dataclass(frozen=True)
class FollowingQueue:
    """A queue with clips, offered at the end of another one."""

    name: str
    clips: tuple[QueuedClip, ...]


def following_queue(done: str, build: Callable[[str], Iterable[QueuedClip]]) -> FollowingQueue | None:
    """Return the first queue other than ``done`` that has clips. ``build`` returns a queue's waiting clips."""
    for name in QUEUES_TO_FOLLOW:
        if name != done and (clips := tuple(build(name))):
            return FollowingQueue(name, clips)
    return None


def with_repeats(
    waiting: Sequence[QueuedClip], judged: Sequence[Verdict], reasons: Mapping[Clip, str], curator: str
) -> list[QueuedClip]:
    """Return ``waiting`` with earlier clips repeated where they are due, to measure the curator's self-agreement.

    judged: the curator's verdicts, the oldest first. reasons: why each clip was shown. A repeat shows the reason of the
    first time and not that it is one, because that would influence the curator; its verdict records it as its queue.
    Which clips are repeated depends only on the curator's name and the number of verdicts, so a session continues where
    the last one ended.
    """
    repeated = sum(map(is_repeat, judged))
    order = [QueuedClip(v.clip, v.queue, _reason(v, reasons)) for v in judged] + list(waiting)
    not_again = {verdict.clip for verdict in judged if not _may_repeat(verdict)}
    found, last_place = list(waiting), -CATCHING_UP
    for added in itertools.count():
        turn = repeated + added
        due = REPEAT_EVERY * (turn + 1) - len(judged)
        place = max(due if due >= 0 else CATCHING_UP, last_place + CATCHING_UP)
        if place > len(waiting):
            return found
        now = len(judged) + place
        early_enough = [one for one in order[: max(0, now - FEWEST_BETWEEN)] if one.clip not in not_again]
        if not early_enough:
            return found
        pool = early_enough[-(REPEAT_EVERY - FEWEST_BETWEEN) :]
        chosen = pool[int(np.random.default_rng([zlib.crc32(curator.encode()), turn]).integers(len(pool)))]
        found.insert(place + added, QueuedClip(chosen.clip, REPEAT_PREFIX + chosen.queue, chosen.reason))
        not_again.add(chosen.clip)
        last_place = place
    raise AssertionError("unreachable: the count ends with the queue")


def _may_repeat(verdict: Verdict) -> bool:
    return not is_repeat(verdict) and verdict.queue != MANUAL_CUT and verdict.verdict != "skip"


def _reason(verdict: Verdict, reasons: Mapping[Clip, str]) -> str:
    at = frame_clock(verdict.clip.start)
    return reasons.get(verdict.clip) or (f"of the queue {verdict.queue}, at {at}" if verdict.queue else f"at {at}")


def unreadable_sentence(clips: int) -> str:
    """Return a sentence about clips that could not be shown; empty for none."""
    if not clips:
        return ""
    return f"{clips} clip{'s' * (clips != 1)} could not be read; `coach verify` finds what is broken."
