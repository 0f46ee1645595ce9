"""The home window: its doors (play, judge, train, watch, compare), the library's state, and the next useful thing."""

from __future__ import annotations

import time
from collections.abc import Callable

from home.guided_tour import Tour
from home.home_drawing import (
    KEYS,
    NAMES,
    HomeView,
    Picture,
    action_boxes,
    draw_home,
    foot_buttons,
    game_button,
    recent_box,
    tour_button,
)
from home.overview import MAIN_ACTIONS, HomeAction, Overview, next_action
from screen.background import Background
from screen.widgets import draw_key_list
from screen.window import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, Window

__all__ = ["TITLE", "HomeWindow", "Picture"]

TITLE = "Replay Coach - home"
FRAME_SECONDS = 1 / 30
LOOK_AGAIN_SECONDS = 5.0
LOOK_AT_TRAINING_SECONDS = 1.0
REST_AFTER_LOOKING = 20.0
"""A look that took long is not repeated before so many times its length have passed."""

Rebuild = Callable[[Callable[[int, int], None]], str]


class HomeWindow:
    """Shows an overview until a door is chosen.

    ``look`` makes the overview and ``picture`` the picture at the head; both are called in the background, whenever the
    window comes back and every few seconds, so that not even a library of thousands lets the window stand still.
    ``rebuild`` rebuilds unfinished episodes, also in the background; it returns a sentence.
    """

    def __init__(
        self,
        window: Window,
        look: Callable[[], Overview],
        picture: Callable[[], Picture | None] = lambda: None,
        rebuild: Rebuild | None = None,
        tour: bool = False,
        on_tour_over: Callable[[], None] = lambda: None,
    ) -> None:
        """``tour``: begin with the tour; ``on_tour_over`` is called whenever one has ended."""
        self._window = window
        self._look = look
        self._make_picture = picture
        self._rebuild = rebuild
        self._on_tour_over = on_tour_over
        self._tour = Tour() if tour else None
        self._overview: Overview | None = None
        self._looking: Background[Overview] | None = None
        self._looked = time.monotonic()
        self._looking_seconds = 0.0
        self._picture: Picture | None = None
        self._picturing: Background[Picture | None] | None = None
        self._rebuilding: Background[str] | None = None
        self._chosen = 0
        self._has_chosen = False
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self._leaving = False
        self.message = ""
        """One sentence to show under the doors, such as what went wrong behind one of them."""

    def choose(self) -> HomeAction | None:
        """The door that the person opens, or None when they leave."""
        self._begin_look()
        self._picturing = Background(lambda _: self._make_picture(), "picture")
        self._has_chosen = False
        self._window.title = TITLE
        last = time.monotonic()
        while True:
            for event in self._window.events():
                answer = self._take(event)
                if self._leaving or answer is not None:
                    return answer
            self._see_what_is_done()
            now = time.monotonic()
            if self._tour is not None:
                self._tour.advance(now - last)
                self._end_tour_if_over()
            last = now
            self._draw()
            self._window.present()
            time.sleep(FRAME_SECONDS)

    # What the person does.

    def _take(self, event: Event) -> HomeAction | None:
        """The door that an event opens, if it opens one."""
        if isinstance(event, CloseRequested):
            self._leaving = True
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
        if isinstance(event, KeyDown):
            return self._key_down(event)
        if isinstance(event, PointerDown) and event.button == 1:
            return self._click(event.x, event.y)
        return None

    def _key_down(self, event: KeyDown) -> HomeAction | None:
        match event.key:
            case "f1" | "h":
                self._shows_keys = not self._shows_keys
            case "f2":
                self._begin_tour()
            case "escape":
                self._leaving = not self._shows_keys
                self._shows_keys = False
            case "left":
                self._choose((self._chosen - 1) % len(MAIN_ACTIONS))
            case "right" | "tab":
                self._choose((self._chosen + 1) % len(MAIN_ACTIONS))
            case "return" if not event.repeat:
                return MAIN_ACTIONS[self._chosen]
            case "r" if not event.repeat:
                self._begin_rebuilding()
            case key if not event.repeat:
                return next((door for door, (_, cap, _) in NAMES.items() if cap.lower() == key), None)
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
                self._begin_tour()
            return None
        for door, box in action_boxes(window).items():
            if box.contains(x, y):
                return door
        if game_button(window, self._view()).contains(x, y):
            return "game"
        if recent_box(window).contains(x, y) and self._overview is not None and self._overview.recent:
            return "library"
        for what, button in foot_buttons(window, self._view()).items():
            if not button.contains(x, y):
                continue
            if what == "keys":
                self._shows_keys = True
            elif what == "rebuild":
                self._begin_rebuilding()
            else:
                self._leaving = True
        return None

    # The tour.

    def _begin_tour(self) -> None:
        self._shows_keys = False
        self._tour = Tour()

    def _end_tour_if_over(self) -> None:
        if self._tour is not None and self._tour.is_over:
            self._tour = None
            self._on_tour_over()

    # What goes on in the background.

    def _begin_look(self) -> None:
        if self._looking is None:
            self._looking = Background(lambda _: self._look(), "look at the library")

    def _begin_rebuilding(self) -> None:
        if self._rebuild is None or self._rebuilding is not None or not self._overview or not self._overview.unfinished:
            return
        self.message = ""
        self._rebuilding = Background(self._rebuild, "rebuild episodes")

    def _see_what_is_done(self) -> None:
        if self._looking is not None and self._looking.is_done:
            looked, self._looking = self._looking, None
            self._looking_seconds = looked.seconds
            self._looked = time.monotonic()
            if looked.problem:
                self.message = looked.problem
            if looked.result is not None:
                self._overview = looked.result
                if not self._has_chosen:
                    self._chosen = MAIN_ACTIONS.index(next_action(looked.result)[0])
        if self._picturing is not None and self._picturing.is_done:
            picturing, self._picturing = self._picturing, None
            self._picture = picturing.result or self._picture
        if self._rebuilding is not None and self._rebuilding.is_done:
            rebuilt, self._rebuilding = self._rebuilding, None
            self.message = rebuilt.problem or rebuilt.result or ""
            self._begin_look()
        trains = self._overview is not None and self._overview.training is not None
        pause = LOOK_AT_TRAINING_SECONDS if trains else LOOK_AGAIN_SECONDS
        if time.monotonic() - self._looked > max(pause, REST_AFTER_LOOKING * self._looking_seconds):
            self._begin_look()

    # What is seen.

    def _view(self) -> HomeView:
        return HomeView(
            self._overview, self._picture, self._chosen, self._pointer, self.message, self._rebuilding, self._tour
        )

    def _draw(self) -> None:
        canvas = self._window.canvas
        draw_home(canvas, self._view())
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)
            button = tour_button(canvas.box)
            button.draw(canvas, hover=button.contains(*self._pointer))
