"""A form with a list, drawn; and what a click in it means."""

from __future__ import annotations

from collections.abc import Callable

from home.list_form import Field, ListForm
from screen.canvas import Canvas
from screen.fields import Choice, TextField
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, LINE, OLIVE, QUIET, SMALL, TEXT

ROW = 32.0
GAP = 8.0
LABEL_WIDTH = 120.0
SECTION = 28.0
LABELS = 168.0


class FormDrawing:
    """Draws a form and remembers where everything stands."""

    def __init__(self, form: ListForm) -> None:
        self._form = form
        self._sources = ListView(row_height=ROW)
        self._hits: list[tuple[Box, Callable[[float, float], None]]] = []
        self._named: dict[str, Box] = {}

    def click(self, x: float, y: float) -> bool:
        """Change what was clicked; False where nothing stands there."""
        for box, act in self._hits:
            if box.contains(x, y):
                act(x, y)
                return True
        return False

    def wheel(self, dy: int) -> None:
        self._sources.wheel(dy)

    def boxes(self) -> dict[str, Box]:
        """Where each field stood when it was drawn last, by its name; sources by what they are."""
        return dict(self._named)

    def draw(self, canvas: Canvas, box: Box, pointer: tuple[float, float]) -> None:
        form = self._form
        self._hits, self._named = [], {}
        y = self._draw_name(canvas, box)
        choices = form.choices()
        below = len(choices) * (ROW + GAP)
        canvas.text(form.list_title, (box.x, y + 6), SMALL, QUIET)
        room = Box(box.x, y + SECTION, box.width, max(ROW, box.bottom - y - SECTION - below - GAP))
        rows = min(len(form.sources), int(room.height // ROW))
        self._draw_sources(canvas, room.top_part(rows * ROW), pointer)
        y = room.y + rows * ROW + GAP
        for name, label, choice in choices:
            y = self._draw_choice(canvas, Box(box.x, y, box.width, ROW), name, label, choice, pointer)

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
            offer = form.sources[number]
            focused = form.focus == Field("source", number)
            if focused or row.contains(*pointer):
                canvas.fill(row, LINE, radius=6)
            if focused:
                canvas.outline(row, OLIVE, radius=6)
            _check_box(canvas, Box(row.x + 8, row.centre[1] - 8, 16, 16), form.is_chosen(offer), offer.offers)
            top = row.centre[1] - canvas.measure("X", SMALL)[1] / 2
            canvas.text(offer.label, (row.x + 36, top), SMALL, TEXT if offer.offers else QUIET, max_width=LABELS)
            detail = offer.detail
            if offer.spec == "random":
                detail = f"{form.random_count:,} decisions"
                if focused:
                    detail = f"←  {detail}  →"
            canvas.text(detail, (row.right - 10, top), SMALL, QUIET, align="right", max_width=row.width - LABELS - 50)
            self._hit(offer.spec, row, self._toggling(number))
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
            # A number is typed after a click in its middle; the arrows at its ends step through round ones.
            if name not in form.number_fields or not box.x + 40 <= x < box.right - 40:
                form.change(-1 if x < box.x + 40 else 1)

        self._hit(name, box, change)
        return row.bottom + GAP


def _label(canvas: Canvas, text: str, row: Box, focused: bool) -> None:
    top = row.centre[1] - canvas.measure("X", SMALL)[1] / 2
    canvas.text(text, (row.x, top), SMALL, TEXT if focused else QUIET, max_width=LABEL_WIDTH - 8)


def _check_box(canvas: Canvas, box: Box, checked: bool, enabled: bool) -> None:
    canvas.outline(box, GREEN if checked else QUIET if enabled else LINE, 1.5, radius=3)
    if checked:
        x, y = box.x, box.y
        canvas.polyline([(x + 4, y + 8), (x + 7, y + 11), (x + 12, y + 4)], GREEN, 2)
