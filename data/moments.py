"""Moments of a training's own games at which the agent did worse than it expected, in the run's ``moments.jsonl``.

A moment is simulated again from its seed and actions, so that a person or a planner can play on from some seconds
before it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data.episode import DEFAULT_FRAME_SKIP, FRAMES_PER_SECOND, EmulatorSettings, FrameState
from data.episode_start import StartedFrom, action_runs, actions_of_runs
from data.errors import CoachError
from data.files import write_atomic
from data.runs import RunFolder
from data.simulation import Emulator

MOST_MOMENTS = 50
LEAD_SECONDS = 3.0
"""How long before a moment play starts again."""
REASONS = {"life": "lost a life", "fall": "expected more"}


@dataclass(frozen=True)
class Moment:
    """One moment of one game."""

    reason: str
    """"life": a life was lost after a high value; "fall": the value fell most."""
    frame: int
    """Number of actions before it."""
    step: int
    """Own step of the training at which the game ended."""
    severity: float
    """The value before the lost life, or by how much the value fell; in discounted rewards."""
    value: float
    """The greatest value shortly before."""
    points: float
    """Points of the game up to the moment."""
    seed: int
    noop_start: int
    actions: bytes
    """Executed actions up to the moment, one a frame."""
    initial_ram: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for the same moment, also when a resumed training plays the game again."""
        return self.reason, self.frame, self.seed, self.noop_start, self.actions

    def __str__(self) -> str:
        minutes, seconds = divmod(self.frame // FRAMES_PER_SECOND, 60)
        what = REASONS.get(self.reason, self.reason)
        return f"{minutes}:{seconds:02d} of the game that ended at step {self.step:,}: {what} (value {self.value:.2f})"


def moments_path(folder: RunFolder) -> Path:
    return folder.path / "moments.jsonl"


def read_moments(folder: RunFolder) -> list[Moment]:
    """Return the moments of a run, oldest first; [] if there are none or they are not readable."""
    found = []
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        for line in moments_path(folder).read_text().splitlines():
            values = json.loads(line)
            values["actions"] = actions_of_runs(values["actions"])
            values["initial_ram"] = tuple((int(byte), int(value)) for byte, value in values["initial_ram"])
            found.append(Moment(**values))
    return found


def write_moments(folder: RunFolder, moments: Iterable[Moment]) -> None:
    """Append moments that are new, and keep the newest MOST_MOMENTS. Disk errors are ignored."""
    every = {moment.key: moment for moment in (*read_moments(folder), *moments)}
    lines = [
        json.dumps({**asdict(moment), "actions": action_runs(moment.actions)}, separators=(",", ":"))
        for moment in list(every.values())[-MOST_MOMENTS:]
    ]
    with contextlib.suppress(OSError):
        write_atomic(moments_path(folder), "\n".join(lines) + "\n", durable=False)


def settings_of_run(config: Mapping[str, Any]) -> EmulatorSettings:
    """Return the emulator settings with which a run trains; config: the fields of a ``TrainConfig``."""
    return EmulatorSettings(
        frame_skip=int(config.get("frame_skip", DEFAULT_FRAME_SKIP)),
        repeat_action_probability=float(config.get("sticky", 0.0)),
        full_action_set=bool(config.get("full_action_set", False)),
    )


def start_before(
    folder: RunFolder, moment: Moment, seconds: float = LEAD_SECONDS
) -> tuple[str, EmulatorSettings, StartedFrom]:
    """Return game, settings and parent of an episode that starts so long before a moment.

    Raises CoachError if the run is not readable or the moment does not fit it.
    """
    config = folder.read().config
    skip = settings_of_run(config).frame_skip
    frame = max(0, moment.frame - round(seconds * FRAMES_PER_SECOND))
    frame -= frame % skip
    settings = EmulatorSettings.from_json(
        json.dumps(
            {
                **json.loads(settings_of_run(config).to_json()),
                "seed": moment.seed,
                "noop_start": moment.noop_start,
                "initial_ram": moment.initial_ram,
                "actions_before": action_runs(moment.actions[:frame]),
            }
        )
    )
    if len(moment.actions) < moment.frame:
        raise CoachError(f"A moment of {folder.name} lacks its actions.")
    return str(config["game"]), settings, StartedFrom(frame, run=folder.name, step=moment.step)


def frames_of(folder: RunFolder, moment: Moment, seconds: float) -> Iterator[tuple[FrameState, Emulator]]:
    """Yield the frames from so long before a moment up to it, simulated again, and their emulator."""
    game, settings, _ = start_before(folder, moment, seconds)
    emulator = Emulator(game, settings, folder.read().action_meanings)
    yield emulator.state(), emulator
    for action in moment.actions[len(settings.actions_before) : moment.frame]:
        yield emulator.step(action), emulator
