"""The recorder's window: by real keys on a virtual screen where the desktop matters, else by posted events."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pygame
import pytest

from data.episode import EmulatorSettings, PaceReport
from data.library import Library
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
    """Plays in the window: posts events to it and waits for their effects."""

    def __init__(self, window: Window, session: Session) -> None:
        self.window, self.session = window, session

    def down(self, *keys: str) -> None:
        for key in keys:
            self.post(pygame.KEYDOWN, key=pygame.key.key_code(key), mod=0)

    def up(self, *keys: str) -> None:
        for key in keys:
            self.post(pygame.KEYUP, key=pygame.key.key_code(key), mod=0)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.down(key)
            self.up(key)

    def type(self, text: str) -> None:
        self.post(pygame.TEXTINPUT, text=text)

    def click(self, command: str) -> None:
        """Click on the button of a command."""
        canvas = self.window.canvas
        found = dict(placed(offers(self.session), canvas.box.right_part(PANEL_WIDTH).inset(MARGIN)))
        at = tuple(round(value * canvas.scale) for value in found[command].box.centre)
        self.post(pygame.MOUSEBUTTONDOWN, pos=at, button=1)
        self.post(pygame.MOUSEBUTTONUP, pos=at, button=1)

    @staticmethod
    def post(kind: int, **values: object) -> None:
        pygame.event.post(pygame.event.Event(kind, values))

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {seconds} s in vain for: {what}; the session is {self.session.state}")
            time.sleep(0.005)

    def wait_for(self, state: SessionState) -> None:
        self.wait_until(lambda: self.session.state is state, str(state))

    def play_frames(self, number: int) -> None:
        """Wait until so many more frames were played."""
        until = self.session.take.frame + number
        self.wait_until(lambda: self.session.take.frame >= until, f"frame {until}")


class RealHand(Hand):
    """Presses keys and closes the window from outside, as a person at a desktop does."""

    def __init__(self, display: VirtualDisplay, window: Window, session: Session) -> None:
        super().__init__(window, session)
        self.display = display
        self.id = display.wait_for_window("Replay Coach")

    def keys(self, *arguments: str | int) -> None:
        """Run xdotool's commands, such as "keydown", "Left", "sleep", 0.3, "keyup", "Left"."""
        self.display.xdotool(*arguments)


class Play:
    """Opens the window, lets a script act in another thread, and holds the results."""

    def __init__(self, folder: Path, make_hand: Callable[[Window, Session], Any]) -> None:
        self.folder, self._make_hand = folder, make_hand
        self.session: Session
        self.pressed: list[tuple[int, str, bool]] = []
        """(frame, key, down) of every game key, as the session received it."""

    def play(
        self, script: Callable[[Any], None], on_session: Callable[[Session], None] | None = None, **more: Any
    ) -> list[Path]:
        """``on_session`` is called with each session: one for each game or episode that is switched to."""

        def act(window: Window, session: Session) -> None:
            try:
                script(self._make_hand(window, session))
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
        """Return what the keys mean: each decision does what was down at its start or tapped since the last one."""
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


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.controls.key_file", lambda: tmp_path / "keys.json")


@pytest.fixture
def posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """A window that no screen shows, played by posted events."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return Play(tmp_path / "library", Hand)


@pytest.fixture
def real(virtual_display: VirtualDisplay, tmp_path: Path) -> Play:
    """A window on a virtual screen, played by real keys."""
    return Play(tmp_path / "library", partial(RealHand, virtual_display))


def runs_of(path: Path) -> list[str]:
    """The names of the executed actions, each run of equal ones once."""
    with ReplayFile(path) as replay:
        names = [replay.origin.action_meanings[action] for action in replay.actions]
    return [name for n, name in enumerate(names) if n == 0 or name != names[n - 1]]


def test_the_file_holds_what_the_keys_said(real: Play) -> None:
    def script(hand: RealHand) -> None:
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

    (path,) = real.play(script)
    assert runs_of(path) == ["NOOP", "LEFT", "LEFTFIRE", "FIRE", "NOOP", "RIGHT", "LEFT", "RIGHT", "NOOP"]
    with ReplayFile(path) as replay:
        expected = real.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected


def test_two_hundred_taps_of_five_milliseconds_all_arrive(real: Play) -> None:
    taps = 200

    def script(hand: RealHand) -> None:
        hand.keys("key", "Return")
        hand.wait_for(SessionState.PLAYING)
        tap = ("keydown", "Left", "sleep", 0.005, "keyup", "Left", "sleep", 0.015)
        other = ("keydown", "space", "sleep", 0.005, "keyup", "space", "sleep", 0.015)
        for _ in range(2):
            hand.keys(*(tap + other) * (taps // 4))
        hand.play_frames(8)

    # Pong is not over before all of them are pressed.
    (path,) = real.play(script, game="Pong")
    assert sum(down for _, key, down in real.pressed if key in ("left", "space")) == taps
    with ReplayFile(path) as replay:
        expected = real.expected_actions(replay.frame_count, replay.origin.action_meanings)
        assert replay.actions.tolist() == expected
        assert (replay.actions != 0).mean() > 0.8, "several taps fall into each decision"


def test_pause_rewind_countdown_restart_and_discard_by_keys(posted: Play) -> None:
    def script(hand: Hand) -> None:
        hand.press("space")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(30)
        hand.press("r")
        hand.wait_for(SessionState.READY)
        hand.press("return")
        hand.play_frames(60)
        hand.press("p")
        hand.wait_for(SessionState.PAUSED)
        hand.down("backspace")
        hand.wait_until(lambda: hand.session.take.frame < 30, "the rewind")
        hand.up("backspace")
        hand.wait_for(SessionState.PAUSED)
        hand.press("space")
        hand.wait_for(SessionState.COUNTDOWN)
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.press("k", "escape")
        hand.wait_for(SessionState.ENDED)
        hand.press("return")
        hand.wait_for(SessionState.READY)
        hand.press("space")
        hand.play_frames(10)
        hand.press("escape")
        hand.wait_for(SessionState.ENDED)
        hand.press("delete")
        hand.wait_for(SessionState.READY)

    (path,) = posted.play(script)
    assert runs_of(path) == ["NOOP"]
    with ReplayFile(path) as replay:
        assert len(replay.markers) == 1
        assert replay.frame_count < 90


def test_closing_the_window_during_an_episode_saves_it_as_abandoned(real: Play) -> None:
    def script(hand: RealHand) -> None:
        hand.keys("keydown", "Right")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(40)
        hand.display.ask_to_close(hand.id)
        hand.wait_until(lambda: hand.session.closed, "the window to close")

    reports: list[PaceReport] = []
    (path,) = real.play(script, player="Ann", settings=EmulatorSettings(seed=9), on_pace=reports.append)
    with ReplayFile(path) as replay:
        assert reports == [replay.pace], "the pace is reported at the end and is in the file"
        assert reports[0].frames == replay.frame_count
        assert (replay.ended_by, replay.origin.player, replay.origin.settings.seed) == ("abandoned", "Ann", 9)
    assert runs_of(path) == ["RIGHT"]


def test_a_window_that_loses_the_keyboard_pauses(real: Play) -> None:
    def script(hand: RealHand) -> None:
        hand.keys("keydown", "Left")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(12)
        hand.keys("windowunmap", hand.id)
        hand.wait_for(SessionState.PAUSED)
        assert hand.session.controls.held_parts == ()

    assert len(real.play(script)) == 1


def test_everything_can_be_done_with_the_mouse(posted: Play) -> None:
    def script(hand: Hand) -> None:
        hand.click("start")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.click("pause")
        hand.wait_for(SessionState.PAUSED)
        hand.click("end")
        hand.wait_for(SessionState.ENDED)

    assert len(posted.play(script)) == 1


def test_a_key_that_was_changed_on_the_screen_of_keys_plays(posted: Play) -> None:
    def script(hand: Hand) -> None:
        hand.press("f2", "down", "down", "return", "j", "escape")
        hand.wait_until(lambda: hand.session.key_map.does("j") == "left", "the new key")
        hand.down("j")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(20)
        hand.up("j")

    (path,) = posted.play(script)
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
    posted: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From game to game with the picker; each file holds what the keys mean in the action set of its game."""
    monkeypatch.setattr("recorder.game_pictures.cache_folder", lambda: tmp_path)
    monkeypatch.setattr("recorder.game_pictures.GamePictures.work", lambda *_: False)  # no pictures
    sessions: list[Session] = []

    def script(hand: Hand) -> None:
        for number, game in enumerate(GAMES_BY_KEYS):
            hand.wait_until(lambda game=game: sessions[-1].game == game, f"{game}")
            hand.session = sessions[-1]
            hand.down("up", "right", "space")
            hand.wait_for(SessionState.PLAYING)
            hand.play_frames(12)
            hand.up("up", "space")
            hand.play_frames(8)
            hand.up("right")
            if number + 1 < len(GAMES_BY_KEYS):
                hand.press("g")
                hand.wait_until(lambda: "choosing a game" in hand.window.title, "the picker")
                time.sleep(0.1)  # the picker ignores what is typed before it is shown
                hand.type(GAMES_BY_KEYS[number + 1].lower())
                hand.press("return")

    paths = posted.play(script, game="Pong", on_session=sessions.append, speed=4.0)
    assert len(paths) == len(GAMES_BY_KEYS)
    for path, game in zip(paths, GAMES_BY_KEYS, strict=True):
        with ReplayFile(path) as replay:
            meanings = replay.origin.action_meanings
            parts = [turned(part, game) for part in ("up", "right", "fire")]
            assert replay.origin.game == game
            assert replay.actions[8] == nearest_action(parts, meanings), f"{game}: {meanings[replay.actions[8]]}"


def test_an_unfinished_episode_is_chosen_from_the_list_and_resumed(posted: Play) -> None:
    sessions: list[Session] = []

    def begin(hand: Hand) -> None:
        hand.down("left")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(40)
        hand.up("left")

    (old,) = posted.play(begin)

    def resume(hand: Hand) -> None:
        hand.press("o", "return")
        hand.wait_until(lambda: len(sessions) == 2 and sessions[-1].state is SessionState.PAUSED, "the episode")
        hand.session = sessions[-1]
        hand.down("right")
        hand.press("p")
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(24)
        hand.up("right")
        hand.press("escape")
        hand.wait_for(SessionState.ENDED)
        hand.press("return")
        hand.wait_until(lambda: len(sessions) == 3, "ordinary play")

    (new,) = posted.play(resume, on_session=sessions.append)
    assert not old.exists()
    with ReplayFile(new) as replay:
        assert replay.pace is not None
        assert replay.frame_count >= 64
    assert [name for name in runs_of(new) if name != "NOOP"] == ["LEFT", "RIGHT"]


def test_speed_changes_while_playing_and_frames_follow_it(posted: Play) -> None:
    counted: list[float] = []

    def script(hand: Hand) -> None:
        hand.press("return")
        hand.wait_for(SessionState.PLAYING)
        for key, speed in ((",", 0.5), (",", 0.25), (".", 0.5)):
            hand.press(key)
            hand.wait_until(lambda speed=speed: hand.session.speed == speed, f"{speed}x")
        began, frame = time.monotonic(), hand.session.take.frame
        hand.play_frames(15)
        counted.append((hand.session.take.frame - frame) / (time.monotonic() - began))
        hand.press(".", ".", ".", ".")
        hand.wait_until(lambda: hand.session.speed == 4.0, "4x, and no more")

    posted.play(script)
    assert counted[0] < 33, "half of sixty frames a second, or fewer on a busy machine"


def test_a_controller_plays_and_its_episode_verifies(posted: Play) -> None:
    def script(hand: Hand) -> None:
        hand.post(pygame.JOYAXISMOTION, axis=0, value=1.0, instance_id=0)
        hand.wait_for(SessionState.PLAYING)
        hand.play_frames(12)
        hand.post(pygame.JOYBUTTONDOWN, button=0, instance_id=0)
        hand.play_frames(12)
        hand.post(pygame.JOYAXISMOTION, axis=0, value=0.0, instance_id=0)
        hand.play_frames(12)
        hand.post(pygame.JOYBUTTONUP, button=0, instance_id=0)
        hand.post(pygame.JOYBUTTONDOWN, button=7, instance_id=0)
        hand.wait_for(SessionState.PAUSED)

    (path,) = posted.play(script)
    assert runs_of(path) == ["RIGHT", "RIGHTFIRE", "FIRE", "NOOP"] or runs_of(path) == ["RIGHT", "RIGHTFIRE", "FIRE"]
