"""Clips that wait for a verdict: how every queue mixes in random samples, shared clips and repeats."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.spans import Coverage
from data.clip import Clip, Verdict
from data.durations import frame_clock

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


@dataclass(frozen=True)
class QueuedClip:
    """A clip that waits for a verdict."""

    clip: Clip
    queue: str
    """Its queue, such as "before-reward" or "uniform"."""
    reason: str
    """Why it is shown, in words: "20 points at 0:41"."""

    @property
    def is_repeat(self) -> bool:
        return self.queue.startswith(REPEAT_PREFIX)


def is_repeat(verdict: Verdict) -> bool:
    """Return whether a verdict was given on a clip that the queue showed a second time."""
    return verdict.queue.startswith(REPEAT_PREFIX)


def order_of(curator: str, by_episode: Sequence[Sequence[QueuedClip]], seed: int) -> list[QueuedClip]:
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
