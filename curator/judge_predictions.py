"""Predictions of the learned judge: verdicts on a library, scores for the queue ``uncertain``, and a hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from curator.learned_judge import JudgeFigures, LearnedJudge, load_judge, train_judge
from curator.outline import EpisodeOutline
from curator.queued_clips import fair_order
from curator.queues import queue_uniform
from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES, Coverage, cut
from data.clip import RULE_PREFIX, Clip, Verdict
from data.episode import utc_now
from data.errors import AnswerIsNo, CoachError
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile

MOST_SCORED = 600
"""Clips that are scored, spread evenly over the episodes: enough to choose from, and quickly done."""


def load_judges(library: Library, games: Iterable[str]) -> dict[str, LearnedJudge]:
    """Return the judges of those games that have one; raises CoachError if a judge's file cannot be used."""
    found = {game: load_judge(library, game) for game in set(games)}
    return {game: judge for game, judge in found.items() if judge is not None}


def require_judge(library: Library, game: str | None) -> None:
    """Raise CoachError, with what to do, if no judge was trained for any game of the library."""
    if not load_judges(library, (summary.game for summary in library.episodes(game))):
        raise CoachError(
            "The queue uncertain needs a learned judge; judge clips of other queues, then run "
            "`coach label --rule learned`."
        )


def score_clips(
    outlines: Sequence[EpisodeOutline],
    judges: Mapping[str, LearnedJudge],
    frames: int,
    seed: int,
    judged: Iterable[Verdict],
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[Clip, float]:
    """Return the probability of "good" for clips of about ``frames`` frames that the curator has not judged."""
    of_judged_games = [outline for outline in outlines if outline.game in judges]
    done = Coverage(verdict.clip for verdict in judged)
    waiting = fair_order([queue_uniform(outline, frames) for outline in of_judged_games], seed)
    chosen = [queued.clip for queued in waiting if done.share(queued.clip) <= 0.5][:MOST_SCORED]
    scores: dict[Clip, float] = {}
    for outline in of_judged_games:
        clips = [clip for clip in chosen if clip.episode_id == outline.episode_id]
        if on_progress:
            on_progress(len(scores), len(chosen))
        if clips:
            with ReplayFile(outline.path) as replay:
                probabilities = judges[outline.game].probabilities(replay, clips)
            scores |= dict(zip(clips, probabilities.tolist(), strict=True))
    return scores


def prediction_in_words(outline: EpisodeOutline, judge: LearnedJudge | None, clip: Clip) -> str:
    """Return the judge's prediction for a clip as a sentence."""
    if judge is None:
        return f"There is no learned judge for {display_name(outline.game)} yet."
    with ReplayFile(outline.path) as replay:
        probability = float(judge.probabilities(replay, [clip])[0])
    verdict = "good" if probability > 0.5 else "bad"
    return f"The judge predicts {verdict} ({max(probability, 1 - probability):.0%} sure)."


LEARNED_CURATOR = RULE_PREFIX + "learned"


@dataclass(frozen=True)
class LearnedSummary:
    """The result of applying the learned judge to the episodes of one game."""

    curator: str
    game: str
    confidence: float
    episodes: int
    good: int
    """Verdicts of the judge."""
    bad: int
    unsure: int
    """Clips about which it was not sure enough."""
    judged_by_people: int
    """Clips that it skipped, because people judged most of them."""
    figures: JudgeFigures


def apply_learned_judge(
    library: Library,
    labels: LabelDatabase,
    confidence: float = 0.9,
    game: str | None = None,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[LearnedSummary]:
    """Train a judge on people's verdicts and let it judge the rest, game by game, as curator ``rule:learned``.

    It gives a verdict only where its calibrated probability of good or of bad is at least ``confidence``. Its earlier
    verdicts are replaced. The judge and its figures are saved in the library. ``seed`` decides which episodes are held
    out together. ``on_progress`` is called with the number of episodes done and the total.
    Raises AnswerIsNo, and changes nothing, if no game has enough verdicts or nothing could be learned.
    """
    if not 0.5 < confidence < 1.0:
        raise CoachError(f"The confidence must be between 0.5 and 1, not {confidence:g}.")
    standing = fit_verdicts(labels.verdicts(), frame_counts_of(library.episodes(game))).fitting
    games = sorted({summary.game for summary in library.episodes(game)})
    judges, refusals = [], []
    for one in games:
        try:
            judges.append(train_judge(library, standing, one, np.random.default_rng(seed)))
        except AnswerIsNo as refusal:
            refusals.append(str(refusal))
    if not judges:
        raise AnswerIsNo(" ".join(refusals) or f"The library {library.folder} has no episodes to judge.")
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
    unsure = skipped = 0
    for done, summary in enumerate(episodes):
        if on_progress:
            on_progress(done, len(episodes))
        with ReplayFile(summary.path) as replay:
            clips = episode_clips(summary.episode_id, replay.frame_count, frames)
            unjudged = [clip for clip in clips if people.share(clip) <= 0.5]
            probabilities = judge.probabilities(replay, unjudged)
        skipped += len(clips) - len(unjudged)
        for clip, probability in zip(unjudged, probabilities, strict=True):
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
        judged_by_people=skipped,
        figures=judge.figures,
    )


def episode_clips(episode_id: str, frame_count: int, frames: int) -> Sequence[Clip]:
    """Return a whole episode as clips of about ``frames`` frames."""
    return [Clip(episode_id, *part) for part in cut((0, frame_count), frames)] if frame_count else []
