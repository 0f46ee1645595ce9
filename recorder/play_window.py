"""The recorder's window: a person plays, and every frame is recorded."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from data.continuation import Unended, read_unended, unended_episodes
from data.episode import NO_FRAMES, EmulatorSettings, PaceReport
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from recorder.controls import read_key_map
from recorder.episode_chooser import EpisodeChooser
from recorder.frame_loop import PlayedFrame
from recorder.game_picker import pick_game
from recorder.key_editor import KeyEditor
from recorder.pace import Pace, realtime
from recorder.play_view import PlayView
from recorder.session import Session
from recorder.session_keys import SessionKeys
from recorder.session_state import SPEEDS, Next, SessionEpisode, SessionState
from screen.background import Background
from screen.events import (
    CloseRequested,
    Event,
    FocusLost,
    KeyDown,
    KeyUp,
    PointerDown,
    PointerMoved,
    PointerUp,
    TextTyped,
    Wheel,
)
from screen.sound import GameSound, read_volume, write_volume
from screen.window import Window

IDLE_SECONDS = 0.5
"""Longest wait for an event while nothing moves."""


def play(
    library: Library,
    game: str = "SpaceInvaders",
    player: str = "",
    settings: EmulatorSettings | None = None,
    speed: float = 1.0,
    window: Window | None = None,
    on_ready: Callable[[Window, Session], None] | None = None,
    on_pace: Callable[[PaceReport], None] | None = None,
    sound: bool = True,
    unended: Unended | None = None,
) -> list[Path]:
    """Let a person play episode after episode; return the replay files that were saved.

    ``settings`` holds the seed of the first episode (the next has the one after it). ``window``: an open window to
    play in, which stays open. ``on_ready`` is called when the first picture of a game is shown, ``on_pace`` at the end.
    ``sound``: whether the sound is on at first. ``unended``: an episode to resume first.
    Raises CoachError if there is no display, for an unknown game, and if the library is not writable.
    """
    if not SPEEDS[0] <= speed <= SPEEDS[-1]:
        raise CoachError(f"The speed must be between {SPEEDS[0]:g} and {SPEEDS[-1]:g}, not {speed:g}.")
    library.prepare()
    chosen = settings or EmulatorSettings()
    paths: list[Path] = []
    paces: list[PaceReport] = []
    episodes: dict[str, list[SessionEpisode]] = {}

    def session_of(following: Next, muted: bool, speed: float, volume: float) -> Session:
        key_map = read_key_map()
        made = Session(library, following.game, chosen, key_map, player, speed, sound=True, unended=following.unended)
        made.muted, made.volume = muted, volume
        made.episodes = episodes.setdefault(following.game, [])
        if following.notice:
            made.notify(following.notice)
        return made

    # Before the window, so that an unknown game is reported without opening one.
    session = session_of(Next(game, unended), not sound, speed, read_volume())
    with opened_window(window, session.title) as shown:
        while True:
            view = PlayView(session)
            view.quit_label = "Quit" if window is None else "Back"
            RecorderWindow(shown, session, view).run(on_ready, paces.append)
            paths += session.paths
            if session.next is None or shown.closing:
                break
            if session.next.unended is None:
                chosen = replace(chosen, seed=(chosen.seed + session.seeds_used) % 2**31)
            session = session_of(session.next, session.muted, session.speed, session.volume)
    if on_pace is not None:
        on_pace(sum(paces, NO_FRAMES))
    return paths


@contextlib.contextmanager
def opened_window(window: Window | None, title: str) -> Iterator[Window]:
    """Yield the window that is given, which stays open, or a new one."""
    if window is not None:
        yield window
        return
    with Window(title) as opened:
        yield opened


class RecorderWindow:
    """Joins keys, clock and picture until the window closes or the player quits."""

    def __init__(self, window: Window, session: Session, view: PlayView | None = None) -> None:
        self._window = window
        self._session = session
        self._keys = SessionKeys(session)
        self._view = view or PlayView(session)
        self._editor: KeyEditor | None = None
        self._chooser: EpisodeChooser | None = None
        self._sound = GameSound()
        self._first_volume = session.volume
        self._shown_trouble: str | None = None
        self._dragged = ""
        """What the pointer drags: "bar", "volume" or nothing."""
        self._finding = Background(lambda _: bool(unended_episodes(session.library, session.game)), "find unfinished")
        session.on_frame = self._play_sound
        self._of_window: dict[str | None, Callable[[], None]] = {
            "edit_keys": self._open_editor,
            "full_screen": self._window.toggle_full_screen,
            "games": self._pick_game,
            "reopen": self._choose_episode,
            "save_elsewhere": self._view.dialog.ask_for_folder,
            "save_in_folder": self._view.dialog.save_in_folder,
            "cancel_folder": self._view.dialog.cancel_folder,
        }
        """What keys and buttons do that concerns the window alone."""

    def run(
        self,
        on_ready: Callable[[Window, Session], None] | None = None,
        on_pace: Callable[[PaceReport], None] | None = None,
    ) -> None:
        """Run until the end. An episode that has started is saved, also after an error."""
        session = self._session
        pace = Pace(time.perf_counter(), session.speed)
        before = self._window.title
        try:
            with realtime():
                self._window.start_view()
                self._show()
                if on_ready is not None:
                    on_ready(self._window, session)
                self._loop(pace)
        except KeyboardInterrupt:
            pass  # Ctrl-C in the terminal closes the window
        finally:
            self._sound.close()
            self._window.title = before
            session.close()
            if session.volume != self._first_volume:
                write_volume(session.volume)
        if on_pace is not None:
            on_pace(pace.report)

    def _loop(self, pace: Pace) -> None:
        session = self._session
        ticks = Pace(time.perf_counter())
        stale = True
        while True:
            for event in self._window.events(IDLE_SECONDS if session.is_still and not stale else 0.0):
                self._handle(event)
                stale = True
            if session.closed:
                return
            if self._window.closing and session.state is not SessionState.ENDED:
                self._window.closing = False  # the person was asked about the episode, and went back to it
            if session.is_still and not session.pace_must_restart:
                if stale or self._has_news:
                    self._show()
                    stale = False
                    ticks.restart(time.perf_counter())
                continue
            stale = True
            playing = session.state is SessionState.PLAYING
            if session.pace_must_restart:
                # Both start together, so that at 1x each picture is shown right after its frame was played.
                now = time.perf_counter()
                pace.restart(now, session.speed)
                ticks.restart(now)
                session.pace_must_restart = False
            if playing and (wait := pace.seconds_to_next(now := time.perf_counter())) <= 0:
                session.pace_must_restart = pace.begin_frame(now)
                session.frame_due(-wait)
            if ticks.seconds_to_next(now := time.perf_counter()) <= 0:
                if ticks.begin_frame(now):
                    ticks.restart(now)  # the machine slept or was busy: there is nothing to catch up with
                session.tick()
                self._show()
            now = time.perf_counter()
            wait = ticks.seconds_to_next(now)
            if session.state is SessionState.PLAYING:
                wait = min(wait, pace.seconds_to_next(now))
            if wait > 0 and not session.pace_must_restart:
                time.sleep(wait)

    def _play_sound(self, _played: PlayedFrame) -> None:
        # At another speed the samples would be too many or too few.
        if not self._session.muted and self._session.speed == 1.0:
            self._sound.set_volume(self._session.volume)
            self._sound.frame(self._session.take.emulator.audio())

    def _handle(self, event: Event) -> None:
        if isinstance(event, KeyDown):
            if not event.repeat or self._view.dialog.folder is not None:
                self._key_down(event)
        elif isinstance(event, KeyUp):
            self._keys.up(event.key)
        elif isinstance(event, TextTyped):
            self._view.dialog.write(event.text)
        elif isinstance(event, PointerMoved):
            self._view.pointer = (event.x, event.y)
            for dialog in (self._editor, self._chooser):
                if dialog is not None:
                    dialog.pointer = (event.x, event.y)
            self._drag(event.x)
        elif isinstance(event, PointerDown):
            self._view.pointer = (event.x, event.y)
            command = self._view.command_at(event.x, event.y) if event.button == 1 else None
            if self._editor is not None:
                self._edit(self._editor, lambda editor: editor.click(event.x, event.y))
            elif self._chooser is not None:
                self._chooser.click(event.x, event.y)
                self._resume_choice()
            elif self._session.showing_keys:
                self._session.toggle_keys()
            elif command in self._of_window:
                self._of_window[command]()
            elif command is not None:
                self._keys.command(command)
            elif event.button == 1:
                self._grab(event.x, event.y)
        elif isinstance(event, PointerUp):
            self._session.stop_rewinding()
            self._dragged = ""
        elif isinstance(event, Wheel) and self._chooser is not None:
            self._chooser.wheel(event.dy)
        elif isinstance(event, FocusLost):
            self._session.pause()
        elif isinstance(event, CloseRequested):
            if event.by_system:
                self._session.closed = True  # what the person played is saved without asking
            else:
                self._session.request_close()

    def _grab(self, x: float, y: float) -> None:
        """Start to drag the episode's bar or the volume, if the pointer is on one."""
        if self._view.bar.frame_at(x, y) is not None:
            self._dragged = "bar"
        elif self._view.volume_box.contains(x, y) and not self._view.dialog.is_open:
            self._dragged = "volume"
        self._drag(x)

    def _drag(self, x: float) -> None:
        if self._dragged == "bar":
            self._session.seek(self._view.bar.nearest_frame(x))
        elif self._dragged == "volume":
            box = self._view.volume_box
            self._session.set_volume((x - box.x) / max(1.0, box.width))

    def _key_down(self, event: KeyDown) -> None:
        key = event.key
        if self._view.dialog.key_down(event):
            return
        if self._editor is not None:
            self._edit(self._editor, lambda editor: editor.key_down(key))
        elif self._chooser is not None:
            self._chooser.key_down(key)
            self._resume_choice()
        elif key == "f2":
            self._open_editor()
        elif (what := self._session.key_map.does(key)) in self._of_window and not self._session.showing_keys:
            self._of_window[what]()
        else:
            self._keys.down(key)

    def _open_editor(self) -> None:
        self._session.pause()
        self._session.showing_keys = False
        self._editor = KeyEditor(self._session.key_map)

    def _pick_game(self) -> None:
        session = self._session
        if session.take_over is not None:
            return
        session.pause()
        chosen = pick_game(self._window, session.game)
        session.pace_must_restart = True
        if self._window.closing:
            session.closed = True
        elif chosen is not None and chosen != session.game:
            unfinished = session.state is not SessionState.READY and session.take.has_new_frames
            key = session.key_map.label("reopen")
            notice = f"The unfinished episode of {display_name(session.game)} is saved; press {key} there to resume it."
            session.switch_to(Next(chosen, notice=notice if unfinished else ""))

    def _choose_episode(self) -> None:
        session = self._session
        if session.take_over is None and session.state is not SessionState.RESTORING:
            session.pause()
            self._chooser = EpisodeChooser(unended_episodes(session.library, session.game))

    def _resume_choice(self) -> None:
        """Go over to the episode that was chosen, once the list of episodes is closed."""
        chooser = self._chooser
        if chooser is None or not chooser.done:
            return
        self._chooser = None
        if chooser.answer is not None:
            try:
                self._session.switch_to(Next(self._session.game, read_unended(Path(chooser.answer.path))))
            except CoachError as error:
                self._session.notify(str(error))

    def _edit(self, editor: KeyEditor, act: Callable[[KeyEditor], None]) -> None:
        try:
            act(editor)
        except CoachError as error:  # the file cannot be written; the keys are still changed for this session
            self._session.notify(str(error))
            editor.done = True
        if editor.done:
            self._session.change_keys(editor.key_map)
            self._editor = None

    @property
    def _has_news(self) -> bool:
        """Whether something that happens in the background is not shown yet."""
        trouble = self._session.take.trouble != self._shown_trouble
        return trouble or (self._finding.is_done and self._view.can_reopen != bool(self._finding.result))

    def _show(self) -> None:
        self._window.title = self._session.title
        self._shown_trouble = self._session.take.trouble
        self._view.can_reopen = bool(self._finding.is_done and self._finding.result)
        if not self._window.visible:
            return
        canvas = self._window.canvas
        self._view.draw(canvas)
        if self._editor is not None:
            self._editor.draw(canvas)
        if self._chooser is not None:
            self._chooser.draw(canvas)
        self._window.present()
