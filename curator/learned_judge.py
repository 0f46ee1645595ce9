"""A judge of clips that is trained on people's verdicts, and how well it does on episodes it was not trained on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from curator.clip_features import FEATURE_NAMES, PICTURE_FEATURES, clip_features
from data.clip import Clip, Verdict
from data.errors import AnswerIsNo, CoachError
from data.files import write_atomic
from data.game_names import display_name
from data.library import Library
from data.replay_file import ReplayFile

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
FEWEST_OF_EACH = 15
"""Good verdicts, and bad verdicts, that are needed at least."""
FEWEST_EPISODES = 3
MOST_FOLDS = 5
CERTAINTY_FACTOR = 3.0
"""Standard errors by which a judge must beat chance. One in seven hundred that learned nothing would."""
PICTURE_TRUST = 0.25
"""Scale of the picture features: they are many and the verdicts few, so their weights are held closer to 0."""
FORMAT, VERSION = "replay-coach-judge", 1


@dataclass(frozen=True)
class LogisticModel:
    """logit(x) = (x - mean) / spread . weights + bias; above 0 means "good"."""

    mean: np.ndarray
    """(F,) float64."""
    spread: np.ndarray
    """(F,) float64, above 0."""
    weights: np.ndarray
    """(F,) float64."""
    bias: float

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return (N,) float64 for (N, F) features."""
        # Not @: BLAS adds up in an order that depends on N, and a clip's logit must not depend on the other clips.
        return np.asarray(np.einsum("nf,f->n", (features - self.mean) / self.spread, self.weights) + self.bias)


def fit_logistic(features: np.ndarray, good: np.ndarray, trust: np.ndarray, penalty: float) -> LogisticModel:
    """Fit a logistic regression to features (N, F) and verdicts (N,) bool of both kinds, each kind weighing half.

    ``trust`` (F,): scale of each standardised feature, 0 to 1; a smaller one keeps its weight closer to 0. ``penalty``:
    of the squared weights (ridge). A feature that never varies gets the weight 0.
    """
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    varies = deviation > 1e-9
    spread = np.where(varies, deviation, 1.0) / trust
    x = np.where(varies, (features - mean) / spread, 0.0)  # [N, F]
    share = np.where(good, 0.5 / good.sum(), 0.5 / (~good).sum())  # [N]
    # Newton-CG: an eighth of the processor time of L-BFGS here.
    fitted = LogisticRegression(C=1 / penalty, solver="newton-cg", tol=1e-6).fit(x, good, sample_weight=share)
    return LogisticModel(mean, spread, fitted.coef_[0], float(fitted.intercept_[0]))


def episode_folds(episodes: np.ndarray, most_folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of each clip, (N,) int, so that no episode is in two folds; folds are about equally large.

    episodes: (N,) any kind of label.
    """
    from sklearn.model_selection import GroupKFold

    names, groups = np.unique(episodes, return_inverse=True)
    groups = rng.permutation(len(names))[groups]
    folds = np.zeros(len(episodes), dtype=int)
    splits = GroupKFold(min(most_folds, len(names))).split(folds, groups=groups)
    for number, (_, held_out) in enumerate(splits):
        folds[held_out] = number
    return folds


def held_out_logits(features: np.ndarray, good: np.ndarray, trust: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return (N,) logits, each from a model whose weights and penalty were found without the clip's fold."""
    logits = np.zeros(len(good))
    for fold in np.unique(folds):
        out = folds == fold
        if good[~out].all() or not good[~out].any():
            continue  # Nothing can be learned from one kind of verdict: the logit stays 0.
        penalty = best_penalty(features[~out], good[~out], trust, folds[~out])
        logits[out] = fit_logistic(features[~out], good[~out], trust, penalty).logits(features[out])
    return logits


def best_penalty(features: np.ndarray, good: np.ndarray, trust: np.ndarray, folds: np.ndarray) -> float:
    """Return the penalty with the smallest class-balanced log loss on held-out folds."""

    def loss(penalty: float) -> float:
        total = 0.0
        for fold in np.unique(folds):
            out = folds == fold
            if good[~out].all() or not good[~out].any():
                continue
            logits = fit_logistic(features[~out], good[~out], trust, penalty).logits(features[out])
            share = np.where(good[out], 0.5 / max(1, good.sum()), 0.5 / max(1, (~good).sum()))
            total += float(share @ np.logaddexp(0.0, np.where(good[out], -logits, logits)))
        return total

    return min(PENALTIES, key=loss)


def calibration(logits: np.ndarray, good: np.ndarray) -> tuple[float, float]:
    """Return (slope, offset) that turn held-out logits into probabilities: expit(slope * logit + offset).

    J. C. Platt (1999), "Probabilistic outputs for support vector machines", section 2, with its smoothed targets. The
    slope is at least 0, so that calibration never reverses a judgement.
    """
    from sklearn.linear_model import LogisticRegression

    n_good, n_bad = int(good.sum()), int((~good).sum())
    target = np.where(good, (n_good + 1) / (n_good + 2), 1 / (n_bad + 2))
    # A target between 0 and 1 is one example of each class, weighted by it.
    x, both = np.concatenate([logits, logits])[:, None], np.repeat([True, False], len(good))
    weights = np.concatenate([target, 1 - target]) / len(good)
    fitted = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000).fit(x, both, sample_weight=weights)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return (slope, offset) if slope >= 0 else (0.0, float(logit(target.mean())))


@dataclass(frozen=True)
class JudgeFigures:
    """How good a judge is, measured on episodes that it was not trained on."""

    verdicts: int
    good: int
    bad: int
    episodes: int
    balanced_accuracy: float
    """Mean of the shares of good and of bad clips that it classified correctly."""
    accuracy: float
    """Share of clips that it judged as the person did, with calibrated probabilities."""
    majority_accuracy: float
    """The same share for a judge that always gives the most frequent verdict."""
    standard_error: float
    """Of the balanced accuracy."""
    brier_score: float
    """Mean squared error of the calibrated probabilities; 0.25 is that of always 0.5."""

    @property
    def is_better_than_chance(self) -> bool:
        return self.balanced_accuracy - CERTAINTY_FACTOR * self.standard_error > 0.5


@dataclass(frozen=True)
class LearnedJudge:
    """A trained judge of clips of one game."""

    game: str
    model: LogisticModel
    slope: float
    offset: float
    """Calibration: probability = expit(slope * logit + offset)."""
    clip_frames: int
    """Median length of the clips that it was trained on, in frames."""
    figures: JudgeFigures

    def probabilities(self, replay: ReplayFile, clips: Sequence[Clip]) -> np.ndarray:
        """Return (N,) float64: the probability that people would call each clip of an episode good."""
        if not clips:
            return np.zeros(0)
        features = np.stack([clip_features(replay, clip) for clip in clips])
        return np.asarray(expit(self.slope * self.model.logits(features) + self.offset))

    def save(self, library: Library) -> Path:
        """Save the judge and its figures in the library as JSON."""
        path = judge_path(library, self.game)
        content = {
            "format": FORMAT,
            "version": VERSION,
            "game": self.game,
            "features": FEATURE_NAMES,
            "mean": self.model.mean.tolist(),
            "spread": self.model.spread.tolist(),
            "weights": self.model.weights.tolist(),
            "bias": self.model.bias,
            "slope": self.slope,
            "offset": self.offset,
            "clip_frames": self.clip_frames,
            "figures": asdict(self.figures),
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(content, indent=1))
        except OSError as error:
            raise CoachError(f"Cannot write the judge to {path}: {error.strerror or error}.") from error
        return path


def judge_path(library: Library, game: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9]{1,60}", game):
        raise CoachError(f"{game!r} is not the name of a game.")
    return library.folder / "judges" / f"{game}.json"


def load_judge(library: Library, game: str) -> LearnedJudge | None:
    """Return the judge of a game, or None if none was trained; raises CoachError if its file cannot be used."""
    path = judge_path(library, game)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("another format or version")
        if content["features"] != list(FEATURE_NAMES) or content["game"] != game:
            raise ValueError("other features or another game")
        arrays = [np.array(content[name], dtype=np.float64) for name in ("mean", "spread", "weights")]
        if any(a.shape != (len(FEATURE_NAMES),) or not np.isfinite(a).all() for a in arrays) or (arrays[1] <= 0).any():
            raise ValueError("invalid weights")
        return LearnedJudge(
            game=game,
            model=LogisticModel(arrays[0], arrays[1], arrays[2], float(content["bias"])),
            slope=float(content["slope"]),
            offset=float(content["offset"]),
            clip_frames=int(content["clip_frames"]),
            figures=JudgeFigures(**content["figures"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CoachError(
            f"Cannot use the judge {path} ({error}); train it again with `coach label --rule learned`, or delete it."
        ) from error


def train_judge(
    library: Library,
    verdicts: Iterable[Verdict],
    game: str,
    rng: np.random.Generator,
    on_progress: Callable[[int, int], None] | None = None,
) -> LearnedJudge:
    """Train a judge on people's verdicts on clips of one game, and measure it on held-out episodes.

    ``verdicts``: current ones of all curators. Those of rules and ties between people are left out. Raises AnswerIsNo
    if the verdicts are too few or nothing could be learned from them.
    """
    opinions = _opinions(verdicts)
    summaries = {summary.episode_id: summary for summary in library.episodes(game)}
    paths = {episode_id: summary.path for episode_id, summary in summaries.items()}
    clips = sorted(
        clip for clip in opinions if clip.episode_id in paths and clip.stop <= summaries[clip.episode_id].frame_count
    )
    good = np.array([opinions[clip] for clip in clips], dtype=bool)
    episodes = np.array([clip.episode_id for clip in clips])
    _require_enough(game, int(good.sum()), int((~good).sum()), len(set(episodes)))
    features = _read_features(clips, paths, on_progress)

    trust = np.ones(len(FEATURE_NAMES))
    trust[-PICTURE_FEATURES:] = PICTURE_TRUST
    folds = episode_folds(episodes, MOST_FOLDS, rng)
    logits = held_out_logits(features, good, trust, folds)
    slope, offset = calibration(logits, good)
    figures = measure(logits, expit(slope * logits + offset), good, len(set(episodes)))
    if not figures.is_better_than_chance:
        raise AnswerIsNo(
            f"No judge could be learned from these {figures.verdicts} verdicts on {display_name(game)}: on held-out "
            f"episodes its balanced accuracy was {figures.balanced_accuracy:.0%}, and guessing has 50%. "
            "Judge more clips, or judge them more consistently."
        )
    penalty = best_penalty(features, good, trust, folds)
    return LearnedJudge(
        game=game,
        model=fit_logistic(features, good, trust, penalty),
        slope=slope,
        offset=offset,
        clip_frames=int(np.median([clip.stop - clip.start for clip in clips])),
        figures=figures,
    )


def measure(logits: np.ndarray, probabilities: np.ndarray, good: np.ndarray, episodes: int) -> JudgeFigures:
    """Return the figures of held-out logits and calibrated probabilities (N,) beside people's verdicts (N,) bool."""
    n_good, n_bad = int(good.sum()), int((~good).sum())
    # A logit of exactly 0 is no prediction and counts as half right.
    right_good = float(np.mean((np.sign(logits[good]) + 1) / 2))
    right_bad = float(np.mean((1 - np.sign(logits[~good])) / 2))
    # One case is added to either side (Laplace), so that a share of 0 or 1 has an error too.
    shares = ((right_good * n_good + 1) / (n_good + 2), (right_bad * n_bad + 1) / (n_bad + 2))
    variance = shares[0] * (1 - shares[0]) / n_good + shares[1] * (1 - shares[1]) / n_bad
    return JudgeFigures(
        verdicts=len(good),
        good=n_good,
        bad=n_bad,
        episodes=episodes,
        balanced_accuracy=(right_good + right_bad) / 2,
        accuracy=float(np.mean((probabilities > 0.5) == good)),
        majority_accuracy=max(n_good, n_bad) / len(good),
        standard_error=float(np.sqrt(variance)) / 2,
        brier_score=float(np.mean((probabilities - good) ** 2)),
    )


def _opinions(verdicts: Iterable[Verdict]) -> dict[Clip, bool]:
    """Return the majority verdict of people on each clip: True for good."""
    balance: dict[Clip, int] = {}
    for verdict in verdicts:
        if verdict.verdict != "skip" and not verdict.by_rule:
            balance[verdict.clip] = balance.get(verdict.clip, 0) + (1 if verdict.verdict == "good" else -1)
    return {clip: value > 0 for clip, value in balance.items() if value}


def _require_enough(game: str, good: int, bad: int, episodes: int) -> None:
    if min(good, bad) < FEWEST_OF_EACH or episodes < FEWEST_EPISODES:
        raise AnswerIsNo(
            f"A judge of {display_name(game)} needs at least {FEWEST_OF_EACH} good and {FEWEST_OF_EACH} bad verdicts "
            f"of people, from {FEWEST_EPISODES} episodes; there are {good} good and {bad} bad, from {episodes}. "
            "Run `coach curate`."
        )


def _read_features(
    clips: Sequence[Clip], paths: dict[str, str], on_progress: Callable[[int, int], None] | None
) -> np.ndarray:
    """Return (N, F) features of clips that are sorted by episode."""
    found: list[np.ndarray] = []
    by_episode: dict[str, list[Clip]] = {}
    for clip in clips:
        by_episode.setdefault(clip.episode_id, []).append(clip)
    for episode_id, of_episode in by_episode.items():
        with ReplayFile(paths[episode_id]) as replay:
            for clip in of_episode:
                if on_progress:
                    on_progress(len(found), len(clips))
                found.append(clip_features(replay, clip))
    return np.stack(found)
