"""The library window: browse episodes, play them back, verify, delete and restore them."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

from data.errors import CoachError
from data.library import Library
from data.verification import Verification
from home.episode_window import EpisodeWindow, OpenFrames
from home.library_controller import LibraryController
from home.library_drawing import (
    COLUMNS,
    KEYS,
    ROW_HEIGHT,
    TRASH_KEYS,
    LibraryLayout,
    draw_library,
    library_buttons,
    library_layout,
)
from home.library_rows import FILTERS
from home.playback import ReadValues
from home.training_chooser import TrainingChooser, Trainings
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, TextTyped, Wheel
from screen.theme import ORANGE
from screen.widgets import Button, draw_key_list, draw_message, message_buttons
from screen.window import Window

TITLE = "Replay Coach - "
TICK_SECONDS, IDLE_SECONDS = 1 / 30, 1.0
"""Longest wait for an event: while background work is awaited, and otherwise."""
DOUBLE_CLICK_SECONDS = 0.4


class LibraryWindow:
    """Shows the library until it is closed."""

    def __init__(
        self,
        window: Window,
        library: Library,
        open_frames: OpenFrames,
        answers: MutableMapping[str, Verification],
        game: str = "",
        curator: str = "",
        episode: str = "",
        play_inside: Callable[[Path, int], None] | None = None,
        trainings: Trainings | None = None,
        read_values: ReadValues | None = None,
    ) -> None:
        """``open_frames`` opens a reader of frames for playback; ``answers``: see ``LibraryController``.

        ``game``: the one that is shown first, if there are episodes of it. ``curator``: who judges in the playback.
        ``episode``: the id of one to play at once.
        ``play_inside``: let the person play on from a frame of a replay file; may raise CoachError.
        ``trainings``: to which episodes can be added; None: that is not offered.
        ``read_values``: the values of the agent that played a replay file, for the playback.
        """
        self._window = window
        self._controller = LibraryController(library, answers, game, trainings)
        self._controller.list.row_height = ROW_HEIGHT
        self._open_frames = open_frames
        self._curator = curator
        self._episode = episode
        self._play_inside = play_inside
        self._read_values = read_values
        self._pointer = (-1.0, -1.0)
        self._searching = False
        self._ignores_text = False
        self._shows_keys = False
        self._asks_to_empty = False
        self._chooser: TrainingChooser | None = None
        self._closed = False
        self._stale = True
        self._clicked: tuple[int, float] = (-1, 0.0)

    def run(self) -> None:
        self._window.start_view()
        try:
            while not self._closed:
                self._place()
                for event in self._window.events(self._wait_seconds()):
                    self._handle(event)
                    self._stale = True
                self._stale |= self._controller.is_busy
                self._controller.poll()
                self._place()
                self._play_first()
                if self._stale and self._window.visible and not self._closed:
                    self._draw()
                    self._stale = False
        finally:
            self._controller.close()

    def _wait_seconds(self) -> float:
        if self._stale and self._window.visible:
            return 0.0
        return TICK_SECONDS if self._controller.is_busy else IDLE_SECONDS

    def _place(self) -> None:
        self._layout: LibraryLayout = library_layout(self._window.size_units)
        self._controller.list.place(self._layout.rows, len(self._controller.rows))
        if self._chooser is not None:
            self._chooser.place(self._window.size_units)

    # Input

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._closed = True
            case TextTyped(text) if self._searching:
                if not self._ignores_text:
                    self._controller.search.write(text)
                    self._controller.arrange()
                self._ignores_text = False
            case KeyDown(key="f11", repeat=False):
                self._window.toggle_full_screen()
            case PointerMoved(x, y) if self._chooser is not None:
                self._pointer = (x, y)
                self._chooser.handle(event)
            case _ if self._chooser is not None:
                self._choose_training(event, self._chooser)
            case KeyDown() if self._asks_to_empty:
                self._answer(event.key == "e")
            case KeyDown() if self._searching:
                self._search(event)
            case KeyDown():
                self._key_down(event)
            case Wheel(dy):
                self._controller.list.wheel(dy)
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._controller.list.pointer_moved(y)
            case PointerUp():
                self._controller.list.pointer_up()
            case PointerDown(x, y, 1):
                self._pointer = (x, y)
                self._click(x, y)

    def _choose_training(self, event: Event, chooser: TrainingChooser) -> None:
        chooser.handle(event)
        if chooser.closed:
            self._chooser = None
            if chooser.chosen is not None:
                self._controller.add_to(chooser.chosen.name)

    def _open_chooser(self) -> None:
        self._chooser = self._controller.choose_training()
        self._place()

    def _search(self, event: KeyDown) -> None:
        if event.key in ("return", "escape", "tab", "up", "down"):
            self._searching = False
            if event.key == "escape":
                self._controller.search.set("")
                self._controller.arrange()
            elif event.key in ("up", "down"):
                self._controller.list.press(event.key)
        elif self._controller.search.press(event):
            self._controller.arrange()

    def _key_down(self, event: KeyDown) -> None:
        if self._controller.list.press(event.key) or event.repeat:
            return
        if self._shows_keys and event.key in ("f1", "escape"):
            self._shows_keys = False
        elif event.key in ("/", "f") or (event.key == "7" and event.shift):
            self._begin_search(ignore_text=True)
        else:
            self._do(event.key)

    def _do(self, key: str) -> None:
        """Do what a key or its button does."""
        controller = self._controller
        if key in FILTER_OF_KEY:
            controller.step_filter(FILTER_OF_KEY[key])
            return
        simple = {
            "space": controller.mark,
            "a": controller.mark_all,
            "delete": controller.delete,
            "u": controller.undo,
            "r": controller.restore,
            "v": controller.verify,
            "l": self._open_chooser,
            "t": controller.switch,
            "c": controller.clear_filters,
            "o": controller.sort_by_next,
            "i": controller.reverse,
            "return": self._play,
        }
        if key in simple:
            simple[key]()
        elif key == "e" and controller.in_trash:
            self._asks_to_empty = bool(controller.all_rows or controller.trashed_runs)
        elif key == "f1":
            self._shows_keys = not self._shows_keys
        elif key == "escape":
            self._escape()

    def _escape(self) -> None:
        if self._controller.verifying is not None:
            self._controller.stop_verifying()
        elif self._controller.in_trash:
            self._controller.switch()
        else:
            self._closed = True

    def _begin_search(self, ignore_text: bool) -> None:
        self._searching, self._ignores_text = True, ignore_text

    def _answer(self, yes: bool) -> None:
        self._asks_to_empty = False
        if yes:
            self._controller.empty_trash()

    def _click(self, x: float, y: float) -> None:
        controller, layout = self._controller, self._layout
        if self._shows_keys:
            self._shows_keys = False
            return
        if self._asks_to_empty:
            self._answer(self._question_buttons()[0].contains(x, y))
            return
        self._searching = layout.search.contains(x, y)
        self._ignores_text = False
        for name, box in zip(FILTERS, layout.filters, strict=True):
            if controller.filters[name].click(box, x, y):
                controller.arrange()
        for (by, *_), box in zip(COLUMNS, layout.heads, strict=True):
            if by and box.contains(x, y):
                controller.sort_by(by)
        for key, button in self._buttons().items():
            if button.contains(x, y):
                self._do(key)
        if not controller.list.pointer_down(x, y):
            self._click_row(x, y)

    def _click_row(self, x: float, y: float) -> None:
        row = self._controller.list.row_at(x, y)
        if row is None:
            return
        now = time.monotonic()
        is_second = self._clicked[0] == row and now - self._clicked[1] < DOUBLE_CLICK_SECONDS
        self._clicked = (row, now)
        self._controller.list.chosen = row
        if x < self._layout.rows.x + 28:
            self._controller.marked ^= {self._controller.rows[row].episode_id}
        elif is_second:
            self._play()

    def _play_first(self) -> None:
        """Play the episode that the window was opened for, once the library is read."""
        if not self._episode or not self._controller.is_loaded:
            return
        ids = [row.episode_id for row in self._controller.rows]
        episode, self._episode = self._episode, ""
        if episode in ids:
            self._controller.list.chosen = ids.index(episode)
            self._play()
            self._stale = True

    def _play(self) -> None:
        """Play the selected episode, and then those that the user steps to."""
        controller = self._controller
        start = 0
        while (row := controller.chosen) is not None and not self._closed:
            if row.problem:
                controller.message, controller.is_trouble = row.problem, True
                break
            number = f"{controller.list.chosen + 1:,} of {len(controller.rows):,}"
            may_play = self._play_inside is not None
            place = controller.library, number, self._curator, may_play, start, self._read_values
            window = EpisodeWindow(self._window, row, self._open_frames, *place)
            step, problem = window.run()
            start = 0
            controller.count_verdicts(row.episode_id)
            if problem:
                controller.message, controller.is_trouble = problem, True
            if step == "delete":
                controller.delete([row])
            if step == "play" and self._play_inside is not None:
                try:
                    self._play_inside(Path(row.path), window.frame)
                    start = window.frame
                except CoachError as error:
                    controller.message, controller.is_trouble = str(error), True
                    break
                if self._window.closing:
                    break
                continue
            if step not in ("next", "previous"):
                break
            controller.list.press("down" if step == "next" else "up")
        self._closed = self._closed or self._window.closing

    # Drawing

    def _buttons(self) -> dict[str, Button]:
        controller = self._controller
        return library_buttons(
            self._layout, controller.in_trash, controller.can_undo, bool(controller.rows), controller.trashed_runs
        )

    def _question_buttons(self) -> list[Button]:
        return message_buttons(self._window.canvas, [("Delete permanently", "E", ORANGE), ("Cancel", "Esc", None)])

    def _draw(self) -> None:
        canvas = self._window.canvas
        self._window.title = TITLE + self._controller.title
        draw_library(canvas, self._layout, self._controller, self._buttons(), self._pointer, self._searching)
        if self._asks_to_empty:
            text = f"{self._controller.trash_words} will be permanently deleted. Verdicts stay in the label database."
            draw_message(canvas, "Empty the trash?", text, self._question_buttons(), self._pointer)
        if self._chooser is not None:
            self._chooser.draw(canvas, self._pointer)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", TRASH_KEYS if self._controller.in_trash else KEYS)
        self._window.present()


FILTER_OF_KEY = {"g": "game", "b": "demonstrator", "p": "player", "x": "best"}
