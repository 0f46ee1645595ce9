"""A form with a name, a list to choose from and numbers: its state, what each key changes, and its drawing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from screen.canvas import Canvas
from screen.fields import Choice, TextField
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, LINE, OLIVE, QUIET, SMALL, TEXT, Colour

RANDOM_COUNTS = (1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000)
LARGEST = 100_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
ROW = 32.0
GAP = 8.0
LABEL_WIDTH = 120.0
SECTION = 28.0
LABELS = 168.0
NOTE, EXPLANATION_LINES = 20.0, 2
"""Height and number of the lines of explanation below the fields."""


@dataclass(frozen=True)
class SourceOption:
    """A row of a form's list: a source of a seeding, or an arm of a comparison."""

    spec: str
    """As ``coach train --seed-from`` takes it."""
    label: str
    detail: str
    """How much there is, in words."""
    available: bool = True
    """Whether there is anything and the row can be chosen."""


@dataclass(frozen=True)
class Field:
    """A place for the focus. ``index`` is the row of the list."""

    name: str
    index: int = 0


@dataclass(frozen=True)
class NumberField:
    """A number in a form."""

    label: str
    unit: str
    ladder: Sequence[int]
    """The values that the arrows step through."""
    explanation: str = ""


class ListForm:
    """The choices made in a form, and its focus. The rows of the list are called sources; "random" has a number."""

    list_title = ""
    choice_names: tuple[str, ...] = ()
    """Fields between the list and the numbers."""
    number_fields: ClassVar[Mapping[str, NumberField]] = {}

    def __init__(self, sources: Sequence[SourceOption], name: str, numbers: Mapping[str, int]) -> None:
        self.sources = tuple(sources)
        self.name = name
        self.numbers = dict(numbers)
        self.random_count = 10_000
        self.chosen: set[str] = set()
        rows = [Field("source", number) for number in range(len(self.sources))]
        self.fields = (Field("name"), *rows, *map(Field, self.choice_names), *map(Field, self.number_fields))
        self.focus = self.fields[1]
        self._fresh = True
        """Whether the next digit starts a new number."""

    @property
    def specs(self) -> tuple[str, ...]:
        """The chosen sources, in the order of the form."""
        names = [s.spec for s in self.sources if s.spec in self.chosen]
        return tuple(f"random:{self.random_count}" if name == "random" else name for name in names)

    @property
    def problem(self) -> str:
        """Why it cannot be started, or ""."""
        if not NAME.fullmatch(self.name):
            return "A name may contain letters, digits, dots, hyphens and underscores."
        return ""

    @property
    def explanation(self) -> str:
        """One line about the field that has the focus."""
        field = self.number_fields.get(self.focus.name)
        return "" if field is None else field.explanation

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about settings that contradict each other but can be used; sentences."""
        return ()

    def is_chosen(self, source: SourceOption) -> bool:
        return source.spec in self.chosen

    def choices(self) -> list[tuple[str, str, Choice]]:
        """Return (field, label, value) of everything below the list."""
        shown = []
        for name, about in self.number_fields.items():
            shown.append((name, about.label, Choice([f"{self.numbers[name]:,}  {about.unit}"])))
        return shown

    # ---- keys and clicks -----------------------------------------------------------------------------------------

    def press(self, key: str, shift: bool = False) -> bool:
        """Handle a key. Return False for one that has no function here."""
        match key:
            case "up":
                self.move(-1)
            case "down":
                self.move(1)
            case "tab":
                self.move(-1 if shift else 1)
            case "left" | "right":
                self.change(-1 if key == "left" else 1)
            case "space":
                self.toggle()
            case "backspace":
                self.erase()
            case _:
                return False
        return True

    def move(self, by: int) -> None:
        """Move the focus up or down."""
        self.focus_on(self.fields[(self.fields.index(self.focus) + by) % len(self.fields)])

    def focus_on(self, field: Field) -> None:
        self.focus = field
        self._fresh = True

    @property
    def _on_random(self) -> bool:
        return self.focus.name == "source" and self.sources[self.focus.index].spec == "random"

    def change(self, by: int) -> None:
        """Select the next choice or the next round number (the arrow keys)."""
        if self.focus.name in self.number_fields:
            ladder = self.number_fields[self.focus.name].ladder
            self.numbers[self.focus.name] = stepped(self.numbers[self.focus.name], ladder, by)
        elif self._on_random:
            self.random_count = stepped(self.random_count, RANDOM_COUNTS, by)
        self._fresh = True

    def toggle(self) -> None:
        """Choose a row of the list, or undo that (the space bar)."""
        if self.focus.name == "source":
            source = self.sources[self.focus.index]
            if source.available:
                self._toggle(source.spec)

    def _toggle(self, spec: str) -> None:
        self.chosen ^= {spec}

    def type(self, text: str) -> None:
        """Take in typed text, for the name and the numbers."""
        if self.focus.name == "name":
            self.name = (self.name + "".join(c for c in text if NAME.fullmatch("a" + c)))[:40]
            return
        digits = "".join(c for c in text if c in "0123456789")
        if not digits:
            return
        if self.focus.name in self.number_fields:
            before = "" if self._fresh else str(self.numbers[self.focus.name])
            self.numbers[self.focus.name] = min(LARGEST, int(before + digits))
            self._fresh = False
        elif self._on_random:
            before = "" if self._fresh else str(self.random_count)
            self.random_count = max(1, min(LARGEST, int(before + digits)))
            self._fresh = False

    def erase(self) -> None:
        """Remove the last letter or digit (the backspace key)."""
        if self.focus.name == "name":
            self.name = self.name[:-1]
        elif self.focus.name in self.number_fields:
            self.numbers[self.focus.name] //= 10
            self._fresh = False
        elif self._on_random:
            self.random_count = max(1, self.random_count // 10)
            self._fresh = False


def stepped(value: int, ladder: Sequence[int], by: int) -> int:
    """Return the next larger or smaller value of a ladder; at its ends, the value itself."""
    if by > 0:
        return next((rung for rung in ladder if rung > value), value)
    return next((rung for rung in reversed(ladder) if rung < value), value)


class FormDrawing:
    """Draws a form and handles clicks in it."""

    def __init__(self, form: ListForm) -> None:
        self._form = form
        self._sources = ListView(row_height=ROW)
        self._hits: list[tuple[Box, Callable[[float, float], None]]] = []
        self._named: dict[str, Box] = {}

    def click(self, x: float, y: float) -> bool:
        """Change what was clicked. Return False where there is nothing to click."""
        for box, act in self._hits:
            if box.contains(x, y):
                act(x, y)
                return True
        return False

    def wheel(self, dy: int) -> None:
        self._sources.wheel(dy)

    def boxes(self) -> dict[str, Box]:
        """Return where each field was drawn last, by its name; a source, by its spec."""
        return dict(self._named)

    def draw(self, canvas: Canvas, box: Box, pointer: tuple[float, float]) -> None:
        form = self._form
        self._hits, self._named = [], {}
        y = self._draw_name(canvas, box)
        choices = form.choices()
        below = len(choices) * (ROW + GAP) + EXPLANATION_LINES * NOTE
        canvas.text(form.list_title, (box.x, y + 6), SMALL, QUIET)
        room = Box(box.x, y + SECTION, box.width, max(ROW, box.bottom - y - SECTION - below - GAP))
        rows = min(len(form.sources), int(room.height // ROW))
        self._draw_sources(canvas, room.top_part(rows * ROW), pointer)
        y = room.y + rows * ROW + GAP
        for name, label, choice in choices:
            y = self._draw_choice(canvas, Box(box.x, y, box.width, ROW), name, label, choice, pointer)
        for line in canvas.lines(form.explanation, box.width, SMALL)[:EXPLANATION_LINES]:
            canvas.text(line, (box.x, y), SMALL, QUIET, max_width=box.width)
            y += NOTE

    def _hit(self, name: str, box: Box, act: Callable[[float, float], None]) -> None:
        self._hits.append((box, act))
        self._named[name] = box

    def _draw_name(self, canvas: Canvas, box: Box) -> float:
        form = self._form
        row = Box(box.x, box.y, box.width, ROW)
        _label(canvas, "Name", row, form.focus.name == "name")
        field = row.without_left(LABEL_WIDTH)
        TextField(form.name, 100).draw(canvas, field, form.focus.name == "name", empty="a name for the run")
        self._hit("name", field, lambda _x, _y: form.focus_on(Field("name")))
        return row.bottom + GAP

    def _draw_sources(self, canvas: Canvas, box: Box, pointer: tuple[float, float]) -> None:
        form, rows = self._form, self._sources
        if form.focus.name == "source":
            rows.chosen = form.focus.index
        rows.place(box, len(form.sources))
        for number, row in rows.rows():
            source = form.sources[number]
            focused = form.focus == Field("source", number)
            if focused or row.contains(*pointer):
                canvas.fill(row, LINE, radius=6)
            if focused:
                canvas.outline(row, OLIVE, radius=6)
            _check_box(canvas, Box(row.x + 8, row.centre[1] - 8, 16, 16), form.is_chosen(source), source.available)
            top = row.centre[1] - canvas.measure("X", SMALL)[1] / 2
            canvas.text(source.label, (row.x + 36, top), SMALL, TEXT if source.available else QUIET, max_width=LABELS)
            detail = source.detail
            if source.spec == "random":
                detail = f"{form.random_count:,} decisions"
                if focused:
                    detail = f"←  {detail}  →"
            canvas.text(detail, (row.right - 10, top), SMALL, QUIET, align="right", max_width=row.width - LABELS - 50)
            self._hit(source.spec, row, self._toggling(number))
        rows.draw_bar(canvas)

    def _toggling(self, number: int) -> Callable[[float, float], None]:
        def toggle(_x: float, _y: float) -> None:
            self._form.focus_on(Field("source", number))
            self._form.toggle()

        return toggle

    def _draw_choice(
        self, canvas: Canvas, row: Box, name: str, label: str, choice: Choice, pointer: tuple[float, float]
    ) -> float:
        form = self._form
        focused = form.focus.name == name
        _label(canvas, label, row, focused)
        box = row.without_left(LABEL_WIDTH)
        choice.draw(canvas, box, active=focused, hover=box.contains(*pointer))

        def change(x: float, _y: float) -> None:
            form.focus_on(Field(name))
            # A click in the middle of a number lets a person type; the arrows at its ends step through round numbers.
            if name not in form.number_fields or not box.x + 40 <= x < box.right - 40:
                form.change(-1 if x < box.x + 40 else 1)

        self._hit(name, box, change)
        return row.bottom + GAP


def draw_notes(canvas: Canvas, box: Box, notes: Sequence[tuple[str, Colour]]) -> Box:
    """Draw paragraphs at the bottom of a box, the last one lowest. Return what is left of the box."""
    for text, colour in reversed(notes):
        height = canvas.paragraph(
            text, box.bottom_part(len(canvas.lines(text, box.width, SMALL)) * 1.5 * SMALL), SMALL, colour
        )
        box = box.without_bottom(height + GAP)
    return box


def _label(canvas: Canvas, text: str, row: Box, focused: bool) -> None:
    top = row.centre[1] - canvas.measure("X", SMALL)[1] / 2
    canvas.text(text, (row.x, top), SMALL, TEXT if focused else QUIET, max_width=LABEL_WIDTH - 8)


def _check_box(canvas: Canvas, box: Box, checked: bool, enabled: bool) -> None:
    canvas.outline(box, GREEN if checked else QUIET if enabled else LINE, 1.5, radius=3)
    if checked:
        x, y = box.x, box.y
        canvas.polyline([(x + 4, y + 8), (x + 7, y + 11), (x + 12, y + 4)], GREEN, 2)
