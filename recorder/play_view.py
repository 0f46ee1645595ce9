"""What the recorder's window shows: the game, and a quiet panel with buttons beside it."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.controls import MEANINGS, KeyMap, key_label
from recorder.session import Session
from recorder.session_state import COUNTDOWN_TICKS, POP_TICKS, SessionState, clock_text
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import (
    GREEN,
    GRID,
    GROUND,
    LARGE,
    LINE,
    MEDIUM,
    OLIVE,
    ORANGE,
    PANEL,
    QUIET,
    SMALL,
    TEXT,
    WHITE,
    Colour,
)
from screen.widgets import Button, draw_key_list, draw_message, message_buttons

BUTTON_HEIGHT = 36.0
GAP = 8.0


@dataclass(frozen=True)
class Offer:
    """Something that can be done now: its command, label, key and colour."""

    command: str
    label: str
    key: str
    colour: Colour | None = None


def offers(session: Session) -> list[Offer]:
    """What the side panel offers at this stage, most likely first."""
    keys = session.key_map
    end, restart = Offer("end", "End", keys.label("end")), Offer("restart", "Start over", keys.label("restart"))
    rewind = Offer("rewind", "Rewind", keys.label("rewind"))
    listed = Offer("keys", "All keys", "F1")
    if session.state is SessionState.READY:
        found = [Offer("start", "Start", key_label("return"), GREEN), listed]
        if session.can_bring_back:
            found.append(Offer("bring_back", "Bring back", keys.label("bring_back"), OLIVE))
        else:
            found.append(Offer("edit_keys", "Set keys", "F2"))
        if session.take_over is None:
            found.append(Offer("games", "Games", keys.label("games")))
            found.append(Offer("reopen", "Resume", keys.label("reopen")))
        return [*found, Offer("end", "Leave", keys.label("end"))]
    if session.state is SessionState.COMING_BACK:
        return [Offer("end", "Leave it", keys.label("end"))]
    if session.state is SessionState.PLAYING:
        found = [Offer("pause", "Pause", keys.label("pause")), rewind, Offer("marker", "Marker", keys.label("marker"))]
        if session.take_over is not None:
            found.append(_take_over(session, keys))
        return [*found, restart, end, listed]
    if session.state is SessionState.ENDED:
        return []
    found = [Offer("pause", "Go on", keys.label("pause"), GREEN), Offer("count_down", "3-2-1", key_label("space"))]
    return [*found, rewind, Offer("forward", "Forward", keys.label("forward")), restart, end]


def _take_over(session: Session, keys: KeyMap) -> Offer:
    assert session.take_over is not None
    label = "Give back" if session.take_over.person_plays else "Take over"
    return Offer("take_over", label, keys.label("take_over"), OLIVE)


def end_offers(session: Session) -> list[Offer]:
    """What the question at an episode's end offers."""
    return [
        Offer("keep", "Keep", key_label("return"), GREEN),
        Offer("discard", "Discard", key_label("delete"), ORANGE),
        Offer("pause", "Go back", session.key_map.label("pause")),
    ]


def placed(found: list[Offer], box: Box) -> list[tuple[str, Button]]:
    """The offers as buttons (command, button) in two columns that stand on the bottom of the box."""
    rows = -(-len(found) // 2)
    place = box.bottom_part(rows * BUTTON_HEIGHT + max(0, rows - 1) * GAP)
    if not rows:
        return []
    cells = [cell for row in place.rows(rows, GAP) for cell in row.columns(2, GAP)]
    return [
        (offer.command, Button(cell, offer.label, offer.key, offer.colour))
        for offer, cell in zip(found, cells, strict=False)
    ]


PANEL_WIDTH = 320.0
MARGIN = 24.0
FOOT = 40.0
"""Height of the line under the picture."""

_STATES = {
    SessionState.READY: ("READY", QUIET),
    SessionState.COMING_BACK: ("COMING BACK", OLIVE),
    SessionState.PLAYING: ("REC", ORANGE),
    SessionState.PAUSED: ("PAUSED", OLIVE),
    SessionState.REWINDING: ("REWIND", OLIVE),
    SessionState.COUNTDOWN: ("PAUSED", OLIVE),
    SessionState.ENDED: ("OVER", QUIET),
}


class PlayView:
    """Draws a session, and knows where its buttons stand."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._buttons: list[tuple[str, Button]] = []
        self.pointer = (-1.0, -1.0)

    def command_at(self, x: float, y: float) -> str | None:
        """The command of the button there, as it was drawn last."""
        return next((command for command, button in self._buttons if button.contains(x, y)), None)

    def draw(self, canvas: Canvas) -> None:
        session = self._session
        canvas.fill(canvas.box, GROUND)
        panel = canvas.box.right_part(PANEL_WIDTH)
        self._draw_picture(canvas, self._draw_beside(canvas, canvas.box.without_right(PANEL_WIDTH)))
        canvas.fill(panel, PANEL)
        canvas.line((panel.x, panel.y), (panel.x, panel.bottom), LINE)
        self._buttons = placed(offers(session), panel.inset(MARGIN))
        self._draw_panel(canvas, panel.inset(MARGIN).without_bottom(self._buttons_height))
        for _, button in self._buttons:
            button.draw(canvas, hover=button.contains(*self.pointer))
        if session.state is SessionState.ENDED:
            self._draw_question(canvas)
        if session.showing_keys:
            draw_key_list(canvas, "Keys", key_rows(session.key_map, session.take_over is not None))

    def _draw_beside(self, canvas: Canvas, box: Box) -> Box:  # noqa: ARG002 - for views that show more
        """Draw what stands left of the picture; returns the room that is left."""
        return box

    @property
    def _buttons_height(self) -> float:
        rows = -(-len(self._buttons) // 2)
        return rows * (BUTTON_HEIGHT + GAP) + GAP

    # The picture and what lies over it.

    def _draw_picture(self, canvas: Canvas, box: Box) -> None:
        session = self._session
        take = session.take
        room = box.without_bottom(FOOT).inset(GRID)
        picture = canvas.picture(take.state.screen, take.emulator.palette, room)
        if session.state is SessionState.READY:
            self._banner(canvas, picture, "Press any game key to start", "Recording begins with it")
        elif session.state is SessionState.COMING_BACK:
            done, total = session.coming_back
            self._banner(canvas, picture, "It comes back", f"{clock_text(done)} of {clock_text(total)}")
        elif session.state is SessionState.COUNTDOWN:
            number = 1 + session.countdown_ticks * 3 // (COUNTDOWN_TICKS + 1)
            self._banner(canvas, picture, str(number), "Recording goes on")
        elif session.state is SessionState.PAUSED:
            later = clock_text(take.recorded_frames - take.frame)
            lost = f"What follows ({later}) is dropped when you go on" if take.frame < take.recorded_frames else ""
            self._banner(canvas, picture, "Paused", lost)
        elif session.state is SessionState.REWINDING:
            self._banner(canvas, picture, f"Rewinding  {clock_text(take.frame)}", "Let go to stop")
        foot = box.bottom_part(FOOT)
        line = take.trouble or session.notice
        colour = ORANGE if take.trouble else TEXT
        canvas.text(line, (foot.centre[0], foot.y + 8), SMALL, colour, align="centre", max_width=foot.width - 32)

    def _banner(self, canvas: Canvas, picture: Box, title: str, below: str) -> None:
        height = 88.0 if below else 64.0
        box = Box(picture.x, picture.y + (picture.height - height) / 2, picture.width, height)
        canvas.shade(box, 190)
        canvas.text(title, (box.centre[0], box.y + 10), LARGE, TEXT, align="centre", max_width=box.width - 16)
        if below:
            canvas.text(below, (box.centre[0], box.y + 56), SMALL, TEXT, align="centre", max_width=box.width - 16)

    def _draw_question(self, canvas: Canvas) -> None:
        session = self._session
        take = session.take
        found = end_offers(session)
        buttons = message_buttons(canvas, [(offer.label, offer.key, offer.colour) for offer in found])
        title = "Game over" if take.ended_by == "game_over" else "Episode ended"
        text = f"{take.score:g} points in {clock_text(take.frame)}. Keep this episode?"
        draw_message(canvas, title, text, buttons, self.pointer)
        self._buttons = [(offer.command, button) for offer, button in zip(found, buttons, strict=True)]

    # The panel.

    def _draw_panel(self, canvas: Canvas, box: Box) -> None:
        y = self._draw_state(canvas, box)
        y = self._draw_score(canvas, box.without_top(y - box.y))
        y = self._rule(canvas, box, y)
        y = self._draw_controls(canvas, box.without_top(y - box.y))
        y = self._rule(canvas, box, y)
        self._draw_episodes(canvas, box.without_top(y - box.y))

    @staticmethod
    def _rule(canvas: Canvas, box: Box, y: float) -> float:
        canvas.line((box.x, y + GRID), (box.right, y + GRID), LINE)
        return y + 3 * GRID

    def _draw_state(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        word, colour = _STATES[session.state]
        if session.state is SessionState.PLAYING:
            canvas.circle((box.x + 8, box.y + 12), 7, colour)
        else:
            canvas.outline(Box(box.x + 2, box.y + 6, 12, 12), colour, 2, radius=2)
        canvas.text(word, (box.x + 24, box.y), MEDIUM, colour, bold=True)
        if session.speed != 1.0:
            canvas.text(f"{session.speed:g}×", (box.right - 72, box.y), MEDIUM, OLIVE, mono=True, align="right")
        canvas.text(clock_text(session.take.frame), (box.right, box.y), MEDIUM, TEXT, mono=True, align="right")
        return box.y + 40

    def _draw_score(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        take = session.take
        canvas.text("Score", (box.x, box.y), SMALL, QUIET)
        canvas.text(f"{take.score:g}", (box.x, box.y + 18), LARGE, WHITE, mono=True)
        if session.pops:
            pop = session.pops[-1]
            colour = GREEN if pop.points > 0 else ORANGE
            rise = GRID * (1 - pop.ticks / POP_TICKS)
            canvas.text(f"{pop.points:+g}", (box.right, box.y + 32 - rise), MEDIUM, colour, mono=True, align="right")
        if session.has_lives:
            canvas.text("Lives", (box.x, box.y + 64), SMALL, QUIET)
            for number in range(min(take.state.lives, 8)):
                _draw_cannon(canvas, box.x + 48 + number * 26, box.y + 66)
            canvas.text(str(take.state.lives), (box.right, box.y + 62), MEDIUM, TEXT, mono=True, align="right")
        y = box.y + (90 if session.has_lives else 64)
        canvas.text("Markers", (box.x, y), SMALL, QUIET)
        canvas.text(str(take.marker_count), (box.right, y - 2), MEDIUM, TEXT, mono=True, align="right")
        return y + 26

    def _draw_controls(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        held = session.controls.held_parts
        self._draw_joystick(canvas, box, held)
        newest = session.take.newest
        x = box.x + 128
        canvas.text(self._who_acts, (x, box.y), SMALL, QUIET)
        meanings = session.take.emulator.action_meanings
        name = meanings[newest.executed] if newest else "–"
        canvas.text(name, (x, box.y + 18), MEDIUM, TEXT, mono=True, max_width=box.right - x)
        skip = session.settings.frame_skip
        if skip > 1:
            self._draw_latch(canvas, Box(x, box.y + 50, box.right - x, 8), skip)
        return box.y + 92

    @property
    def _who_acts(self) -> str:
        over = self._session.take_over
        if over is None:
            return "Action"
        return "Your action" if over.person_plays else f"Action of the {over.other.kind}"

    def _draw_latch(self, canvas: Canvas, box: Box, skip: int) -> None:
        """One field for each frame of the decision; the keys' next action waits while fields fill."""
        session = self._session
        newest = session.take.newest
        done = (session.take.frame - 1) % skip + 1 if newest else 0
        waiting = newest is not None and session.controls.action_now != newest.chosen
        for number, field in enumerate(box.columns(skip, 4 if skip <= 8 else 1)):
            canvas.fill(field, (OLIVE if waiting else GREEN) if number < done else LINE, radius=2)
        words = (
            "held; keys act next" if waiting and session.state is SessionState.PLAYING else f"held for {skip} frames"
        )
        canvas.text(words, (box.x, box.bottom + 8), SMALL, OLIVE if waiting else QUIET, max_width=box.width)

    def _draw_joystick(self, canvas: Canvas, box: Box, held: tuple[str, ...]) -> None:
        cap = KEY_CAP_HEIGHT
        places = {"up": (cap + 4, 0), "left": (0, cap + 4), "down": (cap + 4, cap + 4), "right": (2 * cap + 8, cap + 4)}
        for part, (x, y) in places.items():
            _draw_part(canvas, Box(box.x + x, box.y + y, cap, cap), key_label(part), part in held)
        fire = Box(box.x, box.y + 2 * cap + 8, 3 * cap + 8, cap)
        _draw_part(canvas, fire, "Fire", "fire" in held)

    def _draw_episodes(self, canvas: Canvas, box: Box) -> None:
        session = self._session
        canvas.text("This session", (box.x, box.y), SMALL, QUIET)
        if not session.episodes:
            words = "No episodes yet. Play one, then keep or discard it."
            canvas.paragraph(words, box.without_top(24), SMALL, QUIET)
            return
        rows = max(1, int((box.height - 24) // 24))
        first = max(0, len(session.episodes) - rows)
        kept = [episode.score for episode in session.episodes if episode.kept]
        best = max(kept) if len(kept) > 1 else None
        for row, episode in enumerate(reversed(session.episodes[first:])):
            y = box.y + 24 + row * 24
            number = len(session.episodes) - row
            colour = TEXT if episode.kept else QUIET
            canvas.text(f"{number}", (box.x + 24, y), SMALL, QUIET, mono=True, align="right")
            canvas.text(
                clock_text(round(episode.seconds * 60)), (box.x + 84, y), SMALL, QUIET, mono=True, align="right"
            )
            canvas.text(f"{episode.score:g}", (box.x + 160, y), SMALL, colour, mono=True, align="right")
            word = "discarded" if not episode.kept else "best" if episode.score == best else "kept"
            canvas.text(word, (box.right, y), SMALL, GREEN if episode.kept else QUIET, align="right")


def _draw_part(canvas: Canvas, box: Box, label: str, held: bool) -> None:
    canvas.fill(box, GREEN if held else LINE, radius=5)
    if not held:
        canvas.fill(Box(box.x + 1, box.y + 1, box.width - 2, box.height - 4), PANEL, radius=4)
    height = canvas.measure(label, SMALL)[1]
    at = (box.centre[0], box.centre[1] - height / 2 - (0 if held else 1))
    canvas.text(label, at, SMALL, GROUND if held else TEXT, mono=len(label) == 1, align="centre")


def _draw_cannon(canvas: Canvas, x: float, y: float) -> None:
    canvas.fill(Box(x, y + 6, 18, 8), GREEN, radius=2)
    canvas.fill(Box(x + 6, y + 2, 6, 6), GREEN)


def key_rows(key_map: KeyMap, with_take_over: bool) -> list[tuple[str, str]]:
    """The list of keys: caps, parted by spaces, and what they do."""
    rows = [("F1", "This list"), ("F2", "Change the keys"), (key_label("return"), "Keep the episode at its end")]
    rows.append((key_label("delete"), "Discard it at its end"))
    rows.append((key_label("space"), "Go on from a pause, with 3-2-1"))
    for what, meaning in MEANINGS.items():
        if (what == "take_over") > with_take_over or (what in ("games", "reopen") and with_take_over):
            continue
        rows.append((" ".join(key_label(key) for key in key_map.keys.get(what, ())), meaning))
    return rows
