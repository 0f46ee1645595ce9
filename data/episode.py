"""An episode: its origin (game, settings, seed), its frames, and what lists show of it."""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from data.episode_start import MAX_ACTIONS_BEFORE, StartedFrom, action_runs, actions_of_runs
from data.errors import CoachError

FRAMES_PER_SECOND = 60
RAM_BYTES = 128
"""Bytes of RAM of the console."""
DEFAULT_FRAME_SKIP = 4
"""Frames for which one decision's action is held."""
DEEPEST_STACK = 16
"""Largest number of newest observations in an agent's stack."""

DEMONSTRATOR_KINDS = ("human", "agent", "planner", "random", "imported")
ENDINGS = ("game_over", "truncated", "abandoned")

MAX_EPISODE_FRAMES = 108_000
"""30 minutes at 60 frames a second: the length at which the ALE's own environments truncate an episode."""


def demonstrator_index(kind: str) -> int:
    """Return the index of a kind in ``DEMONSTRATOR_KINDS``. Raises CoachError for an unknown one."""
    try:
        return DEMONSTRATOR_KINDS.index(kind)
    except ValueError:
        known = ", ".join(DEMONSTRATOR_KINDS)
        raise CoachError(f"Unknown demonstrator {kind!r}; use one of {known}.") from None


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class EmulatorSettings:
    """Everything besides the game and the actions that determines what the emulator does.

    ``repeat_action_probability`` is applied by ``Emulator``, not by the ALE, and the action *as executed* is recorded.
    A simulation of recorded actions therefore never repeats an action at random.
    """

    seed: int = 0
    frame_skip: int = DEFAULT_FRAME_SKIP
    """Frames for which each action of the demonstrator was repeated; 1: it could change at every frame."""
    repeat_action_probability: float = 0.0
    """Probability, at every frame, that the previous frame's action is executed instead."""
    mode: int | None = None
    difficulty: int | None = None
    noop_start: int = 0
    """No-op frames executed between the reset and frame 0."""
    full_action_set: bool = False
    """All 18 actions instead of the game's minimal set."""
    initial_ram: tuple[tuple[int, int], ...] = ()
    """(byte, value) pairs written to the RAM before frame 0, after the no-ops. Some published play was recorded from
    such a state. Stored only if there are any."""
    actions_before: bytes = b""
    """Actions, one a frame, executed before frame 0, after the no-ops and the RAM: the episode starts inside another.
    Stored only if there are any, as runs [action, frames]."""

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**31:
            raise CoachError(f"The seed must be between 0 and {2**31 - 1}, not {self.seed}.")
        if not 1 <= self.frame_skip <= 60:
            raise CoachError(f"The frame skip must be between 1 and 60, not {self.frame_skip}.")
        if not 0.0 <= self.repeat_action_probability < 1.0:
            raise CoachError(
                "The probability of a sticky action must be at least 0 and below 1, "
                f"not {self.repeat_action_probability}."
            )
        if not 0 <= self.noop_start <= 3600:
            raise CoachError(
                f"The number of no-op frames at the start must be between 0 and 3600, not {self.noop_start}."
            )
        for byte, value in self.initial_ram:
            if not (0 <= byte < RAM_BYTES and 0 <= value < 256):
                raise CoachError(
                    f"initial_ram sets byte {byte} to {value}; bytes are 0 to {RAM_BYTES - 1} and values 0 to 255."
                )
        if len(self.actions_before) > MAX_ACTIONS_BEFORE:
            raise CoachError(
                f"At most {MAX_ACTIONS_BEFORE} actions may precede frame 0, not {len(self.actions_before)}."
            )

    def to_json(self) -> str:
        """Return the settings as a JSON object."""
        values = asdict(self)
        if not self.initial_ram:
            del values["initial_ram"]
        values.pop("actions_before")
        if self.actions_before:
            values["actions_before"] = action_runs(self.actions_before)
        return json.dumps(values, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EmulatorSettings:
        """Parse settings. Unknown keys, of later versions, are ignored. Raises CoachError for wrong types."""
        try:
            values: dict[str, Any] = json.loads(text)
            known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
            if "initial_ram" in known:
                known["initial_ram"] = _ram_pairs(known["initial_ram"])
            if "actions_before" in known:
                known["actions_before"] = actions_of_runs(known["actions_before"])
            for name, value in known.items():
                if name in ("initial_ram", "actions_before"):
                    continue
                nullable = name in ("mode", "difficulty") and value is None
                wanted: tuple[type, ...] = (bool,) if name == "full_action_set" else (int,)
                if name == "repeat_action_probability":
                    wanted = (int, float)
                is_stray_bool = isinstance(value, bool) and bool not in wanted
                if not nullable and (is_stray_bool or not isinstance(value, wanted)):
                    raise CoachError(f"The emulator setting {name} has the wrong type: {value!r}.")
            return cls(**known)
        except (ValueError, TypeError, AttributeError) as error:
            raise CoachError(f"The emulator settings are not readable: {error}.") from error


def _ram_pairs(value: Any) -> tuple[tuple[int, int], ...]:
    pairs = tuple((int(byte), int(number)) for byte, number in value)
    if len(pairs) > RAM_BYTES:
        raise ValueError(f"initial_ram has {len(pairs)} entries")
    return pairs


@dataclass(frozen=True)
class Origin:
    """Where an episode comes from. Together with the actions it reproduces every frame, reward and RAM byte."""

    game: str
    """ALE id, such as "SpaceInvaders"."""
    settings: EmulatorSettings
    action_meanings: tuple[str, ...]
    """Name of each action, such as ("NOOP", "FIRE", ...)."""
    rom_md5: str
    ale_version: str
    player: str = ""
    created: datetime = field(default_factory=utc_now)
    players: tuple[tuple[str, str], ...] = ()
    """(demonstrator kind, name) where several took part: a run's agent, and the person who took over from it."""
    started_from: StartedFrom | None = None
    """The moment of another episode at which this one starts, where it does."""

    def player_of(self, kind: str) -> str:
        """Return the name of the player with this demonstrator kind."""
        return dict(self.players).get(kind, self.player)


@dataclass(frozen=True)
class FrameState:
    """What the emulator shows at one frame.

    screen: (H, W) uint8 palette indices. ram: (128,) uint8. lives: 0 to 255. reward: points of the action that led to
    this frame (0 at frame 0). game_over: whether this is the last frame.
    """

    screen: np.ndarray
    ram: np.ndarray
    lives: int
    reward: float
    game_over: bool


@dataclass(frozen=True)
class EpisodeSummary:
    """What lists show of an episode. It has no arrays, so thousands fit in memory."""

    episode_id: str
    """As stored in the replay file, or else the file's name without ".h5"."""
    path: str
    game: str
    demonstrator: str
    """The kind that chose most frames."""
    player: str
    created: str
    frame_count: int
    """T: the number of actions; the file has T + 1 frames."""
    score: float
    ended_by: str
    frame_skip: int
    rewarded_frames: int
    frames_by_demonstrator: dict[str, int]
    players: dict[str, str] = field(default_factory=dict)
    """Demonstrator kind to name, where several took part; empty where ``player`` played all."""

    def player_of(self, kind: str) -> str:
        """Return the name of the player with this demonstrator kind."""
        return self.players.get(kind, self.player)

    @property
    def seconds(self) -> float:
        """Length of play."""
        return self.frame_count / FRAMES_PER_SECOND


UNSTORABLE = ("Cc", "Cs")
"""Unicode categories: control characters, and surrogates (how Python represents bytes that are not UTF-8)."""


def is_plain_text(text: str) -> bool:
    """Return whether a text has neither control characters, which a terminal would execute, nor surrogates."""
    return not any(unicodedata.category(character) in UNSTORABLE for character in text)


LATE_SECONDS = 0.002
"""A frame that starts this much after its due time is counted as late."""


@dataclass(frozen=True)
class PaceReport:
    """How evenly the frames of an episode were shown."""

    frames: int
    """Frames that had a due time, including those that a rewind removed later."""
    late_frames: int
    """Frames that started more than LATE_SECONDS after their due time."""
    worst_seconds: float
    """Largest delay."""

    def __str__(self) -> str:
        return f"{self.late_frames} of {self.frames} frames late, worst {self.worst_seconds * 1000:.1f} ms"

    def __add__(self, other: PaceReport) -> PaceReport:
        worst = max(self.worst_seconds, other.worst_seconds)
        return PaceReport(self.frames + other.frames, self.late_frames + other.late_frames, worst)

    def to_json(self) -> str:
        """Return the report as a JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: object) -> PaceReport | None:
        """Parse a report. Return None if it is missing or invalid, because it is not essential."""
        try:
            values = json.loads(str(text))
            report = cls(int(values["frames"]), int(values["late_frames"]), float(values["worst_seconds"]))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None
        is_valid = 0 <= report.late_frames <= report.frames and math.isfinite(report.worst_seconds)
        return report if is_valid and report.worst_seconds >= 0 else None


NO_FRAMES = PaceReport(0, 0, 0.0)


class PaceCount:
    """Accumulates a ``PaceReport``."""

    def __init__(self) -> None:
        self._frames, self._late, self._worst = 0, 0, 0.0

    def add(self, late_seconds: float) -> None:
        """Count a frame that started this many seconds after its due time."""
        self._frames += 1
        self._late += late_seconds > LATE_SECONDS
        self._worst = max(self._worst, late_seconds)

    @property
    def report(self) -> PaceReport:
        return PaceReport(self._frames, self._late, self._worst)
