"""The window that plays an episode back: pause, step, speed, and a timeline to go anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from data.clip import Clip, Verdict
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND, demonstrator_index
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts
from data.game_names import display_name
from data.label_database import JudgedElsewhere, LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from home.episode_drawing import MESSAGE_HEIGHT, EpisodeLayout, draw_episode, episode_buttons, episode_layout
from home.library_rows import EpisodeRow
from home.playback import EpisodeColumns, Playback, ReadValues, ValueCurve, columns_of
from screen.background import Background
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, Wheel
from screen.theme import GREEN, ORANGE, SMALL
from screen.widgets import Button, draw_key_list
from screen.window import Window

FRAME_SECONDS, IDLE_SECONDS, COMPUTING_SECONDS = 1 / 60, 1.0, 0.2
"""Between two pictures; the longest wait for an event while nothing moves, and while values are computed."""
AGENT = demonstrator_index("agent")
JUDGED_FRAMES = 3 * FRAMES_PER_SECOND
"""G and B judge the play of the last 3 s before the position."""
QUEUE = "library"
"""Name of the queue of the verdicts that are given here."""
AHEAD_FRAMES = 4 * FRAMES_PER_SECOND
KEYS = [
    ("P Space", "Pause or resume; at the end, replay"),
    ("G B", "Judge the last 3 seconds: good, bad"),
    ("U", "Undo your last verdict"),
    ("← →", "One frame back, forward"),
    ("Shift ← →", "One second back, forward"),
    ("Home End", "To the start, to the end"),
    (", .", "Slower, faster"),
    ("PgUp PgDn", "Previous, next episode"),
    ("T", "Play on from here yourself"),
    ("Del", "Move it to the trash"),
    ("F11", "Full screen"),
    ("Esc", "Back to the list"),
]

Step = Literal["", "next", "previous", "delete", "play"]


class FrameSource(Protocol):
    """Reads frames of episodes, in the background those that it was asked to prepare."""

    def episode(self, episode_id: str) -> ReplayFile: ...

    def frame(self, episode_id: str, frame: int) -> np.ndarray: ...

    def prepare(self, clips: Iterable[Clip]) -> None: ...

    def close(self) -> None: ...


OpenFrames = Callable[[Mapping[str, str]], FrameSource]


class EpisodeWindow:
    """Plays one episode until the user goes back, to another one, or deletes it."""

    def __init__(
        self,
        window: Window,
        row: EpisodeRow,
        open_frames: OpenFrames,
        library: Library,
        number: str,
        curator: str = "",
        may_play: bool = False,
        start_frame: int = 0,
        read_values: ReadValues | None = None,
    ) -> None:
        """``number``: its place in the list, in words. ``curator``: who judges; empty: nobody.

        may_play: whether ``run`` may answer "play", from the frame ``frame`` on. start_frame: shown first, paused.
        read_values: called in the background for an episode in which an agent played.
        """
        self._window = window
        self._row = row
        self._library = library
        self._number = number
        self._may_play = may_play
        self._start_frame = start_frame
        self._read_values = read_values
        self._computing: Background[ValueCurve | None] | None = None
        self._values: ValueCurve | None = None
        self._curator = curator
        self._given: list[int] = []
        """Ids of the verdicts that were given in this window and not undone."""
        self._message, self._is_error = "", False
        self._open_frames = open_frames
        self._playback = Playback(row.frame_count)
        self._verdicts: list[Verdict] = []
        self._pointer = (-1.0, -1.0)
        self._scrubbing = False
        self._shows_keys = False
        self._closed = False
        self._step: Step = ""

    def run(self) -> tuple[Step, str]:
        """Return what to do next, and a sentence if the episode could not be read."""
        frames = self._open_frames({self._row.episode_id: self._row.path})
        try:
            replay = frames.episode(self._row.episode_id)
            self._playback = Playback(replay.frame_count)
            if self._start_frame:
                self._playback.seek(self._start_frame)
                self._playback.toggle()
            columns = columns_of(replay)
            if self._read_values is not None and (columns.demonstrators == AGENT).any():
                read, path = self._read_values, Path(self._row.path)
                self._computing = Background(lambda report: read(path, report), "compute values")
            self._verdicts = self._read_verdicts()
            self._loop(frames, columns)
        except CoachError as error:
            return "", str(error)
        finally:
            if self._computing is not None:
                self._computing.stop()
            frames.close()
        return self._step, ""

    @property
    def frame(self) -> int:
        """The frame that is shown."""
        return self._playback.frame

    def _read_verdicts(self) -> list[Verdict]:
        labels = LabelDatabase.open_existing(self._library.labels)
        if labels is None:
            return []
        with labels:
            verdicts = labels.verdicts(episode_id=self._row.episode_id)
        return fit_verdicts(verdicts, {self._row.episode_id: self._row.frame_count}).fitting

    def _loop(self, frames: FrameSource, columns: EpisodeColumns) -> None:
        self._window.start_view()
        self._window.title = f"Replay Coach - {display_name(self._row.game)} played back"
        last = time.monotonic()
        prepared = -1
        stale = True
        while not self._closed:
            moves = not (self._playback.paused or self._playback.is_at_end)
            for event in self._window.events(0.0 if stale or moves else self._wait_seconds):
                self._handle(event)
                stale = True
            stale |= self._take_values()
            now = time.monotonic()
            self._playback.advance(now - last)
            last = now
            frame = self._playback.frame
            if frame // FRAMES_PER_SECOND != prepared:
                prepared = frame // FRAMES_PER_SECOND
                end = min(frame + round(AHEAD_FRAMES * max(1.0, self._playback.speed)), self._playback.frame_count)
                if end > frame:
                    frames.prepare([Clip(self._row.episode_id, frame, end)])
            if (moves or stale) and self._window.visible and not self._closed:
                self._draw(columns, frames.frame(self._row.episode_id, frame))
                stale = False
            if moves:
                time.sleep(max(0.0, FRAME_SECONDS - (time.monotonic() - now)))

    @property
    def _wait_seconds(self) -> float:
        return COMPUTING_SECONDS if self._computing is not None else IDLE_SECONDS

    def _take_values(self) -> bool:
        """Return whether there is news of the values that are computed."""
        computing = self._computing
        if computing is None:
            return False
        if computing.is_done:
            self._values, self._computing = computing.result, None
        return True

    @property
    def _value_words(self) -> str:
        """What the window shows as the agent's value; "" where no run played."""
        if self._computing is not None:
            share = self._computing.done_parts / max(1, self._computing.total_parts)
            return f"{share:.0%} computed" if self._computing.total_parts else "…"
        value = None if self._values is None else self._values.at(self._playback.frame)
        return "" if value is None else f"{value:.2f}"

    # Input

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._closed = True
            case KeyDown(key="f11", repeat=False):
                self._window.toggle_full_screen()
            case KeyDown(key="f1", repeat=False):
                self._shows_keys = not self._shows_keys
            case KeyDown(key="escape") if self._shows_keys:
                self._shows_keys = False
            case KeyDown(key=key, shift=shift, repeat=repeat):
                self._do(key, shift, repeat)
            case Wheel(dy):
                self._playback.step(-dy * 4)
            case PointerUp():
                self._scrubbing = False
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._scrub(x)
            case PointerDown(x, y, 1):
                self._pointer = (x, y)
                self._click(x, y)

    def _do(self, key: str, shift: bool = False, repeat: bool = False) -> None:
        playback = self._playback
        if key in ("left", "right"):
            playback.step((1 if key == "right" else -1) * (FRAMES_PER_SECOND if shift else 1))
        elif key in ("home", "end"):
            playback.seek(0 if key == "home" else playback.frame_count)
        elif not repeat:
            self._do_once(key)

    def _do_once(self, key: str) -> None:
        match key:
            case "space" | "p" | "return":
                self._playback.toggle()
            case "." | "=" | "up":
                self._playback.change_speed(1)
            case "," | "-" | "down":
                self._playback.change_speed(-1)
            case "pagedown" | "n":
                self._close("next")
            case "pageup":
                self._close("previous")
            case "delete" if self._may_delete:
                self._close("delete")
            case "t" if self._may_play:
                self._close("play")
            case "g" | "b" if self._curator:
                self._judge("good" if key == "g" else "bad")
            case "u" if self._given:
                self._undo()
            case "escape":
                self._close("")

    @property
    def _judged(self) -> Clip:
        """What G and B judge."""
        frame, last = self._playback.frame, self._playback.frame_count
        start = min(max(0, frame - JUDGED_FRAMES), max(0, last - JUDGED_FRAMES))
        return Clip(self._row.episode_id, start, min(start + JUDGED_FRAMES, last))

    def _judge(self, verdict: str) -> None:
        clip = self._judged
        span = f"{frame_clock(clip.start)} to {frame_clock(clip.stop)}"
        known = next((v for v in self._verdicts if (v.clip, v.curator) == (clip, self._curator)), None)
        try:
            with LabelDatabase(self._library.labels) as labels:
                given = Verdict(clip, self._curator, verdict, queue=QUEUE)
                self._given.append(labels.record_if_unchanged(given, known))
            self._verdicts = self._read_verdicts()
        except JudgedElsewhere as error:
            self._verdicts = self._read_verdicts()
            self._message, self._is_error = f"{error} Press the key again to replace that.", True
        except CoachError as error:
            self._message, self._is_error = str(error), True
        else:
            self._message, self._is_error = f"{verdict.capitalize()}: {span}. Press U to undo.", False

    def _undo(self) -> None:
        """Undo the last verdict that was given here, unless another window has given a later one."""
        try:
            with LabelDatabase(self._library.labels) as labels:
                if labels.newest_id(self._curator) == self._given[-1]:
                    labels.undo(self._curator)
                    self._message, self._is_error = "Undone.", False
                else:
                    self._message, self._is_error = "You have judged in another window since; undo it there.", True
            self._given.pop()
            self._verdicts = self._read_verdicts()
        except CoachError as error:
            self._message, self._is_error = str(error), True

    @property
    def _may_delete(self) -> bool:
        return self._row.path.startswith(str(self._library.replays))

    def _close(self, step: Step) -> None:
        self._step, self._closed = step, True

    def _click(self, x: float, y: float) -> None:
        layout = self._layout
        if self._shows_keys:
            self._shows_keys = False
            return
        for key, button in self._buttons(layout).items():
            if button.contains(x, y):
                if key == "f1":
                    self._shows_keys = True
                else:
                    self._do(key)
                return
        if layout.timeline.contains(x, y):
            self._scrubbing = True
            self._scrub(x)
        elif layout.picture.contains(x, y):
            self._playback.toggle()

    def _scrub(self, x: float) -> None:
        if self._scrubbing:
            self._playback.seek(self._layout.frame_at(x, self._playback.frame_count))

    # Drawing

    @property
    def _layout(self) -> EpisodeLayout:
        return episode_layout(self._window.size_units)

    def _buttons(self, layout: EpisodeLayout) -> dict[str, Button]:
        return episode_buttons(
            layout, self._playback, self._may_delete, bool(self._curator), bool(self._given), self._may_play
        )

    def _draw(self, columns: EpisodeColumns, picture: np.ndarray) -> None:
        canvas = self._window.canvas
        layout = self._layout
        draw_episode(
            canvas,
            layout,
            self._row,
            self._number,
            columns,
            self._playback,
            picture,
            self._verdicts,
            self._buttons(layout),
            self._pointer,
            self._judged if self._curator else None,
            self._values,
            self._value_words,
        )
        if self._message:
            facts = layout.facts
            at = facts.bottom_part(MESSAGE_HEIGHT)
            canvas.paragraph(self._message, at, SMALL, ORANGE if self._is_error else GREEN)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)
        self._window.present()
