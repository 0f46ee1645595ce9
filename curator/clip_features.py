"""The features of a clip that the learned judge uses."""

from __future__ import annotations

import numpy as np

from curator.outline import death_frames
from data.clip import Clip
from data.episode import FRAMES_PER_SECOND
from data.replay_file import ReplayFile

JOYSTICK_PARTS = ("UP", "DOWN", "LEFT", "RIGHT", "FIRE")
GRID_ROWS, GRID_COLUMNS = 7, 5
SAMPLED_FRAMES = 8
"""Frames, evenly spaced, from which the picture features are computed."""

_CELLS = [f"{row},{column}" for row in range(GRID_ROWS) for column in range(GRID_COLUMNS)]
FEATURE_NAMES: tuple[str, ...] = (
    "points",
    "rewarded frames",
    "points in the last second",
    "points in the second after",
    "points lost",
    "life lost",
    "life lost in the last second",
    "life lost in the second after",
    *(f"share of {part}" for part in JOYSTICK_PARTS),
    "share of NOOP",
    "changes of action a second",
    *(f"brightness {cell}" for cell in _CELLS),
    *(f"motion {cell}" for cell in _CELLS),
    *(f"change {cell}" for cell in _CELLS),
)
PICTURE_FEATURES = 3 * len(_CELLS)
"""Number of features, the last ones, that are computed from pictures; the others are from events and actions."""


def clip_features(replay: ReplayFile, clip: Clip) -> np.ndarray:
    """Return the features of a clip: (len(FEATURE_NAMES),) float64.

    They include the second after the clip, because play is judged by its result. Raises CoachError if the file cannot
    be read.
    """
    after = min(clip.stop + FRAMES_PER_SECOND, replay.frame_count)
    last_second = max(clip.start, clip.stop - FRAMES_PER_SECOND)

    def gained(start: int, stop: int) -> float:
        return float(np.clip(replay.rewards[start:stop], 0, None).sum())

    def died(start: int, stop: int) -> float:
        return float(bool(death_frames(replay.lives[start : stop + 1])))

    rewards = replay.rewards[clip.start : clip.stop]
    events = [
        np.log1p(gained(clip.start, clip.stop)),
        np.log1p(np.count_nonzero(rewards > 0)),
        np.log1p(gained(last_second, clip.stop)),
        np.log1p(gained(clip.stop, after)),
        float((rewards < 0).any()),
        died(clip.start, clip.stop),
        died(last_second, clip.stop),
        died(clip.stop, after),
    ]
    actions = replay.actions[clip.start : clip.stop]
    held = [replay.origin.action_meanings[int(action)] for action in actions]
    shares = [sum(part in name for name in held) / len(held) for part in JOYSTICK_PARTS]
    changes = np.count_nonzero(np.diff(actions.astype(np.int16))) * FRAMES_PER_SECOND / len(held)
    events += [*shares, held.count("NOOP") / len(held), np.log1p(changes)]

    wanted = np.linspace(clip.start, clip.stop, SAMPLED_FRAMES).round().astype(int)
    brightness = replay.palette.astype(np.float64) @ (0.299, 0.587, 0.114) / 255.0  # [256], ITU-R BT.601
    pictures = brightness[replay.frames(clip.start, clip.stop + 1)[wanted - clip.start]]  # [SAMPLED, H, W]
    cells = _pooled(pictures)  # [SAMPLED, rows * columns]
    motion = _pooled(np.abs(np.diff(pictures, axis=0))).mean(axis=0)
    return np.concatenate([events, cells.mean(axis=0), motion, cells[-1] - cells[0]])


def _pooled(pictures: np.ndarray) -> np.ndarray:
    """Return the mean over each cell of the grid: (N, H, W) to (N, GRID_ROWS * GRID_COLUMNS)."""
    count, height, width = pictures.shape
    rows = np.linspace(0, height, GRID_ROWS + 1).astype(int)
    columns = np.linspace(0, width, GRID_COLUMNS + 1).astype(int)
    sums = np.add.reduceat(np.add.reduceat(pictures, rows[:-1], axis=1), columns[:-1], axis=2)
    return np.asarray((sums / np.outer(np.diff(rows), np.diff(columns))).reshape(count, -1))
