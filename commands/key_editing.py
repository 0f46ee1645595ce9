"""The recorder's key editor, opened by itself from the settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from screen.layout import Box
from screen.theme import GROUND, OLIVE
from screen.widgets import Button
from screen.window import CloseRequested, KeyDown, PointerDown, PointerMoved

if TYPE_CHECKING:
    from screen.window import Window

FRAME_SECONDS = 1 / 30


def edit_keys(window: Window) -> None:
    """Let the person change the keys until they close the editor.

    Raises CoachError for a file of keys that cannot be read or written.
    """
    from recorder.controls import read_key_map
    from recorder.key_editor import KeyEditor

    editor = KeyEditor(read_key_map())
    window.title = "Replay Coach - keys"
    pointer = (-1.0, -1.0)
    while not editor.done:
        for event in window.events():
            match event:
                case CloseRequested():
                    return
                case KeyDown(key=key, repeat=False):
                    editor.key_down(key)
                case PointerMoved(x, y):
                    pointer = (x, y)
                case PointerDown(x, y, 1):
                    if _done_button(window.size_units).contains(x, y):
                        editor.key_down("escape")
                    else:
                        editor.click(x, y)
        canvas = window.canvas
        canvas.fill(canvas.box, GROUND)
        editor.draw(canvas)
        button = _done_button(canvas.box)
        button.draw(canvas, hover=button.contains(*pointer))
        window.present()
        time.sleep(FRAME_SECONDS)


def _done_button(window: Box) -> Button:
    """In the editor's upper right corner, for those without a keyboard at hand."""
    inner = window.middle(960, 640).inset(32)
    return Button(Box(inner.right - 128, inner.y - 8, 128, 32), "Done", "Esc", OLIVE)
