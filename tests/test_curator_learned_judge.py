"""The learned judge: it learns what people mean, says how well, and refuses where nothing can be learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded_episodes import record_random_play

from curator.clip_features import FEATURE_NAMES, clip_features
from curator.judge_predictions import (
    apply_learned_judge,
    episode_clips,
    load_judges,
    prediction_in_words,
    require_judge,
    score_clips,
)
from curator.learned_judge import (
    LearnedJudge,
    calibration,
    episode_folds,
    fit_logistic,
    held_out_logits,
    judge_path,
    load_judge,
    measure,
    train_judge,
)
from curator.outline import EpisodeOutline, read_outlines
from curator.queues import build_queue
from curator.rules import Rule, apply_rule
from data.clip import Clip, Verdict
from data.errors import AnswerIsNo, CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile

GAME = "SpaceInvaders"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    for seed in range(8):
        record_random_play(library, 2500, seed)
    return library


@pytest.fixture(scope="module")
def outlines(library: Library) -> list[EpisodeOutline]:
    return read_outlines(library)


@pytest.fixture(scope="module")
def judge(library: Library, outlines: list[EpisodeOutline]) -> LearnedJudge:
    return train_judge(library, planted(outlines), GAME, np.random.default_rng(0))


@pytest.fixture
def labels(tmp_path: Path) -> Iterator[LabelDatabase]:
    with LabelDatabase(tmp_path / "labels.sqlite") as database:
        yield database


def planted(outlines: list[EpisodeOutline], number: int = 200) -> list[Verdict]:
    """A person who calls a clip good that has a hit within its last second, and bad that has a lost life there."""
    found = []
    for outline in outlines:
        for clip in (Clip(outline.episode_id, s, s + 120) for s in range(0, outline.frame_count - 120, 20)):
            hit = any(clip.stop - 60 <= row < clip.stop for row, _ in outline.gains)
            died = any(clip.stop - 60 <= row < clip.stop for row in outline.deaths)
            if hit != died:
                found.append(Verdict(clip, "Ann", "good" if hit else "bad"))
    order = np.random.default_rng(0).permutation(len(found))
    return [found[i] for i in order[:number]]


def by_chance(verdicts: list[Verdict], seed: int) -> list[Verdict]:
    rng = np.random.default_rng(seed)
    return [Verdict(verdict.clip, "Ann", str(rng.choice(["good", "bad"]))) for verdict in verdicts]


def test_it_learns_a_planted_rule_from_two_hundred_verdicts(judge: LearnedJudge) -> None:
    figures = judge.figures
    assert (figures.verdicts, figures.episodes) == (200, 8)
    assert figures.balanced_accuracy >= 0.9
    assert figures.accuracy > figures.majority_accuracy


@pytest.mark.parametrize("seed", range(2))
def test_it_is_refused_on_random_verdicts(library: Library, outlines: list[EpisodeOutline], seed: int) -> None:
    with pytest.raises(AnswerIsNo, match="No judge could be learned"):
        train_judge(library, by_chance(planted(outlines), seed), GAME, np.random.default_rng(0))


def test_it_is_refused_with_too_few_verdicts_or_too_few_episodes(
    library: Library, outlines: list[EpisodeOutline]
) -> None:
    verdicts = planted(outlines, 400)
    with pytest.raises(AnswerIsNo, match="at least 15 good and 15 bad"):
        train_judge(library, verdicts[:20], GAME, np.random.default_rng(0))
    one_kind = [Verdict(verdict.clip, "Ann", "good") for verdict in verdicts]
    with pytest.raises(AnswerIsNo, match="0 bad"):
        train_judge(library, one_kind, GAME, np.random.default_rng(0))
    two = {outlines[0].episode_id, outlines[1].episode_id}
    with pytest.raises(AnswerIsNo, match="from 2"):
        train_judge(library, [v for v in verdicts if v.clip.episode_id in two] * 5, GAME, np.random.default_rng(0))


def test_rules_skips_and_ties_are_left_out(library: Library, outlines: list[EpisodeOutline]) -> None:
    verdicts = planted(outlines, 160)
    noise = [Verdict(v.clip, "rule:before-reward", "bad") for v in verdicts]
    noise += [Verdict(v.clip, "Bob", "skip") for v in verdicts]
    tie = verdicts[0]
    against = Verdict(tie.clip, "Bob", "bad" if tie.verdict == "good" else "good")
    figures = train_judge(library, [*verdicts, *noise, against], GAME, np.random.default_rng(0)).figures
    assert figures.verdicts == 159


def test_no_episode_is_in_two_folds_and_folds_are_alike_in_size() -> None:
    episodes = np.repeat(["a", "b", "c", "d", "e", "f", "g"], [50, 10, 10, 10, 10, 5, 5])
    folds = episode_folds(episodes, 3, np.random.default_rng(0))
    assert all(len(set(folds[episodes == name])) == 1 for name in "abcdefg")
    assert sorted(np.bincount(folds)) == [25, 25, 50]


def test_a_judge_that_says_what_it_saw_in_training_is_refused() -> None:
    """Figures come from held-out episodes: what tells episodes apart, and nothing else, earns no trust."""
    rng = np.random.default_rng(0)
    episodes = np.repeat(np.arange(12), 20)
    good = np.repeat(rng.permutation(np.arange(12) % 2), 20).astype(bool)
    features = np.eye(12)[episodes] + rng.normal(0, 0.01, (240, 12))
    model = fit_logistic(features, good, np.ones(12), 0.003)
    assert np.mean((model.logits(features) > 0) == good) == 1.0
    held_out = held_out_logits(features, good, np.ones(12), episode_folds(episodes, 5, rng))
    assert not measure(held_out, np.full(240, 0.5), good, 12).is_better_than_chance


def test_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 2, 5000)
    good = rng.random(5000) < 1 / (1 + np.exp(-truth))
    slope, offset = calibration(3 * truth + 1, good)
    assert slope == pytest.approx(1 / 3, abs=0.03)
    assert offset == pytest.approx(-1 / 3, abs=0.1)


def test_features_are_what_their_names_say(library: Library, outlines: list[EpisodeOutline]) -> None:
    outline = next(one for one in outlines if one.gains and one.deaths)
    row, amount = outline.gains[0]
    death = outline.deaths[0]

    def told(clip: Clip) -> dict[str, float]:
        with ReplayFile(library.episode_path(outline.episode_id)) as replay:
            return dict(zip(FEATURE_NAMES, clip_features(replay, clip).tolist(), strict=True))

    start = max(0, row - 100)
    ends_with_points, before_points = (
        told(Clip(outline.episode_id, start, row + 1)),
        told(Clip(outline.episode_id, start, row)),
    )
    assert ends_with_points["points in the last second"] >= np.log1p(amount) - 1e-6
    assert before_points["points in the second after"] >= np.log1p(amount) - 1e-6
    assert before_points["rewarded frames"] < ends_with_points["rewarded frames"]
    dies = told(Clip(outline.episode_id, max(0, death - 30), death + 1))
    lives_on = told(Clip(outline.episode_id, max(0, death - 30), death))
    assert (dies["life lost"], dies["life lost in the last second"]) == (1.0, 1.0)
    assert (lives_on["life lost"], lives_on["life lost in the second after"]) == (0.0, 1.0)
    assert 0.0 <= ends_with_points["share of FIRE"] <= 1.0
    assert all(np.isfinite(value) for value in ends_with_points.values())


def test_it_judges_what_people_have_not_and_only_where_it_is_sure(
    library: Library, outlines: list[EpisodeOutline], labels: LabelDatabase
) -> None:
    verdicts = planted(outlines)
    for verdict in verdicts:
        labels.record(verdict)
    told: list[tuple[int, int]] = []
    (summary,) = apply_learned_judge(library, labels, 0.9, on_progress=lambda *done: told.append(done))
    given = labels.verdicts(curator="rule:learned")
    assert len(given) == summary.good + summary.bad > 0
    assert {verdict.clip for verdict in given}.isdisjoint({verdict.clip for verdict in verdicts})
    assert all(not 0.1 < float(verdict.note.split()[-1]) < 0.9 for verdict in given)
    assert told[-1] == (8, 8)
    stricter = apply_learned_judge(library, labels, 0.99)[0]
    assert stricter.unsure > summary.unsure
    assert len(labels.verdicts(curator="rule:learned")) == stricter.good + stricter.bad
    assert labels.verdicts(curator="Ann") == verdicts


def test_where_nothing_can_be_learned_nothing_is_changed(
    library: Library, outlines: list[EpisodeOutline], labels: LabelDatabase, tmp_path: Path
) -> None:
    for verdict in by_chance(planted(outlines), 0):
        labels.record(verdict)
    before = labels.verdicts()
    with pytest.raises(AnswerIsNo):
        apply_learned_judge(library, labels)
    assert labels.verdicts() == before
    with pytest.raises(CoachError, match="confidence must be between"):
        apply_learned_judge(library, labels, 1.5)
    with pytest.raises(AnswerIsNo, match="has no episodes to judge"):
        apply_learned_judge(Library(tmp_path / "empty"), labels)


def test_a_saved_judge_judges_as_it_did(library: Library, outlines: list[EpisodeOutline], judge: LearnedJudge) -> None:
    judge.save(library)
    again = load_judge(library, GAME)
    assert again is not None and again.figures == judge.figures
    clips = episode_clips(outlines[0].episode_id, outlines[0].frame_count, 120)
    with ReplayFile(outlines[0].path) as replay:
        np.testing.assert_array_equal(judge.probabilities(replay, clips), again.probabilities(replay, clips))


def test_a_judges_file_that_is_not_right_is_refused(library: Library, judge: LearnedJudge) -> None:
    path = judge_path(library, GAME)
    judge.save(library)
    content = json.loads(path.read_text())
    wrong = {
        "version": 2,
        "features": ["a"],
        "game": "Pong",
        "weights": [1],
        "bias": "x",
        "figures": {},
        "spread": None,
    }
    for name, value in wrong.items():
        path.write_text(json.dumps({**content, name: value}))
        with pytest.raises(CoachError, match="Cannot use the judge"):
            load_judge(library, GAME)
    path.unlink()
    assert load_judge(library, GAME) is None


def test_a_rules_verdicts_do_not_make_a_judge(library: Library, labels: LabelDatabase) -> None:
    apply_rule(library, labels, Rule("before-reward"))
    apply_rule(library, labels, Rule("before-death"))
    with pytest.raises(AnswerIsNo, match="there are 0 good and 0 bad"):
        apply_learned_judge(library, labels)


def test_the_queue_uncertain_begins_with_the_clip_of_which_the_judge_is_least_sure(
    library: Library, outlines: list[EpisodeOutline], judge: LearnedJudge
) -> None:
    judged = planted(outlines, 50)
    scores = score_clips(outlines, {GAME: judge}, 180, 0, judged)
    queue = build_queue(outlines, "uncertain", 3.0, 0, judged, scores=scores)
    doubts = [abs(scores[one.clip] - 0.5) for one in queue if one.queue == "uncertain"]
    assert len(doubts) > 20
    assert doubts == sorted(doubts)
    assert any(one.queue == "uniform" for one in queue)
    with ReplayFile(library.episode_path(queue[0].clip.episode_id)) as replay:
        assert judge.probabilities(replay, [queue[0].clip])[0] == pytest.approx(scores[queue[0].clip])


def test_without_a_judge_the_queue_uncertain_is_refused_with_what_to_do(
    library: Library, outlines: list[EpisodeOutline], judge: LearnedJudge
) -> None:
    judge_path(library, GAME).unlink(missing_ok=True)
    with pytest.raises(CoachError, match="run `coach label --rule learned`"):
        require_judge(library, None)
    judge.save(library)
    require_judge(library, GAME)
    clip = Clip(outlines[0].episode_id, 0, 120)
    assert "sure" in prediction_in_words(outlines[0], load_judges(library, [GAME, "Pong"])[GAME], clip)
    assert prediction_in_words(outlines[0], None, clip) == "There is no learned judge for Space Invaders yet."
