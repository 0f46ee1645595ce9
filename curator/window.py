"""The curator's window: clips go by, and each gets its verdict by one key."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from curator.controller import KEY_LIST, CuratorController
from curator.drawing import CuratorView, draw_curator, draw_loading, draw_note_field, lower_buttons, verdict_buttons
from curator.frame_reader import FrameReader
from curator.judge_predictions import guess_in_words, load_judges, require_judge, score_clips
from curator.layout import CuratorLayout, curator_layout
from curator.outline import read_outlines
from curator.queues import (
    FollowingQueue,
    QueuedClip,
    SurprisingFrame,
    build_queue,
    clip_frames,
    following_queue,
    queue_name,
)
from curator.session import Session, SessionSummary
from curator.timeline import TimelineScale
from data.clip import VERDICTS, Clip
from data.label_database import LabelDatabase
from data.library import Library
from screen.canvas import Canvas
from screen.theme import GROUND
from screen.widgets import Button, draw_key_list, draw_message, message_buttons
from screen.window import (
    CloseRequested,
    Event,
    KeyDown,
    PointerDown,
    PointerMoved,
    PointerUp,
    TextTyped,
    Wheel,
    Window,
)

PICTURES_PER_SECOND = 60
LOADING_REDRAW_SECONDS = 0.05
TITLE = "Replay Coach - curating"

Result = TypeVar("Result")


def curate(
    library: Library,
    labels: LabelDatabase,
    curator: str,
    queue: str = "before-reward",
    clip_seconds: float = 3.0,
    game: str | None = None,
    seed: int = 0,
    window: Window | None = None,
    goal: int | None = None,
    surprising: Iterable[SurprisingFrame] = (),
) -> SessionSummary:
    """Open the curator's window, or use ``window``, until the curator leaves; every verdict is saved as it is given.

    ``goal``: verdicts that the curator means to give in this sitting. ``surprising``: frames for the queue
    ``surprising:RUN``.
    Raises CoachError for an unknown queue, the queue "uncertain" without a learned judge, a clip of another length
    than 1 to 5 s, a name that no person can have, or where no window can be opened.
    """
    frames = clip_frames(clip_seconds)
    if queue_name(queue) == "uncertain":
        require_judge(library, game)
    nobody_waits = Session(labels, curator, [])  # Refuses a name that no person can have, before a window opens.
    from_home = window is not None
    with contextlib.ExitStack() as stack:
        if window is None:
            # "curating" once keys are verdicts, and not before: until then they fall into a window that is loading.
            window = stack.enter_context(Window("Replay Coach - looking through the episodes"))
        former_title = window.title
        stack.callback(setattr, window, "title", former_title)
        outlines = _while_on_show(
            window, "Looking through the episodes", lambda on_progress: read_outlines(library, game, on_progress)
        )
        if not outlines:
            if outlines is not None:
                _show_empty_library(window, game, from_home)
            return nobody_waits.summary()
        by_id = {outline.episode_id: outline for outline in outlines}
        judged = labels.verdicts(curator=nobody_waits.curator)
        judges = load_judges(library, (outline.game for outline in outlines))
        scores: dict[Clip, float] = {}
        if queue == "uncertain":
            asked = _while_on_show(
                window,
                "Asking the learned judge",
                lambda on_progress: score_clips(outlines, judges, frames, seed, judged, on_progress),
            )
            if asked is None:
                return nobody_waits.summary()
            scores = asked
        clips = build_queue(outlines, queue, clip_seconds, seed, judged, surprising, scores, nobody_waits.curator)
        sitting = Session(labels, curator, clips, by_id)
        reader = stack.enter_context(FrameReader({name: outline.path for name, outline in by_id.items()}))

        def guess(clip: Clip) -> str:
            outline = by_id[clip.episode_id]
            return guess_in_words(outline, judges.get(outline.game), clip)

        def waiting(name: str) -> list[QueuedClip]:
            said = labels.verdicts(curator=sitting.curator)
            return build_queue(outlines, name, clip_seconds, seed, said, curator=sitting.curator)

        def following(done: str) -> FollowingQueue | None:
            return following_queue(done, waiting)

        desk = CuratorController(sitting, reader, by_id, queue, goal, guess, following)
        WindowLoop(window, desk).run()
        return sitting.summary()


def _while_on_show(window: Window, doing: str, work: Callable[[Callable[[int, int], None]], Result]) -> Result | None:
    """Do work that tells its progress, with a bar; None where the person closed the window meanwhile."""
    last_drawn = -LOADING_REDRAW_SECONDS

    class Left(Exception):
        pass

    def on_progress(done: int, total: int) -> None:
        nonlocal last_drawn
        if time.monotonic() - last_drawn < LOADING_REDRAW_SECONDS:
            return
        last_drawn = time.monotonic()
        if any(_leaves(event) for event in window.events()):
            raise Left
        draw_loading(window.canvas, doing, done, total)
        window.present()

    try:
        return work(on_progress)
    except Left:
        return None


def _leaves(event: Event) -> bool:
    return isinstance(event, CloseRequested) or (isinstance(event, KeyDown) and event.key == "escape")


def _show_empty_library(window: Window, game: str | None, from_home: bool) -> None:
    """Say that there is nothing to judge and what to do, until the person leaves."""
    window.title = f"{TITLE}, no episodes"
    missing = f"There is no play of {game} here. " if game else ""
    play = f"coach play --game {game}" if game else "coach play"
    todo = f"Run `{play}`, or let the planner play: `coach record --by planner`."
    if from_home:
        todo = "Leave, and press P to play one: it waits here for your judgement."
    pointer = (-1.0, -1.0)
    while True:
        canvas = window.canvas
        buttons = message_buttons(canvas, [("Leave", "Esc", None)])
        for event in window.events():
            if isinstance(event, PointerMoved | PointerDown):
                pointer = (event.x, event.y)
            if _leaves(event) or (isinstance(event, PointerDown) and buttons[0].contains(*pointer)):
                return
        canvas.fill(canvas.box, GROUND)
        draw_message(canvas, "No episodes yet", missing + todo, buttons, pointer)
        window.present()
        time.sleep(1 / PICTURES_PER_SECOND)


class WindowLoop:
    """Events in, pictures out, sixty times a second."""

    def __init__(self, window: Window, desk: CuratorController) -> None:
        self._window = window
        self._desk = desk
        self._pointer = (-1.0, -1.0)
        self._scrubbing = False
        self._opening_text = False
        """Whether the letter of the key that opened the note's field is still to come as typed text."""

    def run(self) -> None:
        last = time.perf_counter()
        while not self._desk.leaving:
            self.draw()
            now = time.perf_counter()
            time.sleep(max(0.0, last + 1 / PICTURES_PER_SECOND - now))
            now = time.perf_counter()
            events = self._window.events()
            for event in events:
                self._handle(event)
            self._desk.advance(now - last)
            last = now

    def _layout(self, canvas: Canvas, view: CuratorView) -> CuratorLayout:
        shape = view.shown.picture.shape if view.shown is not None else (210, 160)
        return curator_layout(canvas.box, canvas.scale, (shape[0], shape[1]))

    def _buttons(self, layout: CuratorLayout, view: CuratorView) -> list[Button]:
        return [*verdict_buttons(layout, view.queued is not None), *lower_buttons(layout, view)]

    def draw(self) -> None:
        """Show what there is to see now."""
        view = self._desk.view()
        canvas = self._window.canvas
        layout = self._layout(canvas, view)
        draw_curator(canvas, layout, view, self._buttons(layout, view), self._pointer)
        if self._desk.help_open:
            draw_key_list(canvas, "Keys of the curator", KEY_LIST)
        if self._desk.note_text is not None:
            draw_note_field(canvas, self._desk.note_text)
        self._window.title = self._desk.title
        self._window.present()

    def _handle(self, event: Event) -> None:
        desk = self._desk
        if isinstance(event, CloseRequested):
            desk.leaving = True
        elif isinstance(event, KeyDown):
            if event.key == "f11" and not event.repeat:
                self._window.toggle_full_screen()
            else:
                was_writing = desk.note_text is not None
                desk.press(event.key, event.shift, event.control, event.repeat)
                self._opening_text = desk.note_text is not None and not was_writing
        elif isinstance(event, TextTyped):
            if not (self._opening_text and event.text.lower() == "n"):
                desk.write(event.text)
            self._opening_text = False
        elif isinstance(event, Wheel):
            desk.press("right" if event.dy < 0 else "left")
        elif isinstance(event, PointerDown | PointerMoved | PointerUp):
            self._handle_pointer(event)

    def _handle_pointer(self, event: PointerDown | PointerMoved | PointerUp) -> None:
        desk = self._desk
        self._pointer = (event.x, event.y)
        if isinstance(event, PointerUp):
            self._scrubbing = False
            return
        if desk.help_open or desk.note_text is not None:
            if isinstance(event, PointerDown) and desk.help_open:
                desk.press("escape")
            return
        view = desk.view()
        layout = self._layout(self._window.canvas, view)
        if isinstance(event, PointerDown):
            self._click(event, layout)
        if self._scrubbing and view.outline is not None:
            scale = TimelineScale(layout.timeline, view.outline.frame_count)
            desk.scrub(scale.frame_at(event.x))

    def _click(self, event: PointerDown, layout: CuratorLayout) -> None:
        desk = self._desk
        if event.button != 1:
            return
        for number, button in enumerate(self._buttons(layout, desk.view())):
            if button.contains(event.x, event.y):
                verdicts = len(VERDICTS)
                keys = ("backspace", "p", "l", "v", "n", "f1")
                desk.press(VERDICTS[number][0] if number < verdicts else keys[number - verdicts])
                return
        for place, row in enumerate(layout.recent_rows):
            if row.contains(event.x, event.y):
                desk.press(str((place + 1) % 10))
                return
        if layout.leave.contains(event.x, event.y):
            desk.press("escape")
        elif layout.timeline.contains(event.x, event.y):
            self._scrubbing = True
        elif layout.picture.contains(event.x, event.y):
            desk.press("p" if desk.sitting.current is not None else "tab")
