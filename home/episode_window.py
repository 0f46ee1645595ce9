"""The window that plays an episode back: pause, step, speed, and a timeline to go anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from data.clip import Clip, Verdict
from data.durations import frame_clock
from data.episode import DEMONSTRATOR_KINDS, FRAMES_PER_SECOND
from data.errors import CoachError
from data.fitting_verdicts import fit_verdicts
from data.game_names import display_name
from data.label_database import JudgedElsewhere, LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from home.library_rows import EpisodeRow
from home.playback import EpisodeColumns, Playback, columns_of
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button, draw_key_list
from screen.window import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, Wheel, Window

FRAME_SECONDS, IDLE_SECONDS = 1 / 60, 1.0
"""Between two pictures, and the longest wait for an event while nothing moves."""
JUDGED_FRAMES = 3 * FRAMES_PER_SECOND
"""G and B judge the play of the last 3 s before the position."""
QUEUE = "library"
"""Name of the queue of the verdicts that are given here."""
AHEAD_FRAMES = 4 * FRAMES_PER_SECOND
ENDS = {"game_over": "game over", "truncated": "time limit", "abandoned": "stopped early"}
"""What the window calls each of ``data.episode.ENDINGS``."""
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
    ) -> None:
        """``number``: its place in the list, in words. ``curator``: who judges; empty: nobody.

        may_play: whether ``run`` may answer "play", from the frame ``frame`` on. start_frame: shown first, paused.
        """
        self._window = window
        self._row = row
        self._library = library
        self._number = number
        self._may_play = may_play
        self._start_frame = start_frame
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
        self._window.title = f"Replay Coach - {display_name(self._row.game)} played back"
        frames = self._open_frames({self._row.episode_id: self._row.path})
        try:
            replay = frames.episode(self._row.episode_id)
            self._playback = Playback(replay.frame_count)
            if self._start_frame:
                self._playback.seek(self._start_frame)
                self._playback.toggle()
            columns = columns_of(replay)
            self._verdicts = self._read_verdicts()
            self._loop(frames, columns)
        except CoachError as error:
            return "", str(error)
        finally:
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
        self._window.ignore_held_keys()
        last = time.monotonic()
        prepared = -1
        stale = True
        while not self._closed:
            moves = not (self._playback.paused or self._playback.is_at_end)
            for event in self._window.events(0.0 if stale or moves else IDLE_SECONDS):
                self._handle(event)
                stale = True
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
            self._message, self._is_error = f"{verdict.capitalize()}: {span}. U undoes it.", False

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
        )
        if self._message:
            facts = layout.facts
            at = facts.bottom_part(48)
            canvas.paragraph(self._message, at, SMALL, ORANGE if self._is_error else GREEN)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)
        self._window.present()


MARGIN = 48.0
SIDE_WIDTH = 264.0
TIMELINE_HEIGHT = 64.0


@dataclass(frozen=True)
class EpisodeLayout:
    """Boxes in design units."""

    picture: Box
    facts: Box
    timeline: Box
    buttons: Box

    @property
    def line(self) -> Box:
        """The part of the timeline between frame 0 and frame T."""
        return self.timeline.without_left(12).without_right(12)

    def x_of(self, frame: float, frame_count: int) -> float:
        return self.line.x + self.line.width * frame / max(1, frame_count)

    def frame_at(self, x: float, frame_count: int) -> int:
        return round(min(1.0, max(0.0, (x - self.line.x) / max(1.0, self.line.width))) * frame_count)


def episode_layout(window: Box) -> EpisodeLayout:
    inner = Box(window.x + MARGIN, window.y + 32, window.width - 2 * MARGIN, window.height - 56)
    buttons = inner.bottom_part(72)
    timeline = Box(inner.x, buttons.y - 16 - TIMELINE_HEIGHT, inner.width, TIMELINE_HEIGHT)
    upper = Box(inner.x, inner.y, inner.width, timeline.y - 16 - inner.y)
    return EpisodeLayout(upper.without_right(SIDE_WIDTH + 24), upper.right_part(SIDE_WIDTH), timeline, buttons)


def episode_buttons(
    layout: EpisodeLayout,
    playback: Playback,
    may_delete: bool,
    may_judge: bool = False,
    can_undo: bool = False,
    may_play: bool = False,
) -> dict[str, Button]:
    """Return the buttons, by the key that does the same."""
    resume = "Resume" if playback.frame else "Play"
    toggle = "Replay" if playback.is_at_end else resume if playback.paused else "Pause"
    colours = {"g": GREEN, "b": ORANGE}
    labels = [
        ("p", toggle, "P", True),
        ("left", "Step back", "←", True),
        ("right", "Step", "→", True),
        (",", "Slower", ",", True),
        (".", "Faster", ".", True),
        ("pageup", "Previous", "PgUp", True),
        ("pagedown", "Next", "PgDn", True),
        ("g", "Good", "G", may_judge),
        ("b", "Bad", "B", may_judge),
        ("u", "Undo", "U", can_undo),
        ("t", "Play here", "T", may_play),
        ("delete", "Delete", "Del", may_delete),
        ("f1", "All keys", "F1", True),
        ("escape", "Back", "Esc", True),
    ]
    split = [name for name, *_ in labels].index("g")
    boxes = [box for row in layout.buttons.rows(2, 8) for box in row.columns(split, 8)]
    return {
        name: Button(box, label, cap, colours.get(name), enabled)
        for box, (name, label, cap, enabled) in zip(boxes, labels, strict=False)
    }


def draw_episode(
    canvas: Canvas,
    layout: EpisodeLayout,
    row: EpisodeRow,
    number: str,
    columns: EpisodeColumns,
    playback: Playback,
    picture: np.ndarray | None,
    verdicts: Sequence[Verdict],
    buttons: dict[str, Button],
    pointer: tuple[float, float],
    judged: Clip | None = None,
) -> None:
    """``judged``: the span that a verdict would cover."""
    canvas.fill(canvas.box, GROUND)
    if picture is not None:
        canvas.picture(picture, columns.palette, layout.picture)
    _draw_facts(canvas, layout.facts, row, number, columns, playback)
    _draw_timeline(canvas, layout, columns, playback, verdicts, judged)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*pointer))


def _draw_facts(
    canvas: Canvas, box: Box, row: EpisodeRow, number: str, columns: EpisodeColumns, playback: Playback
) -> None:
    frame, last = playback.frame, playback.frame_count
    y = box.y
    canvas.text(display_name(row.game), (box.x, y), MEDIUM, bold=True, max_width=box.width)
    who = row.player or row.demonstrator
    canvas.text(f"{who}, {row.created[:16].replace('T', ' ')}", (box.x, y + 28), SMALL, QUIET, max_width=box.width)
    canvas.text(number, (box.x, y + 50), SMALL, QUIET)
    canvas.text(f"{columns.scores[frame]:g}", (box.x, y + 84), LARGE, WHITE, mono=True)
    canvas.text(f"of {row.score:g} points", (box.x, y + 128), SMALL, QUIET)
    acted = min(frame, last - 1)
    facts = [
        ("time", f"{frame_clock(frame)} of {frame_clock(last)}"),
        ("frame", f"{frame:,} of {last:,}"),
        ("speed", f"{playback.speed:g}x" + (", paused" if playback.paused else "")),
    ]
    if last:
        facts += [
            ("action", columns.action_meanings[int(columns.actions[acted])].lower()),
            ("by", DEMONSTRATOR_KINDS[int(columns.demonstrators[acted])]),
        ]
    if columns.lives.any():
        facts.append(("lives", str(int(columns.lives[frame]))))
    facts.append(("end", ENDS.get(row.ended_by, row.ended_by)))
    top = y + 168
    step = min(28.0, max(20.0, (box.bottom - top) / len(facts)))
    for place, (name, value) in enumerate(facts):
        canvas.text(name, (box.x, top + place * step), SMALL, QUIET)
        canvas.text(value, (box.x + 88, top + place * step), SMALL, TEXT, mono=True, max_width=box.width - 88)


def _draw_timeline(
    canvas: Canvas,
    layout: EpisodeLayout,
    columns: EpisodeColumns,
    playback: Playback,
    verdicts: Sequence[Verdict],
    judged: Clip | None,
) -> None:
    box, last = layout.timeline, playback.frame_count
    canvas.fill(box, PANEL, radius=6)
    if judged is not None:
        left, right = layout.x_of(judged.start, last), layout.x_of(judged.stop, last)
        canvas.fill(Box(left, box.y + 2, max(2.0, right - left), box.height - 4), LINE)
    base = box.bottom - 16
    for verdict in verdicts:
        if verdict.verdict != "skip":
            left, right = layout.x_of(verdict.clip.start, last), layout.x_of(verdict.clip.stop, last)
            colour = GREEN if verdict.verdict == "good" else ORANGE
            # Colour is not the only sign: good is above, bad below.
            top = box.y + (6 if verdict.verdict == "good" else 12)
            canvas.fill(Box(left, top, max(2.0, right - left), 4), colour)
    canvas.line((layout.line.x, base), (layout.line.right, base), LINE, 2)
    for row in columns.reward_rows:
        x = layout.x_of(row + 1, last)
        canvas.line((x, base - 14), (x, base), WHITE)
    for row in columns.death_rows:
        x = layout.x_of(row + 1, last)
        canvas.polygon([(x - 4, base + 10), (x + 4, base + 10), (x, base + 2)], ORANGE)
    for marker in columns.markers:
        x = layout.x_of(marker, last)
        canvas.polygon([(x, base - 26), (x + 4, base - 22), (x, base - 18), (x - 4, base - 22)], OLIVE)
    x = layout.x_of(playback.frame, last)
    canvas.fill(Box(x - 1, box.y + 4, 2, box.height - 8), OLIVE)
    canvas.circle((x, base), 5, OLIVE)
