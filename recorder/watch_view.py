"""What the Watch window shows: the game, what the agent sees and expects, and the game so far."""

from __future__ import annotations

from dataclasses import replace

from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from recorder.play_view import BELOW_MARGIN, NOTICE_HEIGHT, Offer, PlayView
from recorder.session_state import SessionState
from recorder.value_panel import WIDTH as COLUMN_WIDTH
from recorder.value_panel import ValuePanel
from recorder.watch_session import Watched, WatchSession
from screen.canvas import Canvas
from screen.episode_curves import POINTS_COLOUR, VALUES_COLOUR
from screen.layout import TELEVISION_ASPECT, Box
from screen.theme import GREEN, GRID, GROUND, MEDIUM, OLIVE, QUIET, SMALL, TEXT, Colour

LEGEND_HEIGHT = 24.0
LEAST_TRACK, MOST_TRACK = 44.0, 112.0
"""Height of the strip below the picture, which takes what the picture cannot use."""
TEXT_HEIGHT = 52.0
"""Two lines below the picture, in a window whose side panel has no room for them."""
LOW_WINDOW = 740.0
"""Height of a window, in design units, below which that is so."""
LEAST_SPAN_FRAMES = 60 * FRAMES_PER_SECOND
STRIP_HINT = (
    "The game so far: its points, and the agent's value (the greatest of its Q-values) at each decision. "
    "Click to pause and look at that moment."
)


def span_of(frames: int) -> int:
    """Return the frames that the strip's width stands for: a minute, doubled whenever the game is longer."""
    span = LEAST_SPAN_FRAMES
    while span < frames:
        span *= 2
    return span


class WatchView(PlayView):
    """The recorder's view with a column for an agent that shows its values, and a strip of the game so far."""

    shows_markers = False

    def __init__(self, session: WatchSession) -> None:
        super().__init__(session)
        self._watch = session
        self._over = session.over
        self._values = ValuePanel()

    def _offers(self) -> list[Offer]:
        labels = {"end": "Back", "restart": "Next game"}
        return [
            replace(offer, label=labels.get(offer.command, offer.label))
            for offer in super()._offers()
            if offer.command not in ("reopen", "marker")
        ]

    # The column, and what is below the picture.

    def _draw_beside(self, canvas: Canvas, box: Box) -> Box:
        expected = self._watch.expected()
        if expected is None:
            return box
        meanings = self._session.take.emulator.action_meanings
        advice = meanings[self._over.advice] if self._over.advice is not None else ""
        colour = OLIVE if self._over.person_plays else GREEN
        self._values.draw(canvas, box.left_part(COLUMN_WIDTH), expected, advice, colour)
        return box.without_left(COLUMN_WIDTH)

    def _bar_height(self, canvas: Canvas, box: Box) -> float:
        used = LEGEND_HEIGHT + (TEXT_HEIGHT if canvas.box.height < LOW_WINDOW else 0.0)
        picture = (box.width - 2 * GRID) / TELEVISION_ASPECT
        spare = box.height - picture - 2 * GRID - NOTICE_HEIGHT - BELOW_MARGIN - used
        return used + min(MOST_TRACK, max(LEAST_TRACK, spare))

    def _draw_bar(self, canvas: Canvas, box: Box) -> None:
        """Draw the strip of the game so far, in a low window below the text that has no room in the side panel."""
        if canvas.box.height < LOW_WINDOW:
            self._draw_text(canvas, box.top_part(TEXT_HEIGHT - GRID))
            box = box.without_top(TEXT_HEIGHT)
        take = self._session.take
        if self._session.state in (SessionState.READY, SessionState.RESTORING, SessionState.ENDED):
            self.bar.hide()
            return
        values, value = self._watch.values.values(), self._watch.shown_value
        x = self._legend(canvas, box.x, box.y, "Points", f"{take.score:g}", POINTS_COLOUR)
        if value is not None:
            self._legend(canvas, x + 24, box.y, "Value", f"{value:.2f}", VALUES_COLOUR)
        clock = frame_clock(take.frame)
        left = canvas.text(clock, (box.right, box.y), SMALL, TEXT, mono=True, align="right").x
        canvas.text("Click to look back", (left - 16, box.y), SMALL, QUIET, align="right")
        canvas.hint(box.top_part(LEGEND_HEIGHT), STRIP_HINT)
        track = box.without_top(LEGEND_HEIGHT)
        self.bar.draw_track(canvas, track, take, span_of(take.recorded_frames), values)

    @staticmethod
    def _legend(canvas: Canvas, x: float, y: float, name: str, value: str, colour: Colour) -> float:
        """Draw one entry of the legend; return where it ends."""
        canvas.fill(Box(x, y + 9, 16, 2), colour)
        right = canvas.text(name, (x + 24, y), SMALL, QUIET).right
        # As wide for every number, so that the next entry keeps its place.
        canvas.text(value, (right + 8, y), SMALL, TEXT, mono=True)
        return right + 8 + canvas.measure("0" * max(5, len(value)), SMALL, mono=True)[0]

    # The side panel.

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
        canvas.text(facts_of(watched), (box.x + 12, box.y + 34), SMALL, QUIET, max_width=box.width - 24)
        clock = frame_clock(session.take.frame)
        canvas.text("This game", (box.x, box.y + 72), SMALL, QUIET)
        canvas.text(clock, (box.right, box.y + 68), MEDIUM, TEXT, mono=True, align="right")
        return box.y + 98

    def _draw_episodes(self, canvas: Canvas, box: Box) -> None:
        """Draw what becomes of the person's play where the recorder lists its episodes."""
        if canvas.box.height >= LOW_WINDOW:
            self._draw_text(canvas, box)

    def _draw_text(self, canvas: Canvas, box: Box) -> None:
        """Draw as many of the lines as there is room for; the first one in any case."""
        y = box.y
        for number, line in enumerate(self._lines()):
            colour = TEXT if self._watch.coached and number < 2 else QUIET
            room = Box(box.x, y, box.width, box.bottom - y)
            if number and len(canvas.lines(line, box.width)) * SMALL * 1.5 > room.height:
                return
            y += canvas.paragraph(line, room, SMALL, colour) + 2

    def _lines(self) -> list[str]:
        """Return what becomes of the person's play; with coaching, the results of adding it, the newest first."""
        session = self._watch
        name, key = session.watched.name, session.key_map.label("take_over")
        if session.coaching is None and self._over.person_plays:
            return [f"{key} hands back to {name}. At the end you are asked whether to save this game."]
        if session.coaching is None:
            return [f"Nothing is saved while {name} plays. {key} takes over; your play can be saved."]
        if session.coached or session.adding:
            adding = ["Adding what you played…"] if session.adding else []
            *earlier, newest = session.coached or [""]
            return [line for line in (*adding, newest, session.account, *reversed(earlier)) if line]
        return [f"{key} takes over. What you play is added to the training when you hand back."]


def facts_of(watched: Watched) -> str:
    """Return an agent's step and score in one line."""
    facts = []
    if watched.supplied:
        facts.append("supplied")
    elif watched.step is not None:
        facts.append(f"step {watched.step:,}")
    if watched.score is not None:
        facts.append(f"scores {round(watched.score):,}" + ("" if watched.training else " when evaluated"))
    elif watched.step is not None:
        facts.append("not evaluated yet")
    if watched.training:
        facts.append("training")
    return ", ".join(facts)
