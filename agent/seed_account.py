"""The account of a seeding: what was drawn most, where the errors are largest, what is still in the memory."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from agent.array_file import write_bytes
from agent.memory_slots import OWN
from agent.replay_memory import ReplayMemory
from agent.run import RunFolder
from agent.seed_filling import Source
from data.episode import FRAMES_PER_SECOND

SPAN_FRAMES = 3 * FRAMES_PER_SECOND
"""Length of the spans that are accounted for: 3 s, as clips have."""
LONGEST_LIST = 200


def account(memory: ReplayMemory, sources: list[Source]) -> dict[str, Any]:
    """What became of each source, and of each span of 3 s of its episodes.

    ``spans`` are sorted by mean absolute TD error, the most surprising first: at most 200, and of those that were
    drawn at least once.
    """
    columns = memory.columns
    rows = np.flatnonzero(columns["ready"] & (columns["source"] != OWN))
    source, frame = columns["source"][rows], columns["frame"][rows]
    drawn, error = columns["drawn"][rows].astype(np.int64), columns["td_error"][rows].astype(np.float64)
    per_source = []
    for number, about in enumerate(sources):
        mine = source == number
        per_source.append(
            {
                "name": about.name,
                "decisions": about.decisions,
                "still_in_memory": int(mine.sum()),
                "drawn": int(drawn[mine].sum()),
                "mean_td_error": float(error[mine & (drawn > 0)].mean()) if (mine & (drawn > 0)).any() else None,
            }
        )
    keys, inverse = np.unique(
        np.stack([source, frame // SPAN_FRAMES], axis=1) if len(rows) else np.zeros((0, 2), np.int64),
        axis=0,
        return_inverse=True,
    )
    inverse = inverse.reshape(-1)
    seen = drawn > 0
    draws = np.bincount(inverse, drawn, len(keys))
    counts = np.bincount(inverse[seen], minlength=len(keys))
    errors = np.bincount(inverse[seen], error[seen], len(keys)) / np.maximum(counts, 1)
    spans = [
        {
            "episode_id": sources[int(keys[n, 0])].name,
            "start": int(keys[n, 1]) * SPAN_FRAMES,
            "stop": (int(keys[n, 1]) + 1) * SPAN_FRAMES,
            "drawn": int(draws[n]),
            "mean_td_error": float(errors[n]),
        }
        for n in np.argsort(-errors, kind="stable")[:LONGEST_LIST]
        if counts[n]
    ]
    return {"sources": per_source, "spans": spans, "seeded_share": memory.seeded_ready / max(1, len(memory))}


def write_account(folder: RunFolder, memory: ReplayMemory, sources: list[Source]) -> None:
    """Write ``seeding.json`` into the run's folder."""
    write_bytes(folder.path / "seeding.json", json.dumps(account(memory, sources), indent=1).encode())
