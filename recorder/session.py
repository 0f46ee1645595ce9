"""One session at the recorder: takes, one after another, and what the player may do at each moment.

Knows no window and no clock: keys and frames come in, what is to be shown can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data.continuation import Unended
from data.demonstrator import Demonstrator
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.simulation import Emulator
from recorder.controls import Controls, KeyMap
from recorder.demonstrators import HumanPlay, TakeOver
from recorder.frame_loop import PlayedFrame
from recorder.session_state import (
    BACK_FROM_THE_END_FRAMES,
    COUNTDOWN_TICKS,
    FRAMES_BROUGHT_BACK,
    NOTICE_TICKS,
    REWIND_DECISIONS,
    SPEEDS,
    Next,
    Pop,
    SessionEpisode,
    SessionState,
    clock_text,
    settings_for_people,
)
from recorder.take import Take, Takes


class Session:
    """Takes keys and ticks (60 a second); holds the current take and the episodes so far."""

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        key_map: KeyMap,
        player: str = "",
        speed: float = 1.0,
        other: Demonstrator | None = None,
        sound: bool = False,
        unended: Unended | None = None,
    ) -> None:
        """``other`` plays until the person takes over, each episode from another start (see ``episode_settings``).

        Without it the person plays from the start. ``unended``: an episode to go on with; once it is kept or dropped,
        ``next`` says that ordinary play follows.
        """
        self.library, self.game, self.player = library, game, player
        self._unended = unended
        self.settings = settings_for_people(game, settings if unended is None else unended.origin.settings)
        self.key_map = key_map
        self.speed = speed
        self.notice = ""
        self.pops: list[Pop] = []
        self.muted = False
        self.showing_keys = False
        self.closed = False
        self.next: Next | None = None
        """What follows in the same window once this session is closed; None: nothing, the player leaves."""
        self.countdown_ticks = 0
        self.on_frame: Callable[[PlayedFrame], None] | None = None
        """Called with each frame as it is played; for sound."""
        self.retimed = True
        """Set when frames begin to flow again: the schedule must start anew."""
        self._notice_ticks = 0
        self._rewind_ticks = 0
        self.controls = self._new_controls()
        person = HumanPlay(self.controls)
        self.take_over = TakeOver(other, person) if other is not None else None
        self.state = SessionState.READY if unended is None else SessionState.COMING_BACK
        self._takes = Takes(library, game, self.settings, self.take_over or person, player, sound, unended)

    # What is shown.

    @property
    def take(self) -> Take:
        """The present one."""
        return self._takes.present

    @property
    def paths(self) -> list[Path]:
        """The files that were kept."""
        return self._takes.paths

    @property
    def episodes(self) -> list[SessionEpisode]:
        """What was kept or dropped, oldest first; lives on in the next session of the same game."""
        return self._takes.episodes

    @episodes.setter
    def episodes(self, episodes: list[SessionEpisode]) -> None:
        self._takes.episodes = episodes

    @property
    def coming_back(self) -> tuple[int, int]:
        """Frames played again, and frames in all, of the episode that is gone on with."""
        return self.take.recorded_frames, self._unended.frame_count if self._unended is not None else 0

    @property
    def takes_begun(self) -> int:
        """How many seeds were used."""
        return self._takes.begun

    @property
    def recording(self) -> bool:
        return self.state is SessionState.PLAYING

    @property
    def has_lives(self) -> bool:
        """Whether the game counts lives."""
        return self.take.first_lives > 0

    @property
    def can_bring_back(self) -> bool:
        return self._takes.something_set_aside and self.state is SessionState.READY

    @property
    def title(self) -> str:
        """The window's title; says what is going on, also to those who only see the task bar."""
        doing = self.state.value
        if self.state is SessionState.PLAYING and self.take_over is not None:
            doing = "you play" if self.take_over.person_plays else "watching"
        return f"Replay Coach - {doing} - {self.game}"

    # Takes.

    def _new_controls(self) -> Controls:
        meanings = Emulator(self.game, self.settings).action_meanings
        if self._unended is not None:
            meanings = self._unended.origin.action_meanings
        return Controls(self.key_map.part_of_key(), meanings, self.game)

    def go_over_to(self, following: Next) -> None:
        """Leave this game or episode for another; what is being played is kept as after closing the window."""
        self.next, self.closed = following, True

    def start(self) -> None:
        """From the first frame on, everything is recorded."""
        if self.state is SessionState.READY:
            self.take.begin_recording()
            self.state = SessionState.PLAYING
            self.retimed = True

    def toggle_pause(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.COUNTDOWN):
            self.state = SessionState.PAUSED
        elif self.state is SessionState.PAUSED:
            self._go_on()
        elif self.state is SessionState.ENDED:
            self.state = SessionState.PAUSED
            if self.take.over:
                self.take.look_at(self.take.recorded_frames - BACK_FROM_THE_END_FRAMES)

    def pause(self) -> None:
        """Whatever was running waits; for a window that lost the keyboard."""
        self.controls.release_all()
        if self.state in (SessionState.PLAYING, SessionState.COUNTDOWN, SessionState.REWINDING):
            self.state = SessionState.PAUSED

    def count_down(self) -> None:
        """3-2-1, and the game goes on from the frame that is shown."""
        if self.state is SessionState.PAUSED and not self.take.over:
            self.state, self.countdown_ticks = SessionState.COUNTDOWN, COUNTDOWN_TICKS

    def _go_on(self) -> None:
        """Play on from the frame that is shown; what was recorded after it is dropped."""
        self.controls.forget_taps()
        self.state = SessionState.ENDED if self.take.over else SessionState.PLAYING
        self.retimed = True

    def end(self) -> None:
        """Esc: an episode ends; asked whether to keep it, it is kept; with no episode, the window closes."""
        if self.state is SessionState.READY:
            self.closed = True
        elif self.state is SessionState.COMING_BACK:
            self._leave_unended("It stays as it was.")
        elif self.state is SessionState.ENDED:
            self.keep()
        elif self.take.has_decision:
            self.state = SessionState.ENDED
        else:
            self._drop_take()

    def keep(self) -> None:
        """Publish the take and stand ready for the next one. A disk that refuses is told, and nothing is lost."""
        if self.state is not SessionState.ENDED:
            return
        try:
            self._takes.keep()
        except CoachError as error:
            self.tell(str(error))
            return
        self.tell(f"Kept: {self.take.score:g} points")
        self._retire_unended()
        self._stand_ready()

    def _retire_unended(self) -> None:
        try:
            self._takes.retire_unended()
        except CoachError as error:
            self.tell(str(error))

    def discard(self) -> None:
        """Drop the take. It can be brought back until the next one is dropped or kept."""
        if self.state is SessionState.ENDED:
            self._drop_take(noted=True)

    def restart(self) -> None:
        """Start the episode over; what was played can be brought back."""
        if self.state not in (SessionState.READY, SessionState.COMING_BACK):
            self._drop_take()

    def _drop_take(self, noted: bool = False) -> None:
        if self._takes.drop(noted):
            self.tell(f"Discarded. {self.key_map.label('bring_back')} brings it back.")
        self._stand_ready()

    def bring_back(self) -> None:
        """Undo the last discard or restart."""
        if self.can_bring_back:
            self._takes.bring_back()
            self.state = SessionState.ENDED if self.take.over else SessionState.PAUSED
            self.tell("It is back.")

    def _stand_ready(self) -> None:
        self.controls.forget_taps()
        self.state = SessionState.READY
        if self._unended is None:
            self.pops.clear()
            self._takes.begin_next()
        else:
            self._leave_unended(self.notice if self.paths else "Dropped. The episode is as it was before.")

    def _leave_unended(self, notice: str) -> None:
        """Ordinary play of the same game follows."""
        self.go_over_to(Next(self.game, notice=notice))

    def close(self) -> None:
        """The window closes: nothing is asked, and an episode that has begun is kept.

        One in which only another demonstrator played is not: it was only watched.
        """
        self.closed = True
        if self._takes.end(begun=self.state not in (SessionState.READY, SessionState.COMING_BACK)):
            self._retire_unended()

    # Looking back.

    def start_rewinding(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.PAUSED, SessionState.COUNTDOWN):
            self.state, self._rewind_ticks = SessionState.REWINDING, 0

    def stop_rewinding(self) -> None:
        if self.state is SessionState.REWINDING:
            self.state = SessionState.PAUSED

    def forward(self) -> None:
        """One decision forward while paused: of what is recorded, or, at its end, played with the keys held now."""
        if self.state is not SessionState.PAUSED or self.take.over:
            return
        take, skip = self.take, self.settings.frame_skip
        if take.frame < take.recorded_frames:
            take.look_at(take.frame - take.frame % skip + skip)
            return
        self._frame()
        while not take.at_decision and not take.over:
            self._frame()
        if take.over:
            self.state = SessionState.ENDED

    # Small things.

    def mark(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.PAUSED) and self.take.frame == self.take.recorded_frames:
            self.take.mark()
            self.tell(f"Marker at {clock_text(self.take.frame)}")

    def toggle_mute(self) -> None:
        self.muted = not self.muted
        self.tell("Sound off" if self.muted else "Sound on")

    def toggle_keys(self) -> None:
        self.showing_keys = not self.showing_keys
        if self.showing_keys:
            self.pause()

    def toggle_take_over(self) -> None:
        if self.take_over is not None:
            self.take_over.person_plays = not self.take_over.person_plays
            self.controls.forget_taps()

    def slower(self) -> None:
        self._change_speed(-1)

    def faster(self) -> None:
        self._change_speed(1)

    def _change_speed(self, by: int) -> None:
        nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self.speed))
        self.speed = SPEEDS[min(max(0, nearest + by), len(SPEEDS) - 1)]
        self.retimed = True

    def change_keys(self, key_map: KeyMap) -> None:
        """The player has other keys from now on."""
        self.key_map = key_map
        self.controls.remap(key_map.part_of_key())

    def tell(self, notice: str) -> None:
        """Show a line for a few seconds."""
        self.notice, self._notice_ticks = notice, NOTICE_TICKS

    # Time.

    def frame_due(self, late_seconds: float = 0.0) -> None:
        """It is time for the next frame of the game, or was; nothing happens unless it is being played."""
        if self.state is SessionState.PLAYING:
            self.take.pace.add(late_seconds)
            self._frame()
            if self.take.over:
                self.controls.forget_taps()
                self.state = SessionState.ENDED

    def _frame(self) -> None:
        played = self.take.advance()
        if played.after.reward:
            self.pops.append(Pop(played.after.reward))
        if self.on_frame is not None:
            self.on_frame(played)

    def tick(self) -> None:
        """A sixtieth of a second has passed, at any speed of the game."""
        if self._notice_ticks:
            self._notice_ticks -= 1
            if not self._notice_ticks:
                self.notice = ""
        for pop in self.pops:
            pop.ticks -= 1
        self.pops[:] = [pop for pop in self.pops if pop.ticks > 0]
        if self.state is SessionState.COMING_BACK:
            self._bring_on()
        elif self.state is SessionState.COUNTDOWN:
            self.countdown_ticks -= 1
            if self.countdown_ticks <= 0:
                self._go_on()
        elif self.state is SessionState.REWINDING:
            second = min(self._rewind_ticks // FRAMES_PER_SECOND, len(REWIND_DECISIONS) - 1)
            self._rewind_ticks += 1
            self.take.look_at(self.take.frame - REWIND_DECISIONS[second] * self.settings.frame_skip)

    def _bring_on(self) -> None:
        """A little more of the episode that is gone on with."""
        try:
            back = self.take.play_again(FRAMES_BROUGHT_BACK)
        except CoachError as error:
            self._leave_unended(str(error))
            return
        if back:
            self.state = SessionState.PAUSED
            self.tell("This is where it was left. Rewind, or go on.")


class SessionKeys:
    """Takes the names of keys, and of commands that a button gives, to a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._commands: dict[str, Callable[[], None]] = {
            "pause": session.toggle_pause,
            "end": session.end,
            "restart": session.restart,
            "bring_back": session.bring_back,
            "rewind": session.start_rewinding,
            "forward": session.forward,
            "marker": session.mark,
            "mute": session.toggle_mute,
            "slower": session.slower,
            "faster": session.faster,
            "take_over": session.toggle_take_over,
            "keep": session.keep,
            "discard": session.discard,
            "start": session.start,
            "count_down": session.count_down,
            "keys": session.toggle_keys,
        }

    def command(self, what: str) -> None:
        """Do one of the things that a key or a button can do; things that the window does are ignored."""
        if what in self._commands:
            self._commands[what]()

    def down(self, key: str) -> None:
        """A key went down, whatever it is for."""
        session = self._session
        if key == "f1":
            session.toggle_keys()
        elif session.showing_keys:
            if session.key_map.does(key) == "end":
                session.toggle_keys()
        elif state_command := self._command_of_state(key):
            self.command(state_command)
        elif session.controls.press(key):
            session.start()
        elif what := session.key_map.does(key):
            self.command(what)

    def _command_of_state(self, key: str) -> str | None:
        """What a key does just now and not otherwise."""
        state = self._session.state
        if state is SessionState.READY and key == "return":
            return "start"
        if state is SessionState.ENDED and key == "return":
            return "keep"
        if state is SessionState.ENDED and key in ("delete", "backspace"):
            return "discard"
        if state is SessionState.PAUSED and key in ("space", "return"):
            return "count_down"
        return None

    def up(self, key: str) -> None:
        """A key came up."""
        self._session.controls.release(key)
        if self._session.key_map.does(key) == "rewind":
            self._session.stop_rewinding()
