"""Actions in the shapes that data sets have: indices, one-hot rows, or names."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.errors import CoachError
from data.replay_format import MAX_FILE_FRAMES

FULL = "full"
"""The name of the set of all 18 actions; the default is the game's minimal set."""


def action_indices(actions: Any, meanings: tuple[str, ...] | None, source: str) -> np.ndarray:
    """Return the actions as (S,) uint8 indices.

    actions: (S,) or (S, 1) whole numbers, (S, N) one-hot rows, or (S,) names such as "FIRE". meanings: the names of
    the N actions, where they are known. Raises CoachError for anything else; nothing is ever rounded.
    """
    if isinstance(actions, dict | tuple | list):
        raise CoachError(f"{source} has actions of several parts ({_parts(actions)}); Atari games have one.")
    column = np.asarray(actions)
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim not in (1, 2) or len(column) > MAX_FILE_FRAMES:
        raise CoachError(
            f"{source} has actions of the shape {column.shape}; they must be one row of at most {MAX_FILE_FRAMES}."
        )
    if not len(column):
        raise CoachError(f"{source} has no actions.")
    if column.dtype.kind in "US":
        return _from_names(column, meanings, source)
    if column.dtype.kind not in "biuf":
        raise CoachError(f"{source} has actions that are not numbers ({column.dtype}).")
    if column.ndim == 2:
        return _from_one_hot(column, meanings, source)
    if column.dtype.kind == "f":
        broken = np.flatnonzero(~np.isfinite(column) | (column != np.floor(column)))
        if len(broken):
            raise CoachError(
                f"{source} has the action {column[broken[0]]:g} at step {broken[0]}; actions must be whole numbers."
            )
    if column.min() < 0 or column.max() > 255:
        step = int(np.flatnonzero((column < 0) | (column > 255))[0])
        raise CoachError(
            f"{source} has the action {column[step]:g} at step {step}; actions must be whole numbers from 0 to 255."
        )
    indices: np.ndarray = column.astype(np.uint8)
    return indices


def _parts(actions: Any) -> str:
    return ", ".join(map(str, actions))[:80] if isinstance(actions, dict) else f"{len(actions)} of them"


def _from_one_hot(column: np.ndarray, meanings: tuple[str, ...] | None, source: str) -> np.ndarray:
    wrong = np.flatnonzero(~np.isin(column, (0, 1)).all(axis=1) | (column.sum(axis=1) != 1))
    if len(wrong):
        raise CoachError(
            f"{source} has {column.shape[1]} numbers for each action, and at step {wrong[0]} they are not one-hot."
        )
    if meanings is not None and column.shape[1] != len(meanings):
        raise CoachError(
            f"{source} has one-hot actions of {column.shape[1]}, but the game has {len(meanings)} actions."
        )
    indices: np.ndarray = column.argmax(axis=1).astype(np.uint8)
    return indices


def _from_names(column: np.ndarray, meanings: tuple[str, ...] | None, source: str) -> np.ndarray:
    if column.ndim != 1 or meanings is None:
        raise CoachError(f"{source} names its actions; name its game, too, with --game.")
    names = np.char.upper(column.astype(str))
    index = {name: number for number, name in enumerate(meanings)}
    unknown = [(step, name) for step, name in enumerate(names.tolist()) if name not in index]
    if unknown:
        step, name = unknown[0]
        raise CoachError(f"{source} has the action {name[:30]!r} at step {step}; the game has {', '.join(meanings)}.")
    return np.array([index[name] for name in names.tolist()], np.uint8)
