"""OpenAI's ``.demo`` files: pickled demonstrations, read by an unpickler that accepts arrays and plain values only."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from data.action_values import FULL, action_indices
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.foreign_play import ForeignPlay

MAX_DEMO_BYTES = 1 << 30
ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("_codecs", "encode"),
}
"""Every name that a pickle of arrays and plain values refers to."""


class _PlainUnpickler(pickle.Unpickler):
    """Refuse all names except those of arrays, so that loading a file cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise CoachError(
                f"it refers to {module}.{name}, which a demonstration of arrays and plain values does not need"
            )
        return super().find_class(module, name)


def read_plain_demo(path: Path) -> dict[str, list[float]]:
    """Return the columns ``actions``, ``rewards`` and ``lives`` of a file, as far as it has them.

    Call this only in a process with limits (``data.quarantine``): a small pickle can allocate much memory. Raises
    CoachError for anything that is not such a demonstration.
    """
    try:
        size = path.stat().st_size
        if size > MAX_DEMO_BYTES:
            raise CoachError(f"{path} has {size / 2**20:.0f} MiB; a demonstration has at most {MAX_DEMO_BYTES >> 20}.")
        content = _PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except CoachError as error:
        raise CoachError(f"{path} is refused: {error}.") from error
    except OSError as error:
        raise CoachError(f"Cannot read {path} ({error.strerror or error}).") from error
    except Exception as error:
        raise CoachError(f"{path} is not a pickled demonstration ({type(error).__name__}).") from error
    if not isinstance(content, dict) or "actions" not in content:
        raise CoachError(f"{path} is a pickle, but not a demonstration: it has no `actions`.")
    columns = {}
    for name in ("actions", "rewards", "lives"):
        if content.get(name) is None:
            continue
        try:
            column = np.asarray(content[name], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise CoachError(f"{path} has `{name}` that are not numbers.") from error
        if column.ndim != 1 or not np.isfinite(column).all():
            raise CoachError(f"{path} must have `{name}` as one row of numbers.")
        columns[name] = column.tolist()
    return columns


def read_demo(path: Path, held_for: int = 1, action_set: str = "") -> ForeignPlay:
    """Read a demonstration in a child process with limits.

    held_for: frames for which each action is held. action_set: "full" if actions index all 18, else the minimal set.
    """
    from data.quarantine import Quarantine

    with Quarantine() as quarantine:
        columns = quarantine.demo(path)
    actions = action_indices(np.asarray(columns["actions"]), None, str(path))
    steps = len(actions)
    rewards = np.asarray(columns["rewards"], np.float32) if "rewards" in columns else None
    lives = np.asarray(columns["lives"]).astype(np.int64) if "lives" in columns else None
    for name, column, lengths in (("rewards", rewards, (steps,)), ("lives", lives, (steps, steps + 1))):
        if column is not None and len(column) not in lengths:
            raise CoachError(f"{path} is inconsistent: it has {steps} actions but {len(column)} {name}.")
    return ForeignPlay(
        source=str(path),
        actions=actions,
        settings=EmulatorSettings(frame_skip=held_for, full_action_set=action_set == FULL),
        held_for=held_for,
        rewards=rewards,
        lives=None if lives is None or not lives.any() else lives[-steps:],
    )
