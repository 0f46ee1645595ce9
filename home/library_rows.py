"""The rows of the library window: episodes, filters and sort orders. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.clip import Verdict
from data.episode import EpisodeSummary
from data.errors import without_folder
from data.fitting_verdicts import fit_verdicts, frame_counts_of

FILTERS = ("game", "demonstrator", "player", "best")


BEST = {"any score": 1.0, "best tenth": 0.1, "best quarter": 0.25, "best half": 0.5}
"""The choices of the filter by score, and the share of episodes that each leaves."""

_CONDITION = re.compile(r"(<=|>=|<|>|=)\s*(-?\d+(?:\.\d+)?)$")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": lambda score, limit: score < limit,
    ">": lambda score, limit: score > limit,
    "<=": lambda score, limit: score <= limit,
    ">=": lambda score, limit: score >= limit,
    "=": lambda score, limit: score == limit,
}


@dataclass(frozen=True)
class EpisodeRow:
    """One episode, or one file that cannot be read; ``problem`` says why."""

    episode_id: str
    path: str
    game: str = ""
    demonstrator: str = ""
    player: str = ""
    created: str = ""
    score: float = 0.0
    seconds: float = 0.0
    frame_count: int = 0
    ended_by: str = ""
    good: int = 0
    bad: int = 0
    problem: str = ""

    @property
    def words(self) -> str:
        """The text that is searched."""
        return f"{self.episode_id} {self.game} {self.demonstrator} {self.player} {self.problem}".lower()


def rows_of(
    episodes: Iterable[EpisodeSummary], broken: Iterable[tuple[Path, str]], verdicts: Iterable[Verdict]
) -> list[EpisodeRow]:
    """Return rows of episodes and of unreadable files, with the number of good and bad clips in each."""
    episodes = list(episodes)
    fitting = fit_verdicts(verdicts, frame_counts_of(episodes)).fitting
    counts = Counter((verdict.clip.episode_id, verdict.verdict) for verdict in fitting)
    rows = [
        EpisodeRow(
            episode.episode_id,
            episode.path,
            episode.game,
            episode.demonstrator,
            episode.player,
            episode.created,
            episode.score,
            episode.seconds,
            episode.frame_count,
            episode.ended_by,
            counts[episode.episode_id, "good"],
            counts[episode.episode_id, "bad"],
        )
        for episode in episodes
    ]
    return rows + [EpisodeRow(path.stem, str(path), problem=without_folder(problem, path)) for path, problem in broken]


@dataclass(frozen=True)
class Filter:
    """What a row must match to be shown; empty: anything."""

    game: str = ""
    demonstrator: str = ""
    player: str = ""
    best: str = "any score"
    text: str = ""
    """Words that must all occur, and conditions on the score such as ">300"."""


def filtered(rows: Sequence[EpisodeRow], chosen: Filter) -> list[EpisodeRow]:
    """Return the rows that match a filter."""
    words, conditions = _parts(chosen.text)

    def matches(row: EpisodeRow) -> bool:
        # An unreadable file may be of any game, and must not be overlooked when one game is selected.
        if chosen.game not in ("", row.game) and not row.problem:
            return False
        if chosen.demonstrator not in ("", row.demonstrator) or chosen.player not in ("", row.player):
            return False
        if conditions and (row.problem or not all(_COMPARE[sign](row.score, limit) for sign, limit in conditions)):
            return False
        return all(word in row.words for word in words)

    found = [row for row in rows if matches(row)]
    share = BEST[chosen.best]
    if share == 1.0:
        return found
    scores = sorted((row.score for row in found if not row.problem), reverse=True)
    if not scores:
        return []
    least = scores[max(0, round(len(scores) * share) - 1)]
    return [row for row in found if not row.problem and row.score >= least]


def _parts(text: str) -> tuple[list[str], list[tuple[str, float]]]:
    words: list[str] = []
    conditions: list[tuple[str, float]] = []
    for word in re.sub(r"(<=|>=|<|>|=)\s+", r"\1", text.lower()).split():
        condition = _CONDITION.fullmatch(word.removeprefix("score"))
        if condition:
            conditions.append((condition[1], float(condition[2])))
        elif not re.fullmatch(r"(score)?(<=|>=|<|>|=)-?", word):  # a condition that is still being typed
            words.append(word)
    return words, conditions


SORTS: dict[str, Callable[[EpisodeRow], Any]] = {
    "recorded": lambda row: row.created,
    "game": lambda row: row.game,
    "by": lambda row: row.demonstrator,
    "player": lambda row: row.player.lower(),
    "score": lambda row: row.score,
    "length": lambda row: row.seconds,
    "verdicts": lambda row: row.good + row.bad,
}
"""What a list may be sorted by."""
DESCENDING = {"recorded", "score", "length", "verdicts"}
"""Columns that are sorted from the largest down."""


@dataclass(frozen=True)
class Order:
    """The column by which the list is sorted; ``reversed``: in the opposite of its usual direction."""

    by: str = "recorded"
    reversed: bool = False

    def then(self, by: str) -> Order:
        """Return the order after a click on a column's heading: by that column, or reversed if it was that already."""
        return replace(self, reversed=not self.reversed) if by == self.by else Order(by)

    @property
    def descending(self) -> bool:
        return (self.by in DESCENDING) != self.reversed


def sorted_rows(rows: Sequence[EpisodeRow], order: Order) -> list[EpisodeRow]:
    """Return rows in order, the newest first among equals, unreadable files at the end."""
    newest_first = sorted(rows, key=lambda row: (row.created, row.episode_id), reverse=True)
    whole = sorted((row for row in newest_first if not row.problem), key=SORTS[order.by], reverse=order.descending)
    return whole + [row for row in newest_first if row.problem]


def values_of(rows: Iterable[EpisodeRow], name: str) -> list[str]:
    """Return the values of a column for its filter, the most frequent first."""
    counts: Mapping[str, int] = Counter(value for row in rows if (value := getattr(row, name)))
    return sorted(counts, key=lambda value: (-counts[value], value))
