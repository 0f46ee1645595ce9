"""Which verdicts fit the episodes of a library, and which refer to episodes or frames that it does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from data.clip import VERDICTS, Clip, Verdict
from data.counted import counted
from data.episode import EpisodeSummary

MOST_NAMED = 3
"""Number of episodes that a sentence names."""


@dataclass(frozen=True)
class FittedVerdicts:
    """Verdicts, divided by whether the library has the frames that they judge."""

    fitting: list[Verdict]
    without_episode: dict[str, int]
    """Verdicts on each episode that the library does not have: it may be in the trash, or in another library."""
    beyond_end: dict[str, int]
    """Verdicts on frames that an episode does not have, by episode."""

    @property
    def left_out(self) -> int:
        """Number of verdicts that do not fit."""
        return sum(self.without_episode.values()) + sum(self.beyond_end.values())

    def sentences(self) -> list[str]:
        """Return what does not fit, a sentence for each kind."""
        kinds = (
            (self.beyond_end, "on frames that the episode does not have"),
            (self.without_episode, "on episodes that are not in this library"),
        )
        return [_sentence(found, what) for found, what in kinds if found]

    def facts(self) -> dict[str, dict[str, int]]:
        """Return the numbers of what does not fit, as plain values."""
        return {"without_episode": self.without_episode, "beyond_end": self.beyond_end}


def _sentence(found: Mapping[str, int], what: str) -> str:
    number = sum(found.values())
    names = sorted(found)
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    verb = "is" if number == 1 else "are"
    return f"{counted(number, 'verdict')} {verb} {what}, and not used: {', '.join(names[:MOST_NAMED])}{more}."


def fits(clip: Clip, frame_count: int) -> bool:
    """Return whether an episode of ``frame_count`` actions, which has one frame more, has all frames of a clip."""
    return clip.stop <= frame_count + 1


def frame_counts_of(episodes: Iterable[EpisodeSummary]) -> dict[str, int]:
    """Return the number of actions of each episode, by id."""
    return {episode.episode_id: episode.frame_count for episode in episodes}


def fit_verdicts(verdicts: Iterable[Verdict], frame_counts: Mapping[str, int]) -> FittedVerdicts:
    """Divide verdicts by whether they fit the episodes, whose numbers of actions are given by id."""
    fitting: list[Verdict] = []
    without_episode: Counter[str] = Counter()
    beyond_end: Counter[str] = Counter()
    for verdict in verdicts:
        episode_id = verdict.clip.episode_id
        if episode_id not in frame_counts:
            without_episode[episode_id] += 1
        elif not fits(verdict.clip, frame_counts[episode_id]):
            beyond_end[episode_id] += 1
        else:
            fitting.append(verdict)
    return FittedVerdicts(fitting, dict(without_episode), dict(beyond_end))


def counts_by_curator(verdicts: Iterable[Verdict]) -> dict[str, dict[str, int]]:
    """Return curator -> verdict -> number, each with all three verdicts, the curators sorted."""
    found: dict[str, dict[str, int]] = {}
    for verdict in verdicts:
        found.setdefault(verdict.curator, dict.fromkeys(VERDICTS, 0))[verdict.verdict] += 1
    return dict(sorted(found.items()))
