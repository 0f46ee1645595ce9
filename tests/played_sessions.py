"""A session and a hand that presses its keys, for the tests of the recorder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.demonstrator import RandomPlay
from data.episode import EmulatorSettings, FrameState
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator, simulate
from recorder.controls import KeyMap
from recorder.session import Session
from recorder.session_keys import SessionKeys


def assert_simulates_equal(path: Path) -> None:
    with ReplayFile(path) as replay:
        frames, ram = replay.frames(), replay.ram()
        for number, state in enumerate(simulate(replay.origin, replay.actions)):
            assert np.array_equal(state.screen, frames[number]), f"frame {number} differs"
            assert np.array_equal(state.ram, ram[number])
            assert state.lives == replay.lives[number]
            assert number == 0 or state.reward == replay.rewards[number - 1]
        assert number == replay.frame_count
        assert state.game_over == (replay.ended_by == "game_over")


class Watcher:
    """Plays at random and remembers the last frame that it was shown at each decision."""

    kind = "agent"

    def __init__(self) -> None:
        self.seen: list[FrameState] = []
        self._random = RandomPlay()

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self.seen = []
        self._random.begin(emulator, rng)

    def choose(self, frames: Sequence[FrameState]) -> int:
        self.seen.append(frames[-1])
        return self._random.choose(frames)


class Player:
    """A session and a hand that presses its keys, without a window."""

    def __init__(self, folder: Path, key_map: KeyMap | None = None, **more: object) -> None:
        settings = EmulatorSettings(**more.pop("settings", {}))
        self.session = Session(Library(folder), "SpaceInvaders", settings, key_map or KeyMap(), **more)
        self.keys = SessionKeys(self.session)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.keys.down(key)
            self.keys.up(key)

    def ticks(self, number: int) -> None:
        for _ in range(number):
            self.session.frame_due()
            self.session.tick()

    def episodes(self) -> list[tuple[int, str]]:
        found = []
        for path in self.session.paths:
            assert_simulates_equal(path)
            with ReplayFile(path) as replay:
                found.append((replay.frame_count, replay.ended_by))
        return found

    def actions(self) -> list[str]:
        with ReplayFile(self.session.paths[-1]) as replay:
            return [replay.origin.action_meanings[action] for action in replay.actions]


def files_in(folder: Path) -> list[str]:
    return [path.name for path in (folder / "replays").iterdir()] if (folder / "replays").is_dir() else []
