"""What the learned judge thinks of clips that nobody has judged: for the queue of its doubts, and when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from curator.clip_queue import fair_order, queue_uniform
from curator.learned_judge import LearnedJudge, load_judge
from curator.outline import EpisodeOutline
from curator.spans import Coverage
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile

MOST_SCORED = 600
"""So many clips are looked at, fairly over the episodes: enough to choose from, and soon done."""


def load_judges(library: Library, games: Iterable[str]) -> dict[str, LearnedJudge]:
    """The judges of those games that have one; raises CoachError if a judge's file cannot be read."""
    found = {game: load_judge(library, game) for game in set(games)}
    return {game: judge for game, judge in found.items() if judge is not None}


def require_judge(library: Library, game: str | None) -> None:
    """Raises CoachError, with what to do, where no judge was trained for any game of the library."""
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
    """The judge's probability of "good" for clips of about ``frames`` frames that the curator has not judged."""
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


def guess_in_words(outline: EpisodeOutline, judge: LearnedJudge | None, clip: Clip) -> str:
    """What the judge would say of a clip: "The judge would say good (83% sure)"."""
    if judge is None:
        return f"There is no learned judge of {outline.game} yet."
    with ReplayFile(outline.path) as replay:
        probability = float(judge.probabilities(replay, [clip])[0])
    verdict = "good" if probability > 0.5 else "bad"
    return f"The judge would say {verdict} ({max(probability, 1 - probability):.0%} sure)."
