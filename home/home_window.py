"""The home window: its actions, the library's state and the next useful action."""

from __future__ import annotations

import time
from collections.abc import Callable

from home.guided_tour import GuidedTour
from home.home_drawing import (
    KEYS,
    NAMES,
    HomeView,
    Picture,
    action_boxes,
    bottom_buttons,
    draw_home,
    episode_rows,
    first_step_buttons,
    game_button,
    next_box,
    picture_box,
    run_rows,
    tour_button,
)
from home.home_notice import HomeNotice
from home.overview import MAIN_ACTIONS, HomeAction, Overview, next_action
from screen.background import Background
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved
from screen.layout import Box
from screen.widgets import draw_key_list
from screen.window import Window

__all__ = ["TITLE", "HomeWindow", "Picture"]

TITLE = "Replay Coach - home"
TICK_SECONDS = 1 / 30
"""Longest wait for an event while something moves: the tour, or work whose end is awaited."""
IDLE_SECONDS = 0.5
READ_AGAIN_SECONDS = 5.0
READ_AGAIN_WHILE_TRAINING_SECONDS = 1.0
READ_AGAIN_HIDDEN_SECONDS = 60.0
REST_FACTOR = 20.0
"""The overview is read again after this many times the duration of reading it, so that it takes 5% of the time."""

Rebuild = Callable[[Callable[[int, int], None]], str]


class HomeWindow:
    """Shows an overview until an action is chosen.

    ``read_overview`` and ``picture``, which makes the picture at the top, are called in the background: even a library
    of thousands of episodes does not stop the window. ``rebuild`` rebuilds unfinished episodes, also in the background,
    and returns a sentence about the result.
    """

    def __init__(
        self,
        window: Window,
        read_overview: Callable[[], Overview],
        picture: Callable[[], Picture | None] = lambda: None,
        rebuild: Rebuild | None = None,
        tour: bool = False,
        on_tour_over: Callable[[], None] = lambda: None,
    ) -> None:
        """tour: start with the guided tour. on_tour_over: called whenever a tour has ended."""
        self._window = window
        self._read_overview = read_overview
        self._make_picture = picture
        self._rebuild = rebuild
        self._on_tour_over = on_tour_over
        self._tour = GuidedTour() if tour else None
        self._overview: Overview | None = None
        self._reading: Background[Overview] | None = None
        self._read_at = time.monotonic()
        self._reading_seconds = 0.0
        self._picture: Picture | None = None
        self._picturing: Background[Picture | None] | None = None
        self._rebuilding: Background[str] | None = None
        self._chosen = 0
        self._has_chosen = False
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._quits = False
        self._stale = True
        self._notice: HomeNotice | None = None
        self.message, self.message_is_error = "", False
        """One sentence below the actions, such as the result or the error of one of them."""
        self.target = ""
        """What was clicked: the episode that "library", the run that "train" or the comparison that "compare" opens."""

    def say(self, message: str, is_error: bool = False) -> None:
        """Show a sentence until the next action."""
        self.message, self.message_is_error, self._stale = message, is_error, True

    def show(self, notice: HomeNotice) -> None:
        """Show a message until it is answered."""
        self._notice, self._stale = notice, True

    def choose(self) -> HomeAction | None:
        """Run until an action is chosen. Return it, or None when the person quits."""
        self._start_reading()
        self._picturing = Background(lambda _: self._make_picture(), "picture")
        self._has_chosen, self.target = False, ""
        self._window.start_view()
        self._window.title = TITLE
        self._stale = True
        last = time.monotonic()
        while True:
            for event in self._window.events(self._wait_seconds()):
                self._stale = True
                answer = self._take(event)
                if self._quits or answer is not None:
                    return answer
            self._take_results()
            now = time.monotonic()
            if self._tour is not None:
                self._tour.advance(now - last)
                self._end_tour_if_over()
                self._stale = True
            last = now
            if self._stale and self._window.visible:
                self._draw()
                self._window.present()
                self._stale = False

    def _wait_seconds(self) -> float:
        works = self._reading is not None or self._picturing is not None or self._rebuilding is not None
        return TICK_SECONDS if works or self._tour is not None else IDLE_SECONDS

    # ---- events --------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> HomeAction | None:
        """Handle an event. Return the action that it chooses, if any."""
        if isinstance(event, CloseRequested):
            self._quits = True
        if isinstance(event, KeyDown) and event.key == "f11" and not event.repeat:
            self._window.toggle_full_screen()
            return None
        if isinstance(event, PointerMoved | PointerDown):
            self._pointer = (event.x, event.y)
        if self._tour is not None:
            if isinstance(event, KeyDown) and not event.repeat:
                self._tour.key_down(event.key)
            elif isinstance(event, PointerDown) and event.button == 1:
                self._tour.click(self._window.size_units, event.x, event.y)
            self._end_tour_if_over()
            return None
        if self._notice is not None:
            return self._answer(self._notice, event)
        if isinstance(event, KeyDown):
            return self._key_down(event)
        if isinstance(event, PointerDown) and event.button == 1:
            return self._click(event.x, event.y)
        return None

    def _answer(self, notice: HomeNotice, event: Event) -> HomeAction | None:
        """Return the action that an event chooses in a notice, which its answer closes."""
        answered, action = False, None
        if isinstance(event, KeyDown) and not event.repeat:
            answered, action = notice.key_down(event.key)
        elif isinstance(event, PointerDown) and event.button == 1:
            answered, action = notice.click(self._window.canvas, event.x, event.y)
        if answered:
            self._notice = None
        return action

    def _key_down(self, event: KeyDown) -> HomeAction | None:
        match event.key:
            case "f1" | "h":
                self._shows_keys = not self._shows_keys
            case "f2":
                self._start_tour()
            case "escape" if self._shows_keys:
                self._shows_keys = False
            case "escape" if self.message_is_error:
                self.say("")
            case "escape":
                self._quits = True
            case "left":
                self._choose((self._chosen - 1) % len(MAIN_ACTIONS))
            case "right" | "tab":
                self._choose((self._chosen + 1) % len(MAIN_ACTIONS))
            case "return" if not event.repeat:
                return MAIN_ACTIONS[self._chosen]
            case "r" if not event.repeat:
                self._start_rebuilding()
            case key if not event.repeat:
                return next((action for action, (_, cap, _) in NAMES.items() if cap.lower() == key), None)
            case _:
                pass
        return None

    def _choose(self, number: int) -> None:
        self._chosen, self._has_chosen = number, True

    def _click(self, x: float, y: float) -> HomeAction | None:
        window = self._window.size_units
        if self._shows_keys:
            self._shows_keys = False
            if tour_button(window).contains(x, y):
                self._start_tour()
            return None
        for action, box in action_boxes(window).items():
            if box.contains(x, y):
                return action
        if game_button(window, self._view()).contains(x, y):
            return "game"
        if self._overview is not None:
            chosen = self._click_below(window, self._overview, x, y)
            if chosen is not None:
                return chosen
        for what, button in bottom_buttons(window, self._view()).items():
            if not button.contains(x, y):
                continue
            if what == "keys":
                self._shows_keys = True
            elif what == "rebuild":
                self._start_rebuilding()
            else:
                self._quits = True
        return None

    def _click_below(self, window: Box, overview: Overview, x: float, y: float) -> HomeAction | None:
        """Return what a click on the picture, the next action, an episode or a run chooses."""
        if picture_box(window).contains(x, y):
            self.target = overview.recent[0].episode_id if overview.recent else ""
            return "library" if overview.recent else "play"
        for action, button in first_step_buttons(window, overview).items():
            if button.contains(x, y) and not self.message:
                return action
        if next_box(window).contains(x, y) and not self.message:
            return next_action(overview)[0]
        for episode, row in episode_rows(window, overview):
            if row.contains(x, y):
                self.target = episode.episode_id
                return "library"
        for run, row in run_rows(window, overview):
            if row.contains(x, y):
                self.target = run.comparison or run.name
                return "compare" if run.comparison else "train"
        return None

    # ---- the tour ------------------------------------------------------------------------------------------------

    def _start_tour(self) -> None:
        self._shows_keys = False
        self._tour = GuidedTour()

    def _end_tour_if_over(self) -> None:
        if self._tour is not None and self._tour.is_over:
            self._tour = None
            self._on_tour_over()

    # ---- background work -----------------------------------------------------------------------------------------

    def _start_reading(self) -> None:
        if self._reading is None:
            self._reading = Background(lambda _: self._read_overview(), "read the library")

    def _start_rebuilding(self) -> None:
        if self._rebuild is None or self._rebuilding is not None or not self._overview or not self._overview.unfinished:
            return
        self.message = ""
        self._rebuilding = Background(self._rebuild, "rebuild episodes")

    def _take_results(self) -> None:
        if self._reading is not None and self._reading.is_done:
            read, self._reading = self._reading, None
            self._reading_seconds = read.seconds
            self._read_at = time.monotonic()
            if read.problem and read.problem != self.message:
                self.say(read.problem, is_error=True)
            if read.result is not None:
                self._stale |= read.result != self._overview
                self._overview = read.result
                if not self._has_chosen:
                    self._chosen = MAIN_ACTIONS.index(next_action(read.result)[0])
        if self._picturing is not None and self._picturing.is_done:
            picturing, self._picturing = self._picturing, None
            self._picture, self._stale = picturing.result or self._picture, True
        if self._rebuilding is not None:
            self._stale = True  # its progress
        if self._rebuilding is not None and self._rebuilding.is_done:
            rebuilt, self._rebuilding = self._rebuilding, None
            self.say(rebuilt.problem or rebuilt.result or "", is_error=bool(rebuilt.problem))
            self._start_reading()
        trains = self._overview is not None and self._overview.training is not None
        pause = READ_AGAIN_WHILE_TRAINING_SECONDS if trains else READ_AGAIN_SECONDS
        if not self._window.visible:
            pause = max(pause, READ_AGAIN_HIDDEN_SECONDS)
        if time.monotonic() - self._read_at > max(pause, REST_FACTOR * self._reading_seconds):
            self._start_reading()

    # ---- drawing -------------------------------------------------------------------------------------------------

    def _view(self) -> HomeView:
        return HomeView(
            self._overview,
            self._picture,
            self._chosen,
            self._pointer,
            self.message,
            self.message_is_error,
            self._rebuilding,
            self._tour,
        )

    def _draw(self) -> None:
        canvas = self._window.canvas
        draw_home(canvas, self._view())
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)
            button = tour_button(canvas.box)
            button.draw(canvas, hover=button.contains(*self._pointer))
        if self._notice is not None:
            self._notice.draw(canvas, self._pointer)
