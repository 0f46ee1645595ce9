"""Playing an episode back: pause, step, speed, and a timeline to go anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol

import numpy as np

from data.clip import Clip, Verdict
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from home.episode_drawing import EpisodeColumns, EpisodeLayout, draw_episode, episode_buttons, episode_layout
from home.library_rows import EpisodeRow
from home.playback import Playback
from screen.widgets import Button, draw_key_list
from screen.window import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, Wheel, Window

FRAME_SECONDS = 1 / 60
AHEAD_FRAMES = 4 * FRAMES_PER_SECOND
KEYS = [
    ("P Space", "Pause and go on; at the end: again"),
    ("← →", "One frame back, forth"),
    ("Shift ← →", "One second back, forth"),
    ("Home End", "To the beginning, to the end"),
    (", .", "Slower, faster"),
    ("PgUp PgDn", "The episode before, the next"),
    ("Del", "Throw it away"),
    ("F11", "Full screen"),
    ("Esc", "Back to the list"),
]

Step = Literal["", "next", "previous", "delete"]


class FrameSource(Protocol):
    """Reads frames of episodes, in the background where it is told what comes next."""

    def episode(self, episode_id: str) -> ReplayFile: ...

    def frame(self, episode_id: str, frame: int) -> np.ndarray: ...

    def prepare(self, clips: Iterable[Clip]) -> None: ...

    def close(self) -> None: ...


OpenFrames = Callable[[Mapping[str, str]], FrameSource]


def columns_of(replay: ReplayFile) -> EpisodeColumns:
    """Everything that playing back shows beside the pictures."""
    scores = np.concatenate([[0.0], np.cumsum(replay.rewards, dtype=np.float64)])
    lives = replay.lives
    return EpisodeColumns(
        scores,
        lives,
        replay.actions,
        replay.demonstrator,
        tuple(replay.origin.action_meanings),
        tuple(np.flatnonzero(replay.rewards).tolist()),
        tuple(np.flatnonzero(np.diff(lives.astype(np.int16)) < 0).tolist()),
        tuple(replay.markers.tolist()),
        replay.palette,
    )


class EpisodeWindow:
    """Plays one episode until the person goes back, on, or throws it away."""

    def __init__(self, window: Window, row: EpisodeRow, open_frames: OpenFrames, library: Library, number: str) -> None:
        """``number``: which of the list it is, in words."""
        self._window = window
        self._row = row
        self._library = library
        self._number = number
        self._open_frames = open_frames
        self._playback = Playback(row.frame_count)
        self._verdicts: list[Verdict] = []
        self._pointer = (-1.0, -1.0)
        self._scrubbing = False
        self._shows_keys = False
        self._leaving = False
        self._step: Step = ""

    def run(self) -> tuple[Step, str]:
        """What is to come next, and a sentence where the episode could not be read."""
        self._window.title = f"Replay Coach - {self._row.game} played back"
        frames = self._open_frames({self._row.episode_id: self._row.path})
        try:
            replay = frames.episode(self._row.episode_id)
            self._playback = Playback(replay.frame_count)
            columns = columns_of(replay)
            self._verdicts = self._read_verdicts()
            self._loop(frames, columns)
        except CoachError as error:
            return "", str(error)
        finally:
            frames.close()
        return self._step, ""

    def _read_verdicts(self) -> list[Verdict]:
        labels = LabelDatabase.open_existing(self._library.labels)
        if labels is None:
            return []
        with labels:
            return labels.verdicts(episode_id=self._row.episode_id)

    def _loop(self, frames: FrameSource, columns: EpisodeColumns) -> None:
        last = time.monotonic()
        prepared = -1
        while not self._leaving:
            for event in self._window.events():
                self._take(event)
            now = time.monotonic()
            self._playback.advance(now - last)
            last = now
            frame = self._playback.frame
            if frame // FRAMES_PER_SECOND != prepared:
                prepared = frame // FRAMES_PER_SECOND
                end = min(frame + round(AHEAD_FRAMES * max(1.0, self._playback.speed)), self._playback.frame_count)
                if end > frame:
                    frames.prepare([Clip(self._row.episode_id, frame, end)])
            self._draw(columns, frames.frame(self._row.episode_id, frame))
            time.sleep(max(0.0, FRAME_SECONDS - (time.monotonic() - now)))

    # What the person does.

    def _take(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._leaving = True
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
                self._leave("next")
            case "pageup":
                self._leave("previous")
            case "delete" if self._may_delete:
                self._leave("delete")
            case "escape":
                self._leave("")

    @property
    def _may_delete(self) -> bool:
        return self._row.path.startswith(str(self._library.replays))

    def _leave(self, step: Step) -> None:
        self._step, self._leaving = step, True

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

    # What is seen.

    @property
    def _layout(self) -> EpisodeLayout:
        return episode_layout(self._window.size_units)

    def _buttons(self, layout: EpisodeLayout) -> dict[str, Button]:
        return episode_buttons(layout, self._playback, self._may_delete)

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
        )
        if self._shows_keys:
            draw_key_list(canvas, "Keys of playing back", KEYS)
        self._window.present()
