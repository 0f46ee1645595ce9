"""The emulator: turns actions into frames. The only module that imports gymnasium and ale-py."""

from __future__ import annotations

import atexit
import copy
import difflib
import functools
import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import ale_py
import cv2
import gymnasium
import gymnasium.utils.seeding
import numpy as np
from ale_py import Action, ALEInterface, LoggerMode, roms

from data.episode import RAM_BYTES as RAM_BYTES
from data.episode import EmulatorSettings, FrameState, Origin, utc_now
from data.episode_start import StartedFrom
from data.errors import CoachError


@functools.cache
def game_roms() -> dict[str, str]:
    """Return ALE id (such as "SpaceInvaders") to ROM id (such as "space_invaders"), for every playable game.

    They are taken from Gymnasium's registry: the ROM folder also has two-player games, and loading one of those ends
    the process.
    """
    gymnasium.register_envs(ale_py)
    prefix, suffix = "ALE/", "-v5"
    found = {
        name[len(prefix) : -len(suffix)]: spec.kwargs["game"]
        for name, spec in gymnasium.registry.items()
        if name.startswith(prefix) and name.endswith(suffix)
    }
    return dict(sorted(found.items()))


def games() -> list[str]:
    """Return the ALE ids of all playable games, sorted."""
    return list(game_roms())


def game_named(name: str) -> str | None:
    """Return the ALE id of a game by any name that data sets use for it, or None.

    These are the ALE id, the ROM id ("space_invaders") and Gymnasium ids ("ALE/Pong-v5", "PongNoFrameskip-v4").
    """
    rom_ids = game_roms()
    by_rom = {rom: game for game, rom in rom_ids.items()}
    bare = re.sub(r"-v\d+$", "", name.removeprefix("ALE/"))
    bare = re.sub(r"(-ram|-ramNoFrameskip|-ramDeterministic|NoFrameskip|Deterministic)$", "", bare)
    if bare in rom_ids:
        return bare
    return by_rom.get(name)


def seeded_noops(seed: int, most: int) -> int:
    """Return how many no-ops Gymnasium's ``AtariPreprocessing(noop_max=most)`` executes in ``reset(seed=seed)``."""
    rng, _ = gymnasium.utils.seeding.np_random(seed)
    return int(rng.integers(1, most + 1))


@functools.cache
def action_names(game: str, full: bool = False) -> tuple[str, ...]:
    """Return the names of a game's minimal action set, or of all 18 actions. Raises CoachError for an unknown game."""
    return Emulator(game, EmulatorSettings(full_action_set=full)).action_meanings


def rom_path(game: str) -> Path:
    """Return the ROM file of a game. Raises CoachError, which suggests similar names, for an unknown game."""
    rom_ids = game_roms()
    if game not in rom_ids:
        by_lower = {name.lower(): name for name in rom_ids}
        near = difflib.get_close_matches(game.lower().replace("_", "").replace(" ", ""), by_lower, n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(by_lower[name] for name in near)}?" if near else ""
        raise CoachError(f"There is no game called {game!r}.{hint} ({len(rom_ids)} games are known.)")
    path = roms.get_rom_path(rom_ids[game])
    if path is None:
        raise CoachError(f"The ROM of {game} is missing from ale-py; install ale-py again.")
    return Path(path)


@functools.cache
def rom_md5(game: str) -> str:
    """Return the MD5 of the game's ROM as 32 hex digits."""
    return hashlib.md5(rom_path(game).read_bytes(), usedforsecurity=False).hexdigest()


def ale_version() -> str:
    return str(ale_py.__version__)


@dataclass(frozen=True)
class _Console:
    """A game as it is loaded. The random seed is no part of it: it changes nothing where no action is repeated."""

    game: str
    mode: int | None
    difficulty: int | None
    sound: bool

    def load(self) -> tuple[ALEInterface, Any]:
        """Return an emulator with the ROM (loading it takes 0.1 s), and its state before the first frame.

        Every episode starts from that state: some games, such as Assault, keep something from the episode before.
        """
        ALEInterface.setLoggerMode(LoggerMode.Error)
        ale = ALEInterface()
        ale.setFloat("repeat_action_probability", 0.0)
        ale.setBool("sound_obs", self.sound)
        ale.setInt("random_seed", 0)
        ale.loadROM(str(rom_path(self.game)))
        for what, value, allowed in (
            ("mode", self.mode, ale.getAvailableModes()),
            ("difficulty", self.difficulty, ale.getAvailableDifficulties()),
        ):
            if value is None:
                continue
            if value not in allowed:
                raise CoachError(f"{self.game} has no {what} {value}; it has {', '.join(map(str, allowed))}.")
            (ale.setMode if what == "mode" else ale.setDifficulty)(value)
        return ale, ale.cloneState(include_rng=True)


_idle: deque[tuple[_Console, ALEInterface, Any]] = deque(maxlen=8)
"""Loaded games that no ``Emulator`` uses any more, for the next one."""


@atexit.register
def _free() -> None:
    """Free the idle ones, and those that come now: the ALE reports on standard error what is left at the end."""
    global _idle
    _idle = deque(maxlen=0)


def _take(console: _Console) -> tuple[ALEInterface, Any]:
    """Return an idle ALE with this game, or load one."""
    for found in list(_idle):
        if found[0] == console:
            try:
                _idle.remove(found)
            except ValueError:  # another thread was faster
                continue
            return found[1], found[2]
    return console.load()


class Emulator:
    """An Atari 2600 with one game, stepped frame by frame.

    Actions are indices into ``action_meanings``. The ALE's own sticky actions are off. They are sampled by
    ``executed``, so that the executed action is known and can be recorded.
    """

    def __init__(
        self,
        game: str,
        settings: EmulatorSettings | None = None,
        action_meanings: tuple[str, ...] | None = None,
        sound: bool = False,
    ) -> None:
        """action_meanings: replaces the game's action set, to replay a file. sound: makes ``audio`` available."""
        self.game = game
        self.settings = settings or EmulatorSettings()
        self._console = _Console(game, self.settings.mode, self.settings.difficulty, sound)
        self._ale, self._loaded = _take(self._console)
        chosen = self._ale.getLegalActionSet() if self.settings.full_action_set else self._ale.getMinimalActionSet()
        self.action_meanings = action_meanings or tuple(action.name for action in chosen)
        try:
            self._actions = [Action.__members__[name] for name in self.action_meanings]
        except KeyError as error:
            raise CoachError(f"Cannot simulate {game}: there is no action {error}.") from error
        height, width = self._ale.getScreenDims()
        self.screen_shape: tuple[int, int] = (height, width)
        self._unknown_colours = np.ones(256, np.uint8)
        self.palette = np.zeros((256, 3), np.uint8)
        """(256, 3) uint8 RGB of each palette index seen so far. Every new colour makes a new array."""
        self._begin()

    def __del__(self) -> None:
        if hasattr(self, "_ale") and not self._console.sound:
            _idle.append((self._console, self._ale, self._loaded))

    def reset(self, seed: int | None = None) -> FrameState:
        """Start an episode reproducibly and return frame 0 (after ``noop_start`` no-op frames)."""
        if seed is not None and seed != self.settings.seed:
            self.settings = replace(self.settings, seed=seed)
        if self._console.sound:  # the state does not include the phase of the tones
            self._ale, self._loaded = self._console.load()
        return self._begin()

    def _begin(self) -> FrameState:
        """Reset the game and return frame 0."""
        self._ale.restoreState(self._loaded)
        self._ale.reset_game()
        self._sticky = np.random.default_rng(self.settings.seed)
        self._last_action = 0
        for _ in range(self.settings.noop_start):
            self._ale.act(Action.NOOP)
        for byte, value in self.settings.initial_ram:
            self._ale.setRAM(byte, value)
        try:
            for action in self.settings.actions_before:
                self._last_action = action
                self._ale.act(self._actions[action])
        except IndexError:
            raise CoachError(f"{self.game} cannot be simulated: there is no action {action}.") from None
        self.frame_number = 0
        return self.state()

    def origin(
        self,
        player: str = "",
        created: datetime | None = None,
        players: tuple[tuple[str, str], ...] = (),
        started_from: StartedFrom | None = None,
    ) -> Origin:
        """Return the origin of the current episode."""
        return Origin(
            game=self.game,
            settings=self.settings,
            action_meanings=self.action_meanings,
            rom_md5=rom_md5(self.game),
            ale_version=ale_version(),
            player=player,
            created=created or utc_now(),
            players=players,
            started_from=started_from,
        )

    def executed(self, action: int) -> int:
        """Return the action to execute at the next frame: the requested one or, if actions are sticky, the last one."""
        probability = self.settings.repeat_action_probability
        if probability > 0.0 and self._sticky.random() < probability:
            return self._last_action
        return action

    def act(self, action: int) -> float:
        """Execute ``action`` for one frame and return its points, without reading the frame."""
        reward = float(self._ale.act(self._actions[action]))
        self._last_action = action
        self.frame_number += 1
        return reward

    def step(self, action: int) -> FrameState:
        """Execute ``action`` for one frame and return the new state."""
        return self.state(self.act(action))

    def state(self, reward: float = 0.0) -> FrameState:
        """Return the current state, with this reward."""
        return FrameState(self.screen(), self.ram(), self.lives, reward, self.game_over)

    def screen(self) -> np.ndarray:
        """Return the current frame, (H, W) uint8 palette indices, as a copy. Adds new colours to ``palette``."""
        screen: np.ndarray = self._ale.getScreen()
        if cv2.LUT(screen, self._unknown_colours).any():
            self._learn_colours(screen)
        return screen

    def _learn_colours(self, screen: np.ndarray) -> None:
        indices, where = np.unique(screen, return_index=True)
        palette = self.palette.copy()
        palette[indices] = self._ale.getScreenRGB().reshape(-1, 3)[where]
        self._unknown_colours[indices] = 0
        self.palette = palette

    def ram(self) -> np.ndarray:
        """Return the RAM, (128,) uint8, as a copy."""
        return np.asarray(self._ale.getRAM(), np.uint8)

    def audio(self) -> np.ndarray:
        """Return the current frame's sound, (n,) uint8 samples. Requires ``sound``."""
        return np.asarray(self._ale.getAudio(), np.uint8)

    @property
    def lives(self) -> int:
        """Lives left; 0 in a game without lives."""
        return int(self._ale.lives())

    @property
    def game_over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self._ale.game_over(with_truncation=False))

    def snapshot(self) -> Any:
        """Return the complete state, for ``restore`` of this or another emulator of the same game."""
        return (self._ale.cloneState(), self._last_action, self.frame_number, self._sticky.bit_generator.state)

    def restore(self, snapshot: Any) -> None:
        """Restore a state that ``snapshot`` returned."""
        state, self._last_action, self.frame_number, sticky = snapshot
        self._ale.restoreState(state)
        self._sticky.bit_generator.state = sticky


def simulate(origin: Origin, actions: Iterable[int]) -> Iterator[FrameState]:
    """Reproduce an episode from its origin and its executed actions.

    Yields frame 0, then one frame for each action: T + 1 states. They equal the recorded ones if the ROM and the
    emulator's version do.
    """
    emulator = Emulator(origin.game, origin.settings, origin.action_meanings)
    yield emulator.state()
    for action in actions:
        yield emulator.step(action)


def environment_spec(game: str, settings: EmulatorSettings) -> Any:
    """Return Gymnasium's spec of the environment with RGB frames, a frame skip of 1 and no sticky actions."""
    gymnasium.register_envs(ale_py)
    spec = copy.deepcopy(gymnasium.spec(f"ALE/{game}-v5"))
    spec.kwargs |= {
        "obs_type": "rgb",
        "frameskip": 1,
        "repeat_action_probability": 0.0,
        "full_action_space": settings.full_action_set,
    }
    for name, value in (("mode", settings.mode), ("difficulty", settings.difficulty)):
        if value is not None:
            spec.kwargs[name] = value
    return spec


def recorded_spaces(screen_shape: tuple[int, int], action_count: int) -> tuple[Any, Any]:
    """Return Gymnasium's spaces of RGB pictures (H, W, 3) uint8 and of ``action_count`` actions."""
    pictures = gymnasium.spaces.Box(0, 255, (*screen_shape, 3), np.uint8)
    return pictures, gymnasium.spaces.Discrete(action_count)
