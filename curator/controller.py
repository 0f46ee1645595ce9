"""What the curator's keys do and what the window shows, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from curator.clip_player import ClipPlayer
from curator.drawing import CuratorView
from curator.frame_reader import FrameReader, ShownFrame, read_shown_frame
from curator.keys import verdict_of_key
from curator.layout import SHOWN_VERDICTS
from curator.outline import EpisodeOutline
from curator.queue_order import is_repeat
from curator.queues import SECOND_LOOK, WaitingQueue, queue_kind, queue_title, unreadable_sentence
from curator.session import Session
from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES
from data.clip import Clip, Verdict
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError, without_folder
from data.label_database import JudgedElsewhere
from screen.fields import TextField
from screen.window import KeyDown

MESSAGE_SECONDS, ERROR_SECONDS = 3.0, 10.0
PREPARED_CLIPS = 3
"""Clips that are decoded before they are needed."""
STEP_FRAMES, LEAP_FRAMES = 1, 15
LONGEST_NOTE = 500


class CuratorController:
    """A session with its pictures: keys go in, a view comes out."""

    def __init__(
        self,
        session: Session,
        reader: FrameReader,
        outlines: Mapping[str, EpisodeOutline],
        queue: str,
        goal: int | None = None,
        predict: Callable[[Clip], str] | None = None,
        following: Callable[[str], WaitingQueue | None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``predict``: the learned judge's prediction for a clip, in words. ``following``: the queue after another."""
        self.session = session
        self.player = ClipPlayer()
        self.closed = False
        self.help_open = False
        self.note_field: TextField | None = None
        """The field in which a note is being written, while it is open."""
        self._reader = reader
        self._outlines = outlines
        self._queue = queue
        self._find_following = following
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
        self._shown: ShownFrame | None = None
        self._shown_at = ("", -1)
        self._show_current()

    # Input

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
            elif key in ("left", "right") and self._shown is not None:
                frames = LEAP_FRAMES if shift else STEP_FRAMES
                self.player.step(frames if key == "right" else -frames)
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
            if key == "tab":
                self._start_following()
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
                self.say(f"You reached your goal of {self._goal} verdicts. Press Esc to quit, or continue.")
            if is_repeat(given) and before is not None:
                earlier = "the same" if before.verdict == verdict else before.verdict
                self.say(f"You judged this clip before and said {earlier}.")

    def undo(self) -> None:
        """Take the latest verdict back and show its clip again."""
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

    def _mark_cut(self, key: str, clip: Clip) -> None:
        span = self._cut.mark(key, self.player.frame)
        if span is not None:
            self.session.show_cut(Clip(clip.episode_id, *span))
            self._show_current()

    def _start_following(self) -> None:
        if self._following is not None:
            self._queue = self._following.name
            self.session.replace_queue(self._following.clips)
            self._show_current()

    def say(self, message: str, seconds: float = MESSAGE_SECONDS) -> None:
        """Show a message for some seconds, or until the next key."""
        self._message, self._message_until = message, self._now() + seconds

    def _skip_unreadable(self, clip: Clip, error: CoachError) -> None:
        self.session.skip_unreadable()
        reason = without_folder(str(error), Path(self._outlines[clip.episode_id].path))
        self.say(f"Skipped an unreadable clip: {reason}", ERROR_SECONDS)

    # Output

    def _show_current(self) -> None:
        """Play the current clip from its start, and have the next ones decoded."""
        self._cut.discard()
        self._shown = None
        if elsewhere := self.session.drop_judged_elsewhere():
            self.say(_judged_elsewhere(elsewhere), ERROR_SECONDS)
        while (current := self.session.current) is not None:
            outline = self._outlines[current.clip.episode_id]
            self.player.show(current.clip, outline.frame_count)
            try:
                self._shown = self._read(current.clip, self.player.frame)
                break
            except CoachError as error:
                self._skip_unreadable(current.clip, error)
        self._note = self._notes.get(current.clip, "") if current else ""
        self._following = self._find_following(self._queue) if self._find_following and current is None else None
        soon = [self.session.current, *self.session.upcoming(PREPARED_CLIPS)]
        self._reader.prepare(queued.clip for queued in soon if queued is not None)
        self._progress = self.session.progress
        self._recent = self.session.recent(SHOWN_VERDICTS)
        self._verdicts = self.session.verdicts_on(current.clip.episode_id) if current else []
        if current is not None and current.is_repeat:
            # The earlier verdict would influence the curator.
            self._verdicts = [verdict for verdict in self._verdicts if verdict.clip != current.clip]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        current = self.session.current
        if current is None:
            return
        if not self.help_open and self.note_field is None:
            self.player.advance(seconds)
        if self._shown is not None and self._shown_at == (current.clip.episode_id, self.player.frame):
            return
        try:
            self._shown = self._read(current.clip, self.player.frame)
        except CoachError as error:
            self._skip_unreadable(current.clip, error)
            self._show_current()

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
            queue=self._queue,
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
            cut_hint=self._cut.hint,
            message=self._message if self._now() < self._message_until else "",
            nothing_left=nothing_left(self._queue, bool(self._recent), self._following, self.session.unreadable),
        )


class ManualCut:
    """A clip that the curator is cutting: two ends, marked in either order."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.stop: int | None = None

    @property
    def started(self) -> bool:
        return self.start is not None or self.stop is not None

    def discard(self) -> None:
        self.start = self.stop = None

    def mark(self, key: str, frame: int) -> tuple[int, int] | None:
        """Mark the start (key "i") or the end ("o"). Return the span (start, stop) once both are marked.

        Raises CoachError for a span that is not 1 to 5 seconds long; both ends stay, so that one can be moved.
        """
        if key == "i":
            self.start = frame
        else:
            self.stop = frame
        if self.start is None or self.stop is None:
            return None
        start, stop = sorted((self.start, self.stop))
        if not SHORTEST_CLIP_FRAMES <= stop - start <= LONGEST_CLIP_FRAMES:
            seconds = (stop - start) / FRAMES_PER_SECOND
            raise CoachError(f"A clip lasts 1 to 5 seconds, not {seconds:.1f}; move one end.")
        return start, stop

    @property
    def hint(self) -> str:
        """What to do next; empty where no end is marked."""
        if self.start is not None and self.stop is not None:
            return f"Cut {frame_clock(self.start)} to {frame_clock(self.stop)}: move an end with I or O."
        if self.start is not None:
            return f"Cut from {frame_clock(self.start)}: press O at its end, Esc to cancel."
        if self.stop is not None:
            return f"Cut up to {frame_clock(self.stop)}: press I at its start, Esc to cancel."
        return ""


def _judged_elsewhere(verdicts: Sequence[Verdict]) -> str:
    """Return a sentence about clips that left the queue because the curator judged them in another window."""
    if len(verdicts) == 1:
        verdict = verdicts[0]
        return f"Also judged in another window: {verdict.verdict} at {frame_clock(verdict.clip.start)}."
    return f"Also judged in another window: the next {len(verdicts)} clips."


def nothing_left(queue: str, has_judged: bool, following: WaitingQueue | None, unreadable: int = 0) -> tuple[str, str]:
    """Return a title and text for a queue without clips. ``unreadable``: clips skipped because they cannot be shown."""
    kind = queue_kind(queue)
    if kind.name == SECOND_LOOK:
        title, text = "No clips were put aside.", f"{kind.why_empty} "
    elif has_judged:
        which = "All readable clips" if unreadable else "All clips of this queue"
        title, text = f"{which} are judged.", "Backspace undoes the last verdict. "
    elif unreadable:
        title, text = "No clip of this queue can be read.", ""
    else:
        title, text = "No clips in this queue.", f"{kind.why_empty} "
    if unreadable:
        text += f"{unreadable_sentence(unreadable)} "
    if following is not None:
        number = len(following.clips)
        clips = "1 clip waits" if number == 1 else f"{number} clips wait"
        text += f"{clips} in the queue {queue_title(following.name)}: press Tab."
    elif not unreadable:
        text += "Every clip of this library is judged: play or record more episodes."
    return title, text.rstrip()
