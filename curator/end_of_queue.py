"""What the curator's window shows when no clip of the queue is left: why, and how to continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curator.queues import SECOND_LOOK, WaitingQueue, queue_kind, queue_title, unreadable_sentence
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, LARGE, MEDIUM, QUIET
from screen.widgets import Button

BUTTON_HEIGHT = 40.0
TEXT_HEIGHT = 128.0


@dataclass(frozen=True)
class EndOfQueue:
    """A queue without clips, and what can be done next."""

    title: str
    text: str
    next_queue: str = ""
    """Caption of the button that starts the next queue; "" for none."""
    can_train: bool = False


def end_of_queue(
    queue: str,
    has_judged: bool,
    following: WaitingQueue | None = None,
    unreadable: int = 0,
    can_train: bool = False,
) -> EndOfQueue:
    """Return what the window shows. ``has_judged``: whether the curator judged clips of this queue.

    ``unreadable``: clips skipped because they cannot be shown.
    """
    kind = queue_kind(queue)
    if has_judged:
        title = "All readable clips are judged." if unreadable else "This queue is finished."
        text = "Backspace undoes the last verdict. "
    elif unreadable:
        title, text = "No clip can be read.", ""
    else:
        title = "No clips were put aside." if kind.name == SECOND_LOOK else "No clips in this queue."
        text = f"{kind.why_empty} "
    if unreadable:
        text += f"{unreadable_sentence(unreadable)} "
    if following is not None:
        number = len(following.clips)
        next_queue = f"Next: {queue_title(following.name)}, {number} clip{'s' * (number != 1)}"
        return EndOfQueue(title, text.strip(), next_queue, can_train)
    if not unreadable:
        text += "Every clip is judged: play or record more episodes."
    return EndOfQueue(title, text.strip(), "", can_train)


def end_room(picture: Box, buttons: int = 3) -> Box:
    """Return the part of the picture's box that shows the text and the buttons."""
    return picture.middle(min(440.0, picture.width - 48), TEXT_HEIGHT + buttons * (BUTTON_HEIGHT + GRID))


def end_buttons(picture: Box, end: EndOfQueue) -> dict[str, Button]:
    """Return the buttons by the key that does the same."""
    wanted = [("tab", end.next_queue, "Tab")] if end.next_queue else []
    wanted.append(("q", "Choose another queue", "Q"))
    if end.can_train:
        wanted.append(("t", "Train an agent now", "T"))
    rows = end_room(picture).without_top(TEXT_HEIGHT)
    return {
        key: Button(
            Box(rows.x, rows.y + place * (BUTTON_HEIGHT + GRID), rows.width, BUTTON_HEIGHT),
            label,
            cap,
            GREEN if place == 0 else None,
        )
        for place, (key, label, cap) in enumerate(wanted)
    }


def draw_end(
    canvas: Canvas, picture: Box, end: EndOfQueue, buttons: Sequence[Button], pointer: tuple[float, float]
) -> None:
    """Draw the text and the buttons in the picture's place."""
    room = end_room(picture)
    used = canvas.paragraph(end.title, room, LARGE)
    canvas.paragraph(end.text, room.without_top(used + GRID), MEDIUM, QUIET)
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))
