"""What a slot of the replay memory holds, column by column, and the rules by which slots become transitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.preprocessing import OBSERVATION_BYTES

OWN = -1
"""Source of the agent's own steps; sources from 0 on are those of the seeding."""


@dataclass(frozen=True)
class MemoryRules:
    """What of the configuration concerns the memory."""

    stack: int
    n_steps: int
    discount: float
    reward: str
    evict_seed: bool


COLUMNS: dict[str, Any] = {
    "action": np.uint8,
    "points": np.float32,
    "age": np.int32,  # decisions since the episode's start
    "terminal": np.bool_,
    "decided": np.bool_,  # whether the slot holds a decision
    "ready": np.bool_,  # whether it can be drawn
    "kept": np.bool_,  # whether it may ever be drawn
    "imitate": np.bool_,
    "n_return": np.float32,
    "n_taken": np.uint8,
    "n_ended": np.bool_,  # whether the return ended within those steps
    "recorded": np.float32,
    "source": np.int32,
    "frame": np.int32,  # first frame of the decision in its episode
    "weight": np.float32,  # how often the source is to be drawn
    "td_error": np.float32,
    "drawn": np.uint32,
}
RESTLESS = ("td_error", "drawn")
"""Columns that an update may change at any slot."""
COUNTERS = (
    *("capacity", "seeded_end", "head", "written", "own_steps", "_filled"),
    *("_seeded_ready", "_own_ready", "_next", "_first_undrawable", "_first_unrecorded", "_closed"),
)
BLOCK_SLOTS = 4096
"""Slots that are saved together: 29 MB of observations."""
SLOT_BYTES = OBSERVATION_BYTES + sum(np.dtype(kind).itemsize for kind in COLUMNS.values())
