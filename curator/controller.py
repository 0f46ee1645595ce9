"""What the curator's keys do and what there is to see, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from curator.clip_player import ClipPlayer
from curator.drawing import CuratorView
from curator.frame_reader import FrameReader, ShownFrame, read_shown_frame
from curator.layout import SHOWN_VERDICTS
from curator.outline import EpisodeOutline, clock
from curator.queues import FollowingQueue, is_repeat, told_unreadable
from curator.session import Session
from curator.spans import LONGEST_CLIP_FRAMES, SHORTEST_CLIP_FRAMES
from data.clip import Clip
from data.episode import FRAMES_PER_SECOND
from data.errors import CoachError, without_folder

FLASH_SECONDS, TROUBLE_SECONDS = 3.0, 10.0
PREPARED_CLIPS = 3
"""So many clips ahead are decoded before they are needed."""
STEP_FRAMES, LEAP_FRAMES = 1, 15

KEY_LIST = [
    ("G", "Good"),
    ("B", "Bad"),
    ("S Space", "Skip"),
    ("Bksp Ctrl+Z", "Undo, as often as you like"),
    ("V", "Skip, for a second look later"),
    ("N", "Write a note on this clip"),
    ("1 … 0", "Reopen one of the last ten verdicts"),
    ("P", "Pause and go on"),
    ("L", "Loop, or play once"),
    ("← →", "A frame back, on; with Shift 15 frames"),
    (", .", "Slower, faster"),
    ("Home End", "The clip's first and last frame"),
    ("J", "Ask what the learned judge would say"),
    ("I O", "Cut a clip by hand, from here, to here"),
    ("Tab", "Where a queue ends: go on with another"),
    ("H F1", "This list"),
    ("F11", "Full screen"),
    ("Esc", "Back, or leave; everything is saved"),
]


class CuratorController:
    """A sitting with its pictures: keys go in, a view comes out."""

    def __init__(
        self,
        sitting: Session,
        reader: FrameReader,
        outlines: Mapping[str, EpisodeOutline],
        queue: str,
        goal: int | None = None,
        guess: Callable[[Clip], str] | None = None,
        following: Callable[[str], FollowingQueue | None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """``guess``: what the learned judge says of a clip. ``following``: what may come after a queue that is done."""
        self.sitting = sitting
        self.player = ClipPlayer()
        self.leaving = False
        self.help_open = False
        self.note_text: str | None = None
        """What is being written, while the note's field is open."""
        self._reader = reader
        self._outlines = outlines
        self._queue = queue
        self._find_following = following
        self._following: FollowingQueue | None = None
        self._goal = goal
        self._guess = guess
        self._now = now
        self._note = ""
        self._notes: dict[Clip, str] = {}
        """Notes on clips that have no verdict yet."""
        self._flash = ""
        self._flash_until = 0.0
        self._cut = ManualCut()
        self._shown: ShownFrame | None = None
        self._key = ("", -1)
        self._begin()

    # What keys do

    def press(self, key: str, shift: bool = False, control: bool = False, repeat: bool = False) -> None:
        """A key went down. One that is held judges once; only stepping goes on while a key is held."""
        if not repeat:
            self._flash = ""
        try:
            if self.note_text is not None:
                self._press_in_note(key)
            elif self.help_open:
                if not repeat:
                    self.help_open = key not in ("f1", "h", "escape")
            elif key in ("left", "right") and self._shown is not None:
                frames = LEAP_FRAMES if shift else STEP_FRAMES
                self.player.step(frames if key == "right" else -frames)
            elif not repeat:
                self._press_once(key, control)
        except CoachError as error:
            # Nothing is lost: what could not be written was not acknowledged, and the clip stays where it is.
            self.say(str(error))

    def _press_once(self, key: str, control: bool) -> None:
        if key == "backspace" or (key == "z" and control):
            self.undo()
        elif control:
            return
        elif key in ("f1", "h"):
            self.help_open = True
        elif key == "escape":
            if self._cut.begun:
                self._cut.forget()
            elif self.sitting.leave_visit():
                self._begin()
            else:
                self.leaving = True
        elif len(key) == 1 and key.isdigit():
            self.reopen((int(key) - 1) % 10)
        elif self.sitting.current is None:
            if key == "tab":
                self._go_on()
        else:
            self._press_on_clip(key, self.sitting.current.clip)

    def _press_on_clip(self, key: str, clip: Clip) -> None:
        verdicts = {"g": "good", "b": "bad", "s": "skip", "space": "skip"}
        if key in verdicts:
            self.judge(verdicts[key])
        elif key == "v":
            self.sitting.look_again_later(self._note)
            self._begin()
        elif key == "n":
            self.note_text = self._note
        elif key == "p":
            self.player.toggle_pause()
        elif key == "l":
            self.player.looping = not self.player.looping
        elif key == ",":
            self.player.change_speed(-1)
        elif key == ".":
            self.player.change_speed(1)
        elif key == "home":
            self.player.seek(clip.start)
        elif key == "end":
            self.player.seek(clip.stop)
        elif key in ("i", "o"):
            self._mark_cut(key, clip)
        elif key == "j":
            self.say(self._guess(clip) if self._guess else "There is no learned judge yet.")

    def _press_in_note(self, key: str) -> None:
        assert self.note_text is not None
        if key == "escape":
            self.note_text = None
        elif key == "return":
            self._note, self.note_text = self.note_text.strip(), None
            if self.sitting.current is not None:
                self._notes[self.sitting.current.clip] = self._note
        elif key == "backspace":
            self.note_text = self.note_text[:-1]

    def write(self, text: str) -> None:
        """Text was typed."""
        if self.note_text is not None:
            self.note_text = (self.note_text + text)[:500]

    def judge(self, verdict: str) -> None:
        """Give a verdict on the clip on show and go on to the next."""
        if self.sitting.current is not None:
            before = self.sitting.standing
            given = self.sitting.judge(verdict, self._note)
            self._notes.pop(given.clip, None)
            self._begin()
            if self._goal == self._progress.this_sitting:
                self.say(f"That was your goal: {self._goal} verdicts. Esc leaves, or just go on.")
            if is_repeat(given) and before is not None:
                told = "the same" if before.verdict == verdict else before.verdict
                self.say(f"You saw that clip before, and said {told} then.")

    def undo(self) -> None:
        taken_back = self.sitting.undo()
        if taken_back is None:
            self.say("There is no verdict left to take back.")
            return
        if not self.sitting.can_show(taken_back.clip):
            self.say("Taken back; its episode is no longer in the library, so it cannot be shown.")
        self._begin()
        self._note = taken_back.note if self.sitting.current and self.sitting.current.clip == taken_back.clip else ""

    def reopen(self, place: int) -> None:
        """Show one of the last verdicts again; 0 is the newest."""
        if place < len(self._recent):
            self.sitting.reopen(self._recent[place])
            self._begin()
            self._note = self.sitting.standing.note if self.sitting.standing else ""

    def scrub(self, frame: int) -> None:
        """Show a frame of the episode, inside the clip or not."""
        if self._shown is not None:
            self.player.seek(frame)

    def _mark_cut(self, key: str, clip: Clip) -> None:
        span = self._cut.mark(key, self.player.frame)
        if span is not None:
            self.sitting.cut_by_hand(Clip(clip.episode_id, *span))
            self._begin()

    def _go_on(self) -> None:
        """Take up the queue that follows the one that is done."""
        if self._following is not None:
            self._queue = self._following.name
            self.sitting.go_on_with(self._following.clips)
            self._begin()

    def say(self, message: str, seconds: float = FLASH_SECONDS) -> None:
        """Show a message for a moment, or until the next key."""
        self._flash, self._flash_until = message, self._now() + seconds

    def _pass_over(self, clip: Clip, error: CoachError) -> None:
        self.sitting.pass_over()
        reason = without_folder(str(error), Path(self._outlines[clip.episode_id].path))
        self.say(f"Passed over: {reason}", TROUBLE_SECONDS)

    # What there is to see

    def _begin(self) -> None:
        """The clip on show may be another one: play it from its start, and get the next ones ready."""
        self._cut.forget()
        self._shown = None
        while (current := self.sitting.current) is not None:
            outline = self._outlines[current.clip.episode_id]
            self.player.show(current.clip, outline.frame_count)
            try:
                self._shown = self._read(current.clip, self.player.frame)
                break
            except CoachError as error:
                self._pass_over(current.clip, error)
        self._note = self._notes.get(current.clip, "") if current else ""
        self._following = self._find_following(self._queue) if self._find_following and current is None else None
        soon = [self.sitting.current, *self.sitting.upcoming(PREPARED_CLIPS)]
        self._reader.prepare(queued.clip for queued in soon if queued is not None)
        self._progress = self.sitting.progress
        self._recent = self.sitting.recent(SHOWN_VERDICTS)
        self._verdicts = self.sitting.verdicts_on(current.clip.episode_id) if current else []
        if current is not None and current.is_repeat:
            # What was said of it before would sway the curator.
            self._verdicts = [verdict for verdict in self._verdicts if verdict.clip != current.clip]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        current = self.sitting.current
        if current is None:
            return
        if not self.help_open and self.note_text is None:
            self.player.advance(seconds)
        if self._shown is not None and self._key == (current.clip.episode_id, self.player.frame):
            return
        try:
            self._shown = self._read(current.clip, self.player.frame)
        except CoachError as error:
            self._pass_over(current.clip, error)
            self._begin()

    def _read(self, clip: Clip, frame: int) -> ShownFrame:
        self._key = (clip.episode_id, frame)
        return read_shown_frame(self._reader, clip, frame)

    @property
    def title(self) -> str:
        """The window's title, which tells how things stand."""
        if self.sitting.current is None:
            return "Replay Coach - curating, nothing left"
        return f"Replay Coach - curating, {self._progress.left} left"

    def view(self) -> CuratorView:
        current = self.sitting.current
        return CuratorView(
            curator=self.sitting.curator,
            queue=self._queue,
            queued=current,
            outline=self._outlines[current.clip.episode_id] if current else None,
            shown=self._shown if current else None,
            visiting=self.sitting.visiting,
            standing=self.sitting.standing if current and not current.is_repeat else None,
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
            flash=self._flash if self._now() < self._flash_until else "",
            nothing_left=nothing_left(self._queue, bool(self._recent), self._following, self.sitting.unreadable),
        )


class ManualCut:
    """The ends of the cut, as far as they are marked."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.stop: int | None = None

    @property
    def begun(self) -> bool:
        return self.start is not None or self.stop is not None

    def forget(self) -> None:
        self.start = self.stop = None

    def mark(self, key: str, frame: int) -> tuple[int, int] | None:
        """Mark the start (key "i") or the end ("o"). Returns the span (start, stop) once it is whole.

        Raises CoachError for a span that is no clip; both ends stay, so that one can be moved.
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
        """What to do next; empty where no cut is begun."""
        if self.start is not None and self.stop is not None:
            return f"Cut {clock(self.start)} to {clock(self.stop)}: move an end with I or O."
        if self.start is not None:
            return f"Cut from {clock(self.start)}: press O at its end, Esc forgets."
        if self.stop is not None:
            return f"Cut up to {clock(self.stop)}: press I at its start, Esc forgets."
        return ""


def nothing_left(
    queue: str, has_judged: bool, following: FollowingQueue | None, unreadable: int = 0
) -> tuple[str, str]:
    """Title and text where no clip waits. ``unreadable``: so many were passed over, because they cannot be shown."""
    if queue == "second-look":
        title, text = "Nothing waits for a second look.", "Press V while judging to put a clip aside. "
    elif has_judged:
        which = "All readable clips" if unreadable else "All clips of this queue"
        title, text = f"{which} are judged.", "Backspace takes the last verdict back. "
    elif unreadable:
        title, text = "No clip of this queue can be read.", ""
    else:
        title, text = "No clips in this queue.", "Nothing in these episodes calls for it. "
    if unreadable:
        text += f"{told_unreadable(unreadable)} "
    if following is not None:
        number = len(following.clips)
        text += f"Tab goes on with the queue {following.name}: {number} clip{'s' * (number != 1)}."
    elif not unreadable:
        text += "Every clip of this library is judged: play or record more episodes."
    return title, text.rstrip()
