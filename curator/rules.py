"""Rules that give verdicts by the game's own events: good before points, bad before a lost life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from curator.outline import death_frames, rewarded_frames
from curator.spans import windows_ending_at
from data.clip import RULE_PREFIX, Clip, Verdict
from data.episode import MAX_EPISODE_FRAMES, utc_now
from data.errors import CoachError
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile

DEFAULT_RULE_FRAMES = 120
RULE_VERDICTS = {"before-reward": "good", "before-death": "bad"}


@dataclass(frozen=True)
class Rule:
    """A rule with its parameters."""

    name: str
    """One of RULE_VERDICTS."""
    frames: int = DEFAULT_RULE_FRAMES
    """Length of a clip, in frames; the event is in its last frame."""

    @property
    def verdict(self) -> str:
        return RULE_VERDICTS[self.name]

    @property
    def curator(self) -> str:
        """The same for all parameters, so that a rule run again with others replaces its verdicts."""
        return RULE_PREFIX + self.name

    @property
    def note(self) -> str:
        return f"frames={self.frames}"

    def clips(self, rewards: np.ndarray, lives: np.ndarray, episode_id: str) -> list[Clip]:
        """Return the clips of one episode that get the verdict. rewards: (T,) float32; lives: (T+1,) uint8."""
        match self.name:
            case "before-reward":
                return before_reward(rewards, episode_id, self.frames)
            case "before-death":
                return before_death(lives, episode_id, self.frames)
        raise AssertionError(f"The rule {self.name} has no clips.")


def parse_rule(text: str) -> Rule:
    """Read ``before-reward``, ``before-death:frames=60`` and the like; raises CoachError for anything else."""
    name, _, parameters = text.strip().partition(":")
    if name not in RULE_VERDICTS:
        raise CoachError(f"There is no rule called {name!r}; the rules are {' and '.join(RULE_VERDICTS)}.")
    if not parameters:
        return Rule(name)
    key, _, value = parameters.partition("=")
    if key.strip() != "frames" or not value.strip().isascii() or not value.strip().isdigit():
        raise CoachError(f"Cannot read the rule {text!r}; write it as {name}:frames=60.")
    frames = int(value)
    if not 1 <= frames <= MAX_EPISODE_FRAMES:
        raise CoachError(f"The frames of a rule must be between 1 and {MAX_EPISODE_FRAMES}, not {frames}.")
    return Rule(name, frames)


def before_reward(rewards: np.ndarray, episode_id: str, frames: int = DEFAULT_RULE_FRAMES) -> list[Clip]:
    """Return clips of the last ``frames`` frames up to and including each frame that brought points.

    rewards: (T,) float32, unclipped; only positive ones count. Clips that overlap are merged, and the episode's start
    cuts them short.
    """
    return [Clip(episode_id, *span) for span in windows_ending_at(rewarded_frames(rewards), frames)]


def before_death(lives: np.ndarray, episode_id: str, frames: int = DEFAULT_RULE_FRAMES) -> list[Clip]:
    """Return clips of the last ``frames`` frames up to and including each frame in which a life was lost.

    lives: (T+1,) uint8. Clips that overlap are merged, and the episode's start cuts them short. A game without lives
    has no such clips.
    """
    return [Clip(episode_id, *span) for span in windows_ending_at(death_frames(lives), frames)]


@dataclass(frozen=True)
class RuleSummary:
    """The result of applying a rule to a library."""

    curator: str
    verdict: str
    episodes: int
    """Episodes that were judged."""
    episodes_with_clips: int
    clips: int
    """Current verdicts of the rule on these episodes."""
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
    """Apply a rule to every episode of a library, or of one game.

    Earlier verdicts of the same rule on these episodes are replaced, whatever its parameters were. ``on_progress`` is
    called with the number of episodes done and the total. Raises CoachError, and changes nothing, if there are no
    episodes.
    """
    summaries = library.episodes(game)
    if not summaries:
        of_game = f" of {display_name(game)}" if game else ""
        raise CoachError(f"The library {library.folder} has no episodes{of_game}; run `coach play` to record one.")
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
