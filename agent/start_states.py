"""Start states: own episodes that start inside a seeded episode instead of at the game's beginning.

A demonstrator reached states that an untrained agent would not reach for a long time; starting there lets it practise
them (Salimans and Chen 2018; Florensa et al. 2017). A state is simulated from the seeded episode's origin and actions.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agent.array_file import read_arrays, write_arrays
from agent.config import TrainConfig
from agent.seeding import SeedEpisode, SeedPlan
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.replay_file import ReplayFile
from data.simulation import Emulator, rom_md5

SNAPSHOT_FRAMES = 5 * FRAMES_PER_SECOND
"""Frames between the emulator snapshots of an episode; a start simulates at most about so many."""
LEAD_SECONDS = 1.0, 4.0
"""Smallest and largest time before a clip or a lost life at which the rules "good" and "bad" start."""
WINDOW_SHARE = 0.05
"""Share of an episode's start states from which the rule "backward" chooses at a time."""


@dataclass(frozen=True)
class StartEpisode:
    """One seeded episode and the K states in it at which own episodes may start."""

    seed: int
    noop_start: int
    initial_ram: tuple[tuple[int, int], ...]
    actions: np.ndarray
    """(T,) uint8 indices into the agent's actions, one for each frame, those before the episode's frame 0 included."""
    frames: np.ndarray
    """(K,) int64 numbers of actions before a start, ascending."""
    points: np.ndarray
    """(K,) float32: what the demonstrator scored from each on, within the length of a training episode."""


@dataclass(frozen=True)
class Start:
    """Where one own episode starts."""

    episode: int
    """Index of the seeded episode."""
    frame: int
    points: float
    """What the demonstrator scored from there."""


def start_episodes(config: TrainConfig, plan: SeedPlan, action_meanings: tuple[str, ...]) -> list[StartEpisode]:
    """Return the start states of a seeding under the configuration's rule; raises CoachError if there are none."""
    found = [_start_episode(config, episode, action_meanings) for episode in plan.episodes]
    usable = [episode for episode in found if episode is not None and len(episode.frames)]
    if not usable:
        needs = {
            "good": "no clip of the seeding was judged good",
            "bad": "no clip of the seeding was judged bad, and no life was lost in it",
        }
        why = needs.get(config.start_rule, "the seeding has no recorded episode that can be simulated")
        raise CoachError(f"--start-inside with --start-rule {config.start_rule} finds no start: {why}.")
    return usable


def _start_episode(config: TrainConfig, episode: SeedEpisode, action_meanings: tuple[str, ...]) -> StartEpisode | None:
    with ReplayFile(episode.path) as replay:
        origin = replay.origin
        settings = origin.settings
        actions = np.concatenate((np.frombuffer(settings.actions_before, np.uint8), replay.actions))
    before = len(settings.actions_before)
    if settings.mode is not None or settings.difficulty is not None or origin.rom_md5 != rom_md5(config.game):
        return None
    places = {name: index for index, name in enumerate(action_meanings)}
    translated = np.array([places.get(name, -1) for name in origin.action_meanings])[actions]
    # An action that the agent does not have cannot be simulated in its emulator: no start after one.
    unknown = np.flatnonzero(translated < 0)
    reach = int(unknown[0]) if len(unknown) else len(actions)
    decisions = episode.decisions
    rows = _start_rows(config, episode)
    rows = rows[before + decisions.first_frame[rows] <= reach]
    totals = np.concatenate(([0.0], np.cumsum(decisions.reward, dtype=np.float64)))
    ends = np.minimum(rows + config.max_episode_frames // config.frame_skip, len(decisions))
    return StartEpisode(
        seed=settings.seed,
        noop_start=settings.noop_start,
        initial_ram=settings.initial_ram,
        actions=np.maximum(translated, 0).astype(np.uint8),
        frames=(before + decisions.first_frame[rows]).astype(np.int64),
        points=(totals[ends] - totals[rows]).astype(np.float32),
    )


def _start_rows(config: TrainConfig, episode: SeedEpisode) -> np.ndarray:
    """Return the decisions before which an own episode may start, ascending; never the last one."""
    rows = np.arange(len(episode.decisions))
    if config.start_rule in ("even", "backward"):
        return np.flatnonzero(episode.kept[:-1])
    good = config.start_rule == "good"
    judged = episode.verdict == (1 if good else -1)
    first = judged & ~np.concatenate(([False], judged[:-1]))
    events = np.flatnonzero(first if good else first | episode.decisions.life_lost)
    decisions_per_second = FRAMES_PER_SECOND / config.frame_skip
    least, most = (max(1, round(seconds * decisions_per_second)) for seconds in LEAD_SECONDS)
    before = events[:, None] - np.arange(least, most + 1)  # [events, leads]
    found = np.unique(np.maximum(before, 0))
    return found[found < len(rows) - 1]


class StartStates:
    """Chooses where own episodes start, and sets the emulator to it."""

    def __init__(self, config: TrainConfig, episodes: list[StartEpisode]) -> None:
        self._share = config.start_inside
        self._backward = config.start_rule == "backward"
        self._episodes = episodes
        # The trainer's own generators are the first three children.
        self._rng = np.random.default_rng(np.random.SeedSequence(config.seed).spawn(4)[3])
        self._windows = [max(1, round(WINDOW_SHARE * len(episode.frames))) for episode in episodes]
        self._earliest = [len(episode.frames) - window for episode, window in zip(episodes, self._windows, strict=True)]
        self._snapshots: list[dict[int, Any]] = [{} for _ in episodes]

    def choose(self) -> Start | None:
        """Return where the next own episode starts; None: at the game's beginning."""
        if self._rng.random() >= self._share:
            return None
        if self._backward:
            number = int(self._rng.integers(len(self._episodes)))
            row = self._earliest[number] + int(self._rng.integers(self._windows[number]))
        else:
            ends = np.cumsum([len(episode.frames) for episode in self._episodes])
            place = int(self._rng.integers(ends[-1]))
            number = int(np.searchsorted(ends, place, side="right"))
            row = place - int(ends[number]) + len(self._episodes[number].frames)
        episode = self._episodes[number]
        return Start(number, int(episode.frames[row]), float(episode.points[row]))

    def begin(self, emulator: Emulator, start: Start) -> None:
        """Set the emulator to the state, simulated from the nearest snapshot before it."""
        episode, snapshots = self._episodes[start.episode], self._snapshots[start.episode]
        emulator.settings = replace(
            emulator.settings,
            seed=episode.seed,
            noop_start=episode.noop_start,
            initial_ram=episode.initial_ram,
            actions_before=b"",
        )
        # A snapshot does not include the picture, so at least one frame is simulated after it.
        earlier = [frame for frame in snapshots if frame < start.frame]
        if earlier:
            at = max(earlier)
            emulator.restore(snapshots[at])
        else:
            at = 0
            emulator.reset()
        for frame in range(at, start.frame):
            if frame % SNAPSHOT_FRAMES == 0 and frame not in snapshots:
                snapshots[frame] = emulator.snapshot()
            action = int(episode.actions[frame])
            emulator.executed(action)  # advances the random numbers of sticky actions
            emulator.act(action)

    def actions_before(self, start: Start) -> bytes:
        """Return the actions before a start, one a frame."""
        return self._episodes[start.episode].actions[: start.frame].tobytes()

    def finished(self, start: Start, points: float) -> None:
        """Take in what an own episode scored. The rule "backward" moves earlier with success and later without.

        With steps of four to one it settles where a fifth of the episodes reach the demonstrator's points, the
        threshold of Salimans and Chen 2018.
        """
        number = start.episode
        window, count = self._windows[number], len(self._episodes[number].frames)
        step = max(1, window // 8)
        moved = self._earliest[number] + (-4 * step if points >= start.points else step)
        self._earliest[number] = min(max(moved, 0), count - window)

    def state(self) -> dict[str, Any]:
        """Return the plain values that change during training."""
        return {"generator": self._rng.bit_generator.state, "earliest": self._earliest}

    def restore(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state["generator"]
        self._earliest = list(state["earliest"])


def write_start_episodes(path: Path, episodes: list[StartEpisode]) -> None:
    """Save start states in a run's folder, so that resuming does not depend on changes of library and verdicts."""
    arrays: dict[str, np.ndarray] = {}
    for number, episode in enumerate(episodes):
        about = {name: value for name, value in asdict(episode).items() if not isinstance(value, np.ndarray)}
        arrays[f"{number}/about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        for name in ("actions", "frames", "points"):
            arrays[f"{number}/{name}"] = getattr(episode, name)
    write_arrays(path, arrays)


def read_start_episodes(path: Path) -> list[StartEpisode]:
    """Return what ``write_start_episodes`` wrote; raises CoachError if the file is missing or damaged."""
    arrays = read_arrays(path)
    episodes = []
    try:
        for number in range(len(arrays) // 4):
            about: dict[str, Any] = json.loads(arrays[f"{number}/about"].tobytes())
            about["initial_ram"] = tuple(map(tuple, about["initial_ram"]))
            about |= {name: arrays[f"{number}/{name}"] for name in ("actions", "frames", "points")}
            episodes.append(StartEpisode(**about))
    except (KeyError, TypeError, ValueError) as error:
        raise CoachError(f"Cannot read the start states of {path} ({error}).") from error
    return episodes
