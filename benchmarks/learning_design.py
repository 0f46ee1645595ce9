"""The design of the sixteen short trainings of ``benchmarks.learning_factors``, and the effect of each setting.

A fractional factorial design, 2^(6-2) of resolution IV (Box, Hunter and Hunter 2005, chapter 6): every setting is
in half of the trainings, balanced with every other one, so that its effect is the difference of two means of eight and
is not confounded with any effect of two settings together. Imports no Keras, because the report does not need it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

FACTORS: dict[str, dict[str, Any]] = {
    "an update every step, not every fourth": {"train_every": 1},
    "10-step returns, not 5": {"n_steps": 10},
    "a tenth seeded from 50,000 steps on, not half from 20,000": {"seed_share": 0.1, "seed_anneal_steps": 50_000},
    "dueling, and prioritised sampling": {"dueling": True, "sampling": "prioritised"},
    "a lost life ends the return": {"life_loss_ends": True},
    "logarithmic rewards, not signs": {"reward": "log"},
}
"""The change of each to the default preset."""


def design() -> np.ndarray:
    """Return (16, 6) of 0 and 1: whether a training has a setting; the last two columns are sums modulo 2 of three."""
    rows = np.arange(16)[:, None] >> np.arange(4) & 1
    fifth = rows[:, [0, 1, 2]].sum(axis=1) % 2
    sixth = rows[:, [1, 2, 3]].sum(axis=1) % 2
    return np.column_stack([rows, fifth, sixth])


def effects(rows: list[dict[str, Any]]) -> list[tuple[str, float, float, float]]:
    """Return each setting's name, its effect in points, and the ends of the effect's 95% interval.

    By least squares with one term per setting (Box, Hunter and Hunter 2005, section 5.10); needs all sixteen rows.
    """
    levels = 2.0 * design()[[row["index"] for row in rows]] - 1.0
    terms = np.column_stack([np.ones(len(rows)), levels])
    points = np.array([row["mean"] for row in rows])
    found, *_ = np.linalg.lstsq(terms, points, rcond=None)
    freedom = len(rows) - terms.shape[1]
    spread = np.sqrt(np.sum((points - terms @ found) ** 2) / freedom / len(rows))
    reach = 2.0 * spread * stats.t.ppf(0.975, freedom)
    return [
        (name, effect, effect - reach, effect + reach) for name, effect in zip(FACTORS, 2.0 * found[1:], strict=True)
    ]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the page's lines on the effects, once all trainings have a row."""
    if len(rows) < len(design()):
        return []
    steps, points = [row["steps"] for row in rows], [row["mean"] for row in rows]
    machine = "; ".join(sorted({row["machine"] for row in rows}))
    return [
        f"Sixteen seeded trainings, {min(steps):,} to {max(steps):,} own steps each, {min(points):.0f} to "
        f"{max(points):.0f} points (mean {np.mean(points):.0f}; {rows[0]['episodes']} episodes each; {machine}):",
        "",
        "| setting | effect in points (95% interval) |",
        "|---|---|",
        *(f"| {name} | {effect:+.0f} ({low:+.0f} to {high:+.0f}) |" for name, effect, low, high in effects(rows)),
        "",
    ]
