"""Drawing of the curator's window, from a description of what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curator.end_of_queue import EndOfQueue, draw_end, end_buttons
from curator.frame_reader import ShownFrame
from curator.keys import VERDICT_KEYS
from curator.layout import CuratorLayout
from curator.outline import EpisodeOutline
from curator.queued_clips import MANUAL_CUT, QueuedClip, is_repeat
from curator.queues import stored_queue_title
from curator.session import Progress
from curator.timeline import FrameRange, TimelineScale, draw_timeline
from data.clip import Clip, Verdict
from data.counted import counted
from data.durations import frame_clock, rounded_duration
from data.game_names import display_name
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.fields import FIELD_HEIGHT, TextField
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
from screen.widgets import Button, draw_verdict

VERDICT_BUTTON_COLOURS: dict[str, Colour] = {"good": GREEN, "bad": ORANGE}

LOWER_HINTS = {"l": "Loop the clip, or play it once", "v": "Skip, and see it again later"}
"""Tooltips of the buttons whose captions do not say all, by their keys."""


@dataclass(frozen=True)
class CuratorView:
    """Everything that the window shows."""

    curator: str
    queue: str
    """The queue's title."""
    quit_label: str
    """What Esc does: "Quit" or "Back"."""
    queued: QueuedClip | None
    outline: EpisodeOutline | None
    shown: ShownFrame | None
    outside_queue: bool
    standing: Verdict | None
    note: str
    speed: float
    paused: bool
    looping: bool
    progress: Progress
    goal: int | None
    recent: Sequence[Verdict]
    verdicts: Sequence[Verdict]
    """The curator's verdicts on this episode."""
    cut_from: int | None
    cut_to: int | None
    cut_hint: str
    """What to do next while a clip is being cut; "" for none."""
    message: str
    """A short message over the picture; "" for none."""
    clip: Clip | None
    """The clip on show, with an edge where it is being dragged to."""
    visible: FrameRange
    """The frames that the timeline shows."""
    end: EndOfQueue
    """What is shown instead of a clip if none is left."""

    @property
    def key(self) -> object:
        """A value that differs from another view's where the two are drawn differently."""
        frame = self.shown and (self.shown.number, id(self.shown.palette))
        return frame, replace(self, shown=None)


def verdict_buttons(layout: CuratorLayout, enabled: bool) -> dict[str, Button]:
    """Return the buttons of the verdicts, by verdict."""
    return {
        one.verdict: Button(box, one.label, one.caps[0], VERDICT_BUTTON_COLOURS.get(one.verdict), enabled)
        for box, one in zip(layout.verdict_buttons, VERDICT_KEYS, strict=True)
    }


def lower_buttons(layout: CuratorLayout, view: CuratorView) -> dict[str, Button]:
    """Return the buttons below the last verdicts, by the key that does the same."""
    has_clip = view.queued is not None
    labels = (
        ("backspace", "Undo", "Bksp", bool(view.recent)),
        ("p", "Play" if view.paused else "Pause", "P", has_clip),
        ("l", "Loop" if not view.looping else "Once", "L", has_clip),
        ("v", "Later", "V", has_clip),
        ("n", "Note", "N", has_clip),
        ("f1", "Keys", "F1", True),
    )
    return {
        key: Button(box, label, cap, None, enabled, LOWER_HINTS.get(key, ""))
        for box, (key, label, cap, enabled) in zip(layout.lower_buttons, labels, strict=True)
    }


def queue_button(layout: CuratorLayout, view: CuratorView) -> Button:
    """Return the button with the queue's title, which opens the list of queues."""
    return Button(layout.queue_button, f"Queue: {view.queue}", "Q")


def draw_curator(
    canvas: Canvas, layout: CuratorLayout, view: CuratorView, buttons: Sequence[Button], pointer: tuple[float, float]
) -> None:
    """Draw the whole window. ``pointer``: the position of the mouse."""
    canvas.fill(canvas.box, GROUND)
    _draw_header(canvas, layout, view)
    _draw_picture(canvas, layout.picture, view, pointer)
    _draw_strip(canvas, layout.strip, view)
    _draw_reason(canvas, layout.reason, view)
    _draw_progress(canvas, layout.progress, view)
    _draw_recent(canvas, layout, view, pointer)
    for button in buttons:
        button.draw(canvas, hover=button.contains(*pointer))
    if view.outline is not None and view.clip is not None and view.shown is not None:
        draw_timeline(
            canvas,
            TimelineScale(layout.timeline, view.visible),
            view.outline,
            view.clip,
            view.shown.number,
            view.verdicts,
            view.cut_from,
            view.cut_to,
            pointer,
        )
    else:
        canvas.fill(layout.timeline, PANEL, radius=6)


def _draw_header(canvas: Canvas, layout: CuratorLayout, view: CuratorView) -> None:
    box, button = layout.header, layout.queue_button
    middle = button.centre[1]
    right = box.right
    for label, key in ((view.quit_label.lower(), "Esc"), ("all keys", "F1")):
        width, height = canvas.measure(label, SMALL)
        canvas.text(label, (right, middle - height / 2), SMALL, QUIET, align="right")
        right -= width + 6 + canvas.key_cap_width(key)
        canvas.key_cap(key, (right, middle - KEY_CAP_HEIGHT / 2))
        right -= 16
    left = button.right + 2 * GRID
    height = canvas.measure("X", SMALL)[1]
    canvas.text(f"judged by {view.curator}", (left, middle - height / 2), SMALL, QUIET, max_width=right - left - GRID)


def _draw_picture(canvas: Canvas, box: Box, view: CuratorView, pointer: tuple[float, float]) -> None:
    canvas.fill(box, (0, 0, 0))
    if view.shown is not None:
        canvas.picture(view.shown.picture, view.shown.palette, box)
    else:
        draw_end(canvas, box, view.end, list(end_buttons(box, view.end).values()), pointer)
    if view.message:
        _draw_message(canvas, box, view.message)


def _draw_message(canvas: Canvas, box: Box, message: str) -> None:
    """Draw a message at the bottom of the picture, on as many lines as it needs."""
    width = min(canvas.measure(message, MEDIUM)[0] + 1, box.width - 64)
    lines = canvas.lines(message, width, MEDIUM)
    spacing = 1.5 * MEDIUM
    height = spacing * len(lines) + 16
    panel = box.bottom_part(height + 24).middle(width + 32, height)
    canvas.fill(panel, PANEL, radius=8)
    canvas.outline(panel, OLIVE, radius=8)
    for number, line in enumerate(lines):
        at = (panel.centre[0], panel.y + 8 + number * spacing)
        canvas.text(line, at, MEDIUM, align="centre", max_width=width)


def _draw_strip(canvas: Canvas, box: Box, view: CuratorView) -> None:
    """Draw the action, points, lives and speed of the frame on show."""
    canvas.fill(box, PANEL)
    shown = view.shown
    if shown is None:
        return
    middle = box.centre[1]
    draw_joystick(canvas, (box.x + 8, middle), shown.action)
    y = middle - canvas.measure("X", SMALL, mono=True)[1] / 2
    canvas.text(shown.action, (box.x + 76, y), SMALL, mono=True)
    x = box.x + 76 + canvas.measure("DOWNRIGHTFIRE", SMALL, mono=True)[0] + 20
    lives_colour = ORANGE if shown.life_lost else TEXT
    lives = f"{counted(shown.lives, 'life', 'lives')}"
    canvas.text(lives + (", one lost" if shown.life_lost else ""), (x, y), SMALL, lives_colour, mono=True)
    x += canvas.measure("9 lives, one lost", SMALL, mono=True)[0] + 20
    if shown.reward:
        canvas.text(f"{shown.reward:+g}", (x, y), SMALL, WHITE, mono=True, bold=True)
    state = "paused" if view.paused else f"{view.speed:g}×"
    if not view.looping:
        state += ", once"
    canvas.text(state, (box.right - 10, y), SMALL, OLIVE if view.paused else QUIET, mono=True, align="right")


def draw_joystick(canvas: Canvas, at: tuple[float, float], action: str) -> None:
    """Draw a joystick pushed in the action's direction, and its button. ``at``: the middle of the left end."""
    x, y = at[0] + 14, at[1]
    canvas.circle((x, y), 2.5, QUIET)
    for name, dx, dy in (("UP", 0, -1), ("DOWN", 0, 1), ("LEFT", -1, 0), ("RIGHT", 1, 0)):
        colour = OLIVE if name in action else LINE
        tip, base = 12.5, 6.0
        corner = (x + dx * base + dy * 5, y + dy * base + dx * 5)
        other = (x + dx * base - dy * 5, y + dy * base - dx * 5)
        canvas.polygon([(x + dx * tip, y + dy * tip), corner, other], colour)
    canvas.circle((x + 32, y), 8, ORANGE if "FIRE" in action else LINE)


def _draw_reason(canvas: Canvas, box: Box, view: CuratorView) -> None:
    queued, outline = view.queued, view.outline
    if queued is None or outline is None:
        return
    if view.outside_queue:
        canvas.text("Outside the queue; Esc returns to it", (box.x, box.y), SMALL, OLIVE, max_width=box.width)
    else:
        canvas.text("Why this clip is shown", (box.x, box.y), SMALL, QUIET)
    canvas.text(_sentence(queued.reason), (box.x, box.y + 18), MEDIUM, max_width=box.width)
    played = f", played by {outline.player}" if outline.player else ""
    about = f"{display_name(outline.game)}{played}, {counted(outline.score, 'point')} in total"
    canvas.text(about, (box.x, box.y + 44), SMALL, QUIET, max_width=box.width)
    if view.cut_hint:
        canvas.text(view.cut_hint, (box.x, box.y + 64), SMALL, GREEN, max_width=box.width)
    elif view.note:
        canvas.text(f"Note: {view.note}", (box.x, box.y + 64), SMALL, OLIVE, max_width=box.width)


def _draw_progress(canvas: Canvas, box: Box, view: CuratorView) -> None:
    progress = view.progress
    canvas.fill(box, PANEL, radius=6)
    inner = box.inset(10)
    done = sum(progress.given.values())
    left = canvas.text(str(progress.left), (inner.x, inner.y - 7), LARGE, mono=True)
    canvas.text("left", (left.right + GRID, inner.y + 10), SMALL, QUIET)
    right = inner.right
    for verdict, number in reversed(progress.given.items()):
        right -= canvas.measure(str(number), MEDIUM, mono=True)[0]
        canvas.text(str(number), (right, inner.y + 2), MEDIUM, mono=True)
        right -= 24
        draw_verdict(canvas, verdict, (right, inner.y + 4), 18)
        right -= 14
    left_to_do = progress.left
    if view.goal:
        share, words = progress.this_session / view.goal, f"{progress.this_session} of {view.goal} this session"
        left_to_do = min(left_to_do, max(0, view.goal - progress.this_session))
        if progress.this_session >= view.goal:
            share, words = 1.0, f"{progress.this_session} this session, goal reached"
    else:
        share, words = done / max(1, done + progress.left), f"{progress.this_session} this session"
    canvas.bar(Box(inner.x, inner.y + 42, inner.width, 8), share, GREEN)
    y = inner.y + 60
    at = canvas.text(words, (inner.x, y), SMALL, QUIET)
    if progress.per_minute is not None:
        pace = f"{progress.per_minute:.0f} a minute"
        if left_to_do:
            pace += f", {rounded_duration(60 * left_to_do / progress.per_minute)} left"
        room = inner.right - at.right - GRID
        canvas.text(pace, (inner.right, y), SMALL, QUIET, align="right", max_width=room)


def _draw_recent(canvas: Canvas, layout: CuratorLayout, view: CuratorView, pointer: tuple[float, float]) -> None:
    title = layout.recent_title
    if not view.recent:
        canvas.text("Your last ten verdicts appear here.", (title.x, title.y), SMALL, QUIET)
        return
    canvas.text("Your last verdicts; 1 to 0 reopen them", (title.x, title.y), SMALL, QUIET, max_width=title.width)
    for number, (box, verdict) in enumerate(zip(layout.recent_rows, view.recent, strict=False)):
        on_show = view.queued is not None and view.queued.clip == verdict.clip
        if on_show or box.contains(*pointer):
            canvas.fill(box, LINE if on_show else PANEL, radius=4)
        height = canvas.measure("X", SMALL)[1]
        y = box.centre[1] - height / 2
        canvas.text(str((number + 1) % 10), (box.x + 6, y), SMALL, QUIET, mono=True)
        badge = draw_verdict(canvas, verdict.verdict, (box.x + 22, box.centre[1] - 8), 16)
        if verdict.put_aside:
            canvas.outline(badge.inset(-2), OLIVE, radius=4)
            canvas.hint(box, _about(verdict))
        span = f"{frame_clock(verdict.clip.start)} to {frame_clock(verdict.clip.stop)}"
        at = canvas.text(span, (box.x + 48, y), SMALL, mono=True, max_width=box.width - 52)
        rest = _about(verdict)
        if box.right - at.right > 60:
            canvas.text(rest, (at.right + 12, y), SMALL, QUIET, max_width=box.right - at.right - 18)


def _about(verdict: Verdict) -> str:
    """Return the text about a verdict in the list of last verdicts, besides its times."""
    if verdict.put_aside:
        return f"to see again: {verdict.note}" if verdict.note else "to see again"
    if verdict.note or is_repeat(verdict):
        return verdict.note or "shown twice"
    return "cut by you" if verdict.queue == MANUAL_CUT else stored_queue_title(verdict.queue)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def note_panel(window: Box) -> Box:
    """Return the panel of the field in which a note is written."""
    return window.middle(560, 176)


def note_buttons(window: Box) -> dict[str, Button]:
    """Return the buttons below a note, by the key that does the same."""
    save, cancel, *_ = note_panel(window).inset(24).bottom_part(36).columns(3, 12)
    return {"return": Button(save, "Save", "Enter", GREEN), "escape": Button(cancel, "Cancel", "Esc")}


def draw_note_field(canvas: Canvas, field: TextField, pointer: tuple[float, float]) -> None:
    """Draw the field in which a note is written, over everything else."""
    canvas.shade(canvas.box, 150)
    panel = note_panel(canvas.box)
    canvas.fill(panel, PANEL, radius=10)
    canvas.outline(panel, LINE, radius=10)
    inner = panel.inset(24)
    canvas.text("A note on this clip", (inner.x, inner.y - 6), MEDIUM)
    field.draw(canvas, Box(inner.x, inner.y + 32, inner.width, FIELD_HEIGHT), active=True)
    for button in note_buttons(canvas.box).values():
        button.draw(canvas, hover=button.contains(*pointer))


def draw_loading(canvas: Canvas, doing: str, done: int, total: int) -> None:
    """Draw the progress of what must be done before the first clip is shown."""
    canvas.fill(canvas.box, GROUND)
    room = canvas.box.middle(480, 80)
    canvas.text(doing, (room.x, room.y), MEDIUM)
    canvas.bar(Box(room.x, room.y + 36, room.width, 8), done / max(1, total), GREEN)
    canvas.text(f"{done} of {total}", (room.x, room.y + 52), SMALL, QUIET, mono=True)
