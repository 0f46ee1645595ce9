"""The last moments of a training at which its agent did worse than it expected, with pictures, to play on from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from data.counted import counted
from data.durations import frame_clock
from data.errors import CoachError
from data.moments import LEAD_SECONDS, REASONS, Moment, frames_of, read_moments
from data.runs import RunFolder
from home.action_bar import Action, action_buttons, areas, draw_action_bar, draw_heading, margin
from screen.canvas import Canvas
from screen.events import CloseRequested, Event, KeyDown, PointerDown, PointerMoved, PointerUp, Wheel
from screen.layout import Box
from screen.list_view import ListView
from screen.theme import GREEN, GRID, GROUND, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL, TEXT
from screen.window import Window

SHOWN = 10
ROW = 96.0
TICK_SECONDS = 0.1
REFRESH_TICKS = 20


@dataclass(frozen=True)
class _Picture:
    frame: np.ndarray
    palette: np.ndarray


class MomentsWindow:
    """Lists the last ten moments of a run, the newest first."""

    def __init__(self, window: Window, folder: RunFolder, play: Callable[[Moment], None]) -> None:
        """play: let the person play on from some seconds before a moment; may raise CoachError."""
        self._window = window
        self._folder = folder
        self._play = play
        self._rows = ListView(ROW)
        self._moments: list[Moment] = []
        self._pictures: dict[Moment, Future[_Picture | None]] = {}
        self._worker = ThreadPoolExecutor(1, "moments")
        self._pointer = (-1.0, -1.0)
        self._message = ""
        self._leaving = False
        self._stale = True
        self._done = 0

    def run(self) -> None:
        """Run until the window is closed."""
        before = self._window.title
        self._window.start_view()
        ticks = 0
        try:
            while not self._leaving:
                if ticks % REFRESH_TICKS == 0:
                    self._update()
                ticks += 1
                for event in self._window.events(0.0 if self._stale else TICK_SECONDS):
                    self._stale = True
                    self._handle(event)
                done = sum(future.done() for future in self._pictures.values())
                self._stale, self._done = self._stale or done != self._done, done
                if self._stale and self._window.visible and not self._leaving:
                    self.draw(self._window.canvas)
                    self._window.present()
                    self._stale = False
        finally:
            self._worker.shutdown(wait=False, cancel_futures=True)
            self._window.title = before

    def _update(self) -> None:
        moments = read_moments(self._folder)[-SHOWN:][::-1]
        if moments != self._moments:
            self._moments, self._stale = moments, True
            for moment in moments:
                if moment not in self._pictures:
                    self._pictures[moment] = self._worker.submit(self._picture, moment)
        self._window.title = f"Replay Coach - moments of {self._folder.name}"

    def _picture(self, moment: Moment) -> _Picture | None:
        try:
            *_, (state, emulator) = frames_of(self._folder, moment, 0.0)
        except CoachError:
            return None
        return _Picture(state.screen, emulator.palette)

    # ---- events --------------------------------------------------------------------------------------------------

    def _actions(self) -> list[Action]:
        return [
            Action("Play from here", "Enter", "return", self._choose, GREEN, bool(self._moments)),
            Action("Back", "Esc", "escape", self._leave),
        ]

    def _handle(self, event: Event) -> None:
        match event:
            case CloseRequested():
                self._leaving = True
            case KeyDown(key="f11", repeat=False):
                self._window.toggle_full_screen()
            case KeyDown(key=key, repeat=repeat):
                action = next((action for action in self._actions() if action.key == key and action.enabled), None)
                if action is None:
                    self._rows.press(key)
                elif not repeat:
                    action.act()
            case PointerMoved(x, y):
                self._pointer = (x, y)
                self._rows.pointer_moved(y)
            case PointerUp():
                self._rows.pointer_up()
            case PointerDown(x, y, 1):
                self._click(x, y)
            case Wheel(dy):
                self._rows.wheel(dy)

    def _click(self, x: float, y: float) -> None:
        buttons = action_buttons(self._actions(), self._window.size_units)
        for action, button in zip(self._actions(), buttons, strict=True):
            if button.contains(x, y) and action.enabled:
                action.act()
                return
        row = self._rows.row_at(x, y)
        if self._rows.pointer_down(x, y) or row is None:
            return
        if row == self._rows.chosen:
            self._choose()
        self._rows.chosen = row

    def _choose(self) -> None:
        try:
            self._play(self._moments[self._rows.chosen])
        except CoachError as error:
            self._message = str(error)
        self._window.start_view()
        if self._window.closing:
            self._leaving = True
        self._stale = True

    def _leave(self) -> None:
        self._leaving = True

    # ---- drawing -------------------------------------------------------------------------------------------------

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        about = f"where {self._folder.name} did worse than it expected"
        draw_heading(canvas, "Moments", about)
        list_part, main, _ = areas(canvas.box)
        room = Box(list_part.x, list_part.y, main.right - list_part.x, list_part.height)
        self._rows.place(room, len(self._moments))
        if not self._moments:
            words = "No moments yet. The training marks them at the end of its games, once it acts by its values."
            canvas.paragraph(words, room, MEDIUM, QUIET)
        for row, box in self._rows.rows():
            self._draw_row(canvas, box.without_bottom(GRID), self._moments[row], row == self._rows.chosen)
        self._rows.draw_bar(canvas)
        message = self._message or f"You start {LEAD_SECONDS:g} seconds before. What you save is added to the training."
        buttons = action_buttons(self._actions(), canvas.box)
        draw_action_bar(canvas, buttons, self._pointer, message, OLIVE if self._message else QUIET)

    def _draw_row(self, canvas: Canvas, box: Box, moment: Moment, chosen: bool) -> None:
        canvas.fill(box, PANEL, radius=8)
        if chosen:
            canvas.outline(box, GREEN, 2, radius=8)
        place = box.inset(6).left_part((box.height - 12) * 4 / 3)
        future = self._pictures.get(moment)
        picture = future.result() if future is not None and future.done() else None
        if picture is None:
            canvas.fill(place, LINE, radius=4)
        else:
            canvas.picture(picture.frame, picture.palette, place, integer_scale=False)
        x, room = place.right + 2 * GRID, box.right - place.right - margin(canvas.box)
        what = REASONS.get(moment.reason, moment.reason)
        title = canvas.text(what[:1].upper() + what[1:], (x, box.y + 14), MEDIUM, TEXT, max_width=room)
        facts = f"{frame_clock(moment.frame)} of the game that ended at step {moment.step:,}"
        canvas.text(facts, (x, title.bottom + 4), SMALL, QUIET, max_width=room)
        value = f"value {moment.value:.2f}" if moment.reason == "life" else f"value fell by {moment.severity:.2f}"
        points = counted(moment.points, "point")
        canvas.text(f"{value}, {points}", (box.right - 16, box.y + 16), SMALL, OLIVE, align="right")
