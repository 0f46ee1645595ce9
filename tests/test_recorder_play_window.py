"""The recorder's window on a virtual screen, driven by real key and pointer events from outside."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from data.episode import EmulatorSettings
from data.library import Library
from data.replay_file import ReplayFile
from data.verification import verify
from recorder import play_window
from recorder.controls import nearest_action
from recorder.key_map import KeyMap
from recorder.play_buttons import offers, placed
from recorder.play_view import MARGIN, PANEL_WIDTH
from recorder.session import Session
from recorder.stage import Stage
from screen.window import Window
from tests.conftest import VirtualDisplay


class Hand:
    """Presses keys and the mouse from outside, and waits for what follows."""

    def __init__(self, display: VirtualDisplay, window: Window, session: Session) -> None:
        self.display, self.window, self.session = display, window, session
        self.id = display.wait_for_window("Replay Coach")

    def keys(self, *arguments: str | int) -> None:
        """xdotool's own words, such as "keydown", "Left", "sleep", 0.3, "keyup", "Left"."""
        self.display.xdotool(*arguments)

    def wait_for(self, stage: Stage) -> None:
        self.display.wait_until(lambda: self.session.stage is stage, f"the stage {stage}; it is {self.session.stage}")

    def play_frames(self, number: int) -> None:
        """Wait until so many more frames were played."""
        until = self.session.take.frame + number
        self.display.wait_until(lambda: self.session.take.frame >= until, f"frame {until}")

    def click(self, command: str) -> None:
        """Click on the button of a command."""
        canvas = self.window.canvas
        found = dict(placed(offers(self.session), canvas.box.right_part(PANEL_WIDTH).inset(MARGIN)))
        x, y = (round(value * canvas.scale) for value in found[command].box.centre)
        self.keys("mousemove", "--window", self.id, x, y, "click", 1)


class Sitting:
    """Opens the window, lets a script act in another thread, and holds what came of it."""

    def __init__(self, display: VirtualDisplay, folder: Path) -> None:
        self.display, self.folder = display, folder
        self.pressed: list[tuple[int, str, bool]] = []
        """(frame, key, down) of every game key, as the session heard of it."""

    def play(self, script: Callable[[Hand], None], **more: Any) -> list[Path]:
        def act(window: Window, session: Session) -> None:
            try:
                script(Hand(self.display, window, session))
            finally:
                session.closed = True

        with ThreadPoolExecutor(1) as hands:
            acting: list[Future[None]] = []

            def begin(window: Window, session: Session) -> None:
                self._listen(session)
                acting.append(hands.submit(act, window, session))

            paths = play_window.play(Library(self.folder), on_ready=begin, **more)
            acting[0].result()
        for path in paths:
            assert verify(path).ok, verify(path)
        return paths

    def _listen(self, session: Session) -> None:
        press, release = session.controls.press, session.controls.release

        def pressed(key: str) -> bool:
            self.pressed.append((session.take.frame, key, True))
            return press(key)

        def released(key: str) -> None:
            self.pressed.append((session.take.frame, key, False))
            release(key)

        session.controls.press = pressed
        session.controls.release = released

    def expected_actions(self, frames: int, meanings: tuple[str, ...], skip: int = 4) -> list[int]:
        """What the keys say, worked out anew: each decision does what was down at its start or tapped before it."""
        part_of = KeyMap().part_of_key()
        down: list[str] = []
        tapped: list[str] = []
        events = list(self.pressed)
        actions: list[int] = []
        for start in range(0, frames, skip):
            while events and events[0][0] <= start:
                _, key, is_down = events.pop(0)
                if key not in part_of:
                    continue
                if is_down:
                    down.append(key)
                    tapped.append(key)
                elif key in down:
                    down.remove(key)
            acting = [key for key in down if key not in tapped] + tapped
            actions += [nearest_action([part_of[key] for key in acting], meanings)] * min(skip, frames - start)
            tapped.clear()
        return actions


@pytest.fixture
def sitting(virtual_display: VirtualDisplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sitting:
    monkeypatch.setattr("recorder.key_map.key_file", lambda: tmp_path / "keys.json")
    return Sitting(virtual_display, tmp_path / "library")


def runs_of(path: Path) -> list[str]:
    """The names of the executed actions, each run of equal ones once."""
    with ReplayFile(path) as replay:
        names = [replay.origin.action_meanings[action] for action in replay.actions]
    return [name for n, name in enumerate(names) if n == 0 or name != names[n - 1]]


def test_the_file_holds_what_the_keys_said(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(20)
        hand.keys("keydown", "Left", "sleep", 0.4, "keydown", "space", "sleep", 0.4, "keyup", "Left", "sleep", 0.4)
        hand.keys("keyup", "space", "sleep", 0.3, "keydown", "d", "sleep", 0.3, "keydown", "Left", "sleep", 0.3)
        hand.keys("keyup", "Left", "sleep", 0.3, "keyup", "d", "sleep", 0.3)
        hand.keys("key", "Escape")
        hand.wait_for(Stage.ENDED)
        hand.keys("key", "Return")
        hand.wait_for(Stage.READY)

    (path,) = sitting.play(script)
    assert runs_of(path) == ["NOOP", "LEFT", "LEFTFIRE", "FIRE", "NOOP", "RIGHT", "LEFT", "RIGHT", "NOOP"]
    with ReplayFile(path) as replay:
        expected = sitting.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected


def test_taps_of_five_milliseconds_all_arrive(sitting: Sitting) -> None:
    taps = 60

    def script(hand: Hand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(Stage.PLAYING)
        tap = ("keydown", "Left", "sleep", 0.005, "keyup", "Left", "sleep", 0.02)
        other = ("keydown", "space", "sleep", 0.005, "keyup", "space", "sleep", 0.15)
        hand.keys(*(tap + other) * (taps // 2))
        hand.play_frames(8)

    (path,) = sitting.play(script)
    assert sum(down for _, key, down in sitting.pressed if key in ("left", "space")) == taps
    with ReplayFile(path) as replay:
        expected = sitting.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected
        assert (replay.actions != 0).sum() >= 4 * taps // 2


def test_pause_rewind_countdown_restart_and_discard_by_keys(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "space")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(30)
        hand.keys("key", "r")
        hand.wait_for(Stage.READY)
        hand.keys("key", "Return")
        hand.play_frames(60)
        hand.keys("key", "p")
        hand.wait_for(Stage.PAUSED)
        hand.keys("keydown", "BackSpace")
        hand.display.wait_until(lambda: hand.session.take.frame < 30, "the rewind")
        hand.keys("keyup", "BackSpace")
        hand.wait_for(Stage.PAUSED)
        hand.keys("key", "space")
        hand.wait_for(Stage.COUNTDOWN)
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(20)
        hand.keys("key", "k", "key", "Escape")
        hand.wait_for(Stage.ENDED)
        hand.keys("key", "Return")
        hand.wait_for(Stage.READY)
        hand.keys("key", "space")
        hand.play_frames(10)
        hand.keys("key", "Escape")
        hand.wait_for(Stage.ENDED)
        hand.keys("key", "Delete")
        hand.wait_for(Stage.READY)

    (path,) = sitting.play(script)
    assert runs_of(path) == ["NOOP"]
    with ReplayFile(path) as replay:
        assert len(replay.markers) == 1
        assert replay.frame_count < 90


def test_closing_the_window_in_mid_episode_keeps_it_as_abandoned(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("keydown", "Right")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(40)
        hand.display.ask_to_close(hand.id)
        hand.display.wait_until(lambda: hand.session.closed, "the window to close")

    (path,) = sitting.play(script, player="Ann", settings=EmulatorSettings(seed=9))
    with ReplayFile(path) as replay:
        assert (replay.ended_by, replay.origin.player, replay.origin.settings.seed) == ("abandoned", "Ann", 9)
    assert runs_of(path) == ["RIGHT"]


def test_a_window_that_loses_the_keyboard_pauses(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("keydown", "Left")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(12)
        hand.keys("windowunmap", hand.id)
        hand.wait_for(Stage.PAUSED)
        assert hand.session.controls.held_parts == ()

    assert len(sitting.play(script)) == 1


def test_everything_can_be_done_with_the_mouse(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.click("start")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(20)
        hand.click("pause")
        hand.wait_for(Stage.PAUSED)
        hand.click("end")
        hand.wait_for(Stage.ENDED)

    assert len(sitting.play(script)) == 1


def test_a_key_that_was_changed_on_the_screen_of_keys_plays(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "F2", "key", "Down", "key", "Down", "key", "Return", "key", "j", "key", "Escape")
        hand.display.wait_until(lambda: hand.session.key_map.does("j") == "left", "the new key")
        hand.keys("keydown", "j")
        hand.wait_for(Stage.PLAYING)
        hand.play_frames(20)
        hand.keys("keyup", "j")

    (path,) = sitting.play(script)
    assert runs_of(path)[0] == "LEFT"
