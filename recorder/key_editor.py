"""The screen on which a player changes the keys, with a warning of conflicts."""

from __future__ import annotations

from recorder.controls import DEFAULT_KEYS, MEANINGS, KeyMap, key_label, read_key_map, write_key_map
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.events import CloseRequested, KeyDown, PointerDown, PointerMoved
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LARGE, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT
from screen.widgets import Button
from screen.window import Window

IDLE_SECONDS = 1.0
"""Longest wait for an event while the editor is shown alone."""

WHATS = tuple(MEANINGS)


class KeyEditor:
    """Selects a command, assigns the next key to it, and saves the changes when it is closed.

    It cannot be closed while there are conflicts: a key that does two things would do the wrong one.
    """

    def __init__(self, key_map: KeyMap) -> None:
        self.key_map = key_map
        self.selected = 0
        self.waiting = False
        """Whether the next key is assigned to the selected command."""
        self.done = False
        self.notice = ""
        self._before = key_map
        self._rows: list[Box] = []
        self._done_box = Box(0, 0, 0, 0)
        self.pointer = (-1.0, -1.0)

    def key_down(self, key: str) -> None:
        if self.waiting:
            self.waiting = False
            if key != "escape" or WHATS[self.selected] == "end":
                self.key_map = self.key_map.with_key(WHATS[self.selected], key)
        elif key in ("up", "down"):
            self.selected = (self.selected + (1 if key == "down" else -1)) % len(WHATS)
        elif key == "return":
            self.waiting = True
        elif key in ("delete", "backspace"):
            what = WHATS[self.selected]
            self.key_map = KeyMap({**self.key_map.keys, what: DEFAULT_KEYS[what]})
        elif key == "f3":
            self.undo_all()
        elif key in ("escape", "f2"):
            self._close()

    def _close(self) -> None:
        if self.key_map.conflicts():
            self.notice = "Resolve the conflicts first, or press F3 to undo all changes."
            return
        if self.key_map != self._before:
            write_key_map(self.key_map)
        self.done = True

    def undo_all(self) -> None:
        """Restore all keys as they were when the screen was opened."""
        self.key_map, self.notice = self._before, ""

    def click(self, x: float, y: float) -> None:
        """Select the row that is clicked, and wait for its key; close the editor by its button."""
        if self._done_box.contains(x, y):
            self.waiting = False
            self._close()
        for number, row in enumerate(self._rows):
            if row.contains(x, y):
                self.selected, self.waiting = number, True

    def draw(self, canvas: Canvas) -> None:
        canvas.shade(canvas.box, 190)
        panel = canvas.box.middle(960, 640)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, LINE, radius=10)
        inner = panel.inset(32)
        canvas.text("Change the keys", (inner.x, inner.y - 8), LARGE)
        self._done_box = Box(inner.right - 128, inner.y - 8, 128, 32)
        Button(self._done_box, "Done", "Esc", OLIVE).draw(canvas, hover=self._done_box.contains(*self.pointer))
        self._draw_rows(canvas, inner.without_top(56).without_bottom(128))
        self._draw_conflicts(canvas, inner.bottom_part(112).top_part(64))
        self._draw_help(canvas, inner.bottom_part(KEY_CAP_HEIGHT))

    def _draw_rows(self, canvas: Canvas, box: Box) -> None:
        self._rows = []
        per_column = -(-len(WHATS) // 2)
        for number, what in enumerate(WHATS):
            column, row = divmod(number, per_column)
            place = box.columns(2, 24)[column]
            height = min(40.0, box.height / per_column)
            line = Box(place.x, place.y + row * height, place.width, height)
            self._rows.append(line)
            chosen = number == self.selected
            if chosen:
                canvas.fill(line, LINE, radius=6)
            text_y = line.centre[1] - canvas.measure("A", SMALL)[1] / 2
            canvas.text(MEANINGS[what], (line.x + 12, text_y), SMALL, max_width=line.width - 170)
            if chosen and self.waiting:
                canvas.text("press a key", (line.right - 12, text_y), SMALL, OLIVE, align="right")
                continue
            x = line.right - 12
            for key in reversed(self.key_map.keys.get(what, ())):
                label = key_label(key)
                x -= canvas.key_cap_width(label)
                edge = ORANGE if self._clashes(key) else QUIET if chosen else LINE
                canvas.key_cap(label, (x, line.centre[1] - KEY_CAP_HEIGHT / 2), edge)
                x -= 6

    def _clashes(self, key: str) -> bool:
        return any(sentence.startswith(f"{key_label(key)} does") for sentence in self.key_map.conflicts())

    def _draw_conflicts(self, canvas: Canvas, box: Box) -> None:
        conflicts = self.key_map.conflicts()
        if not conflicts:
            canvas.text("No conflicts: every key does one thing.", (box.x, box.y), SMALL, GREEN)
            return
        more = f" ({len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        canvas.text(f"! {conflicts[0]}{more}", (box.x, box.y), SMALL, ORANGE, max_width=box.width)
        if self.notice:
            canvas.text(self.notice, (box.x, box.y + 24), SMALL, TEXT, max_width=box.width)

    def _draw_help(self, canvas: Canvas, box: Box) -> None:
        x = box.x
        for keys, meaning in (
            (("↑", "↓"), "choose"),
            (("Enter",), "assign a key"),
            (("Del",), "default key"),
            (("F3",), "undo all"),
            (("Esc",), "save and close"),
        ):
            for key in keys:
                x = canvas.key_cap(key, (x, box.y)).right + 4
            height = canvas.measure(meaning, SMALL)[1]
            at = (x + 4, box.y + (KEY_CAP_HEIGHT - height) / 2)
            x = canvas.text(meaning, at, SMALL, QUIET).right + 2 * GRID


def edit_keys(window: Window) -> None:
    """Show the editor alone in the window until it is closed.

    Raises CoachError if the file of keys cannot be read or written.
    """
    editor = KeyEditor(read_key_map())
    window.start_view()
    window.title = "Replay Coach - keys"
    while not editor.done:
        if window.visible:
            canvas = window.canvas
            canvas.fill(canvas.box, GROUND)
            editor.draw(canvas)
            window.present()
        for event in window.events(IDLE_SECONDS):
            match event:
                case CloseRequested():
                    return
                case KeyDown(key=key, repeat=False):
                    editor.key_down(key)
                case PointerMoved(x, y):
                    editor.pointer = (x, y)
                case PointerDown(x, y, 1):
                    editor.click(x, y)
