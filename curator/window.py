"""The curator's window: it shows clips, and one key gives each its verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from curator.controller import CuratorController
from curator.drawing import (
    CuratorView,
    draw_curator,
    draw_loading,
    draw_note_field,
    lower_buttons,
    note_buttons,
    queue_button,
    verdict_buttons,
)
from curator.end_of_queue import end_buttons
from curator.frame_reader import FrameReader
from curator.judge_predictions import load_judges, prediction_in_words, require_judge
from curator.keys import key_list
from curator.layout import CuratorLayout, curator_layout
from curator.outline import read_outlines
from curator.queue_menu import draw_queue_menu, queue_menu_panel, queue_menu_rows
from curator.queue_source import QueueSource
from curator.queues import DEFAULT_CLIP_SECONDS, QUEUES, UNCERTAIN, SurprisingFrame, clip_frames, queue_kind
from curator.session import JudgingSummary, Session
from curator.timeline import TimelineScale
from data.clip import Clip
from data.game_names import display_name
from data.label_database import LabelDatabase
from data.library import Library
from screen.canvas import Canvas, whole_multiples
from screen.events import (
    CloseRequested,
    Event,
    KeyDown,
    PointerDown,
    PointerMoved,
    PointerUp,
    Resized,
    TextTyped,
    Wheel,
)
from screen.theme import GROUND
from screen.widgets import draw_key_list, draw_message, message_buttons
from screen.window import Window

IDLE_SECONDS = 1.0
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
    train: Callable[[Window], object] | None = None,
) -> JudgingSummary:
    """Open the curator's window, or use ``window``, until the curator quits; every verdict is saved as it is given.

    ``queue``: None for the first in which clips wait. ``goal``: verdicts that the curator intends to give in this
    session. ``surprising``: frames for the queue ``surprising:RUN``, instead of those that the run recorded. ``train``:
    called after the session where the curator chose to train an agent at the end of a queue; None offers no training.

    Raises CoachError for an unknown queue, the queue "uncertain" without a learned judge, a clip that is not 1 to 5 s
    long, a name that is not a person's, or where no window can be opened.
    """
    clip_frames(clip_seconds)
    if queue is not None and queue_kind(queue).name == UNCERTAIN:
        require_judge(library, game)
    empty = Session(labels, curator, [])  # Refuses an invalid name before a window opens.
    from_home = window is not None
    with contextlib.ExitStack() as stack:
        if window is None:
            # The title contains "curating" only once keys give verdicts.
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
        judges = load_judges(library, (outline.game for outline in outlines))

        def scored(work: Callable[[Callable[[int, int], None]], dict[Clip, float]]) -> dict[Clip, float] | None:
            return _with_progress(window, "Running the learned judge", work)

        queues = QueueSource(library, labels, empty.curator, outlines, judges, clip_seconds, seed, scored, surprising)
        if queue is None:
            first = queues.first()
            queue, clips = (first.name, list(first.clips)) if first else (QUEUES[0].name, [])
        else:
            built = queues.build(queue)
            if built is None:
                return empty.summary()
            clips = built

        def predict(clip: Clip) -> str:
            outline = by_id[clip.episode_id]
            return prediction_in_words(outline, judges.get(outline.game), clip)

        session = Session(labels, curator, clips, queues.frame_counts)
        with FrameReader({name: outline.path for name, outline in by_id.items()}) as reader:
            controller = CuratorController(
                session, reader, by_id, queue, goal, predict, queues, train is not None, from_home
            )
            WindowLoop(window, controller).run()
        if controller.train_requested and train is not None:
            train(window)
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
    window.start_view()
    window.title = f"{TITLE}, no episodes"
    missing = f"This library has no episodes of {display_name(game)}. " if game else ""
    play = f"coach play --game {game}" if game else "coach play"
    todo = f"Run `{play}`, or let the planner play: `coach record --by planner`."
    if from_home:
        todo = "Go back, and press P to play one."
    pointer = (-1.0, -1.0)
    while True:
        canvas = window.canvas
        buttons = message_buttons(canvas, [("Back" if from_home else "Quit", "Esc", None)])
        canvas.fill(canvas.box, GROUND)
        draw_message(canvas, "No episodes yet", missing + todo, buttons, pointer)
        if window.visible:
            window.present()
        for event in window.events(IDLE_SECONDS):
            if isinstance(event, PointerMoved | PointerDown):
                pointer = (event.x, event.y)
            if _closes(event) or (isinstance(event, PointerDown) and buttons[0].contains(*pointer)):
                return


class WindowLoop:
    """Passes events to the controller, and draws its view whenever it has changed."""

    def __init__(self, window: Window, controller: CuratorController) -> None:
        self._window = window
        self._controller = controller
        self._pointer = (-1.0, -1.0)
        self._scrubbing = False
        self._grab_offset = 0.0
        """From the pointer to the edge of the clip that it drags."""
        self._opening_text = False
        """Whether the letter of the key that opened the note field is still to come as typed text."""
        self._drawn: object = None
        """What was drawn last; None if the window must be drawn again."""

    def run(self) -> None:
        self._window.start_view()
        last = time.perf_counter()
        while not self._controller.closed and not self._window.closing:
            if self._window.visible:
                self.draw_changes()
            for event in self._window.events(self._controller.seconds_until_change):
                self.handle(event)
            now = time.perf_counter()
            if self._window.visible:
                self._controller.advance(now - last)
            last = now

    def _layout(self, canvas: Canvas, view: CuratorView) -> CuratorLayout:
        shape = view.shown.picture.shape if view.shown is not None else (210, 160)
        return curator_layout(canvas.box, canvas.scale, (shape[0], shape[1]), whole_multiples())

    def draw_changes(self) -> bool:
        """Draw the controller's view if it differs from what was drawn last; return whether it did."""
        controller = self._controller
        field = controller.note_field
        state = (
            controller.view().key,
            controller.help_open,
            controller.menu,
            field and (field.text, field.caret),
            self._pointer,
        )
        if state == self._drawn:
            return False
        self.draw()
        self._drawn = state
        return True

    def draw(self) -> None:
        """Draw the controller's view."""
        controller = self._controller
        view = controller.view()
        canvas = self._window.canvas
        layout = self._layout(canvas, view)
        verdicts, lower = verdict_buttons(layout, view.queued is not None), lower_buttons(layout, view)
        buttons = [queue_button(layout, view), *verdicts.values(), *lower.values()]
        draw_curator(canvas, layout, view, buttons, self._pointer)
        if controller.help_open:
            draw_key_list(canvas, "Keys", key_list(controller.quit_label))
        if controller.menu is not None:
            draw_queue_menu(canvas, controller.menu, self._pointer)
        if controller.note_field is not None:
            draw_note_field(canvas, controller.note_field, self._pointer)
        self._window.title = controller.title
        self._window.present()

    def handle(self, event: Event) -> None:
        """Handle an event of the window."""
        controller = self._controller
        if isinstance(event, CloseRequested):
            controller.closed = True
        elif isinstance(event, Resized):
            self._drawn = None
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
            self._turn_wheel(event.dy)
        elif isinstance(event, PointerDown | PointerMoved | PointerUp):
            self._pointer = (event.x, event.y)
            self._handle_pointer(event)

    def _turn_wheel(self, dy: int) -> None:
        """Zoom the timeline where the pointer is on it; step by frames elsewhere."""
        controller = self._controller
        view = controller.view()
        layout = self._layout(self._window.canvas, view)
        if controller.help_open or controller.note_field is not None:
            return
        if controller.menu is not None:
            controller.press("up" if dy > 0 else "down")
        elif layout.timeline.contains(*self._pointer):
            controller.zoom(dy, TimelineScale(layout.timeline, view.visible).frame_at(self._pointer[0]))
        else:
            controller.press("right" if dy < 0 else "left")

    def _handle_pointer(self, event: PointerDown | PointerMoved | PointerUp) -> None:
        controller = self._controller
        if isinstance(event, PointerUp):
            self._scrubbing = False
            controller.end_drag()
            return
        clicked = isinstance(event, PointerDown) and event.button == 1
        if controller.note_field is not None:
            if clicked:
                for key, button in note_buttons(self._window.size_units).items():
                    if button.contains(event.x, event.y):
                        controller.press(key)
            return
        if controller.help_open:
            if clicked:
                controller.press("escape")
            return
        if controller.menu is not None:
            if clicked:
                self._click_in_menu(event.x, event.y)
            return
        view = controller.view()
        layout = self._layout(self._window.canvas, view)
        if clicked:
            self._click(event.x, event.y, layout, view)
        scale = TimelineScale(layout.timeline, view.visible)
        if controller.drag is not None:
            controller.drag_to(scale.frame_at(event.x + self._grab_offset))
        elif self._scrubbing:
            controller.scrub(scale.frame_at(event.x))

    def _click_in_menu(self, x: float, y: float) -> None:
        controller = self._controller
        assert controller.menu is not None
        window = self._window.size_units
        rows = queue_menu_rows(window, len(controller.menu.rows))
        place = next((place for place, box in enumerate(rows) if box.contains(x, y)), None)
        if place is not None:
            controller.choose_queue(place)
        elif not queue_menu_panel(window, len(rows)).contains(x, y):
            controller.press("escape")

    def _click(self, x: float, y: float, layout: CuratorLayout, view: CuratorView) -> None:
        controller = self._controller
        for verdict, button in verdict_buttons(layout, view.queued is not None).items():
            if button.contains(x, y):
                controller.judge(verdict)
                return
        by_key = {"q": queue_button(layout, view), **lower_buttons(layout, view)}
        if view.shown is None:
            by_key |= end_buttons(layout.picture, view.end)
        for key, button in by_key.items():
            if button.contains(x, y):
                controller.press(key)
                return
        for place, row in enumerate(layout.recent_rows):
            if row.contains(x, y):
                controller.press(str((place + 1) % 10))
                return
        if layout.quit.contains(x, y):
            controller.press("escape")
        elif layout.all_keys.contains(x, y):
            controller.press("f1")
        elif layout.timeline.contains(x, y) and view.clip is not None:
            scale = TimelineScale(layout.timeline, view.visible)
            edge = scale.edge_at(x, view.clip)
            if edge is not None:
                controller.start_drag(edge)
                self._grab_offset = scale.x_of(view.clip.start if edge == "start" else view.clip.stop) - x
            else:
                self._scrubbing = True
        elif layout.picture.contains(x, y) and view.queued is not None:
            controller.press("p")
