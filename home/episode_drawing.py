"""How an episode looks while it is played back: the picture, what is known of the frame, and the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.clip import Verdict
from data.episode import DEMONSTRATOR_KINDS, FRAMES_PER_SECOND
from data.game_picture import display_name
from home.library_rows import EpisodeRow
from home.playback import Playback
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, WHITE
from screen.widgets import Button, button_row

MARGIN = 48.0
SIDE_WIDTH = 264.0
TIMELINE_HEIGHT = 64.0
ONE_ROW_WIDTH = 1100.0
"""Where there is less, the buttons stand in two rows."""


@dataclass(frozen=True)
class EpisodeColumns:
    """What an episode's file says frame by frame; row t leads from frame t to frame t + 1.

    scores: (T + 1,) float64, points up to each frame; lives: (T + 1,) uint8; actions, demonstrators: (T,) uint8.
    """

    scores: np.ndarray
    lives: np.ndarray
    actions: np.ndarray
    demonstrators: np.ndarray
    action_meanings: tuple[str, ...]
    reward_rows: tuple[int, ...]
    death_rows: tuple[int, ...]
    markers: tuple[int, ...]
    palette: np.ndarray
    """(256, 3) uint8."""


@dataclass(frozen=True)
class EpisodeLayout:
    """Boxes in design units."""

    picture: Box
    facts: Box
    timeline: Box
    buttons: Box

    @property
    def line(self) -> Box:
        """The part of the timeline that the episode fills from end to end."""
        return self.timeline.without_left(12).without_right(12)

    def x_of(self, frame: float, frame_count: int) -> float:
        return self.line.x + self.line.width * frame / max(1, frame_count)

    def frame_at(self, x: float, frame_count: int) -> int:
        return round(min(1.0, max(0.0, (x - self.line.x) / max(1.0, self.line.width))) * frame_count)


def episode_layout(window: Box) -> EpisodeLayout:
    inner = Box(window.x + MARGIN, window.y + 32, window.width - 2 * MARGIN, window.height - 56)
    buttons = inner.bottom_part(32 if inner.width >= ONE_ROW_WIDTH else 72)
    timeline = Box(inner.x, buttons.y - 16 - TIMELINE_HEIGHT, inner.width, TIMELINE_HEIGHT)
    upper = Box(inner.x, inner.y, inner.width, timeline.y - 16 - inner.y)
    return EpisodeLayout(upper.without_right(SIDE_WIDTH + 24), upper.right_part(SIDE_WIDTH), timeline, buttons)


def episode_buttons(layout: EpisodeLayout, playback: Playback, may_delete: bool) -> dict[str, Button]:
    """The buttons at the foot, by the key that does the same."""
    going = "Again" if playback.is_at_end else "Go on" if playback.paused else "Pause"
    labels = [
        ("p", going, "P", True),
        ("left", "Frame", "←", True),
        ("right", "Frame", "→", True),
        (",", "Slower", ",", True),
        (".", "Faster", ".", True),
        ("pageup", "Before", "PgUp", True),
        ("pagedown", "Next", "PgDn", True),
        ("delete", "Delete", "Del", may_delete),
        ("f1", "All keys", "F1", True),
        ("escape", "Back", "Esc", True),
    ]
    rows = layout.buttons.rows(1 if layout.buttons.height < 64 else 2, 8)
    half = -(-len(labels) // len(rows))
    boxes: list[Box] = []
    for number, row in enumerate(rows):
        boxes += button_row(row, [(label, cap) for _, label, cap, _ in labels[number * half :][:half]])
    return {
        name: Button(box, label, cap, enabled=enabled)
        for box, (name, label, cap, enabled) in zip(boxes, labels, strict=True)
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
) -> None:
    canvas.fill(canvas.box, GROUND)
    if picture is not None:
        canvas.picture(picture, columns.palette, layout.picture)
    _draw_facts(canvas, layout.facts, row, number, columns, playback)
    _draw_timeline(canvas, layout, columns, playback, verdicts)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*pointer))


def _draw_facts(
    canvas: Canvas, box: Box, row: EpisodeRow, number: str, columns: EpisodeColumns, playback: Playback
) -> None:
    frame, last = playback.frame, playback.frame_count
    y = box.y
    canvas.text(display_name(row.game), (box.x, y), MEDIUM, bold=True, max_width=box.width)
    who = row.player or row.demonstrator
    canvas.text(f"{who}, {row.created[:16].replace('T', ' ')}", (box.x, y + 28), SMALL, QUIET, max_width=box.width)
    canvas.text(number, (box.x, y + 50), SMALL, QUIET)
    canvas.text(f"{columns.scores[frame]:g}", (box.x, y + 84), LARGE, WHITE, mono=True)
    canvas.text(f"of {row.score:g} points", (box.x, y + 128), SMALL, QUIET)
    acted = min(frame, last - 1)
    facts = [
        ("time", f"{_clock(frame)} of {_clock(last)}"),
        ("frame", f"{frame:,} of {last:,}"),
        ("speed", f"{playback.speed:g}x" + (", paused" if playback.paused else "")),
    ]
    if last:
        facts += [
            ("action", columns.action_meanings[int(columns.actions[acted])].lower()),
            ("by", DEMONSTRATOR_KINDS[int(columns.demonstrators[acted])]),
        ]
    if columns.lives.any():
        facts.append(("lives", str(int(columns.lives[frame]))))
    facts.append(("ended by", row.ended_by.replace("_", " ")))
    top = y + 168
    step = min(28.0, max(20.0, (box.bottom - top) / len(facts)))
    for place, (name, value) in enumerate(facts):
        canvas.text(name, (box.x, top + place * step), SMALL, QUIET)
        canvas.text(value, (box.x + 88, top + place * step), SMALL, TEXT, mono=True, max_width=box.width - 88)


def _clock(frame: int) -> str:
    seconds = frame // FRAMES_PER_SECOND
    return f"{seconds // 60}:{seconds % 60:02}"


def _draw_timeline(
    canvas: Canvas, layout: EpisodeLayout, columns: EpisodeColumns, playback: Playback, verdicts: Sequence[Verdict]
) -> None:
    box, last = layout.timeline, playback.frame_count
    canvas.fill(box, PANEL, radius=6)
    base = box.bottom - 16
    for verdict in verdicts:
        if verdict.verdict != "skip":
            left, right = layout.x_of(verdict.clip.start, last), layout.x_of(verdict.clip.stop, last)
            colour = GREEN if verdict.verdict == "good" else ORANGE
            # Never colour alone: good lies above, bad below.
            top = box.y + (6 if verdict.verdict == "good" else 12)
            canvas.fill(Box(left, top, max(2.0, right - left), 4), colour)
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
