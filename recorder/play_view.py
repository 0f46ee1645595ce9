"""What the recorder's window shows: the game, and a quiet panel with buttons beside it."""

from __future__ import annotations

from dataclasses import dataclass

from data.counted import counted
from data.durations import frame_clock
from data.episode import FRAMES_PER_SECOND
from recorder.controls import MEANINGS, PARTS, KeyMap, key_label, turned, used_parts
from recorder.end_dialog import EndDialog
from recorder.episode_bar import HEIGHT as EPISODE_BAR_HEIGHT
from recorder.episode_bar import EpisodeBar
from recorder.session import Session
from recorder.session_state import COUNTDOWN_TICKS, SCORE_CHANGE_TICKS, SessionState
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.keyboard import cap as shown_key
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
from screen.widgets import Button, draw_key_list

PANEL_WIDTH = 320.0
MARGIN = 24.0
NOTICE_HEIGHT = 32.0
"""Height of the line below the picture."""
BELOW_MARGIN = 12.0
LEAST_EPISODES_HEIGHT = 72.0
"""Height below which the episodes of the session are left out."""
BUTTON_HEIGHT = 36.0
GAP = 8.0

_STATES = {
    SessionState.READY: ("READY", QUIET),
    SessionState.RESTORING: ("RESTORING", OLIVE),
    SessionState.PLAYING: ("REC", ORANGE),
    SessionState.PAUSED: ("PAUSED", OLIVE),
    SessionState.REWINDING: ("REWIND", OLIVE),
    SessionState.COUNTDOWN: ("PAUSED", OLIVE),
    SessionState.ENDED: ("OVER", QUIET),
}


COUNTDOWN_MEANING = "Resume after a countdown: 3, 2, 1"
HINTS = {what: MEANINGS[what] for what in ("rewind", "forward", "marker", "bring_back", "reopen", "restart")}
HINTS |= {"count_down": COUNTDOWN_MEANING, "edit_keys": "Choose other keys"}
"""Tooltips of the buttons whose captions do not say all, by their commands."""


@dataclass(frozen=True)
class Offer:
    """A button of the side panel: its command, label and key, and whether it does anything now."""

    command: str
    label: str
    key: str
    enabled: bool = True
    colour: Colour | None = None

    @property
    def hint(self) -> str:
        """What it does, for its tooltip."""
        return HINTS.get(self.command, "")


def offers(session: Session, can_reopen: bool = True, quit_label: str = "Quit") -> list[Offer]:
    """Return the buttons of the side panel, row by row.

    Each has a fixed place, so a button that discards play is never where a harmless one was a moment ago.
    ``can_reopen``: whether there are unfinished episodes of this game.
    ``quit_label``: caption of the button that closes the session.
    """
    keys, state = session.key_map, session.state
    ready, playing = state is SessionState.READY, state is SessionState.PLAYING
    paused = state is SessionState.PAUSED
    stopped = paused or state in (SessionState.REWINDING, SessionState.COUNTDOWN)
    begun = playing or stopped
    if ready:
        first = Offer("start", "Start", key_label("return"), colour=GREEN)
    elif stopped:
        first = Offer("pause", "Resume", keys.label("pause"), colour=GREEN)
    else:
        first = Offer("pause", "Pause", keys.label("pause"), playing)
    over = session.take_over
    if over is not None:
        label = "Hand back" if over.person_plays else "Take over"
        seventh = Offer("take_over", label, keys.label("take_over"), begun or ready, OLIVE)
    else:
        seventh = Offer("games", "Games", keys.label("games"), ready or begun)
    reopens = over is None and can_reopen and (ready or begun)
    end = quit_label if ready else "Cancel" if state is SessionState.RESTORING else "End"
    can_end = state is not SessionState.ENDED
    return [
        first,
        Offer("count_down", "In 3-2-1", key_label("space"), paused),
        Offer("rewind", "Rewind", keys.label("rewind"), begun),
        Offer("forward", "Forward", keys.label("forward"), paused),
        Offer("marker", "Marker", keys.label("marker"), playing or paused),
        Offer("bring_back", "Undo", keys.label("bring_back"), session.can_bring_back, OLIVE),
        seventh,
        Offer("reopen", "Unfinished", keys.label("reopen"), reopens),
        Offer("keys", "All keys", "F1", can_end),
        Offer("edit_keys", "Set keys", "F2", can_end),
        Offer("restart", "Restart", keys.label("restart"), begun),
        Offer("end", end, keys.label("end"), can_end),
    ]


def placed(found: list[Offer], box: Box) -> list[tuple[str, Button]]:
    """Return the offers as (command, button), in two columns at the bottom of the box."""
    rows = -(-len(found) // 2)
    place = box.bottom_part(rows * BUTTON_HEIGHT + max(0, rows - 1) * GAP)
    cells = [cell for row in place.rows(rows, GAP) for cell in row.columns(2, GAP)]
    return [
        (offer.command, Button(cell, offer.label, offer.key, offer.colour, offer.enabled, offer.hint))
        for offer, cell in zip(found, cells, strict=True)
    ]


def game_keys(session: Session) -> str:
    """Return the keys that play the session's game, such as "← → Space"."""
    used = used_parts(session.take.emulator.action_meanings, session.game)
    return " ".join(shown_key(session.key_map.label(part)) for part in PARTS if part in used)


def paused_status(later_frames: int, undo_key: str) -> str:
    """Return what the paused window says; later_frames: those that resuming discards."""
    if later_frames <= 0:
        return "Paused. Drag the bar to look back."
    span = frame_clock(later_frames) if later_frames >= FRAMES_PER_SECOND else counted(later_frames, "frame")
    return f"Paused. Resuming here discards the next {span}; {undo_key} brings it back."


class PlayView:
    """Draws a session, and finds the button at a place."""

    shows_markers = True

    def __init__(self, session: Session) -> None:
        self._session = session
        self._buttons: list[tuple[str, Button]] = []
        self.pointer = (-1.0, -1.0)
        self.quit_label = "Quit"
        """Caption of the button that closes the session: "Back" where another window opened it."""
        self.can_reopen = False
        """Whether there are unfinished episodes of this game."""
        self.bar = EpisodeBar()
        self.dialog = EndDialog(session)
        self.volume_box = Box(0, 0, 0, 0)

    def command_at(self, x: float, y: float) -> str | None:
        """Return the command of the button there, as it was drawn last."""
        return next((command for command, button in self._buttons if button.contains(x, y)), None)

    def draw(self, canvas: Canvas) -> None:
        session = self._session
        canvas.fill(canvas.box, GROUND)
        panel = canvas.box.right_part(PANEL_WIDTH)
        self._draw_picture(canvas, self._draw_beside(canvas, canvas.box.without_right(PANEL_WIDTH)))
        canvas.fill(panel, PANEL)
        canvas.line((panel.x, panel.y), (panel.x, panel.bottom), LINE)
        self._buttons = placed(self._offers(), panel.inset(MARGIN))
        rows = -(-len(self._buttons) // 2)
        self._draw_panel(canvas, panel.inset(MARGIN).without_bottom(rows * (BUTTON_HEIGHT + GAP) + GAP))
        for _, button in self._buttons:
            button.draw(canvas, hover=button.contains(*self.pointer))
        if self.dialog.is_open:
            self._buttons = self.dialog.buttons(canvas)
            self.dialog.draw(canvas, self._buttons, self.pointer)
        if session.showing_keys:
            draw_key_list(canvas, "Keys", key_rows(session.key_map, session.take_over is not None))

    def _offers(self) -> list[Offer]:
        return offers(self._session, self.can_reopen, self.quit_label)

    def _draw_beside(self, canvas: Canvas, box: Box) -> Box:  # noqa: ARG002 - for views that show more
        """Draw what stands left of the picture; return the room that is left for it."""
        return box

    # The picture and what is drawn over it.

    def _draw_picture(self, canvas: Canvas, box: Box) -> None:
        session = self._session
        take = session.take
        height = NOTICE_HEIGHT + self._bar_height(canvas, box) + BELOW_MARGIN
        below = box.bottom_part(height)
        room = box.without_bottom(height).inset(GRID)
        picture = canvas.picture(take.state.screen, take.emulator.palette, room)
        status = ""
        if session.state is SessionState.READY:
            words = f"Recording starts with the first key: {game_keys(session)}"
            self._banner(canvas, picture, "Press any game key to start", words, mono=True)
        elif session.state is SessionState.RESTORING:
            done, total = session.restored_frames
            self._banner(canvas, picture, "Restoring the episode", f"{frame_clock(done)} of {frame_clock(total)}")
        elif session.state is SessionState.COUNTDOWN:
            number = 1 + session.countdown_ticks * 3 // (COUNTDOWN_TICKS + 1)
            self._banner(canvas, picture, str(number), "Recording resumes")
        elif session.state is SessionState.PAUSED:
            undo = shown_key(session.key_map.label("bring_back"))
            status = paused_status(take.recorded_frames - take.frame, undo)
        elif session.state is SessionState.REWINDING:
            status = f"Rewinding: {frame_clock(take.frame)}. Release the key to stop."
        line = take.trouble or session.notice or status
        colour = ORANGE if take.trouble else TEXT if session.notice else QUIET
        canvas.text(line, (below.centre[0], below.y + 6), SMALL, colour, align="centre", max_width=below.width - 32)
        self._draw_bar(canvas, below.without_top(NOTICE_HEIGHT).without_bottom(BELOW_MARGIN).inset_across(2 * GRID))

    def _bar_height(self, canvas: Canvas, box: Box) -> float:  # noqa: ARG002 - for views that show more
        return EPISODE_BAR_HEIGHT

    def _draw_bar(self, canvas: Canvas, box: Box) -> None:
        """Draw the bar of the episode while it is paused."""
        if self._session.state in (SessionState.PAUSED, SessionState.REWINDING, SessionState.COUNTDOWN):
            self.bar.draw(canvas, box, self._session.take)
        else:
            self.bar.hide()

    def _banner(self, canvas: Canvas, picture: Box, title: str, below: str, mono: bool = False) -> None:
        height = 88.0 if below else 64.0
        box = Box(picture.x, picture.y + (picture.height - height) / 2, picture.width, height)
        canvas.shade(box, 190)
        canvas.text(title, (box.centre[0], box.y + 10), LARGE, TEXT, align="centre", max_width=box.width - 16)
        if below:
            at, room = (box.centre[0], box.y + 56), box.width - 16
            canvas.text(below, at, SMALL, TEXT, mono=mono, align="centre", max_width=room)

    # The panel.

    def _draw_panel(self, canvas: Canvas, box: Box) -> None:
        y = self._draw_state(canvas, box)
        y = self._draw_score(canvas, box.without_top(y - box.y))
        y = self._rule(canvas, box, y)
        y = self._draw_controls(canvas, box.without_top(y - box.y))
        if box.bottom - y >= LEAST_EPISODES_HEIGHT:
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
        canvas.text(frame_clock(session.take.frame), (box.right, box.y), MEDIUM, TEXT, mono=True, align="right")
        return box.y + 40

    def _draw_score(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        take = session.take
        canvas.text("Score", (box.x, box.y), SMALL, QUIET)
        canvas.text(f"{take.score:g}", (box.x, box.y + 18), LARGE, WHITE, mono=True)
        if session.score_changes:
            change = session.score_changes[-1]
            colour = GREEN if change.points > 0 else ORANGE
            y = box.y + 32 - GRID * (1 - change.ticks / SCORE_CHANGE_TICKS)
            canvas.text(f"{change.points:+g}", (box.right, y), MEDIUM, colour, mono=True, align="right")
        has_lives = take.first_lives > 0
        if has_lives:
            canvas.text("Lives", (box.x, box.y + 64), SMALL, QUIET)
            for number in range(min(take.state.lives, 8)):
                _draw_heart(canvas, box.x + 48 + number * 24, box.y + 66)
            canvas.text(str(take.state.lives), (box.right, box.y + 62), MEDIUM, TEXT, mono=True, align="right")
        y = box.y + (90 if has_lives else 64)
        if self.shows_markers:
            canvas.text("Markers", (box.x, y), SMALL, QUIET)
            canvas.text(str(take.marker_count), (box.right, y - 2), MEDIUM, TEXT, mono=True, align="right")
            y += 26
        return self._draw_volume(canvas, Box(box.x, y, box.width, 24)) + 2

    def _draw_volume(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        canvas.text("Sound", (box.x, box.y), SMALL, QUIET)
        cap = session.key_map.label("mute")
        canvas.key_cap(cap, (box.right - canvas.key_cap_width(cap), box.y - 2))
        track = box.without_left(64).without_right(canvas.key_cap_width(cap) + GRID)
        self.volume_box = track
        if session.muted:
            canvas.text("off", (track.x, track.y), SMALL, QUIET)
        else:
            canvas.bar(Box(track.x, track.y + 7, track.width, 6), session.volume, QUIET)
            canvas.circle((track.x + track.width * session.volume, track.y + 10), 6, TEXT)
        canvas.hint(track, f"Volume {session.volume:.0%}: click or drag")
        return box.bottom

    def _draw_controls(self, canvas: Canvas, box: Box) -> float:
        session = self._session
        self._draw_joystick(canvas, box, session.controls.held_parts)
        x = box.x + 128
        over = session.take_over
        who = "Action" if over is None else "Your action" if over.person_plays else f"Action of the {over.other.kind}"
        canvas.text(who, (x, box.y), SMALL, QUIET)
        meanings = session.take.emulator.action_meanings
        action = session.take.shown_action
        name = "–" if action is None else meanings[action]
        canvas.text(name, (x, box.y + 18), MEDIUM, TEXT, mono=True, max_width=box.right - x)
        skip = session.settings.frame_skip
        if skip > 1:
            self._draw_decision(canvas, box, x, skip)
        return box.y + 108

    def _draw_decision(self, canvas: Canvas, box: Box, x: float, skip: int) -> None:
        """One field for each frame of the decision, and whether the keys now ask for another action."""
        session = self._session
        newest = session.take.newest
        done = (session.take.frame - 1) % skip + 1 if newest else 0
        waiting = newest is not None and session.controls.action_now != newest.chosen
        fields = Box(x, box.y + 50, box.right - x, 8)
        for number, field in enumerate(fields.columns(skip, 4 if skip <= 8 else 1)):
            canvas.fill(field, (OLIVE if waiting else GREEN) if number < done else LINE, radius=2)
        below = Box(x, fields.bottom + 8, fields.width, 40)
        if waiting and session.state is SessionState.PLAYING:
            canvas.paragraph("Your key takes effect at the next decision", below, SMALL, OLIVE)
        else:
            canvas.paragraph(f"Held for {skip} frames", below, SMALL, QUIET)

    def _draw_joystick(self, canvas: Canvas, box: Box, held: tuple[str, ...]) -> None:
        cap = KEY_CAP_HEIGHT
        places = {"up": (cap + 4, 0), "left": (0, cap + 4), "down": (cap + 4, cap + 4), "right": (2 * cap + 8, cap + 4)}
        used = used_parts(self._session.take.emulator.action_meanings, self._session.game)
        for part, (x, y) in places.items():
            if part in used:
                _draw_part(
                    canvas,
                    Box(box.x + x, box.y + y, cap, cap),
                    self._part_label(canvas, part, cap),
                    turned(part, self._session.game) in held,
                )
        if "fire" in used:
            fire = Box(box.x, box.y + 2 * cap + 8, 3 * cap + 8, cap)
            words = f"Fire: {self._session.key_map.label('fire')}"
            fits = canvas.measure(words, SMALL)[0] <= fire.width - GRID
            _draw_part(canvas, fire, words if fits else "Fire", "fire" in held)

    def _part_label(self, canvas: Canvas, part: str, width: float) -> str:
        """Return the key of a direction, or its arrow where the key's name is too wide."""
        label = shown_key(self._session.key_map.label(part))
        return label if canvas.measure(label, SMALL, mono=True)[0] <= width else key_label(part)

    def _draw_episodes(self, canvas: Canvas, box: Box) -> None:
        session = self._session
        canvas.text("This session", (box.x, box.y), SMALL, QUIET)
        if not session.episodes:
            words = "No episodes yet."
            canvas.paragraph(words, box.without_top(24), SMALL, QUIET)
            return
        rows = int((box.height - 24) // 24)
        first = max(0, len(session.episodes) - rows)
        saved = [episode.score for episode in session.episodes if episode.saved]
        best = max(saved) if len(saved) > 1 else None
        for row, episode in enumerate(reversed(session.episodes[first:])):
            y = box.y + 24 + row * 24
            number = len(session.episodes) - row
            length = frame_clock(episode.frames)
            canvas.text(f"{number}", (box.x + 24, y), SMALL, QUIET, mono=True, align="right")
            canvas.text(length, (box.x + 84, y), SMALL, QUIET, mono=True, align="right")
            colour = TEXT if episode.saved else QUIET
            canvas.text(f"{episode.score:g}", (box.x + 160, y), SMALL, colour, mono=True, align="right")
            word = "discarded" if not episode.saved else "best" if episode.score == best else "saved"
            canvas.text(word, (box.right, y), SMALL, GREEN if episode.saved else QUIET, align="right")


def _draw_part(canvas: Canvas, box: Box, label: str, held: bool) -> None:
    canvas.fill(box, GREEN if held else LINE, radius=5)
    if not held:
        canvas.fill(Box(box.x + 1, box.y + 1, box.width - 2, box.height - 4), PANEL, radius=4)
    height = canvas.measure(label, SMALL)[1]
    at = (box.centre[0], box.centre[1] - height / 2 - (0 if held else 1))
    canvas.text(label, at, SMALL, GROUND if held else TEXT, mono=len(label) == 1, align="centre")


def _draw_heart(canvas: Canvas, x: float, y: float) -> None:
    """Draw a heart, 18 units wide."""
    for centre in (x + 5, x + 13):
        canvas.circle((centre, y + 5), 5, GREEN)
    canvas.polygon([(x + 0.5, y + 7), (x + 17.5, y + 7), (x + 9, y + 16)], GREEN)


WATCH_MEANINGS = {"end": "Back; ends a game that you took over", "restart": "Next game"}
"""What keys do while an agent is watched, if that differs from ``MEANINGS``."""


def key_rows(key_map: KeyMap, with_take_over: bool) -> list[tuple[str, str]]:
    """Return the list of keys: caps, separated by spaces, and what they do."""
    rows = [("F1", "This list"), ("F2", "Change the keys"), (key_label("return"), "Save the episode at its end")]
    rows.append((key_label("delete"), "Discard the episode at its end"))
    rows.append((key_label("space"), COUNTDOWN_MEANING))
    for what, meaning in MEANINGS.items():
        if (what == "take_over") > with_take_over or (what in ("games", "reopen") and with_take_over):
            continue
        if with_take_over:
            meaning = WATCH_MEANINGS.get(what, meaning)
        rows.append((" ".join(key_label(key) for key in key_map.keys.get(what, ())), meaning))
    return rows
