"""Rules give verdicts on a whole library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from curator.rules import Rule
from data.clip import Verdict
from data.episode import utc_now
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile


@dataclass(frozen=True)
class RuleSummary:
    """What a rule said of a library."""

    curator: str
    verdict: str
    episodes: int
    """Episodes that were looked at."""
    episodes_with_clips: int
    clips: int
    """Verdicts of the rule that stand now, on these episodes."""
    frames: int
    """Frames that they cover."""
    frames_in_all: int

    @property
    def share(self) -> float:
        """Share of all frames that the rule judged."""
        return self.frames / self.frames_in_all if self.frames_in_all else 0.0


def apply_rule(
    library: Library,
    labels: LabelDatabase,
    rule: Rule,
    game: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RuleSummary:
    """Let a rule judge every episode of a library, or every one of one game.

    What the same rule said of these episodes before is replaced, whatever its parameters were; verdicts of others
    stay as they are. ``on_progress`` is called with the number of episodes done and of all episodes. Raises
    CoachError where there is no episode, and then changes nothing.
    """
    summaries = library.episodes(game)
    if not summaries:
        of_game = f" of {game}" if game else ""
        raise CoachError(f"The library {library.folder} holds no episodes{of_game}; run `coach play` to record one.")
    given = utc_now()
    verdicts: list[Verdict] = []
    with_clips = 0
    for done, summary in enumerate(summaries):
        if on_progress:
            on_progress(done, len(summaries))
        with ReplayFile(summary.path) as replay:
            clips = rule.clips(replay.rewards, replay.lives, summary.episode_id)
        with_clips += bool(clips)
        verdicts += [Verdict(clip, rule.curator, rule.verdict, given, rule.note) for clip in clips]
    stand = labels.replace_rule(rule.curator, verdicts, [summary.episode_id for summary in summaries])
    if on_progress:
        on_progress(len(summaries), len(summaries))
    return RuleSummary(
        curator=rule.curator,
        verdict=rule.verdict,
        episodes=len(summaries),
        episodes_with_clips=with_clips,
        clips=stand,
        frames=sum(verdict.clip.stop - verdict.clip.start for verdict in verdicts),
        frames_in_all=sum(summary.frame_count for summary in summaries),
    )
