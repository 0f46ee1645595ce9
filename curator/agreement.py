"""How far curators agree with one another and with themselves, and which clips are disputed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from curator.queued_clips import is_repeat
from data.clip import Clip, Verdict

SAME_CLIP_SHARE = 0.8
"""Two clips of one episode count as the same if this share of their union is in both."""


@dataclass(frozen=True)
class DisputedClip:
    """A clip that some people called good and others bad."""

    clip: Clip
    good: tuple[str, ...]
    """Curators who called it good, sorted."""
    bad: tuple[str, ...]


@dataclass(frozen=True)
class Agreement:
    """Agreement among people's verdicts. Rules and skips are left out."""

    curators: tuple[str, ...]
    shared_clips: int
    """Clips that at least two people called good or bad."""
    alpha: float | None
    """Krippendorff's alpha over these clips: 1 is full agreement, 0 chance level; None if it is not defined."""
    self_agreement: Mapping[str, tuple[int, int]]
    """Curator -> (same verdict, all) of the clips that the queue repeated and that they called good or bad twice.

    Verdicts on a reopened clip are corrections and do not count."""
    disputed: tuple[DisputedClip, ...]
    """Sorted by the number of people in the minority, the most first."""


def agreement(history: Iterable[Verdict]) -> Agreement:
    """Return the agreement among verdicts that were not undone, given in this order."""
    given = [verdict for verdict in history if not verdict.by_rule and verdict.verdict != "skip"]
    same = _same_clips({verdict.clip for verdict in given})
    latest: dict[Clip, dict[str, str]] = {}
    for verdict in given:
        latest.setdefault(same[verdict.clip], {})[verdict.curator] = verdict.verdict
    shared = {clip: voices for clip, voices in latest.items() if len(voices) > 1}
    disputed = [
        DisputedClip(clip, _who(voices, "good"), _who(voices, "bad"))
        for clip, voices in shared.items()
        if len(set(voices.values())) > 1
    ]
    disputed.sort(key=lambda one: (-min(len(one.good), len(one.bad)), -len(one.good) - len(one.bad), one.clip))
    return Agreement(
        curators=tuple(sorted({verdict.curator for verdict in given})),
        shared_clips=len(shared),
        alpha=krippendorff_alpha([list(voices.values()) for voices in shared.values()]),
        self_agreement=_self_agreement(given),
        disputed=tuple(disputed),
    )


def _self_agreement(given: Iterable[Verdict]) -> dict[str, tuple[int, int]]:
    """Compare the last verdict on a clip before it was repeated with the last one after that."""
    before: dict[tuple[str, Clip], str] = {}
    after: dict[tuple[str, Clip], str] = {}
    for verdict in given:
        (after if is_repeat(verdict) else before)[verdict.curator, verdict.clip] = verdict.verdict
    found: dict[str, tuple[int, int]] = {}
    for key in sorted(after.keys() & before.keys()):
        alike, twice = found.get(key[0], (0, 0))
        found[key[0]] = (alike + (before[key] == after[key]), twice + 1)
    return found


def krippendorff_alpha(units: Iterable[list[str]]) -> float | None:
    """Return Krippendorff's alpha for nominal values. ``units``: the verdicts on each clip, of any number of people.

    K. Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section C: alpha = 1 - D_o / D_e, from the
    matrix of coincidences. None if fewer than two values can be paired or all values are the same.
    """
    total, disagreements = 0.0, 0.0
    counts: dict[str, int] = {}
    for unit in units:
        if len(unit) < 2:
            continue
        total += len(unit)
        pairs = len(unit) * (len(unit) - 1)
        alike = sum(unit.count(value) * (unit.count(value) - 1) for value in set(unit))
        disagreements += (pairs - alike) / (len(unit) - 1)
        for value in unit:
            counts[value] = counts.get(value, 0) + 1
    expected = total * total - sum(number * number for number in counts.values())
    if total < 2 or expected == 0:
        return None
    return 1.0 - (total - 1) * disagreements / expected


def _who(voices: Mapping[str, str], verdict: str) -> tuple[str, ...]:
    return tuple(sorted(curator for curator, said in voices.items() if said == verdict))


def _same_clips(clips: Iterable[Clip]) -> dict[Clip, Clip]:
    """Map each clip to the first one that is nearly the same, or to itself; cuts may differ by a few frames."""
    same: dict[Clip, Clip] = {}
    open_clips: list[Clip] = []
    for clip in sorted(clips):
        open_clips = [one for one in open_clips if one.episode_id == clip.episode_id and one.stop > clip.start]
        for one in open_clips:
            common = min(one.stop, clip.stop) - clip.start
            if common >= SAME_CLIP_SHARE * (max(one.stop, clip.stop) - one.start):
                same[clip] = one
                break
        else:
            same[clip] = clip
            open_clips.append(clip)
    return same
