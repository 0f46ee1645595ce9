"""Episodes that start inside another one: the actions before frame 0, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

MAX_ACTIONS_BEFORE = 648_000
"""Three hours at 60 frames a second, as for a whole replay file."""


def action_runs(actions: bytes) -> list[list[int]]:
    """Return actions, one byte a frame, as runs [action, frames]: an action is mostly held for several frames."""
    return [[action, len(list(frames))] for action, frames in groupby(actions)]


def actions_of_runs(runs: Iterable[Any]) -> bytes:
    """Return the actions of runs [action, frames]; raises ValueError or TypeError where they are not valid."""
    found = bytearray()
    for action, frames in runs:
        if not 0 < frames <= MAX_ACTIONS_BEFORE - len(found):
            raise ValueError(f"a run of {frames} frames after {len(found)}")
        found += bytes([action]) * frames
    return bytes(found)


@dataclass(frozen=True)
class StartedFrom:
    """The moment of another episode at which an episode starts. It is not used to verify: the settings are."""

    frame: int
    """Of the other episode."""
    episode: str = ""
    """Its id, where it is a replay file."""
    digest: str = ""
    """Its digest, where it is a replay file."""
    run: str = ""
    """The run whose training played it, where it was recorded nowhere else."""
    step: int = 0
    """Own step of that training at which the episode ended."""

    def to_json(self) -> str:
        """Return the facts as a JSON object, without those that are empty."""
        return json.dumps({name: value for name, value in asdict(self).items() if value != ""}, sort_keys=True)

    @classmethod
    def from_json(cls, text: object) -> StartedFrom | None:
        """Return what a file states; None if it states nothing valid."""
        try:
            said = json.loads(str(text))
            texts = {name: str(said[name]) for name in ("episode", "digest", "run") if name in said}
            found = cls(frame=int(said["frame"]), step=int(said.get("step", 0)), **texts)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError):
            return None
        return found if found.frame >= 0 and found.step >= 0 else None

    def __str__(self) -> str:
        whose = f"a game of {self.run}'s training (step {self.step:,})" if self.run else self.episode or "an episode"
        return f"frame {self.frame:,} of {whose}"
