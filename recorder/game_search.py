"""Finding a game by typing, and where its card stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.game_picture import display_name
from screen.layout import Box

CARD_WIDTH = 176.0
"""At least; cards grow to fill the row."""
NAME_HEIGHT = 32.0
GAP = 16.0


def matching(games: Sequence[str], text: str) -> list[str]:
    """The games that what was typed may mean, the nearest first: name, word and middle of a word.

    Spaces and capitals do not count, and the letters "si" find Space Invaders by its first letters.
    """
    wanted = "".join(text.lower().split())
    if not wanted:
        return list(games)
    ranked = [(rank, game) for game in games if (rank := _rank(game, wanted)) is not None]
    return [game for _, game in sorted(ranked, key=lambda found: found[0])]


def _rank(game: str, wanted: str) -> int | None:
    words = display_name(game).lower().split()
    whole = "".join(words)
    if whole.startswith(wanted):
        return 0
    if any("".join(words[first:]).startswith(wanted) for first in range(1, len(words))):
        return 1
    if "".join(word[0] for word in words).startswith(wanted):
        return 2
    return 3 if wanted in whole else None


@dataclass(frozen=True)
class Grid:
    """Cards in rows that fill a box from left to right; the rows that do not fit are scrolled to."""

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
        """Rows of which everything can be seen."""
        return max(1, int((self.box.height + GAP) // self.row_height))

    def bounded(self, first_row: int) -> int:
        """The nearest first row with no empty rows below the last."""
        return min(max(0, first_row), max(0, self.rows - self.whole_rows))

    def showing(self, first_row: int, number: int) -> int:
        """The first row, moved as little as needed so that card ``number`` is seen whole."""
        row = number // self.columns
        return self.bounded(min(max(first_row, row - self.whole_rows + 1), row))

    def shown(self, first_row: int) -> range:
        """The cards of which anything is seen."""
        most = -(-int(self.box.height) // max(1, int(self.row_height)))
        first = first_row * self.columns
        return range(first, min(self.count, first + most * self.columns))

    def card(self, number: int, first_row: int) -> Box:
        row, column = divmod(number, self.columns)
        x = self.box.x + column * (self.card_width + GAP)
        y = self.box.y + (row - first_row) * self.row_height
        return Box(x, y, self.card_width, self.row_height - GAP)

    def number_at(self, x: float, y: float, first_row: int) -> int | None:
        """The card there, if any."""
        if not self.box.contains(x, y):
            return None
        return next((n for n in self.shown(first_row) if self.card(n, first_row).contains(x, y)), None)
