"""The library's window: look through the episodes, play them back, verify them, throw them away and bring them back."""

from __future__ import annotations

import time
from collections.abc import MutableMapping

from data.library import Library
from data.proof import Verification
from home.episode_window import EpisodeWindow, OpenFrames
from home.library_controller import LibraryController
from home.library_drawing import COLUMNS, KEYS, ROW_HEIGHT, LibraryLayout, draw_library, library_buttons, library_layout
from home.library_rows import FILTERS
from screen.theme import ORANGE
from screen.widgets import Button, draw_key_list, draw_message, message_buttons
from screen.window import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, TextTyped, Wheel, Window

TITLE = "Replay Coach - "
FRAME_SECONDS = 1 / 60
DOUBLE_CLICK_SECONDS = 0.4


class LibraryWindow:
    """Shows the library until the person leaves."""

    def __init__(
        self,
        window: Window,
        library: Library,
        open_frames: OpenFrames,
        answers: MutableMapping[str, Verification],
        game: str = "",
    ) -> None:
        """``open_frames`` reads frames of episodes that are played back; ``answers``: see ``LibraryController``.

        ``game``: the one on show at first, if there are episodes of it.
        """
        self._window = window
        self._desk = LibraryController(library, answers, game)
        self._desk.list.row_height = ROW_HEIGHT
        self._open_frames = open_frames
        self._pointer = (-1.0, -1.0)
        self._searching = False
        self._ignores_text = False
        self._shows_keys = False
        self._asks_to_empty = False
        self._leaving = False
        self._clicked: tuple[int, float] = (-1, 0.0)

    def run(self) -> None:
        try:
            while not self._leaving:
                self._place()
                for event in self._window.events():
                    self._take(event)
                self._desk.see_what_is_done()
                self._place()
                self._draw()
                time.sleep(FRAME_SECONDS)
        finally:
            self._desk.close()

    def _place(self) -> None:
        self._layout: LibraryLayout = library_layout(self._window.size_units)
        self._desk.list.place(self._layout.rows, len(self._desk.rows))

    # What the person does.

    def _take(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._leaving = True
            case TextTyped(text) if self._searching:
                if not self._ignores_text:
                    self._desk.search.write(text)
                    self._desk.arrange()
                self._ignores_text = False
            case KeyDown(key="f11", repeat=False):
                self._window.toggle_full_screen()
            case KeyDown() if self._asks_to_empty:
                self._answer(event.key == "e")
            case KeyDown() if self._searching:
                self._search(event)
            case KeyDown():
                self._key_down(event)
            case Wheel(dy):
                self._desk.list.wheel(dy)
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._desk.list.pointer_moved(y)
            case PointerUp():
                self._desk.list.pointer_up()
            case PointerDown(x, y, 1):
                self._pointer = (x, y)
                self._click(x, y)

    def _search(self, event: KeyDown) -> None:
        if event.key in ("return", "escape", "tab", "up", "down"):
            self._searching = False
            if event.key == "escape":
                self._desk.search.set("")
                self._desk.arrange()
            elif event.key in ("up", "down"):
                self._desk.list.press(event.key)
        elif self._desk.search.press(event):
            self._desk.arrange()

    def _key_down(self, event: KeyDown) -> None:
        if self._desk.list.press(event.key) or event.repeat:
            return
        if self._shows_keys and event.key in ("f1", "escape"):
            self._shows_keys = False
        elif event.key in ("/", "f") or (event.key == "7" and event.shift):
            self._begin_search(ignore_text=True)
        else:
            self._do(event.key)

    def _do(self, key: str) -> None:
        """What a key or its button does."""
        desk = self._desk
        if key in FILTER_OF_KEY:
            desk.step_filter(FILTER_OF_KEY[key])
            return
        simple = {
            "space": desk.mark,
            "a": desk.mark_all,
            "delete": desk.throw_away,
            "u": desk.undo,
            "r": desk.restore,
            "v": desk.verify,
            "t": desk.switch,
            "c": desk.clear_filters,
            "o": desk.sort_by_next,
            "i": desk.turn,
            "return": self._play,
        }
        if key in simple:
            simple[key]()
        elif key == "e" and desk.in_trash:
            self._asks_to_empty = bool(desk.all_rows)
        elif key == "f1":
            self._shows_keys = not self._shows_keys
        elif key == "escape":
            self._escape()

    def _escape(self) -> None:
        if self._desk.verifying is not None:
            self._desk.stop_verifying()
        elif self._desk.in_trash:
            self._desk.switch()
        else:
            self._leaving = True

    def _begin_search(self, ignore_text: bool) -> None:
        self._searching, self._ignores_text = True, ignore_text

    def _answer(self, yes: bool) -> None:
        self._asks_to_empty = False
        if yes:
            self._desk.empty_trash()

    def _click(self, x: float, y: float) -> None:
        desk, layout = self._desk, self._layout
        if self._shows_keys:
            self._shows_keys = False
            return
        if self._asks_to_empty:
            self._answer(self._question_buttons()[0].contains(x, y))
            return
        self._searching = layout.search.contains(x, y)
        self._ignores_text = False
        for name, box in zip(FILTERS, layout.filters, strict=True):
            if desk.filters[name].click(box, x, y):
                desk.arrange()
        for (by, *_), box in zip(COLUMNS, layout.heads, strict=True):
            if by and box.contains(x, y):
                desk.sort_by(by)
        for key, button in self._buttons().items():
            if button.contains(x, y):
                self._do(key)
        if not desk.list.pointer_down(x, y):
            self._click_row(x, y)

    def _click_row(self, x: float, y: float) -> None:
        row = self._desk.list.row_at(x, y)
        if row is None:
            return
        now = time.monotonic()
        is_second = self._clicked[0] == row and now - self._clicked[1] < DOUBLE_CLICK_SECONDS
        self._clicked = (row, now)
        self._desk.list.chosen = row
        if x < self._layout.rows.x + 28:
            self._desk.marked ^= {self._desk.rows[row].episode_id}
        elif is_second:
            self._play()

    def _play(self) -> None:
        """Play the chosen episode back, and those beside it as the person goes on to them."""
        desk = self._desk
        while (row := desk.chosen) is not None and not self._leaving:
            if row.problem:
                desk.message, desk.is_trouble = row.problem, True
                break
            number = f"{desk.list.chosen + 1:,} of {len(desk.rows):,}"
            step, problem = EpisodeWindow(self._window, row, self._open_frames, desk.library, number).run()
            if problem:
                desk.message, desk.is_trouble = problem, True
            if step == "delete":
                desk.throw_away([row])
            if step not in ("next", "previous"):
                break
            desk.list.press("down" if step == "next" else "up")
        self._leaving = self._leaving or self._window.closing

    # What is seen.

    def _buttons(self) -> dict[str, Button]:
        desk = self._desk
        return library_buttons(self._layout, desk.in_trash, desk.can_undo, bool(desk.rows))

    def _question_buttons(self) -> list[Button]:
        return message_buttons(self._window.canvas, [("Remove for ever", "E", ORANGE), ("Keep them", "Esc", None)])

    def _draw(self) -> None:
        canvas = self._window.canvas
        self._window.title = TITLE + self._desk.title
        draw_library(canvas, self._layout, self._desk, self._buttons(), self._pointer, self._searching)
        if self._asks_to_empty:
            number = len(self._desk.all_rows)
            what = "1 episode" if number == 1 else f"{number:,} episodes"
            text = f"{what} in the trash will be gone for ever; verdicts on them are kept, with nothing to stand on."
            draw_message(canvas, "Empty the trash?", text, self._question_buttons(), self._pointer)
        if self._shows_keys:
            draw_key_list(canvas, "Keys of the library", KEYS)
        self._window.present()


FILTER_OF_KEY = {"g": "game", "b": "demonstrator", "p": "player", "x": "best"}
