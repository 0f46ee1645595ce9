"""A judge that learns from people's verdicts what they mean, and says how far it can be trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from curator.clip_features import FEATURE_NAMES, PICTURE_FEATURES, clip_features
from data.clip import Clip, Verdict
from data.errors import AnswerIsNo, CoachError
from data.files import write_atomic
from data.library import Library
from data.replay_file import ReplayFile

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
BIAS_PENALTY = 1e-6
"""Hardly any, but enough for the loss to have one lowest point."""


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
        """(N,) float64 of (N, F) features."""
        return np.asarray(np.einsum("nf,f->n", (features - self.mean) / self.spread, self.weights) + self.bias)


def fit_logistic(features: np.ndarray, good: np.ndarray, trust: np.ndarray, penalty: float) -> LogisticModel:
    """Fit to features (N, F) and verdicts (N,) bool, both kinds of verdict counting alike in sum.

    ``trust`` (F,): how freely each feature's weight may grow (0 to 1). ``penalty``: weight of the squared weights
    (ridge). A feature that never varies gets no weight.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    spread = np.where(deviation > 1e-9, deviation, 1.0) / trust
    x = np.where(deviation > 1e-9, (features - mean) / spread, 0.0)  # [N, F]
    x = np.column_stack([x, np.ones(len(x))])  # [N, F + 1], the bias last
    sign = np.where(good, 1.0, -1.0)
    share = np.where(good, 0.5 / max(1, good.sum()), 0.5 / max(1, (~good).sum()))  # [N]
    ridge = np.append(np.full(len(mean), penalty), BIAS_PENALTY)

    # einsum, not @, and no matrix is inverted: on a busy machine BLAS's threads wait for one another far longer than
    # these small sums take (measured: 13 s with eight other processes on two cores, 1 s so).
    def loss(found: np.ndarray) -> float:
        margin = sign * np.einsum("nf,f->n", x, found)
        return float(np.sum(share * np.logaddexp(0.0, -margin)) + 0.5 * np.sum(ridge * found**2))

    def slope(found: np.ndarray) -> np.ndarray:
        wrong = expit(-sign * np.einsum("nf,f->n", x, found))  # [N]
        return np.asarray(ridge * found - np.einsum("nf,n->f", x, share * sign * wrong))

    def curvature_along(found: np.ndarray, direction: np.ndarray) -> np.ndarray:
        wrong = expit(-sign * np.einsum("nf,f->n", x, found))
        along = share * wrong * (1 - wrong) * np.einsum("nf,f->n", x, direction)
        return np.asarray(ridge * direction + np.einsum("nf,n->f", x, along))

    start = np.zeros(x.shape[1])
    found = minimize(loss, start, jac=slope, hessp=curvature_along, method="Newton-CG", options={"xtol": 1e-6}).x
    return LogisticModel(mean, spread, found[:-1], float(found[-1]))


def episode_folds(episodes: np.ndarray, most_folds: int, rng: np.random.Generator) -> np.ndarray:
    """(N,) int fold of each clip, such that no episode lies in two folds; the folds are about equally large.

    episodes: (N,) any kind of label.
    """
    names, counts = np.unique(episodes, return_counts=True)
    folds = min(most_folds, len(names))
    sizes = np.zeros(folds)
    fold_of = {}
    for index in sorted(rng.permutation(len(names)), key=lambda index: -counts[index]):
        smallest = int(sizes.argmin())
        fold_of[names[index]] = smallest
        sizes[smallest] += counts[index]
    return np.array([fold_of[name] for name in episodes], dtype=int)


def held_out_logits(features: np.ndarray, good: np.ndarray, trust: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(N,) logits, each from a model that saw nothing of the clip's fold, nor chose its penalty by it."""
    logits = np.zeros(len(good))
    for fold in np.unique(folds):
        out = folds == fold
        if good[~out].all() or not good[~out].any():
            continue  # Only one kind of verdict is left: it cannot tell, and says so with 0.
        penalty = best_penalty(features[~out], good[~out], trust, folds[~out])
        logits[out] = fit_logistic(features[~out], good[~out], trust, penalty).logits(features[out])
    return logits


def best_penalty(features: np.ndarray, good: np.ndarray, trust: np.ndarray, folds: np.ndarray) -> float:
    """The penalty with the smallest class-balanced log loss on held-out folds."""

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
    """(slope, offset) that turn held-out logits into true probabilities: expit(slope * logit + offset).

    J. C. Platt (1999), "Probabilistic outputs for support vector machines", section 2, with its smoothed targets.
    """
    n_good, n_bad = int(good.sum()), int((~good).sum())
    target = np.where(good, (n_good + 1) / (n_good + 2), 1 / (n_bad + 2))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[0] * logits + parameters[1]
        value = np.mean(np.logaddexp(0.0, z) - target * z)
        slope = (expit(z) - target) / len(z)
        return float(value), np.array([slope @ logits, slope.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0.0, 10.0), (None, None)])
    return float(found.x[0]), float(found.x[1])


FEWEST_OF_EACH = 15
"""So many good and so many bad verdicts are needed."""
FEWEST_EPISODES = 3
MOST_FOLDS = 5
CERTAINTY_FACTOR = 3.0
"""The judge must beat chance by so many standard errors: of those that learned nothing, one in seven hundred would."""
PICTURE_TRUST = 0.25
"""Pictures have many features and few verdicts speak for each, so their weights are held closer to 0."""
FORMAT, VERSION = "replay-coach-judge", 1


@dataclass(frozen=True)
class JudgeFigures:
    """How good a judge is, measured on episodes of which it had seen nothing."""

    verdicts: int
    good: int
    bad: int
    episodes: int
    balanced_accuracy: float
    """Mean of the shares of good and of bad clips that it recognised."""
    accuracy: float
    """Share of clips that it judged as the person did, with calibrated probabilities."""
    majority_accuracy: float
    """The same share for a judge that always says what is said most often."""
    standard_error: float
    """Of the balanced accuracy."""
    brier_score: float
    """Mean squared error of the calibrated probabilities; 0.25 says nothing."""

    @property
    def is_better_than_chance(self) -> bool:
        return self.balanced_accuracy - CERTAINTY_FACTOR * self.standard_error > 0.5


@dataclass(frozen=True)
class LearnedJudge:
    """A judge of clips of one game."""

    game: str
    model: LogisticModel
    slope: float
    offset: float
    """Calibration: probability = expit(slope * logit + offset)."""
    clip_frames: int
    """Length of the clips from which it learned, in frames (the median)."""
    figures: JudgeFigures

    def probabilities(self, replay: ReplayFile, clips: Sequence[Clip]) -> np.ndarray:
        """(N,) float64: how probably the people would say "good" of each clip of an episode."""
        if not clips:
            return np.zeros(0)
        features = np.stack([clip_features(replay, clip) for clip in clips])
        return np.asarray(expit(self.slope * self.model.logits(features) + self.offset))

    def save(self, library: Library) -> Path:
        """Keep the judge and its figures in the library as JSON."""
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
            raise CoachError(f"The judge cannot be kept in {path} ({error.strerror or error}).") from error
        return path


def judge_path(library: Library, game: str) -> Path:
    if not re.fullmatch(r"[A-Za-z0-9]{1,60}", game):
        raise CoachError(f"{game!r} is no game's name.")
    return library.folder / "judges" / f"{game}.json"


def load_judge(library: Library, game: str) -> LearnedJudge | None:
    """The judge of a game, or None where none was trained; raises CoachError if its file cannot be read."""
    path = judge_path(library, game)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("it is of another kind or version")
        if content["features"] != list(FEATURE_NAMES) or content["game"] != game:
            raise ValueError("it looks at other features or another game")
        arrays = [np.array(content[name], dtype=np.float64) for name in ("mean", "spread", "weights")]
        if any(a.shape != (len(FEATURE_NAMES),) or not np.isfinite(a).all() for a in arrays) or (arrays[1] <= 0).any():
            raise ValueError("its weights are not numbers")
        return LearnedJudge(
            game=game,
            model=LogisticModel(arrays[0], arrays[1], arrays[2], float(content["bias"])),
            slope=float(content["slope"]),
            offset=float(content["offset"]),
            clip_frames=int(content["clip_frames"]),
            figures=JudgeFigures(**content["figures"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CoachError(f"The judge {path} cannot be used ({error}); train it again, or delete it.") from error


def train_judge(
    library: Library,
    verdicts: Iterable[Verdict],
    game: str,
    rng: np.random.Generator,
    on_progress: Callable[[int, int], None] | None = None,
) -> LearnedJudge:
    """Train a judge on people's verdicts on clips of one game, and measure it on held-out episodes.

    ``verdicts``: standing ones, of anybody; rules are not heard, and where people are of two minds as often, nobody
    is. Raises AnswerIsNo where the verdicts are too few or nothing could be learned from them.
    """
    opinions = _opinions(verdicts)
    paths = {summary.episode_id: summary.path for summary in library.episodes(game)}
    clips = sorted(clip for clip in opinions if clip.episode_id in paths)
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
            f"From these {figures.verdicts} verdicts on {game} no judge could be learned: on episodes that it had not "
            f"seen it was right for {figures.balanced_accuracy:.0%} of good and bad clips alike, and guessing is for "
            "50%; judge more clips, or judge them more alike."
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
    """Figures of held-out judgements: logits and calibrated probabilities (N,), and what people said (N,) bool."""
    n_good, n_bad = int(good.sum()), int((~good).sum())
    # A judgement of exactly 0 knows nothing and is half right.
    seen_good = float(np.mean((np.sign(logits[good]) + 1) / 2))
    seen_bad = float(np.mean((1 - np.sign(logits[~good])) / 2))
    # One case is added to either side (Laplace), so that a share of 0 or 1 is not taken for certain.
    shares = ((seen_good * n_good + 1) / (n_good + 2), (seen_bad * n_bad + 1) / (n_bad + 2))
    variance = shares[0] * (1 - shares[0]) / n_good + shares[1] * (1 - shares[1]) / n_bad
    return JudgeFigures(
        verdicts=len(good),
        good=n_good,
        bad=n_bad,
        episodes=episodes,
        balanced_accuracy=(seen_good + seen_bad) / 2,
        accuracy=float(np.mean((probabilities > 0.5) == good)),
        majority_accuracy=max(n_good, n_bad) / len(good),
        standard_error=float(np.sqrt(variance)) / 2,
        brier_score=float(np.mean((probabilities - good) ** 2)),
    )


def _opinions(verdicts: Iterable[Verdict]) -> dict[Clip, bool]:
    """What the majority of people said of each clip: True for good."""
    balance: dict[Clip, int] = {}
    for verdict in verdicts:
        if verdict.verdict != "skip" and not verdict.by_rule:
            balance[verdict.clip] = balance.get(verdict.clip, 0) + (1 if verdict.verdict == "good" else -1)
    return {clip: value > 0 for clip, value in balance.items() if value}


def _require_enough(game: str, good: int, bad: int, episodes: int) -> None:
    if min(good, bad) < FEWEST_OF_EACH or episodes < FEWEST_EPISODES:
        raise AnswerIsNo(
            f"A judge of {game} needs at least {FEWEST_OF_EACH} good and {FEWEST_OF_EACH} bad verdicts of people, from "
            f"{FEWEST_EPISODES} episodes; there are {good} good and {bad} bad, from {episodes}. Run `coach curate`."
        )


def _read_features(
    clips: Sequence[Clip], paths: dict[str, str], on_progress: Callable[[int, int], None] | None
) -> np.ndarray:
    """(N, F) features of clips, which are in order of their episodes."""
    found: list[np.ndarray] = []
    by_episode: dict[str, list[Clip]] = {}
    for clip in clips:
        by_episode.setdefault(clip.episode_id, []).append(clip)
    for episode_id, of_episode in by_episode.items():
        with ReplayFile(paths[episode_id]) as replay:
            for clip in of_episode:
                if on_progress:
                    on_progress(len(found), len(clips))
                if clip.stop > replay.frame_count:
                    raise CoachError(f"A verdict speaks of frame {clip.stop}, which {episode_id} does not have.")
                found.append(clip_features(replay, clip))
    return np.stack(found)
