"""What the window that plays an episode back shows: picture, facts, curves, timeline and buttons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.clip import Clip, Verdict
from data.counted import counted
from data.durations import frame_clock
from data.episode import DEMONSTRATOR_KINDS
from data.game_names import display_name
from home.library_rows import EpisodeRow
from home.playback import EpisodeColumns, Playback, ValueCurve
from screen.canvas import Canvas
from screen.episode_curves import POINTS_COLOUR, VALUES_COLOUR, draw_points, draw_values
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button

ENDS = {"game_over": "game over", "truncated": "time limit", "abandoned": "stopped early"}
"""What the window calls each of ``data.episode.ENDINGS``."""
MARGIN = 48.0
SIDE_WIDTH = 264.0
CURVES_HEIGHT = 44.0
TIMELINE_HEIGHT = CURVES_HEIGHT + 64.0
MESSAGE_HEIGHT = 48.0
"""Below the facts."""


@dataclass(frozen=True)
class EpisodeLayout:
    """Boxes in design units."""

    picture: Box
    facts: Box
    timeline: Box
    buttons: Box

    @property
    def line(self) -> Box:
        """The part of the timeline between frame 0 and frame T."""
        return self.timeline.without_left(12).without_right(12)

    def x_of(self, frame: float, frame_count: int) -> float:
        return self.line.x + self.line.width * frame / max(1, frame_count)

    def frame_at(self, x: float, frame_count: int) -> int:
        return round(min(1.0, max(0.0, (x - self.line.x) / max(1.0, self.line.width))) * frame_count)


def episode_layout(window: Box) -> EpisodeLayout:
    inner = Box(window.x + MARGIN, window.y + 32, window.width - 2 * MARGIN, window.height - 56)
    buttons = inner.bottom_part(72)
    timeline = Box(inner.x, buttons.y - 16 - TIMELINE_HEIGHT, inner.width, TIMELINE_HEIGHT)
    upper = Box(inner.x, inner.y, inner.width, timeline.y - 16 - inner.y)
    return EpisodeLayout(upper.without_right(SIDE_WIDTH + 24), upper.right_part(SIDE_WIDTH), timeline, buttons)


def episode_buttons(
    layout: EpisodeLayout,
    playback: Playback,
    may_delete: bool,
    may_judge: bool = False,
    can_undo: bool = False,
    may_play: bool = False,
) -> dict[str, Button]:
    """Return the buttons, by the key that does the same."""
    resume = "Resume" if playback.frame else "Play"
    toggle = "Replay" if playback.is_at_end else resume if playback.paused else "Pause"
    colours = {"g": GREEN, "b": ORANGE}
    labels = [
        ("p", toggle, "P", True),
        ("left", "Step back", "←", True),
        ("right", "Step", "→", True),
        (",", "Slower", ",", True),
        (".", "Faster", ".", True),
        ("pageup", "Previous", "PgUp", True),
        ("pagedown", "Next", "PgDn", True),
        ("g", "Good", "G", may_judge),
        ("b", "Bad", "B", may_judge),
        ("u", "Undo", "U", can_undo),
        ("t", "Play here", "T", may_play),
        ("delete", "Delete", "Del", may_delete),
        ("f1", "All keys", "F1", True),
        ("escape", "Back", "Esc", True),
    ]
    split = [name for name, *_ in labels].index("g")
    boxes = [box for row in layout.buttons.rows(2, 8) for box in row.columns(split, 8)]
    return {
        name: Button(box, label, cap, colours.get(name), enabled)
        for box, (name, label, cap, enabled) in zip(boxes, labels, strict=False)
    }


def draw_episode(
    canvas: Canvas,
    layout: EpisodeLayout,
    row: EpisodeRow,
    number: str,
    columns: EpisodeColumns,
    playback: Playback,
    picture: np.ndarray | None,
    verdicts: Sequence[Verdict],
    buttons: dict[str, Button],
    pointer: tuple[float, float],
    judged: Clip | None = None,
    values: ValueCurve | None = None,
    value_words: str = "",
) -> None:
    """``judged``: the span that a verdict would cover. value_words: the agent's value at the position, as text."""
    canvas.fill(canvas.box, GROUND)
    if picture is not None:
        canvas.picture(picture, columns.palette, layout.picture)
    _draw_facts(canvas, layout.facts, row, number, columns, playback, values, value_words)
    _draw_timeline(canvas, layout, columns, playback, verdicts, judged, values)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*pointer))


def _draw_facts(
    canvas: Canvas,
    box: Box,
    row: EpisodeRow,
    number: str,
    columns: EpisodeColumns,
    playback: Playback,
    values: ValueCurve | None,
    value_words: str,
) -> None:
    frame, last = playback.frame, playback.frame_count
    y = box.y
    canvas.text(display_name(row.game), (box.x, y), MEDIUM, bold=True, max_width=box.width)
    who = row.player or row.demonstrator
    canvas.text(f"{who}, {row.created[:16].replace('T', ' ')}", (box.x, y + 28), SMALL, QUIET, max_width=box.width)
    canvas.text(number, (box.x, y + 50), SMALL, QUIET)
    canvas.text(f"{columns.scores[frame]:g}", (box.x, y + 84), LARGE, WHITE, mono=True)
    points = canvas.text(f"of {counted(row.score, 'point')}", (box.x, y + 128), SMALL, QUIET)
    canvas.fill(Box(points.right + 8, points.centre[1], 16, 2), POINTS_COLOUR)
    acted = min(frame, last - 1)
    facts = [
        ("time", f"{frame_clock(frame)} of {frame_clock(last)}"),
        ("frame", f"{frame:,} of {last:,}"),
        ("speed", f"{playback.speed:g}x" + (", paused" if playback.paused else "")),
    ]
    if last:
        facts += [
            ("action", columns.action_meanings[int(columns.actions[acted])].lower()),
            ("by", DEMONSTRATOR_KINDS[int(columns.demonstrators[acted])]),
        ]
    if value_words:
        facts.append(("value", value_words))
    if columns.lives.any():
        facts.append(("lives", str(int(columns.lives[frame]))))
    facts.append(("end", ENDS.get(row.ended_by, row.ended_by)))
    top = y + 168
    step = min(28.0, max(20.0, (box.bottom - MESSAGE_HEIGHT - top) / len(facts)))
    for place, (name, value) in enumerate(facts):
        canvas.text(name, (box.x, top + place * step), SMALL, QUIET)
        shown = canvas.text(value, (box.x + 88, top + place * step), SMALL, TEXT, mono=True, max_width=box.width - 88)
        if name == "value" and values is not None:
            canvas.fill(Box(shown.right + 8, shown.centre[1], 16, 2), VALUES_COLOUR)
            hint = f"What {values.run} at step {values.step:,} expects here: the greatest of its Q-values"
            canvas.hint(Box(box.x, top + place * step, box.width, step), hint)


def _draw_timeline(
    canvas: Canvas,
    layout: EpisodeLayout,
    columns: EpisodeColumns,
    playback: Playback,
    verdicts: Sequence[Verdict],
    judged: Clip | None,
    values: ValueCurve | None,
) -> None:
    box, last = layout.timeline, playback.frame_count
    canvas.fill(box, PANEL, radius=6)
    if judged is not None:
        left, right = layout.x_of(judged.start, last), layout.x_of(judged.stop, last)
        canvas.fill(Box(left, box.y + 2, max(2.0, right - left), box.height - 4), LINE)
    curves = Box(layout.line.x, box.y + 6, layout.line.width, CURVES_HEIGHT - 6)
    draw_points(canvas, curves, columns.scores, last)
    if values is not None:
        draw_values(canvas, curves, values.values, values.frame_skip, last)
    canvas.line((box.x, box.y + CURVES_HEIGHT + 4), (box.right, box.y + CURVES_HEIGHT + 4), LINE)
    base, top = box.bottom - 16, box.y + CURVES_HEIGHT + 4
    for verdict in verdicts:
        if verdict.verdict != "skip":
            left, right = layout.x_of(verdict.clip.start, last), layout.x_of(verdict.clip.stop, last)
            colour = GREEN if verdict.verdict == "good" else ORANGE
            # Colour is not the only sign: good is above, bad below.
            y = top + (6 if verdict.verdict == "good" else 12)
            canvas.fill(Box(left, y, max(2.0, right - left), 4), colour)
    canvas.line((layout.line.x, base), (layout.line.right, base), LINE, 2)
    for row in columns.reward_rows:
        x = layout.x_of(row + 1, last)
        canvas.line((x, base - 14), (x, base), WHITE)
    for row in columns.death_rows:
        x = layout.x_of(row + 1, last)
        canvas.polygon([(x - 4, base + 10), (x + 4, base + 10), (x, base + 2)], ORANGE)
    for marker in columns.markers:
        x = layout.x_of(marker, last)
        canvas.polygon([(x, base - 26), (x + 4, base - 22), (x, base - 18), (x - 4, base - 22)], OLIVE)
    x = layout.x_of(playback.frame, last)
    canvas.fill(Box(x - 1, box.y + 4, 2, box.height - 8), OLIVE)
    canvas.circle((x, base), 5, OLIVE)
