"""Logistic regression, small and calibrated. Pure: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

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
