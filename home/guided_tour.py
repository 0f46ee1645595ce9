"""The guided tour of the home window: a few words about each action, in under a minute."""

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
    """One stop: the actions that it highlights (none: the whole window), and its text."""

    actions: tuple[HomeAction, ...]
    title: str
    text: str


STOPS = (
    Stop(
        (),
        "Welcome",
        "Here you teach an agent by playing. There are five steps, from left to right. Each has a key and a button.",
    ),
    Stop(
        ("play",),
        "Play",
        "Play the real game. Everything is recorded as you play, so even a crash loses nothing.",
    ),
    Stop(
        ("curate",),
        "Judge",
        "Watch clips of a few seconds and mark each as good or bad. The agent does not learn from bad ones.",
    ),
    Stop(
        ("train",),
        "Train",
        "An agent learns from your play before its first step. Training continues when you close the window.",
    ),
    Stop(
        ("watch",),
        "Watch",
        "Watch the agent play and see how it values each action. Press T to take over. One trained agent is supplied.",
    ),
    Stop(
        ("compare",),
        "Compare",
        "Did your play help? Train agents with it and without it, side by side.",
    ),
    Stop(
        ("library", "settings"),
        "Library and settings",
        "Browse your episodes, enter your name, choose another game or change keys. F1 lists the keys in every window.",
    ),
)


class GuidedTour:
    """The state of the tour. The caller passes the time."""

    def __init__(self) -> None:
        self._at = 0
        self._seconds = 0.0
        self.is_over = False

    @property
    def stop(self) -> Stop:
        return STOPS[self._at]

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds
        if self._seconds >= SECONDS_A_STOP:
            self._go(1)

    def key_down(self, key: str) -> None:
        """Handle a key: the arrows go forward and back, every other key ends the tour."""
        if key in ("left", "right"):
            self._go(1 if key == "right" else -1)
        else:
            self.is_over = True

    def click(self, window: Box, x: float, y: float) -> None:
        """Handle a click: on "Skip" it ends the tour, elsewhere it goes forward."""
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

    def draw(self, canvas: Canvas, actions: Mapping[HomeAction, Box], pointer: tuple[float, float]) -> None:
        """Draw the tour over the home window, which is darkened except for the actions of this stop."""
        shown = [actions[action] for action in self.stop.actions]
        _shade_around(canvas, shown)
        panel = _panel(canvas.box)
        canvas.fill(panel, PANEL, radius=10)
        canvas.outline(panel, OLIVE, radius=10)
        inner = panel.inset(24)
        canvas.text(self.stop.title, (inner.x, inner.y - 8), LARGE)
        canvas.text(f"{self._at + 1} of {len(STOPS)}", (inner.right, inner.y), SMALL, QUIET, mono=True, align="right")
        canvas.paragraph(self.stop.text, inner.without_top(40), MEDIUM)
        for button in _buttons(canvas.box, self._at + 1 == len(STOPS)):
            button.draw(canvas, hover=button.contains(*pointer))
        skip = inner.bottom_part(32)
        canvas.text("Any other key ends the tour.", (skip.x, skip.y + 7), SMALL, QUIET)
        canvas.bar(Box(panel.x + 24, panel.bottom - 12, panel.width - 48, 3), self._seconds / SECONDS_A_STOP, OLIVE)


def _panel(window: Box) -> Box:
    return Box(window.x + 48, window.y + 448, min(720.0, window.width - 96), 176)


def _buttons(window: Box, last: bool = False) -> tuple[Button, Button]:
    row = _panel(window).inset(24).bottom_part(32).right_part(264)
    skip, forth = row.columns(2, 8)
    return Button(skip, "Skip", "Esc"), Button(forth, "Done" if last else "Next", "→", OLIVE)


def _shade_around(canvas: Canvas, shown: list[Box]) -> None:
    """Darken everything except the boxes, which are in one row."""
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
