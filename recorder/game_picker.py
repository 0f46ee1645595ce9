"""Choosing a game: a picture of each, found by typing, arrows or mouse."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from data.game_names import display_name
from data.runs import supplied_games
from data.simulation import games
from recorder.game_pictures import GamePictures
from screen.canvas import Canvas
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, Resized, TextTyped, Wheel
from screen.keyboard import in_latin_letters
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LARGE, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL, TEXT
from screen.widgets import Button, draw_key_list
from screen.window import Window

CARD_WIDTH = 176.0
"""The least width; cards grow to fill the row."""
NAME_HEIGHT = 32.0
GAP = 16.0


def matching(games: Sequence[str], text: str) -> list[str]:
    """Return the games that match the typed text, best first: beginning of the name, of a word, initials, anywhere.

    Spaces and capitals are ignored; "si" finds Space Invaders by its initials.
    """
    wanted = "".join(text.lower().split())
    if not wanted:
        return list(games)
    ranked = [(rank, game) for game in games if (rank := _rank(game, wanted)) is not None]
    return [game for _, game in sorted(ranked, key=lambda found: found[0])]


def _rank(game: str, wanted: str) -> int | None:
    words = ["".join(filter(str.isalnum, word)) for word in display_name(game).lower().split()]
    whole = "".join(words)
    if whole.startswith(wanted) or game.lower().startswith(wanted):
        return 0
    if any("".join(words[first:]).startswith(wanted) for first in range(1, len(words))):
        return 1
    if "".join(word[:1] for word in words).startswith(wanted):
        return 2
    return 3 if wanted in whole else None


@dataclass(frozen=True)
class Grid:
    """Cards in rows that fill a box from left to right; further rows are reached by scrolling."""

    box: Box
    count: int

    @property
    def columns(self) -> int:
        return max(1, int((self.box.width + GAP) // (CARD_WIDTH + GAP)))

    @property
    def card_width(self) -> float:
        return (self.box.width - GAP * (self.columns - 1)) / self.columns

    @property
    def row_height(self) -> float:
        """Picture in the television's shape, name, and the gap below."""
        return self.card_width * 3 / 4 + NAME_HEIGHT + GAP

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def whole_rows(self) -> int:
        """Number of rows that are fully visible."""
        return max(1, int((self.box.height + GAP) // self.row_height))

    def bounded(self, first_row: int) -> int:
        """Return the nearest first row that leaves no empty rows below the last."""
        return min(max(0, first_row), max(0, self.rows - self.whole_rows))

    def showing(self, first_row: int, number: int) -> int:
        """Return the first row, moved as little as needed so that card ``number`` is fully visible."""
        row = number // self.columns
        return self.bounded(min(max(first_row, row - self.whole_rows + 1), row))

    def shown(self, first_row: int) -> range:
        """Return the cards that are at least partly visible."""
        most = -(-int(self.box.height) // max(1, int(self.row_height)))
        first = first_row * self.columns
        return range(first, min(self.count, first + most * self.columns))

    def card(self, number: int, first_row: int) -> Box:
        row, column = divmod(number, self.columns)
        x = self.box.x + column * (self.card_width + GAP)
        y = self.box.y + (row - first_row) * self.row_height
        return Box(x, y, self.card_width, self.row_height - GAP)

    def number_at(self, x: float, y: float, first_row: int) -> int | None:
        """Return the card at a place, if any."""
        if not self.box.contains(x, y):
            return None
        return next((n for n in self.shown(first_row) if self.card(n, first_row).contains(x, y)), None)


TITLE = "Replay Coach - choosing a game"
POLL_SECONDS, IDLE_SECONDS = 1 / 60, 1.0
"""Longest wait for an event, while pictures are being made and otherwise."""
MARGIN = 48.0
LONGEST_SEARCH = 32
KEYS = [
    ("A … Z", "Search for a game by its name"),
    ("Bksp", "Delete a letter"),
    ("← → ↑ ↓", "Select"),
    ("PgUp PgDn", "One page up, down"),
    ("Home End", "First game, last game"),
    ("Enter", "Choose the selected game"),
    ("F11", "Full screen"),
    ("Esc", "Clear the search, then go back without a change"),
]


def pick_game(window: Window, current: str) -> str | None:
    """Let the person choose one of all games in ``window``; return its ALE id, or None for no change.

    ``current`` is selected at first. If the window was asked to close, the answer is None and ``window.closing`` is
    true. The window's title is restored.
    """
    before = window.title
    window.start_view()  # the key that led here must not be the first letter of the search
    window.title = TITLE
    pictures = GamePictures()
    try:
        picker = GamePicker(games(), current, pictures)
        while not (picker.done or window.closing):
            canvas = window.canvas
            for event in window.events(POLL_SECONDS if picker.waits else IDLE_SECONDS):
                if isinstance(event, KeyDown) and event.key == "f11" and not event.repeat:
                    window.toggle_full_screen()
                picker.take(event, canvas.box)
            if window.visible and picker.work(canvas.box):
                picker.draw(canvas)
                window.present()
        return picker.answer
    finally:
        pictures.close()
        window.title = before


class GamePicker:
    """The search, the selected card and the scroll position; has no window of its own."""

    def __init__(self, all_games: list[str], current: str, pictures: GamePictures) -> None:
        self._games = all_games
        self._pictures = pictures
        self._current = current
        self._with_agent = supplied_games()
        self.search = ""
        self.found = list(all_games)
        self.selected = all_games.index(current) if current in all_games else 0
        self.done = False
        self.answer: str | None = None
        self._first_row: int | None = None
        self._shows_keys = False
        self._stale = True
        self._pointer = (-1.0, -1.0)

    @property
    def waits(self) -> bool:
        """Whether pictures are being made."""
        return self._stale or self._pictures.is_making

    @property
    def chosen(self) -> str | None:
        """The game on the selected card; None if nothing was found."""
        return self.found[self.selected] if self.found else None

    # What the person does.

    def take(self, event: Event, window: Box) -> None:
        """Handle one event; ``window`` is the box of the whole window in design units."""
        self._stale = True
        grid = self._grid(window)
        match event:
            case CloseRequested():
                self.done = True
            case KeyDown(key="f1", repeat=False):
                self._shows_keys = not self._shows_keys
            case KeyDown(key="escape", repeat=False) if self._shows_keys:
                self._shows_keys = False
            case KeyDown(key=key):
                self._key(key, grid, event.repeat)
            case TextTyped(text):
                self._type(in_latin_letters(text))
            case Wheel(dy):
                self._scroll(grid, -dy)
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._point_at(grid.number_at(x, y, self._row(grid)))
            case PointerDown(_, _, 1) if self._shows_keys:
                self._shows_keys = False
            case PointerDown(x, y, 1) if (button := self._button_at(window, x, y)) is not None:
                self._press(button)
            case PointerDown(x, y, 1):
                number = grid.number_at(x, y, self._row(grid))
                self._point_at(number)
                if number is not None:
                    self._finish()
            case Resized():
                self._first_row = None if self._first_row is None else grid.showing(self._first_row, self.selected)

    def _key(self, key: str, grid: Grid, repeat: bool) -> None:
        steps = {
            "left": -1,
            "right": 1,
            "up": -grid.columns,
            "down": grid.columns,
            "pageup": -grid.columns * grid.whole_rows,
            "pagedown": grid.columns * grid.whole_rows,
            "home": -len(self.found),
            "end": len(self.found),
        }
        if key in steps and self.found:
            self.selected = min(max(0, self.selected + steps[key]), len(self.found) - 1)
            self._first_row = grid.showing(self._row(grid), self.selected)
        elif key == "backspace":
            self._search_for(self.search[:-1])
        elif key == "escape" and not repeat:
            if self.search:
                self._search_for("")
            else:
                self.done = True
        elif key == "return" and not repeat:
            self._finish()

    def _type(self, text: str) -> None:
        letters = "".join(letter for letter in text if letter.isalnum() or (letter == " " and self.search))
        if letters:
            self._search_for((self.search + letters)[:LONGEST_SEARCH])

    def _search_for(self, text: str) -> None:
        if text == self.search:
            return
        self.search, self.found = text, matching(self._games, text)
        # The best match is selected; without a search, the current game.
        self.selected = 0 if text or self._current not in self.found else self.found.index(self._current)
        self._first_row = None

    def _scroll(self, grid: Grid, rows: int) -> None:
        self._first_row = grid.bounded(self._row(grid) + rows)

    def _point_at(self, number: int | None) -> None:
        if number is not None:
            self.selected = number

    def _finish(self) -> None:
        if self.chosen is not None:
            self.answer, self.done = self.chosen, True

    # What is shown.

    def _grid(self, window: Box) -> Grid:
        inner = Box(window.x + MARGIN, window.y, window.width - 2 * MARGIN, window.height)
        return Grid(inner.without_top(128).without_bottom(56), len(self.found))

    def _row(self, grid: Grid) -> int:
        if self._first_row is None:
            self._first_row = grid.bounded(self.selected // grid.columns - grid.whole_rows // 2)
        return self._first_row

    def work(self, window: Box) -> bool:
        """Collect and request pictures, visible ones first; return whether there is anything new to draw."""
        grid = self._grid(window)
        first = [self.chosen] if self.chosen else []
        visible = [self.found[number] for number in grid.shown(self._row(grid))]
        new = self._pictures.work(itertools.chain(first, visible, self._games))
        stale, self._stale = self._stale or new, False
        return stale

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        grid = self._grid(canvas.box)
        row = self._row(grid)
        for number in grid.shown(row):
            self._draw_card(canvas, grid.card(number, row), self.found[number], number == self.selected)
        # The action bar covers cards that do not fit.
        canvas.fill(Box(0, grid.box.bottom, canvas.box.width, canvas.box.bottom - grid.box.bottom), GROUND)
        self._draw_head(canvas, grid)
        self._draw_position(canvas, grid, row)
        self._draw_action_bar(canvas)
        if not self.found:
            words = f"No game matches “{self.search.strip()}”. Backspace deletes a letter."
            canvas.text(words, grid.box.centre, MEDIUM, align="centre", max_width=grid.box.width)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)

    def _draw_head(self, canvas: Canvas, grid: Grid) -> None:
        x, right = grid.box.x, grid.box.right
        canvas.text("Choose a game", (x, 24), LARGE, bold=True)
        count = f"{len(self.found)} of {len(self._games)} games" if self.search else f"{len(self._games)} games"
        canvas.text(count, (right, 36), SMALL, QUIET, align="right")
        field = Box(x, 72, min(384.0, grid.box.width), 36)
        canvas.fill(field, PANEL, radius=6)
        canvas.outline(field, OLIVE if self.search else LINE, radius=6)
        middle = field.centre[1] - canvas.measure("A", SMALL)[1] / 2
        if self.search:
            end = canvas.text(self.search, (field.x + 12, middle), SMALL, max_width=field.width - 32).right
            canvas.fill(Box(end + 2, field.y + 9, 2, 18), OLIVE)
        else:
            canvas.text("Type a name, such as “invaders”", (field.x + 12, middle), SMALL, QUIET)
        if self.chosen is not None:
            words = display_name(self.chosen)
            if self.chosen in self._with_agent:
                words += ", with a trained agent to watch"
            canvas.text(words, (right, 76), MEDIUM, GREEN, align="right", max_width=grid.box.width - 400)

    def _draw_card(self, canvas: Canvas, box: Box, game: str, chosen: bool) -> None:
        canvas.fill(box, LINE if chosen else PANEL, radius=6)
        room = box.without_bottom(NAME_HEIGHT).inset(4)
        picture = self._pictures.of(game)
        if picture is None:
            canvas.text("…", (room.centre[0], room.centre[1] - 16), LARGE, QUIET, align="centre")
        else:
            canvas.picture(picture.frame, picture.palette, room, integer_scale=False)
        name = display_name(game)
        height = canvas.measure(name, SMALL)[1]
        y = box.bottom - NAME_HEIGHT + (NAME_HEIGHT - height) / 2 - 1
        colour = GREEN if game == self._current else TEXT
        canvas.text(name, (box.centre[0], y), SMALL, colour, align="centre", max_width=box.width - 16)
        if chosen:
            canvas.outline(box, GREEN, 2, radius=6)

    @staticmethod
    def _draw_position(canvas: Canvas, grid: Grid, row: int) -> None:
        """Draw the scroll bar."""
        if grid.rows <= grid.whole_rows:
            return
        track = Box(grid.box.right + 2 * GRID, grid.box.y, 4, grid.box.height)
        canvas.fill(track, PANEL, radius=2)
        height = max(24.0, track.height * grid.whole_rows / grid.rows)
        y = track.y + (track.height - height) * row / max(1, grid.rows - grid.whole_rows)
        canvas.fill(Box(track.x, y, track.width, height), QUIET, radius=2)

    @staticmethod
    def _buttons(window: Box) -> list[Button]:
        row = Box(window.x + MARGIN, window.bottom - 44, 3 * 128 + 2 * GRID, 32)
        labels = (("Choose", "Enter", GREEN), ("Back", "Esc", None), ("All keys", "F1", None))
        cells = zip(row.columns(3, GRID), labels, strict=True)
        return [Button(box, label, key, colour) for box, (label, key, colour) in cells]

    def _button_at(self, window: Box, x: float, y: float) -> Button | None:
        return next((button for button in self._buttons(window) if button.contains(x, y)), None)

    def _press(self, button: Button) -> None:
        if button.label == "Choose":
            self._finish()
        elif button.label == "Back":
            self.done = True
        else:
            self._shows_keys = True

    def _draw_action_bar(self, canvas: Canvas) -> None:
        for button in self._buttons(canvas.box):
            button.draw(canvas, hover=button.contains(*self._pointer))
