"""Clips that come a second time, unannounced, so that a curator's self-agreement can be measured."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from curator.outline import clock
from curator.queued_clip import BY_HAND, REPEAT_PREFIX, QueuedClip, is_repeat
from data.clip import Clip, Verdict

REPEAT_EVERY = 32
"""After so many clips judged for the first time one comes again: one showing in 33, or 3%."""
FEWEST_BETWEEN = 20
"""So many other clips, at least, lie between the two showings, so that one judges again and does not remember."""
CATCHING_UP = 8
"""Where repeats are overdue (verdicts from elsewhere), so many clips lie between them."""


def with_repeats(
    waiting: Sequence[QueuedClip], judged: Sequence[Verdict], reasons: Mapping[Clip, str], curator: str
) -> list[QueuedClip]:
    """``waiting`` with repeats put in where they are due.

    judged: the curator's standing verdicts, the one given first first. reasons: why a clip was shown. A repeat gives
    the reason of its first showing and does not say that it is one, because that would sway the curator; the verdict
    remembers it, by its queue. Which clips come again depends on the curator's name and on how many they have judged,
    so a sitting goes on where the last one ended.
    """
    repeated = sum(map(is_repeat, judged))
    order = [QueuedClip(v.clip, v.queue, _reason(v, reasons)) for v in judged] + list(waiting)
    never_again = {verdict.clip for verdict in judged if not _may_come_again(verdict)}
    found, last_place = list(waiting), -CATCHING_UP
    for added in itertools.count():
        turn = repeated + added
        due = REPEAT_EVERY * (turn + 1) - len(judged)
        place = max(due if due >= 0 else CATCHING_UP, last_place + CATCHING_UP)
        if place > len(waiting):
            return found
        now = len(judged) + place
        early_enough = [one for one in order[: max(0, now - FEWEST_BETWEEN)] if one.clip not in never_again]
        if not early_enough:
            return found
        pool = early_enough[-(REPEAT_EVERY - FEWEST_BETWEEN) :]
        chosen = pool[int(np.random.default_rng([zlib.crc32(curator.encode()), turn]).integers(len(pool)))]
        found.insert(place + added, QueuedClip(chosen.clip, REPEAT_PREFIX + chosen.queue, chosen.reason))
        never_again.add(chosen.clip)
        last_place = place
    raise AssertionError("counting ends with the queue")


def _may_come_again(verdict: Verdict) -> bool:
    return not is_repeat(verdict) and verdict.queue != BY_HAND and verdict.verdict != "skip"


def _reason(verdict: Verdict, reasons: Mapping[Clip, str]) -> str:
    at = clock(verdict.clip.start)
    return reasons.get(verdict.clip) or (f"of the queue {verdict.queue}, at {at}" if verdict.queue else f"at {at}")
