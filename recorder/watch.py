"""Watch a demonstrator play, take the controls from it, and give them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.library import Library
from recorder.controls import read_key_map
from recorder.play_view import PlayView
from recorder.play_window import RecorderWindow, opened_window
from recorder.session import Session
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, LINE, OLIVE, PANEL, QUIET, SMALL, TEXT
from screen.window import Window

COLUMN_WIDTH = 200.0
ROW_HEIGHT = 30.0


@runtime_checkable
class ShowsItsValues(Protocol):
    """A demonstrator that can show, once an episode has begun, its observation and its Q-values."""

    action_meanings: tuple[str, ...]
    """Names of the actions that ``q_values`` are of."""

    def q_values(self) -> np.ndarray:
        """Return the expected return of each action, (A,) float32."""
        ...

    def observation_stack(self) -> np.ndarray:
        """Return its present observation, (S, H, W) uint8, oldest frame first."""
        ...


class WatchView(PlayView):
    """The recorder's view with a column for a demonstrator that shows its values."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        assert session.take_over is not None
        self._over = session.take_over
        self._bounds = (0.0, 0.0)

    def _draw_beside(self, canvas: Canvas, box: Box) -> Box:
        thinker = self._over.other
        if not isinstance(thinker, ShowsItsValues):
            return box
        column = box.left_part(COLUMN_WIDTH)
        canvas.fill(column, PANEL)
        canvas.line((column.right, column.y), (column.right, column.bottom), LINE)
        inner = column.inset(12)
        canvas.text("Observation", (inner.x, inner.y), SMALL, QUIET)
        used = _draw_stack(canvas, inner.without_top(24), thinker.observation_stack())
        rest = inner.without_top(24 + used + 2 * GRID)
        canvas.text("Q-values", (rest.x, rest.y), SMALL, QUIET)
        self._draw_values(canvas, rest.without_top(28), thinker)
        return box.without_left(COLUMN_WIDTH)

    def _draw_values(self, canvas: Canvas, box: Box, thinker: ShowsItsValues) -> None:
        values = np.asarray(thinker.q_values(), np.float64)  # [A]
        # The scale never narrows, so that bars can be compared from one moment to the next.
        self._bounds = (min(self._bounds[0], values.min()), max(self._bounds[1], values.max()))
        low, high = self._bounds
        meanings = self._session.take.emulator.action_meanings
        advice = meanings[self._over.advice] if self._over.advice is not None else ""
        row_height = min(ROW_HEIGHT, box.height / len(values))
        with_bars = row_height >= ROW_HEIGHT - 4
        for row, (name, value) in enumerate(zip(thinker.action_meanings, values, strict=True)):
            y = box.y + row * row_height
            chosen = name == advice
            colour = (OLIVE if self._over.person_plays else GREEN) if chosen else QUIET
            if chosen:
                middle = y + canvas.measure(name, SMALL)[1] / 2
                canvas.polygon([(box.x - 9, middle - 4), (box.x - 9, middle + 4), (box.x - 3, middle)], colour)
            canvas.text(name, (box.x, y), SMALL, colour, max_width=box.width - 52)
            canvas.text(f"{value:.2f}", (box.right, y), SMALL, TEXT if chosen else QUIET, mono=True, align="right")
            if with_bars:
                share = (value - low) / (high - low) if high > low else 0.0
                canvas.bar(Box(box.x, y + 20, box.width, 4), share, colour)


def _draw_stack(canvas: Canvas, box: Box, stack: np.ndarray) -> float:
    """Draw the stacked frames in rows of two, oldest first; return the height used. stack: (S, H, W) uint8."""
    gap = 4.0
    side = (box.width - gap) / 2
    for number, picture in enumerate(stack):
        row, column = divmod(number, 2)
        place = Box(box.x + column * (side + gap), box.y + row * (side + gap), side, side)
        canvas.picture_rgb(np.repeat(picture[:, :, None], 3, axis=2), place, integer_scale=False)
    return -(-len(stack) // 2) * (side + gap)


def watch(
    library: Library,
    demonstrator: Demonstrator,
    game: str,
    player: str = "",
    seed: int | None = None,
    take_over: bool = False,
    settings: EmulatorSettings | None = None,
    speed: float = 1.0,
    window: Window | None = None,
    on_ready: Callable[[Window, Session], None] | None = None,
) -> list[Path]:
    """Show ``demonstrator`` playing until the window closes; return the replay files that were saved.

    ``T`` takes the controls and hands them back; a replay file's ``demonstrator`` column says who chose each frame.
    ``take_over``: the person begins. ``settings`` must have the frame skip that the demonstrator expects; ``seed``
    replaces its seed. A demonstrator that shows its values (``ShowsItsValues``) has them drawn beside the game.
    Episodes are saved or discarded as in ``play``, but closing the window saves only one in which the person played.
    Raises CoachError where there is no display, for an unknown game, and for a library that cannot be written.
    """
    library.prepare()
    chosen = settings or EmulatorSettings()
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    session = Session(library, game, chosen, read_key_map(), player, speed, other=demonstrator, sound=True)
    assert session.take_over is not None
    session.take_over.person_plays = take_over
    with opened_window(window, session.title) as shown:
        recorder_window = RecorderWindow(shown, session, WatchView(session))
        if not take_over:
            session.start()
        recorder_window.run(on_ready)
    return session.paths
