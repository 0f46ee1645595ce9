"""A recorder session: takes, one after another, and what the player may do at each moment.

Needs neither a window nor a clock: keys and ticks come in, and what is shown can be read from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.continuation import Unended
from data.counted import counted
from data.demonstrator import Demonstrator
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND, EmulatorSettings
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from data.simulation import Emulator
from recorder.controls import Controls, KeyMap
from recorder.frame_loop import PlayedFrame
from recorder.human_play import HumanPlay, TakeOver
from recorder.session_state import (
    BACK_FROM_THE_END_FRAMES,
    COUNTDOWN_TICKS,
    NOTICE_TICKS,
    RESTORED_FRAMES_PER_TICK,
    REWIND_DECISIONS,
    SPEEDS,
    Next,
    ScoreChange,
    SessionEpisode,
    SessionState,
)
from recorder.take import Take
from recorder.takes import Takes
from screen.keyboard import cap


def settings_for_people(game: str, settings: EmulatorSettings) -> EmulatorSettings:
    """Return the settings, with all actions where the game's own set has no NOOP: no key held must do nothing."""
    if "NOOP" in Emulator(game, settings).action_meanings:
        return settings
    return replace(settings, full_action_set=True)


class Session:
    """Takes commands and ticks (60 a second), and holds the current take and the episodes so far."""

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
        started_from: StartedFrom | None = None,
    ) -> None:
        """``other`` plays until the person takes over, each episode from another start (see ``episode_settings``).

        Without it the person plays from the start. ``unended``: an episode to resume; once it is saved or discarded,
        ``next`` says that ordinary play follows. ``started_from``: where each episode starts inside another one, whose
        actions ``settings`` hold.
        """
        self.library, self.game, self.player = library, game, player
        self._unended = unended
        self.settings = settings_for_people(game, settings if unended is None else unended.origin.settings)
        self.key_map = key_map
        self.speed = speed
        self.notice = ""
        self.score_changes: list[ScoreChange] = []
        self.muted = False
        self.volume = 1.0
        """0 to 1."""
        self.showing_keys = False
        self.closed = False
        self.next: Next | None = None
        """What follows in the same window once this session is closed; None: nothing, the player quits."""
        self.save_problem = ""
        """Why the episode could not be saved, in whole sentences; empty unless saving has failed."""
        self._undoes_rewind = False
        """Whether what is being restored is what a rewind discarded, and not a resumed episode."""
        self.countdown_ticks = 0
        self.on_frame: Callable[[PlayedFrame], None] | None = None
        """Called with each frame as it is played; for sound."""
        self.pace_must_restart = True
        """Set when frames start again or at another speed."""
        self._notice_ticks = 0
        self._rewind_ticks = 0
        meanings = Emulator(game, self.settings).action_meanings if unended is None else unended.origin.action_meanings
        self.controls = Controls(key_map.part_of_key(), meanings, game)
        person = HumanPlay(self.controls)
        self.take_over = TakeOver(other, person) if other is not None else None
        self.state = SessionState.READY if unended is None else SessionState.RESTORING
        self._takes = Takes(
            library, game, self.settings, self.take_over or person, player, sound, unended, started_from
        )

    # What is shown.

    @property
    def take(self) -> Take:
        """The present take."""
        return self._takes.present

    @property
    def paths(self) -> list[Path]:
        """The files that were saved."""
        return self._takes.paths

    @property
    def episodes(self) -> list[SessionEpisode]:
        """What was saved or discarded, oldest first; the next session of the same game continues the list."""
        return self._takes.episodes

    @episodes.setter
    def episodes(self, episodes: list[SessionEpisode]) -> None:
        self._takes.episodes = episodes

    @property
    def restored_frames(self) -> tuple[int, int]:
        """Frames that were played again to restore an episode, and all of its frames."""
        return self.take.restored_frames

    @property
    def seeds_used(self) -> int:
        return self._takes.seeds_used

    @property
    def can_bring_back(self) -> bool:
        """Whether a discard, a restart or a rewind can be undone now."""
        if self.state is SessionState.READY:
            return self._takes.can_bring_back
        moving = (SessionState.PLAYING, SessionState.PAUSED, SessionState.COUNTDOWN, SessionState.REWINDING)
        return self.state in moving and self.take.can_bring_back

    @property
    def title(self) -> str:
        """The window's title, which a task bar shows too."""
        doing = self.state.value
        if self.state is SessionState.PLAYING and self.take_over is not None:
            doing = "you play" if self.take_over.person_plays else "watching"
        return f"Replay Coach - {doing} - {display_name(self.game)}"

    @property
    def is_still(self) -> bool:
        """Whether nothing moves, so that what is shown changes only with what the player does."""
        waits = self.state in (SessionState.READY, SessionState.PAUSED, SessionState.ENDED)
        return waits and not self._notice_ticks and not self.score_changes

    # Takes.

    def switch_to(self, following: Next) -> None:
        """Close this session for another game or episode; the current take is treated as by ``close``."""
        self.next, self.closed = following, True

    def start(self) -> None:
        """Record from the first frame on."""
        if self.state is SessionState.READY:
            self.take.begin_recording()
            self.state = SessionState.PLAYING
            self.pace_must_restart = True

    def toggle_pause(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.COUNTDOWN):
            self.state = SessionState.PAUSED
        elif self.state is SessionState.PAUSED:
            self._resume()
        elif self.state is SessionState.ENDED:
            self.state, self.save_problem = SessionState.PAUSED, ""
            if self.take.over:
                self.take.seek(self.take.recorded_frames - BACK_FROM_THE_END_FRAMES)

    def pause(self) -> None:
        """Pause what is running, and release all keys; for a window that lost the keyboard."""
        self.controls.release_all()
        if self.state in (SessionState.PLAYING, SessionState.COUNTDOWN, SessionState.REWINDING):
            self.state = SessionState.PAUSED

    def count_down(self) -> None:
        """Resume from the frame that is shown after 3-2-1."""
        if self.state is SessionState.PAUSED and not self.take.over:
            self.state, self.countdown_ticks = SessionState.COUNTDOWN, COUNTDOWN_TICKS

    def _resume(self) -> None:
        """Play on from the frame that is shown; later frames are discarded."""
        self.controls.discard_taps()
        self.state = SessionState.ENDED if self.take.over else SessionState.PLAYING
        self.pace_must_restart = True

    def end(self) -> None:
        """End the episode; at its end, save it; without an episode, close the session."""
        if self.state is SessionState.READY:
            self.closed = True
        elif self.state is SessionState.RESTORING:
            if not self._undoes_rewind:
                self.switch_to(Next(self.game, notice="The episode is unchanged."))
        elif self.state is SessionState.ENDED:
            self.save()
        elif self.take.has_decision:
            self.state = SessionState.ENDED
        else:
            self._discard_take()

    def save(self, folder: Path | None = None) -> None:
        """Publish the take, in the library or in ``folder``, and prepare the next one.

        If that fails, nothing is lost: ``save_problem`` says why, and saving can be tried again.
        """
        if self.state is not SessionState.ENDED:
            return
        try:
            self._takes.save(folder)
        except CoachError as error:
            self.save_problem = str(error)
            return
        self.save_problem = ""
        self.notify(f"Saved: {counted(self.take.score, 'point')}" if folder is None else f"Saved in {folder}")
        if folder is None:
            self._retire_unended()
        self._prepare_next()

    def _retire_unended(self) -> None:
        try:
            self._takes.retire_unended()
        except CoachError as error:
            self.notify(str(error))

    def discard(self) -> None:
        """Discard the finished take. It can be brought back until the next one is discarded or saved."""
        if self.state is SessionState.ENDED:
            self.save_problem = ""
            self._discard_take(listed=True)

    def restart(self) -> None:
        """Start the episode again; what was played can be brought back."""
        if self.state not in (SessionState.READY, SessionState.RESTORING):
            self._discard_take()

    def _discard_take(self, listed: bool = False) -> None:
        if self._takes.discard(listed):
            self.notify(f"Discarded. Press {cap(self.key_map.label('bring_back'))} to undo.")
        self._prepare_next()

    def bring_back(self) -> None:
        """Undo the last discard or restart, or restore what the last rewind discarded."""
        if not self.can_bring_back:
            return
        if self.state is SessionState.READY:
            self._takes.bring_back()
            self._stop_at_end("Episode restored.")
        else:
            self.controls.release_all()
            self.take.begin_bringing_back()
            self.state, self._undoes_rewind = SessionState.RESTORING, True

    def _stop_at_end(self, notice: str) -> None:
        self.state = SessionState.ENDED if self.take.over else SessionState.PAUSED
        self.notify(notice)

    def _prepare_next(self) -> None:
        self.controls.discard_taps()
        self.state = SessionState.READY
        if self._unended is None:
            self.score_changes.clear()
            self._takes.begin_next()
        else:
            notice = self.notice if self.paths else "Discarded. The episode is as it was before."
            self.switch_to(Next(self.game, notice=notice))

    def request_close(self) -> None:
        """Close as a click on the window's close button does."""
        self.closed = True

    def close(self) -> None:
        """Close without asking: an episode that has started is saved, unless only another demonstrator played."""
        self.closed = True
        while self.state is SessionState.RESTORING and self._undoes_rewind:
            self._restore()
        if self._takes.close(begun=self.state not in (SessionState.READY, SessionState.RESTORING)):
            self._retire_unended()

    # Rewinding.

    def start_rewinding(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.PAUSED, SessionState.COUNTDOWN):
            self.state, self._rewind_ticks = SessionState.REWINDING, 0

    def stop_rewinding(self) -> None:
        if self.state is SessionState.REWINDING:
            self.state = SessionState.PAUSED

    def seek(self, frame: int) -> None:
        """Go to a recorded frame while paused; nothing is discarded."""
        if self.state is SessionState.PAUSED:
            self.take.seek(frame)

    def forward(self) -> None:
        """Go one decision forward while paused: to a recorded one, or at the end play one with the keys held now."""
        if self.state is not SessionState.PAUSED or self.take.over:
            return
        take, skip = self.take, self.settings.frame_skip
        if take.frame < take.recorded_frames:
            take.seek(take.frame - take.frame % skip + skip)
            return
        self._frame()
        while not take.at_decision and not take.over:
            self._frame()
        if take.over:
            self.state = SessionState.ENDED

    # Markers, sound, keys and speed.

    def mark(self) -> None:
        if self.state in (SessionState.PLAYING, SessionState.PAUSED) and self.take.frame == self.take.recorded_frames:
            self.take.mark()
            self.notify(f"Marker at {frame_clock(self.take.frame)}")

    def toggle_mute(self) -> None:
        self.muted = not self.muted
        self.notify("Sound off" if self.muted else "Sound on")

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1, and turn the sound on."""
        self.volume, self.muted = min(1.0, max(0.0, volume)), False

    def change_volume(self, by: float) -> None:
        self.set_volume(round(self.volume + by, 2))
        self.notify(f"Volume {self.volume:.0%}")

    def toggle_keys(self) -> None:
        self.showing_keys = not self.showing_keys
        if self.showing_keys:
            self.pause()

    def toggle_take_over(self) -> None:
        if self.take_over is not None:
            self.take_over.person_plays = not self.take_over.person_plays
            self.controls.discard_taps()

    def change_speed(self, by: int) -> None:
        """Go this many steps up (or down) in SPEEDS, within its range."""
        nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self.speed))
        self.speed = SPEEDS[min(max(0, nearest + by), len(SPEEDS) - 1)]
        self.pace_must_restart = True

    def change_keys(self, key_map: KeyMap) -> None:
        """Use other keys from now on."""
        self.key_map = key_map
        self.controls.remap(key_map.part_of_key())

    def notify(self, notice: str) -> None:
        """Show a sentence for a few seconds."""
        self.notice, self._notice_ticks = notice, NOTICE_TICKS

    # Time.

    def frame_due(self, late_seconds: float = 0.0) -> None:
        """Play the next frame of the game, which was due so long ago; nothing happens unless it is being played."""
        if self.state is SessionState.PLAYING:
            self.take.pace.add(late_seconds)
            self._frame()
            if self.take.over:
                self.controls.discard_taps()
                self.state = SessionState.ENDED

    def _frame(self) -> None:
        played = self.take.advance()
        if played.after.reward:
            self.score_changes.append(ScoreChange(played.after.reward))
        if self.on_frame is not None:
            self.on_frame(played)

    def tick(self) -> None:
        """A sixtieth of a second has passed, at any speed of the game."""
        if self._notice_ticks:
            self._notice_ticks -= 1
            if not self._notice_ticks:
                self.notice = ""
        for change in self.score_changes:
            change.ticks -= 1
        self.score_changes[:] = [change for change in self.score_changes if change.ticks > 0]
        if self.state is SessionState.RESTORING:
            self._restore()
        elif self.state is SessionState.COUNTDOWN:
            self.countdown_ticks -= 1
            if self.countdown_ticks <= 0:
                self._resume()
        elif self.state is SessionState.REWINDING:
            second = min(self._rewind_ticks // FRAMES_PER_SECOND, len(REWIND_DECISIONS) - 1)
            self._rewind_ticks += 1
            self.take.seek(self.take.frame - REWIND_DECISIONS[second] * self.settings.frame_skip)

    def _restore(self) -> None:
        """Play some more of the resumed episode again."""
        try:
            complete = self.take.restore(RESTORED_FRAMES_PER_TICK)
        except CoachError as error:
            self.switch_to(Next(self.game, notice=str(error)))
            return
        if complete and self._undoes_rewind:
            self._undoes_rewind = False
            key = cap(self.key_map.label("bring_back"))
            self._stop_at_end(f"Restored what the rewind discarded. Press {key} to switch back.")
        elif complete:
            self.state = SessionState.PAUSED
            self.notify("This is where you stopped. Resume here, or rewind first.")
