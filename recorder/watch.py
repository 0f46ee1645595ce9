"""Watch a demonstrator play, take the controls from it, and give them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from data.demonstrator import Demonstrator
from data.durations import frame_clock
from data.episode import EmulatorSettings
from data.library import Library
from recorder.controls import read_key_map
from recorder.play_view import Offer, PlayView
from recorder.play_window import RecorderWindow, opened_window
from recorder.session import Session
from recorder.session_state import SessionState
from recorder.watch_session import Coaching, Newest, Watched, WatchSession
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, GROUND, LINE, MEDIUM, OLIVE, PANEL, QUIET, SMALL, TEXT
from screen.window import Window

COLUMN_WIDTH = 200.0
ROW_HEIGHT = 30.0


@runtime_checkable
class ShowsItsValues(Protocol):
    """A demonstrator that can show, once an episode has started, its observation and its Q-values."""

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

    def __init__(self, session: WatchSession) -> None:
        super().__init__(session)
        self._watch = session
        self._over = session.over
        self._bounds = (0.0, 0.0)

    def _offers(self) -> list[Offer]:
        labels = {"end": "Back", "restart": "Next game"}
        return [
            replace(offer, label=labels.get(offer.command, offer.label))
            for offer in super()._offers()
            if offer.command not in ("reopen", "marker")
        ]

    def _draw_decision(self, canvas: Canvas, box: Box, x: float, skip: int) -> None:
        if self._over.person_plays:
            super()._draw_decision(canvas, box, x, skip)
        else:
            canvas.paragraph(f"Held for {skip} frames", Box(x, box.y + 50, box.right - x, 40), SMALL, QUIET)

    def _draw_state(self, canvas: Canvas, box: Box) -> float:
        """Draw the badge: the agent's name and score. Nothing is recorded, so there is no REC."""
        session, watched = self._watch, self._watch.watched
        word = "Coaching" if session.coaching is not None else "Watching"
        colour = OLIVE if self._over.person_plays else GREEN
        badge = Box(box.x, box.y, box.width, 60)
        canvas.fill(badge, GROUND, radius=6)
        canvas.outline(badge, colour, 2, radius=6)
        title = "You play" if self._over.person_plays else f"{word} {watched.name}"
        if session.state is SessionState.PAUSED:
            title = f"Paused: {watched.name}"
        canvas.text(title, (box.x + 12, box.y + 7), MEDIUM, colour, bold=True, max_width=box.width - 24)
        canvas.text(_facts(watched), (box.x + 12, box.y + 34), SMALL, QUIET, max_width=box.width - 24)
        clock = frame_clock(session.take.frame)
        canvas.text("This game", (box.x, box.y + 72), SMALL, QUIET)
        canvas.text(clock, (box.right, box.y + 68), MEDIUM, TEXT, mono=True, align="right")
        return box.y + 98

    def _draw_episodes(self, canvas: Canvas, box: Box) -> None:
        """Draw the results of adding the person's play."""
        session = self._watch
        key = session.key_map.label("take_over")
        if session.coaching is None and self._over.person_plays:
            lines = [f"{key} hands back to {session.watched.name}. At the end you are asked whether to save this game."]
        elif session.coaching is None:
            lines = [f"Nothing is saved while {session.watched.name} plays. {key} takes over; your play can be saved."]
        elif session.coached or session.adding:
            adding = ["Adding what you played…"] if session.adding else []
            lines = [*filter(None, [session.account]), *adding, *reversed(session.coached)]
        else:
            lines = [f"{key} takes over. What you play is added to the training when you hand back."]
        y = box.y
        for number, line in enumerate(lines):
            colour = TEXT if session.coached and number < 2 else QUIET
            room = Box(box.x, y, box.width, box.bottom - y)
            if len(canvas.lines(line, box.width)) * SMALL * 1.5 > room.height:
                return
            y += canvas.paragraph(line, room, SMALL, colour) + 6

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


def _facts(watched: Watched) -> str:
    """Return an agent's step and score in one line."""
    facts = []
    if watched.step is not None:
        facts.append(f"step {watched.step:,}")
    if watched.score is not None:
        facts.append(f"scores {round(watched.score):,}" + ("" if watched.training else " when evaluated"))
    elif watched.step is not None:
        facts.append("not evaluated yet")
    if watched.training:
        facts.append("training")
    return ", ".join(facts)


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
    watched: Watched | None = None,
    newest: Newest | None = None,
    coaching: Coaching | None = None,
) -> list[Path]:
    """Show ``demonstrator`` playing game after game until the person quits; return the replay files that were saved.

    ``T`` takes the controls and hands them back; a replay file's ``demonstrator`` column says who chose each frame, and
    ``players`` the names. Nothing is saved unless the person took over; then the window asks. With ``coaching``, each
    stretch that the person played is saved as an episode of its own and added to a training, without a question.

    ``take_over``: the person starts. ``settings`` must have the frame skip that the demonstrator expects; ``seed``
    replaces its seed. ``watched``: facts about the demonstrator; ``newest``: gives a newer one between two games.
    A demonstrator that shows its values (``ShowsItsValues``) has them drawn beside the game.
    Raises CoachError if there is no display, for an unknown game, and if the library is not writable.
    """
    library.prepare()
    chosen = settings or EmulatorSettings()
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    about = watched or Watched(f"the {demonstrator.kind}", is_run=False)
    keys = read_key_map()
    session = WatchSession(library, game, chosen, keys, player, speed, demonstrator, about, newest, coaching)
    session.over.person_plays = take_over
    with opened_window(window, session.title) as shown:
        recorder_window = RecorderWindow(shown, session, WatchView(session))
        if not take_over:
            session.start()
        recorder_window.run(on_ready)
    return session.paths
