"""Rules, written or learned, give verdicts on a whole library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from curator.learned_judge import JudgeFigures, LearnedJudge, train_judge
from curator.rules import Rule
from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES, Coverage, cut
from data.clip import RULE_PREFIX, Clip, Verdict
from data.episode import utc_now
from data.errors import AnswerIsNo, CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile

LEARNED_CURATOR = RULE_PREFIX + "learned"


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


@dataclass(frozen=True)
class LearnedSummary:
    """What a learned judge said of the episodes of one game."""

    curator: str
    game: str
    confidence: float
    episodes: int
    good: int
    """Verdicts that it gave."""
    bad: int
    unsure: int
    """Clips of which it was not sure enough."""
    judged_by_people: int
    """Clips that it left alone, because people judged most of them."""
    figures: JudgeFigures


def apply_learned_judge(
    library: Library,
    labels: LabelDatabase,
    confidence: float = 0.9,
    game: str | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[LearnedSummary]:
    """Train a judge on what people said and let it judge the rest, game by game, as curator ``rule:learned``.

    It gives a verdict only where it is sure: where its calibrated probability is at least ``confidence`` for good or
    for bad. What it said before is replaced. The judge and its figures are kept in the library. ``seed`` decides which
    episodes are held out together. ``on_progress`` is called with the number of episodes done and of all.
    Raises AnswerIsNo, and changes nothing, where for no game enough was said or nothing could be learned.
    """
    if not 0.5 < confidence < 1.0:
        raise CoachError(f"The confidence must lie between 0.5 and 1, not {confidence:g}.")
    standing = labels.verdicts()
    games = sorted({summary.game for summary in library.episodes(game)})
    judges, refusals = [], []
    for one in games:
        try:
            judges.append(train_judge(library, standing, one, np.random.default_rng(seed)))
        except AnswerIsNo as refusal:
            refusals.append(str(refusal))
    if not judges:
        raise AnswerIsNo(" ".join(refusals) or f"The library {library.folder} holds no episodes to judge.")
    people = Coverage(verdict.clip for verdict in standing if not verdict.by_rule and verdict.verdict != "skip")
    summaries = []
    for judge in judges:
        judge.save(library)
        summaries.append(_apply_judge(library, labels, judge, confidence, people, on_progress))
    return summaries


def _apply_judge(
    library: Library,
    labels: LabelDatabase,
    judge: LearnedJudge,
    confidence: float,
    people: Coverage,
    on_progress: Callable[[int, int], None] | None,
) -> LearnedSummary:
    frames = min(max(judge.clip_frames, SHORTEST_CLIP_FRAMES), LONGEST_CLIP_FRAMES)
    episodes = library.episodes(judge.game)
    given = utc_now()
    verdicts: list[Verdict] = []
    unsure = left_alone = 0
    for done, summary in enumerate(episodes):
        if on_progress:
            on_progress(done, len(episodes))
        with ReplayFile(summary.path) as replay:
            clips = episode_clips(summary.episode_id, replay.frame_count, frames)
            free = [clip for clip in clips if people.share(clip) <= 0.5]
            sure = judge.probabilities(replay, free)
        left_alone += len(clips) - len(free)
        for clip, probability in zip(free, sure, strict=True):
            if max(probability, 1 - probability) < confidence:
                unsure += 1
                continue
            verdict = "good" if probability > 0.5 else "bad"
            verdicts.append(Verdict(clip, LEARNED_CURATOR, verdict, given, f"good with probability {probability:.2f}"))
    labels.replace_rule(LEARNED_CURATOR, verdicts, [summary.episode_id for summary in episodes])
    if on_progress:
        on_progress(len(episodes), len(episodes))
    good = sum(verdict.verdict == "good" for verdict in verdicts)
    return LearnedSummary(
        curator=LEARNED_CURATOR,
        game=judge.game,
        confidence=confidence,
        episodes=len(episodes),
        good=good,
        bad=len(verdicts) - good,
        unsure=unsure,
        judged_by_people=left_alone,
        figures=judge.figures,
    )


def episode_clips(episode_id: str, frame_count: int, frames: int) -> Sequence[Clip]:
    """A whole episode as clips of about ``frames`` frames."""
    return [Clip(episode_id, *part) for part in cut((0, frame_count), frames)] if frame_count else []
