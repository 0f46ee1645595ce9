"""The recorder's window on a virtual screen, driven by real key and pointer events from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pygame
import pytest

from data.episode import EmulatorSettings
from data.library import Library
from data.pace_report import PaceReport
from data.replay_file import ReplayFile
from data.verification import verify
from recorder import play_window
from recorder.controls import KeyMap, nearest_action, turned
from recorder.play_view import MARGIN, PANEL_WIDTH, offers, placed
from recorder.session import Session
from recorder.session_state import SessionState
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

    def wait_for(self, stage: SessionState) -> None:
        self.display.wait_until(lambda: self.session.state is stage, f"the stage {stage}; it is {self.session.state}")

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
        self.session: Session
        self.pressed: list[tuple[int, str, bool]] = []
        """(frame, key, down) of every game key, as the session heard of it."""

    def play(
        self, script: Callable[[Hand], None], on_session: Callable[[Session], None] | None = None, **more: Any
    ) -> list[Path]:
        """``on_session`` is told of each session: one for each game or episode that is gone over to."""

        def act(window: Window, session: Session) -> None:
            try:
                script(Hand(self.display, window, session))
            finally:
                self.session.closed = True

        with ThreadPoolExecutor(1) as hands:
            acting: list[Future[None]] = []

            def begin(window: Window, session: Session) -> None:
                self.session = session
                if on_session is not None:
                    on_session(session)
                if not acting:
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
    monkeypatch.setattr("recorder.controls.key_file", lambda: tmp_path / "keys.json")
    return Sitting(virtual_display, tmp_path / "library")


def runs_of(path: Path) -> list[str]:
    """The names of the executed actions, each run of equal ones once."""
    with ReplayFile(path) as replay:
        names = [replay.origin.action_meanings[action] for action in replay.actions]
    return [name for n, name in enumerate(names) if n == 0 or name != names[n - 1]]


def test_the_file_holds_what_the_keys_said(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.keys("keydown", "Left", "sleep", 0.4, "keydown", "space", "sleep", 0.4, "keyup", "Left", "sleep", 0.4)
        hand.keys("keyup", "space", "sleep", 0.3, "keydown", "d", "sleep", 0.3, "keydown", "Left", "sleep", 0.3)
        hand.keys("keyup", "Left", "sleep", 0.3, "keyup", "d", "sleep", 0.3)
        hand.keys("key", "Escape")
        hand.wait_for(SessionState.ENDED)
        hand.keys("key", "Return")
        hand.wait_for(SessionState.READY)

    (path,) = sitting.play(script)
    assert runs_of(path) == ["NOOP", "LEFT", "LEFTFIRE", "FIRE", "NOOP", "RIGHT", "LEFT", "RIGHT", "NOOP"]
    with ReplayFile(path) as replay:
        expected = sitting.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected


def test_five_hundred_taps_of_five_milliseconds_all_arrive(sitting: Sitting) -> None:
    taps = 500

    def script(hand: Hand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(SessionState.PLAYING)
        tap = ("keydown", "Left", "sleep", 0.005, "keyup", "Left", "sleep", 0.015)
        other = ("keydown", "space", "sleep", 0.005, "keyup", "space", "sleep", 0.015)
        for _ in range(5):
            hand.keys(*(tap + other) * (taps // 10))
        hand.play_frames(8)

    # Pong: nobody's keys could end it before all of them are pressed.
    (path,) = sitting.play(script, game="Pong")
    assert sum(down for _, key, down in sitting.pressed if key in ("left", "space")) == taps
    with ReplayFile(path) as replay:
        expected = sitting.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected
        assert (replay.actions != 0).mean() > 0.8, "several taps fall into each decision"


def test_pause_rewind_countdown_restart_and_discard_by_keys(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "space")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(30)
        hand.keys("key", "r")
        hand.wait_for(SessionState.READY)
        hand.keys("key", "Return")
        hand.play_frames(60)
        hand.keys("key", "p")
        hand.wait_for(SessionState.PAUSED)
        hand.keys("keydown", "BackSpace")
        hand.display.wait_until(lambda: hand.session.take.frame < 30, "the rewind")
        hand.keys("keyup", "BackSpace")
        hand.wait_for(SessionState.PAUSED)
        hand.keys("key", "space")
        hand.wait_for(SessionState.COUNTDOWN)
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.keys("key", "k", "key", "Escape")
        hand.wait_for(SessionState.ENDED)
        hand.keys("key", "Return")
        hand.wait_for(SessionState.READY)
        hand.keys("key", "space")
        hand.play_frames(10)
        hand.keys("key", "Escape")
        hand.wait_for(SessionState.ENDED)
        hand.keys("key", "Delete")
        hand.wait_for(SessionState.READY)

    (path,) = sitting.play(script)
    assert runs_of(path) == ["NOOP"]
    with ReplayFile(path) as replay:
        assert len(replay.markers) == 1
        assert replay.frame_count < 90


def test_closing_the_window_in_mid_episode_keeps_it_as_abandoned(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("keydown", "Right")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(40)
        hand.display.ask_to_close(hand.id)
        hand.display.wait_until(lambda: hand.session.closed, "the window to close")

    told: list[PaceReport] = []
    (path,) = sitting.play(script, player="Ann", settings=EmulatorSettings(seed=9), on_pace=told.append)
    with ReplayFile(path) as replay:
        assert told == [replay.pace], "the pace is told at the end and is in the file"
        assert told[0].frames == replay.frame_count
        assert (replay.ended_by, replay.origin.player, replay.origin.settings.seed) == ("abandoned", "Ann", 9)
    assert runs_of(path) == ["RIGHT"]


def test_a_window_that_loses_the_keyboard_pauses(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("keydown", "Left")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(12)
        hand.keys("windowunmap", hand.id)
        hand.wait_for(SessionState.PAUSED)
        assert hand.session.controls.held_parts == ()

    assert len(sitting.play(script)) == 1


def test_everything_can_be_done_with_the_mouse(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.click("start")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.click("pause")
        hand.wait_for(SessionState.PAUSED)
        hand.click("end")
        hand.wait_for(SessionState.ENDED)

    assert len(sitting.play(script)) == 1


def test_a_key_that_was_changed_on_the_screen_of_keys_plays(sitting: Sitting) -> None:
    def script(hand: Hand) -> None:
        hand.keys("key", "F2", "key", "Down", "key", "Down", "key", "Return", "key", "j", "key", "Escape")
        hand.display.wait_until(lambda: hand.session.key_map.does("j") == "left", "the new key")
        hand.keys("keydown", "j")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.keys("keyup", "j")

    (path,) = sitting.play(script)
    assert runs_of(path)[0] == "LEFT"


GAMES_BY_KEYS = (
    "Pong",
    "Breakout",
    "Seaquest",
    "MsPacman",
    "Pitfall",
    "Freeway",
    "Qbert",
    "Assault",
    "Gopher",
    "Amidar",
)


def test_ten_games_of_different_action_sets_are_played_one_after_another_by_keys(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one sitting, going from game to game with the picker; each file holds what was held in the game's own set."""
    monkeypatch.setattr("recorder.game_pictures.cache_folder", lambda: tmp_path)
    sessions: list[Session] = []

    def script(hand: Hand) -> None:
        for number, game in enumerate(GAMES_BY_KEYS):
            hand.display.wait_until(lambda game=game: sessions[-1].game == game, f"{game}")
            hand.session = sessions[-1]
            hand.keys("keydown", "Up", "keydown", "Right", "keydown", "space")
            hand.wait_for(SessionState.PLAYING)
            hand.play_frames(12)
            hand.keys("keyup", "Up", "keyup", "space")
            hand.play_frames(8)
            hand.keys("keyup", "Right")
            if number + 1 < len(GAMES_BY_KEYS):
                hand.keys("key", "g")
                hand.display.wait_for_window("choosing a game")
                hand.keys("type", GAMES_BY_KEYS[number + 1].lower())
                hand.display.wait_until(lambda: "choosing" not in hand.session.title, "the picker")
                hand.keys("sleep", 0.3, "key", "Return")

    paths = sitting.play(script, game="Pong", on_session=sessions.append)
    assert len(paths) == len(GAMES_BY_KEYS)
    for path, game in zip(paths, GAMES_BY_KEYS, strict=True):
        with ReplayFile(path) as replay:
            meanings = replay.origin.action_meanings
            parts = [turned(part, game) for part in ("up", "right", "fire")]
            assert replay.origin.game == game
            assert replay.actions[8] == nearest_action(parts, meanings), f"{game}: {meanings[replay.actions[8]]}"


def test_an_episode_that_was_left_is_chosen_from_the_list_and_goes_on(sitting: Sitting) -> None:
    sessions: list[Session] = []

    def leave(hand: Hand) -> None:
        hand.keys("keydown", "Left")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(40)
        hand.keys("keyup", "Left")

    (old,) = sitting.play(leave)

    def go_on(hand: Hand) -> None:
        hand.keys("key", "o", "sleep", 0.3, "key", "Return")
        hand.display.wait_until(lambda: len(sessions) == 2 and sessions[-1].state is SessionState.PAUSED, "the episode")
        hand.session = sessions[-1]
        hand.keys("keydown", "Right", "key", "p")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(24)
        hand.keys("keyup", "Right", "key", "Escape")
        hand.wait_for(SessionState.ENDED)
        hand.keys("key", "Return")
        hand.display.wait_until(lambda: len(sessions) == 3, "ordinary play")

    (new,) = sitting.play(go_on, on_session=sessions.append)
    assert not old.exists()
    with ReplayFile(new) as replay:
        assert replay.pace is not None
        assert replay.frame_count >= 64
    assert [name for name in runs_of(new) if name != "NOOP"] == ["LEFT", "RIGHT"]


def test_speed_changes_while_playing_and_frames_follow_it(sitting: Sitting) -> None:
    counted: list[float] = []

    def script(hand: Hand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(SessionState.PLAYING)
        for key, speed in (("comma", 0.5), ("comma", 0.25), ("period", 0.5)):
            hand.keys("key", key)
            hand.display.wait_until(lambda speed=speed: hand.session.speed == speed, f"{speed}x")
        began, frame = time.monotonic(), hand.session.take.frame
        hand.play_frames(15)
        counted.append((hand.session.take.frame - frame) / (time.monotonic() - began))
        hand.keys("key", "period", "key", "period", "key", "period", "key", "period")
        hand.display.wait_until(lambda: hand.session.speed == 4.0, "4x, and no more")

    sitting.play(script)
    assert counted[0] < 33, "half of sixty frames a second, or fewer on a busy machine"


def test_a_controller_plays_and_what_it_did_verifies(sitting: Sitting) -> None:
    """SDL's own events are posted: few machines that run tests let a program plug in a virtual device."""

    def post(kind: int, **values: object) -> None:
        pygame.event.post(pygame.event.Event(kind, {"instance_id": 0, **values}))

    def script(hand: Hand) -> None:
        post(pygame.JOYAXISMOTION, axis=0, value=1.0)
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(12)
        post(pygame.JOYBUTTONDOWN, button=0)
        hand.play_frames(12)
        post(pygame.JOYAXISMOTION, axis=0, value=0.0)
        hand.play_frames(12)
        post(pygame.JOYBUTTONUP, button=0)
        post(pygame.JOYBUTTONDOWN, button=7)
        hand.wait_for(SessionState.PAUSED)

    (path,) = sitting.play(script)
    assert runs_of(path) == ["RIGHT", "RIGHTFIRE", "FIRE", "NOOP"] or runs_of(path) == ["RIGHT", "RIGHTFIRE", "FIRE"]
