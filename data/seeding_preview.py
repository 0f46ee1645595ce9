"""Preview of a seeding: what it would put into the replay memory."""

from __future__ import annotations

from dataclasses import dataclass, field

KEEPS = ("all", "not-bad", "good")
"""Which decisions are kept, by their verdicts: all, all but bad ones, good ones only."""
DEFAULT_KEEP = "not-bad"


@dataclass(frozen=True)
class SeedingPreview:
    """What ``coach train`` with the same sources, verdicts and ``keep`` puts into the memory before its first update.

    A recorded decision is one transition. Its verdict is the majority of the curators': "good", "bad" or "none".
    """

    game: str
    sources: tuple[str, ...]
    keep: str
    episodes: int
    """Replay files with at least one kept decision."""
    found: int
    """Decisions in all files that the sources name."""
    kept: int
    """Recorded decisions that are filled in."""
    random: int
    """Decisions of random play, generated when the training starts."""
    seconds: float
    """Duration of the kept decisions."""
    rewarded: int
    """Kept decisions that brought points."""
    points: float
    """Points of the kept decisions."""
    imitated: int
    """Kept decisions whose action is to be imitated."""
    mixed: int
    """Kept decisions in which more than one action was executed."""
    actions: dict[str, int]
    """Name of an action to kept decisions, in the agent's order of actions."""
    kept_by_verdict: dict[str, int]
    removed_by_verdict: dict[str, int]
    """Decisions that ``keep`` removes."""
    removed: dict[str, int]
    """Reason for removing decisions, in words, to their number, in the order in which the reasons are checked."""
    megabytes: float
    """Upper bound of the memory's size."""
    recorded_first: tuple[str, ...] = ()
    """Supplied agents whose play is recorded when the training starts."""
    to_record: int = 0
    """Decisions of that play."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Path of each file that is left out because it is damaged, to the reason."""

    @property
    def transitions(self) -> int:
        return self.kept + self.random + self.to_record

    @property
    def hours(self) -> float:
        return self.seconds / 3600

    @property
    def reward_share(self) -> float:
        """Share of the kept decisions that brought points."""
        return self.rewarded / self.kept if self.kept else 0.0
