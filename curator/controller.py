"""What the curator's keys do and what the window shows, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from curator.clip_player import ClipPlayer
from curator.cuts import Edge, EdgeDrag, ManualCut
from curator.drawing import CuratorView
from curator.end_of_queue import end_of_queue
from curator.frame_reader import FrameReader, ShownFrame, read_shown_frame
from curator.keys import verdict_of_key
from curator.layout import SHOWN_VERDICTS
from curator.outline import EpisodeOutline
from curator.queue_menu import QueueMenu, Queues
from curator.queued_clips import QueuedClip, is_repeat
from curator.queues import WaitingQueue, queue_title
from curator.session import Session, judged_elsewhere_sentence
from curator.timeline import FrameRange
from data.clip import Clip
from data.errors import CoachError, without_folder
from data.label_database import JudgedElsewhere
from screen.events import KeyDown
from screen.fields import TextField

MESSAGE_SECONDS, ERROR_SECONDS = 3.0, 10.0
PREPARED_CLIPS = 3
"""Clips that are decoded before they are needed."""
STEP_FRAMES, LEAP_FRAMES = 1, 15
LONGEST_NOTE = 500


PLAYING_SECONDS, IDLE_SECONDS = 1 / 60, 1.0
"""Longest wait before the window is updated, while a clip plays and while nothing moves."""
ZOOM_KEYS = {"+": 1, "=": 1, "-": -1}


class CuratorController:
    """A session with its pictures: handles keys and returns what to draw."""

    def __init__(
        self,
        session: Session,
        reader: FrameReader,
        outlines: Mapping[str, EpisodeOutline],
        queue: str,
        goal: int | None = None,
        predict: Callable[[Clip], str] | None = None,
        queues: Queues | None = None,
        can_train: bool = False,
        from_home: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``predict``: the learned judge's prediction for a clip, in words. ``queues``: those to choose from.

        ``can_train``: whether the end of a queue offers to train an agent. ``from_home``: whether quitting goes back to
        the home window.
        """
        self.session = session
        self.player = ClipPlayer()
        self.closed = False
        self.help_open = False
        self.note_field: TextField | None = None
        """The field in which a note is being written, while it is open."""
        self.menu: QueueMenu | None = None
        """The list of queues, while it is open."""
        self.drag: EdgeDrag | None = None
        """The edge of the clip that is being dragged on the timeline."""
        self.train_requested = False
        self.quit_label = "Back" if from_home else "Quit"
        self._reader = reader
        self._outlines = outlines
        self._queue = queue
        self._queues = queues
        self._can_train = can_train
        self._following: WaitingQueue | None = None
        self._goal = goal
        self._predict = predict
        self._now = now
        self._note = ""
        self._notes: dict[Clip, str] = {}
        """Notes on clips that have no verdict yet."""
        self._message = ""
        self._message_until = 0.0
        self._cut = ManualCut()
        self._range = FrameRange(0, 0)
        """The part of the episode that the timeline shows."""
        self._zoomed = False
        self._shown: ShownFrame | None = None
        self._shown_at = ("", -1)
        self._show_current()

    def press(self, key: str, shift: bool = False, control: bool = False, repeat: bool = False) -> None:
        """Handle a key. One that is held gives one verdict; only stepping and editing a note repeat."""
        if not repeat:
            self._message = ""
        with self._errors_shown():
            if self.note_field is not None:
                self._press_in_note(self.note_field, KeyDown(key, shift, control, repeat))
            elif self.help_open:
                if not repeat:
                    self.help_open = key not in ("f1", "h", "escape")
            elif self.menu is not None:
                self._press_in_menu(self.menu, key, repeat)
            elif key in ("left", "right") and self._shown is not None:
                frames = LEAP_FRAMES if shift else STEP_FRAMES
                self.player.step(frames if key == "right" else -frames)
                self._range = self._range.showing(self.player.frame, self.player.frame, self.player.frame_count)
            elif key in ZOOM_KEYS and not control:
                self.zoom(ZOOM_KEYS[key], self.player.frame)
            elif not repeat:
                self._press_once(key, control)

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        """Show an error as a message. A verdict that could not be written was not counted, and its clip stays."""
        try:
            yield
        except CoachError as error:
            self.say(str(error))

    def _press_once(self, key: str, control: bool) -> None:
        if key == "backspace" or (key == "z" and control):
            self.undo()
        elif control:
            return
        elif key in ("f1", "h"):
            self.help_open = True
        elif key == "q":
            self.open_menu()
        elif key == "escape":
            if self._cut.started:
                self._cut.discard()
            elif self.session.return_to_queue():
                self._show_current()
            else:
                self.closed = True
        elif len(key) == 1 and key.isdigit():
            self.reopen((int(key) - 1) % 10)
        elif self.session.current is None:
            if key in ("tab", "return") and self._following is not None:
                self._start_queue(self._following.name, self._following.clips)
            elif key == "t" and self._can_train:
                self.train_requested = self.closed = True
        else:
            self._press_on_clip(key, self.session.current.clip)

    def _press_on_clip(self, key: str, clip: Clip) -> None:
        verdict = verdict_of_key(key)
        if verdict is not None:
            self.judge(verdict)
            return
        match key:
            case "v":
                self.session.put_aside(self._note)
                self._show_current()
            case "n":
                self.note_field = TextField(self._note, LONGEST_NOTE)
            case "p":
                self.player.toggle_pause()
            case "l":
                self.player.looping = not self.player.looping
            case "," | ".":
                self.player.change_speed(1 if key == "." else -1)
            case "home" | "end":
                self.player.seek(clip.start if key == "home" else clip.stop)
            case "i" | "o":
                self._mark_cut(key, clip)
            case "j":
                self.say(self._predict(clip) if self._predict else "There is no learned judge yet.")

    def open_menu(self) -> None:
        """Open the list of queues; it counts their clips one after another while it is open."""
        if self._queues is not None:
            self.menu = QueueMenu.of(self._queues.names(self._queue), self._queue, self._queues.why_not)

    def _press_in_menu(self, menu: QueueMenu, key: str, repeat: bool) -> None:
        if key in ("escape", "q") and not repeat:
            self.menu = None
        elif key == "return" and not repeat:
            self.choose_queue(menu.chosen)
        elif key.isdigit() and not repeat and 1 <= int(key) <= len(menu.rows):
            self.choose_queue(int(key) - 1)
        else:
            self.menu = menu.moved(key)

    def choose_queue(self, place: int) -> None:
        """Start a queue of the list, unless it cannot be chosen."""
        if self.menu is None or self._queues is None or self.menu.rows[place].why_not:
            return
        name = self.menu.rows[place].queue
        self.menu = None
        with self._errors_shown():
            clips = self._queues.build(name)
            if clips is not None:
                self._start_queue(name, clips)

    def _press_in_note(self, field: TextField, key: KeyDown) -> None:
        if key.key == "escape":
            self.note_field = None
        elif key.key == "return":
            self._note, self.note_field = field.text.strip(), None
            if self.session.current is not None:
                self._notes[self.session.current.clip] = self._note
        else:
            field.press(key)

    def write(self, text: str) -> None:
        """Insert typed text into the note, where one is being written."""
        if self.note_field is not None:
            self.note_field.write(text)

    def judge(self, verdict: str) -> None:
        """Give a verdict on the clip on show and show the next."""
        self._message = ""
        with self._errors_shown():
            if self.session.current is None:
                return
            before = self.session.standing
            try:
                given = self.session.judge(verdict, self._note)
            except JudgedElsewhere as error:
                raise CoachError(f"{error} Press the key again to replace that verdict with {verdict}.") from error
            self._notes.pop(given.clip, None)
            self._show_current()
            if self._goal == self._progress.this_session:
                leaves = "quit" if self.quit_label == "Quit" else "go back"
                self.say(f"You reached your goal of {self._goal} verdicts. Continue, or press Esc to {leaves}.")
            if is_repeat(given) and before is not None:
                earlier = "the same" if before.verdict == verdict else before.verdict
                self.say(f"You judged this clip before and said {earlier}.")

    def undo(self) -> None:
        """Undo the last cut of the clip on show, or else the latest verdict, and show its clip again."""
        if self.session.undo_cut():
            note = self._note
            self._show_current()
            self._note = note
            return
        undone = self.session.undo()
        if undone is None:
            self.say("There is no verdict to undo.")
            return
        if not self.session.can_show(undone.clip):
            self.say("Undone. The clip's episode is no longer in the library, so it cannot be shown.")
        self._show_current()
        shown_again = self.session.current is not None and self.session.current.clip == undone.clip
        self._note = undone.note if shown_again else ""

    def reopen(self, place: int) -> None:
        """Show the clip of one of the last verdicts again; 0 is the newest."""
        if place < len(self._recent):
            self.session.reopen(self._recent[place])
            self._show_current()
            self._note = self.session.standing.note if self.session.standing else ""

    def scrub(self, frame: int) -> None:
        """Show a frame of the episode, inside the clip or not."""
        if self._shown is not None:
            self.player.seek(frame)

    def zoom(self, steps: int, around: int) -> None:
        """Show less of the episode on the timeline (or, below 0, more of it), around a frame."""
        if self._shown is not None:
            self._range = self._range.zoomed(steps, around, self.player.frame_count)
            self._zoomed = self._range != FrameRange(0, self.player.frame_count)

    def start_drag(self, edge: Edge) -> None:
        """Start to drag an edge of the clip on show."""
        if self._shown is not None and self.session.current is not None:
            clip = self.session.current.clip
            self._cut.discard()
            self.drag = EdgeDrag(clip, clip, edge)
            self.player.seek(self.drag.frame)

    def drag_to(self, frame: int) -> None:
        """Move the edge that is dragged, and show the frame there."""
        if self.drag is not None:
            self.drag = self.drag.moved(frame, self.player.frame_count)
            self.player.seek(self.drag.frame)

    def end_drag(self) -> None:
        """Show the clip with its edge where it was dropped; undo brings the former one back."""
        drag, self.drag = self.drag, None
        if drag is not None and drag.clip != drag.original:
            self._show_cut(drag.clip)

    def _show_cut(self, clip: Clip) -> None:
        note = self._note
        self.session.show_cut(clip)
        self._show_current()
        self._note = note

    def _mark_cut(self, key: str, clip: Clip) -> None:
        span = self._cut.mark(key, self.player.frame)
        if span is not None:
            self._show_cut(Clip(clip.episode_id, *span))

    def _start_queue(self, name: str, clips: Sequence[QueuedClip]) -> None:
        self._queue = name
        self.session.replace_queue(clips)
        self._show_current()

    def say(self, message: str, seconds: float = MESSAGE_SECONDS) -> None:
        """Show a message for some seconds, or until the next key."""
        self._message, self._message_until = message, self._now() + seconds

    def _skip_unreadable(self, clip: Clip, error: CoachError) -> None:
        self.session.skip_unreadable()
        reason = without_folder(str(error), Path(self._outlines[clip.episode_id].path))
        self.say(f"Skipped an unreadable clip: {reason}", ERROR_SECONDS)

    def _show_current(self) -> None:
        """Play the current clip from its start, and have the next ones decoded."""
        self._cut.discard()
        self.drag = None
        self._shown = None
        if elsewhere := self.session.drop_judged_elsewhere():
            self.say(judged_elsewhere_sentence(elsewhere), ERROR_SECONDS)
        while (current := self.session.current) is not None:
            outline = self._outlines[current.clip.episode_id]
            self.player.show(current.clip, outline.frame_count)
            shown = self._range if self._zoomed else FrameRange(0, outline.frame_count)
            self._range = shown.showing(current.clip.start, current.clip.stop, outline.frame_count)
            try:
                self._shown = self._read(current.clip, self.player.frame)
                break
            except CoachError as error:
                self._skip_unreadable(current.clip, error)
        self._note = self._notes.get(current.clip, "") if current else ""
        self._following = self._queues.following(self._queue) if self._queues and current is None else None
        soon = [self.session.current, *self.session.upcoming(PREPARED_CLIPS)]
        self._reader.prepare(queued.clip for queued in soon if queued is not None)
        self._has_judged = current is None and self.session.has_judged(self._queue)
        self._progress = self.session.progress
        self._recent = self.session.recent(SHOWN_VERDICTS)
        self._verdicts = self.session.verdicts_on(current.clip.episode_id) if current else []
        if current is not None and current.is_repeat:
            # The earlier verdict would influence the curator.
            self._verdicts = [verdict for verdict in self._verdicts if verdict.clip != current.clip]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if self.menu is not None and self._queues is not None and not self.menu.all_counted:
            self.menu = self.menu.count_next(self._queues.count)
        current = self.session.current
        if current is None:
            return
        if not self._is_covered:
            self.player.advance(seconds)
        if self._shown is not None and self._shown_at == (current.clip.episode_id, self.player.frame):
            return
        try:
            self._shown = self._read(current.clip, self.player.frame)
        except CoachError as error:
            self._skip_unreadable(current.clip, error)
            self._show_current()

    @property
    def _is_covered(self) -> bool:
        """Whether a list or the note field is open over the clip, which then does not play."""
        return self.help_open or self.note_field is not None or self.menu is not None

    @property
    def seconds_until_change(self) -> float:
        """How long the window can wait for an event before its next update."""
        if self.menu is not None and not self.menu.all_counted:
            return PLAYING_SECONDS
        if self.session.current is not None and not self._is_covered and self.player.is_moving:
            return PLAYING_SECONDS
        message_left = self._message_until - self._now()
        return min(IDLE_SECONDS, message_left + 0.01) if self._message and message_left > 0 else IDLE_SECONDS

    def _read(self, clip: Clip, frame: int) -> ShownFrame:
        self._shown_at = (clip.episode_id, frame)
        return read_shown_frame(self._reader, clip, frame)

    @property
    def title(self) -> str:
        """The window's title, with the number of clips left."""
        if self.session.current is None:
            return "Replay Coach - curating, nothing left"
        return f"Replay Coach - curating, {self._progress.left} left"

    def view(self) -> CuratorView:
        """Return everything that the window shows now."""
        current = self.session.current
        return CuratorView(
            curator=self.session.curator,
            queue=queue_title(self._queue),
            quit_label=self.quit_label,
            queued=current,
            outline=self._outlines[current.clip.episode_id] if current else None,
            shown=self._shown if current else None,
            outside_queue=self.session.outside_queue,
            standing=self.session.standing if current and not current.is_repeat else None,
            note=self._note,
            speed=self.player.speed,
            paused=self.player.paused,
            looping=self.player.looping,
            progress=self._progress,
            goal=self._goal,
            recent=self._recent,
            verdicts=self._verdicts,
            cut_from=self._cut.start,
            cut_to=self._cut.stop,
            cut_hint=self.drag.hint if self.drag else self._cut.hint,
            clip=self.drag.clip if self.drag else current.clip if current else None,
            visible=self._range,
            message=self._message if self._now() < self._message_until else "",
            end=end_of_queue(self._queue, self._has_judged, self._following, self.session.unreadable, self._can_train),
        )
