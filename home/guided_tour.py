"""The tour of the home window: a few words at each door, in under a minute; → goes on, any other key ends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from home.overview import HomeAction
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import LARGE, MEDIUM, OLIVE, PANEL, QUIET, SMALL
from screen.widgets import Button

SECONDS_A_STOP = 7.0


@dataclass(frozen=True)
class Stop:
    """One stop: the doors that it shows (none: the whole window), and what is said there."""

    doors: tuple[HomeAction, ...]
    title: str
    text: str


STOPS = (
    Stop(
        (),
        "Welcome",
        "Here you teach an agent by playing. Five doors, from left to right, are the whole way, and each opens by one "
        "key or a click.",
    ),
    Stop(
        ("play",),
        "Play",
        "Play the real game. Every frame, action and point is recorded as it happens; not even a crash loses it.",
    ),
    Stop(
        ("curate",),
        "Judge",
        "Clips of a few seconds go by, and one key calls each good or bad. The agent's memory leaves out what you call "
        "bad.",
    ),
    Stop(
        ("train",),
        "Train",
        "An agent begins with what you approved and learns from it before its first step. It trains on when this "
        "window is closed.",
    ),
    Stop(("watch",), "Watch", "See the agent play and what it expects of each action. Press T there to take over."),
    Stop(
        ("compare",),
        "Compare",
        "Did your play help? Agents that began with it and agents that began without are trained side by side.",
    ),
    Stop(
        ("library", "settings"),
        "And the rest",
        "Look through your episodes; say your name, choose another game, change keys. F1 lists the keys, here and in "
        "every window.",
    ),
)


class Tour:
    """Where the tour stands; time is handed in."""

    def __init__(self) -> None:
        self._at = 0
        self._seconds = 0.0
        self.is_over = False

    @property
    def stop(self) -> Stop:
        return STOPS[self._at]

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        self._seconds += seconds
        if self._seconds >= SECONDS_A_STOP:
            self._go(1)

    def key_down(self, key: str) -> None:
        """The arrows go on and back; every other key ends it."""
        if key in ("left", "right"):
            self._go(1 if key == "right" else -1)
        else:
            self.is_over = True

    def click(self, window: Box, x: float, y: float) -> None:
        """A click goes on, and on "Skip" it ends the tour."""
        skip, _ = _buttons(window)
        if skip.contains(x, y):
            self.is_over = True
        else:
            self._go(1)

    def _go(self, by: int) -> None:
        self._seconds = 0.0
        if self._at + by >= len(STOPS):
            self.is_over = True
        else:
            self._at = max(0, self._at + by)

    def draw(self, canvas: Canvas, doors: Mapping[HomeAction, Box], pointer: tuple[float, float]) -> None:
        """Over the home window: everything but the doors of this stop lies in the shade."""
        shown = [doors[door] for door in self.stop.doors]
        _shade_around(canvas, shown)
        panel = _panel(canvas.box)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, OLIVE, radius=10)
        inner = panel.inset(24)
        canvas.text(self.stop.title, (inner.x, inner.y - 8), LARGE)
        canvas.text(f"{self._at + 1} of {len(STOPS)}", (inner.right, inner.y), SMALL, QUIET, mono=True, align="right")
        canvas.paragraph(self.stop.text, inner.without_top(40), MEDIUM)
        for button in _buttons(canvas.box):
            button.draw(canvas, hover=button.contains(*pointer))
        skip = inner.bottom_part(32)
        canvas.text("Any other key ends the tour.", (skip.x, skip.y + 7), SMALL, QUIET)
        canvas.bar(Box(panel.x + 24, panel.bottom - 12, panel.width - 48, 3), self._seconds / SECONDS_A_STOP, OLIVE)


def _panel(window: Box) -> Box:
    return Box(window.x + 48, window.y + 448, min(720.0, window.width - 96), 176)


def _buttons(window: Box) -> tuple[Button, Button]:
    row = _panel(window).inset(24).bottom_part(32).right_part(264)
    skip, forth = row.columns(2, 8)
    return Button(skip, "Skip", "Esc"), Button(forth, "Next", "→", OLIVE)


def _shade_around(canvas: Canvas, shown: list[Box]) -> None:
    """Darken everything but the boxes, which stand in one row."""
    if not shown:
        canvas.shade(canvas.box, 190)
        return
    top, bottom = shown[0].y, shown[0].bottom
    canvas.shade(canvas.box.top_part(top), 190)
    left = canvas.box.x
    for box in shown:
        canvas.shade(Box(left, top, box.x - left, bottom - top), 190)
        canvas.outline(box, OLIVE, 2, 10 if box.height > 40 else 6)
        left = box.right
    canvas.shade(Box(left, top, canvas.box.right - left, bottom - top), 190)
    canvas.shade(canvas.box.without_top(bottom), 190)
