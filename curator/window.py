"""The curator's window: it shows clips, and one key gives each its verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from curator.controller import CuratorController
from curator.drawing import CuratorView, draw_curator, draw_loading, draw_note_field, lower_buttons, verdict_buttons
from curator.frame_reader import FrameReader
from curator.judge_predictions import load_judges, prediction_in_words, require_judge, score_clips
from curator.keys import key_list
from curator.layout import CuratorLayout, curator_layout
from curator.outline import read_outlines
from curator.queue_order import QueuedClip
from curator.queues import (
    DEFAULT_CLIP_SECONDS,
    QUEUES,
    UNCERTAIN,
    SurprisingFrame,
    WaitingQueue,
    build_queue,
    clip_frames,
    clips_waiting,
    first_waiting,
    queue_kind,
)
from curator.session import Session, SessionSummary
from curator.timeline import TimelineScale
from data.clip import Clip, Verdict
from data.fitting_verdicts import fit_verdicts
from data.label_database import LabelDatabase
from data.library import Library
from screen.canvas import Canvas
from screen.theme import GROUND
from screen.widgets import draw_key_list, draw_message, message_buttons
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
    queue: str | None = None,
    clip_seconds: float = DEFAULT_CLIP_SECONDS,
    game: str | None = None,
    seed: int = 0,
    window: Window | None = None,
    goal: int | None = None,
    surprising: Iterable[SurprisingFrame] = (),
) -> SessionSummary:
    """Open the curator's window, or use ``window``, until the curator quits; every verdict is saved as it is given.

    ``queue``: None for the first in which clips wait. ``goal``: verdicts that the curator intends to give in this
    session. ``surprising``: frames for the queue ``surprising:RUN``.
    Raises CoachError for an unknown queue, the queue "uncertain" without a learned judge, a clip that is not 1 to 5 s
    long, a name that is not a person's, or where no window can be opened.
    """
    frames = clip_frames(clip_seconds)
    if queue is not None and queue_kind(queue).name == UNCERTAIN:
        require_judge(library, game)
    empty = Session(labels, curator, [])  # Refuses an invalid name before a window opens.
    from_home = window is not None
    with contextlib.ExitStack() as stack:
        if window is None:
            # The title says "curating" only once keys are verdicts.
            window = stack.enter_context(Window("Replay Coach - reading the episodes"))
        former_title = window.title
        stack.callback(setattr, window, "title", former_title)
        outlines = _with_progress(
            window, "Reading the episodes", lambda on_progress: read_outlines(library, game, on_progress)
        )
        if not outlines:
            if outlines is not None:
                _show_empty_library(window, game, from_home)
            return empty.summary()
        by_id = {outline.episode_id: outline for outline in outlines}
        frame_counts = {outline.episode_id: outline.frame_count for outline in outlines}

        def given() -> list[Verdict]:
            return fit_verdicts(labels.verdicts(curator=empty.curator), frame_counts).fitting

        judged = given()
        judges = load_judges(library, (outline.game for outline in outlines))
        scores: dict[Clip, float] = {}
        if queue == UNCERTAIN:
            predicted = _with_progress(
                window,
                "Running the learned judge",
                lambda on_progress: score_clips(outlines, judges, frames, seed, judged, on_progress),
            )
            if predicted is None:
                return empty.summary()
            scores = predicted
        if queue is None:
            waiting_first = clips_waiting(outlines, judged, empty.curator, clip_seconds, seed)
            queue = waiting_first.name if waiting_first else QUEUES[0].name
        clips = build_queue(outlines, queue, clip_seconds, seed, judged, surprising, scores, empty.curator)
        session = Session(labels, curator, clips, frame_counts)
        reader = stack.enter_context(FrameReader({name: outline.path for name, outline in by_id.items()}))

        def predict(clip: Clip) -> str:
            outline = by_id[clip.episode_id]
            return prediction_in_words(outline, judges.get(outline.game), clip)

        def waiting(name: str) -> list[QueuedClip]:
            return build_queue(outlines, name, clip_seconds, seed, given(), curator=session.curator)

        def following(done: str) -> WaitingQueue | None:
            return first_waiting(waiting, after=done)

        controller = CuratorController(session, reader, by_id, queue, goal, predict, following)
        WindowLoop(window, controller).run()
        return session.summary()


def _with_progress(window: Window, doing: str, work: Callable[[Callable[[int, int], None]], Result]) -> Result | None:
    """Run ``work`` while the window shows its progress. Return None if the window was closed meanwhile."""
    last_drawn = -LOADING_REDRAW_SECONDS

    class Closed(Exception):
        pass

    def on_progress(done: int, total: int) -> None:
        nonlocal last_drawn
        if time.monotonic() - last_drawn < LOADING_REDRAW_SECONDS:
            return
        last_drawn = time.monotonic()
        if any(_closes(event) for event in window.events()):
            raise Closed
        draw_loading(window.canvas, doing, done, total)
        window.present()

    try:
        return work(on_progress)
    except Closed:
        return None


def _closes(event: Event) -> bool:
    return isinstance(event, CloseRequested) or (isinstance(event, KeyDown) and event.key == "escape")


def _show_empty_library(window: Window, game: str | None, from_home: bool) -> None:
    """Say that there is nothing to judge and what to do, until the window is closed."""
    window.title = f"{TITLE}, no episodes"
    missing = f"This library has no episodes of {game}. " if game else ""
    play = f"coach play --game {game}" if game else "coach play"
    todo = f"Run `{play}`, or let the planner play: `coach record --by planner`."
    if from_home:
        todo = "Go back, and press P to play one."
    pointer = (-1.0, -1.0)
    window.ignore_held_keys()
    while True:
        canvas = window.canvas
        buttons = message_buttons(canvas, [("Back" if from_home else "Quit", "Esc", None)])
        for event in window.events():
            if isinstance(event, PointerMoved | PointerDown):
                pointer = (event.x, event.y)
            if _closes(event) or (isinstance(event, PointerDown) and buttons[0].contains(*pointer)):
                return
        canvas.fill(canvas.box, GROUND)
        draw_message(canvas, "No episodes yet", missing + todo, buttons, pointer)
        window.present()
        time.sleep(1 / PICTURES_PER_SECOND)


class WindowLoop:
    """Passes events to the controller and draws its view, sixty times a second."""

    def __init__(self, window: Window, controller: CuratorController) -> None:
        self._window = window
        self._controller = controller
        self._pointer = (-1.0, -1.0)
        self._scrubbing = False
        self._opening_text = False
        """Whether the letter of the key that opened the note field is still to come as typed text."""

    def run(self) -> None:
        self._window.ignore_held_keys()
        last = time.perf_counter()
        while not self._controller.closed:
            self.draw()
            now = time.perf_counter()
            time.sleep(max(0.0, last + 1 / PICTURES_PER_SECOND - now))
            now = time.perf_counter()
            for event in self._window.events():
                self.handle(event)
            self._controller.advance(now - last)
            last = now

    def _layout(self, canvas: Canvas, view: CuratorView) -> CuratorLayout:
        shape = view.shown.picture.shape if view.shown is not None else (210, 160)
        return curator_layout(canvas.box, canvas.scale, (shape[0], shape[1]))

    def draw(self) -> None:
        """Draw the controller's view."""
        controller = self._controller
        view = controller.view()
        canvas = self._window.canvas
        layout = self._layout(canvas, view)
        verdicts, lower = verdict_buttons(layout, view.queued is not None), lower_buttons(layout, view)
        draw_curator(canvas, layout, view, [*verdicts.values(), *lower.values()], self._pointer)
        if controller.help_open:
            draw_key_list(canvas, "Keys of the curator", key_list())
        if controller.note_field is not None:
            draw_note_field(canvas, controller.note_field)
        self._window.title = controller.title
        self._window.present()

    def handle(self, event: Event) -> None:
        """Handle an event of the window."""
        controller = self._controller
        if isinstance(event, CloseRequested):
            controller.closed = True
        elif isinstance(event, KeyDown):
            if event.key == "f11" and not event.repeat:
                self._window.toggle_full_screen()
            else:
                was_writing = controller.note_field is not None
                controller.press(event.key, event.shift, event.control, event.repeat)
                self._opening_text = controller.note_field is not None and not was_writing
        elif isinstance(event, TextTyped):
            if not (self._opening_text and event.text.lower() == "n"):
                controller.write(event.text)
            self._opening_text = False
        elif isinstance(event, Wheel):
            controller.press("right" if event.dy < 0 else "left")
        elif isinstance(event, PointerDown | PointerMoved | PointerUp):
            self._handle_pointer(event)

    def _handle_pointer(self, event: PointerDown | PointerMoved | PointerUp) -> None:
        controller = self._controller
        self._pointer = (event.x, event.y)
        if isinstance(event, PointerUp):
            self._scrubbing = False
            return
        if controller.help_open or controller.note_field is not None:
            if isinstance(event, PointerDown) and controller.help_open:
                controller.press("escape")
            return
        view = controller.view()
        layout = self._layout(self._window.canvas, view)
        if isinstance(event, PointerDown) and event.button == 1:
            self._click(event, layout, view)
        if self._scrubbing and view.outline is not None:
            scale = TimelineScale(layout.timeline, view.outline.frame_count)
            controller.scrub(scale.frame_at(event.x))

    def _click(self, at: PointerDown, layout: CuratorLayout, view: CuratorView) -> None:
        controller = self._controller
        for verdict, button in verdict_buttons(layout, view.queued is not None).items():
            if button.contains(at.x, at.y):
                controller.judge(verdict)
                return
        for key, button in lower_buttons(layout, view).items():
            if button.contains(at.x, at.y):
                controller.press(key)
                return
        for place, row in enumerate(layout.recent_rows):
            if row.contains(at.x, at.y):
                controller.press(str((place + 1) % 10))
                return
        if layout.quit.contains(at.x, at.y):
            controller.press("escape")
        elif layout.timeline.contains(at.x, at.y):
            self._scrubbing = True
        elif layout.picture.contains(at.x, at.y):
            controller.press("p" if view.queued is not None else "tab")
