"""Watching another demonstrator in a window, and taking over from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pygame
import pytest

from data.episode import EmulatorSettings, FrameState
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.verification import verify
from recorder.agent_values import ShowsItsValues
from recorder.session import Session
from recorder.session_state import SessionState
from recorder.watch import watch
from screen.window import Window


class Thinker:
    """Fires at every decision, and shows invented values."""

    kind = "agent"
    action_meanings = ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE")

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self.fire, self._rng = emulator.action_meanings.index("FIRE"), rng
        self._newest = emulator.screen()

    def choose(self, frames: Sequence[FrameState]) -> int:
        self._newest = frames[-1].screen
        return self.fire

    def q_values(self) -> np.ndarray:
        return np.arange(6, dtype=np.float32)

    def observation_stack(self) -> np.ndarray:
        return np.stack([self._newest[::2, ::2][:84, :80]] * 4)


def test_the_controls_are_taken_over_and_handed_back_in_the_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("recorder.controls.key_file", lambda: tmp_path / "keys.json")
    assert isinstance(Thinker(), ShowsItsValues)

    def post(kind: int, key: str) -> None:
        pygame.event.post(pygame.event.Event(kind, {"key": pygame.key.key_code(key), "mod": 0}))

    def script(window: Window, session: Session) -> None:
        take = session.take

        def wait_until(holds: Callable[[], bool]) -> None:
            deadline = time.monotonic() + 60
            while not holds():
                assert time.monotonic() < deadline, session.title
                time.sleep(0.005)

        def played_30_frames() -> None:
            at = take.frame
            wait_until(lambda: take.frame > at + 30)

        try:
            wait_until(lambda: "watching" in window.title)
            played_30_frames()
            post(pygame.KEYDOWN, "left")
            post(pygame.KEYDOWN, "t")
            wait_until(lambda: "you play" in session.title)
            played_30_frames()
            post(pygame.KEYUP, "t")
            post(pygame.KEYDOWN, "t")
            post(pygame.KEYUP, "left")
            played_30_frames()
            post(pygame.KEYDOWN, "escape")
            wait_until(lambda: session.state is SessionState.ENDED)
            post(pygame.KEYDOWN, "return")
            wait_until(lambda: bool(session.paths))
        finally:
            session.closed = True

    with ThreadPoolExecutor(1) as hands:
        acting: list[Future[None]] = []

        def begin(window: Window, session: Session) -> None:
            acting.append(hands.submit(script, window, session))

        settings = EmulatorSettings(noop_start=3)
        (path,) = watch(Library(tmp_path), Thinker(), "SpaceInvaders", "Ann", 5, settings=settings, on_ready=begin)
        acting[0].result()
    assert verify(path).ok
    with ReplayFile(path) as replay:
        kinds = [replay.demonstrator_kinds[kind] for kind in replay.demonstrator]
        changes = [kind for n, kind in enumerate(kinds) if n == 0 or kind != kinds[n - 1]]
        assert changes == ["agent", "human", "agent"]
        names = {
            kind: {replay.origin.action_meanings[a] for a, k in zip(replay.actions, kinds, strict=True) if k == kind}
            for kind in ("agent", "human")
        }
        assert names == {"agent": {"FIRE"}, "human": {"LEFT"}}
        assert (replay.origin.player, replay.origin.settings.seed) == ("Ann", 5)
