"""The drawing of the home window: the places of its actions and everything around them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from data.counted import counted
from data.durations import clock
from data.episode import EpisodeSummary
from data.game_names import display_name
from data.runs import RunSummary
from home.guided_tour import GuidedTour
from home.overview import (
    MAIN_ACTIONS,
    SIDE_ACTIONS,
    HomeAction,
    Overview,
    action_lines,
    library_line,
    next_action,
    offers_first_steps,
)
from screen.background import Background
from screen.canvas import Canvas
from screen.keyboard import cap
from screen.layout import Box
from screen.theme import GREEN, GROUND, LARGE, LINE, MEDIUM, OLIVE, ORANGE, PANEL, QUIET, SMALL, WHITE
from screen.widgets import Button, draw_progress, key_list_bottom

MARGIN = 48.0
ACTIONS_TOP, ACTIONS_HEIGHT = 248.0, 184.0

NAMES: dict[HomeAction, tuple[str, str, str]] = {
    "play": ("Play", "P", "Play and record episodes"),
    "curate": ("Judge", "J", "Mark clips of play as good or bad"),
    "train": ("Train", "T", "Train an agent that starts from your play"),
    "watch": ("Watch", "W", "Watch an agent play, and take over"),
    "compare": ("Compare", "C", "Find out whether your play helps"),
    "library": ("Library", "L", "Browse the episodes"),
    "settings": ("Settings", "S", "Your name, the game and more"),
    "game": ("Game", "G", "Choose another game"),
}
KEYS = [
    ("P", "Play and record an episode"),
    ("J", "Judge clips"),
    ("T", "Train an agent"),
    ("W", "Watch the newest agent play, or the supplied one"),
    ("C", "Compare seedings"),
    ("L", "Browse the library"),
    ("S", "Settings"),
    ("G", "Choose another game"),
    ("← →", "Select an action"),
    ("Enter", "Start the selected action"),
    ("R", "Rebuild unfinished episodes"),
    ("F2", "Tour of this window"),
    ("F11", "Full screen"),
    ("Esc", "Quit"),
]


@dataclass(frozen=True)
class Picture:
    """A game frame for the top of the window: (H, W) uint8 palette indices with their (256, 3) palette."""

    frame: np.ndarray
    palette: np.ndarray


@dataclass(frozen=True)
class HomeView:
    """What the window shows. ``overview`` is None until the library has been read."""

    overview: Overview | None
    picture: Picture | None
    chosen: int
    pointer: tuple[float, float]
    message: str
    message_is_error: bool
    rebuilding: Background[str] | None
    tour: GuidedTour | None


# ---- places ------------------------------------------------------------------------------------------------------


def main_action_boxes(window: Box) -> dict[HomeAction, Box]:
    row = Box(window.x + MARGIN, window.y + ACTIONS_TOP, window.width - 2 * MARGIN, ACTIONS_HEIGHT)
    return dict(zip(MAIN_ACTIONS, row.columns(len(MAIN_ACTIONS), gap=16), strict=True))


def side_action_boxes(window: Box) -> dict[HomeAction, Box]:
    row = Box(window.x + MARGIN, window.bottom - 56, 2 * 136 + 8, 32)
    return dict(zip(SIDE_ACTIONS, row.columns(len(SIDE_ACTIONS), gap=8), strict=True))


def action_boxes(window: Box) -> dict[HomeAction, Box]:
    return main_action_boxes(window) | side_action_boxes(window)


def _head(window: Box) -> Box:
    return Box(window.x + MARGIN, window.y + 40, window.width - 2 * MARGIN, 176)


def game_button(window: Box, view: HomeView) -> Button:
    """Return the button with the chosen game, which opens the list of games."""
    game = display_name(view.overview.game) if view.overview is not None else "…"
    head = _head(window)
    return Button(Box(head.x, head.bottom - 36, 264, 32), game, NAMES["game"][1])


def recent_box(window: Box) -> Box:
    """Return the place of the newest episodes."""
    top = window.y + ACTIONS_TOP + ACTIONS_HEIGHT + 72
    return Box(window.x + MARGIN, top, (window.width - 2 * MARGIN) * 0.6 - 24, max(0.0, window.bottom - top - 80))


def _runs_box(window: Box) -> Box:
    recent = recent_box(window)
    return Box(recent.right + 48, recent.y, window.right - MARGIN - recent.right - 48, recent.height)


ROW_HEIGHT, ROWS_TOP = 28.0, 24.0
MOST_RECENT_WIDTH = 680.0


def _list_rows(box: Box, count: int) -> list[Box]:
    if box.height < ROWS_TOP + ROW_HEIGHT:
        return []
    number = min(count, int((box.height - ROWS_TOP) // ROW_HEIGHT))
    return [Box(box.x, box.y + ROWS_TOP + row * ROW_HEIGHT, box.width, ROW_HEIGHT) for row in range(number)]


def episode_rows(window: Box, overview: Overview) -> list[tuple[EpisodeSummary, Box]]:
    """Return the newest episodes with the places of their rows."""
    rows = _list_rows(recent_box(window).left_part(MOST_RECENT_WIDTH), len(overview.recent))
    return list(zip(overview.recent, rows, strict=False))


def run_rows(window: Box, overview: Overview) -> list[tuple[RunSummary, Box]]:
    """Return the newest runs, then the supplied one, with the places of their rows."""
    runs = [*reversed(overview.runs), *([overview.supplied] if overview.supplied is not None else [])]
    return list(zip(runs, _list_rows(_runs_box(window), len(runs)), strict=False))


def next_box(window: Box) -> Box:
    """Return the place of the line with the next useful action, or of a message."""
    top = window.y + ACTIONS_TOP + ACTIONS_HEIGHT + 14
    return Box(window.x + MARGIN, top, window.width - 2 * MARGIN, 36)


def first_step_buttons(window: Box, overview: Overview | None) -> dict[HomeAction, Button]:
    """Return the buttons in the line of the next action while nothing is recorded: "play" and "watch"."""
    if overview is None or not offers_first_steps(overview):
        return {}
    line = next_box(window)
    watch = line.right_part(min(264.0, line.width * 0.3))
    play = Box(watch.x - 16 - 200, line.y, 200, line.height)
    return {
        "play": Button(play, "Play an episode", NAMES["play"][1], OLIVE),
        "watch": Button(watch, "Watch a trained agent", NAMES["watch"][1]),
    }


def picture_box(window: Box) -> Box:
    """Return the place of the picture at the top."""
    head = _head(window)
    return head.right_part(head.height * 4 / 3)


def bottom_buttons(window: Box, view: HomeView) -> dict[str, Button]:
    """Return the buttons beside the side actions: "keys", "quit" and, with unfinished episodes, "rebuild"."""
    left = side_action_boxes(window)["settings"].right + 8
    row = Box(left, window.bottom - 56, 2 * 128 + 8, 32)
    keys, quit_box = row.columns(2, gap=8)
    buttons = {"keys": Button(keys, "All keys", "F1"), "quit": Button(quit_box, "Quit", "Esc")}
    if view.overview is not None and view.overview.unfinished and view.rebuilding is None:
        what = counted(view.overview.unfinished, "unfinished episode")
        box = Box(row.right + 24, row.y, window.right - MARGIN - row.right - 24, 32).right_part(312)
        buttons["rebuild"] = Button(box, f"Rebuild {what}", "R", ORANGE)
    return buttons


def tour_button(window: Box) -> Button:
    """Return the tour's button, below the list of keys."""
    bottom = key_list_bottom(window, len(KEYS))
    return Button(Box(bottom.right - 192, bottom.y - 4, 192, 32), "Take the tour", "F2", OLIVE)


# ---- drawing -----------------------------------------------------------------------------------------------------


def draw_home(canvas: Canvas, view: HomeView) -> None:
    canvas.fill(canvas.box, GROUND)
    _draw_head(canvas, view)
    action, reason = next_action(view.overview) if view.overview is not None else (None, "")
    for number, (name, box) in enumerate(main_action_boxes(canvas.box).items()):
        _draw_action(canvas, view, name, box, is_next=name == action, is_chosen=number == view.chosen)
    _draw_next(canvas, view, reason)
    if view.overview is not None:
        _draw_recent(canvas, recent_box(canvas.box), view, view.overview)
        _draw_runs(canvas, _runs_box(canvas.box), view, view.overview)
    _draw_bottom(canvas, view)
    if view.tour is not None:
        view.tour.draw(canvas, action_boxes(canvas.box), view.pointer)


def _draw_head(canvas: Canvas, view: HomeView) -> None:
    head = _head(canvas.box)
    picture = picture_box(canvas.box)
    if view.picture is not None:
        canvas.picture(view.picture.frame, view.picture.palette, picture, integer_scale=False)
        if picture.contains(*view.pointer):
            canvas.outline(picture, OLIVE, 2)
        has_episode = view.overview is not None and bool(view.overview.recent)
        canvas.hint(picture, "Show the newest episode" if has_episode else "Play an episode")
    else:
        canvas.fill(picture, PANEL, radius=10)
    room = picture.x - 24 - head.x
    canvas.text("Replay Coach", (head.x, head.y), LARGE, bold=True)
    words = "Play, judge short clips, and train a deep Q-network (DQN) that starts from the play you approved."
    canvas.paragraph(words, Box(head.x, head.y + 48, room, 60), MEDIUM, QUIET)
    button = game_button(canvas.box, view)
    button.draw(canvas, hover=button.contains(*view.pointer))
    if view.overview is not None:
        left, middle = button.box.right + 16, button.box.centre[1]
        room = picture.x - 24 - left
        canvas.text(library_line(view.overview), (left, middle - 21), SMALL, max_width=room)
        canvas.text(view.overview.library, (left, middle + 1), SMALL, QUIET, max_width=room)


def _draw_action(canvas: Canvas, view: HomeView, action: HomeAction, box: Box, is_next: bool, is_chosen: bool) -> None:
    name, key, what = NAMES[action]
    hover = box.contains(*view.pointer)
    canvas.fill(box, LINE if hover else PANEL, radius=10)
    canvas.outline(box, OLIVE if is_next else (QUIET if is_chosen else LINE), 2 if is_next or is_chosen else 1, 10)
    inner = box.inset(20)
    cap = canvas.key_cap_width(key)
    is_wide = canvas.measure(NAMES["compare"][0], LARGE)[0] + 8 + cap <= inner.width
    if is_wide:
        canvas.text(name, (inner.x, inner.y - 6), LARGE)
    else:
        canvas.text(name, (inner.x, inner.y - 2), MEDIUM, bold=True)
    canvas.key_cap(key, (inner.right - cap, inner.y + (4 if is_wide else -2)), OLIVE if is_next else LINE)
    canvas.paragraph(what, inner.without_top(44 if is_wide else 32), SMALL, QUIET)
    if view.overview is None:
        return
    first, second = action_lines(view.overview)[action]
    canvas.text(first, (inner.x, inner.bottom - 40), SMALL, max_width=inner.width)
    canvas.text(second, (inner.x, inner.bottom - 18), SMALL, QUIET, max_width=inner.width)
    training = view.overview.training
    if action == "train" and training is not None:
        canvas.bar(Box(inner.x, inner.bottom + 7, inner.width, 6), training.share_done, GREEN)
    comparison = next((found for found in view.overview.comparisons if found.is_active), None)
    if action == "compare" and comparison is not None:
        canvas.bar(Box(inner.x, inner.bottom + 7, inner.width, 6), comparison.share, GREEN)


def _draw_next(canvas: Canvas, view: HomeView, reason: str) -> None:
    left, y = canvas.box.x + MARGIN, ACTIONS_TOP + ACTIONS_HEIGHT + 20
    room = canvas.box.width - 2 * MARGIN
    if view.message:
        canvas.text(view.message, (left, y), MEDIUM, ORANGE if view.message_is_error else GREEN, max_width=room)
    elif reason:
        if next_box(canvas.box).contains(*view.pointer):
            canvas.fill(next_box(canvas.box), PANEL, radius=6)
        x = canvas.text("Next:", (left, y), MEDIUM, OLIVE).right + 8
        buttons = first_step_buttons(canvas.box, view.overview)
        right = buttons["play"].box.x - 16 if buttons else canvas.box.right - MARGIN
        canvas.text(reason, (x, y), MEDIUM, max_width=right - x)
        for button in buttons.values():
            button.draw(canvas, hover=button.contains(*view.pointer))
    elif view.overview is None:
        canvas.text("Reading the library …", (left, y), MEDIUM, QUIET)


def _draw_recent(canvas: Canvas, box: Box, view: HomeView, overview: Overview) -> None:
    if box.height < 60:
        return
    canvas.text("Newest episodes", (box.x, box.y), SMALL, QUIET)
    if not overview.recent:
        words = f"No episodes of {display_name(overview.game)} yet."
        if not offers_first_steps(overview):
            words += f" Press {cap('P')} to play one."
        canvas.text(words, (box.x, box.y + 28), MEDIUM, max_width=box.width)
    for episode, row in episode_rows(canvas.box, overview):
        _draw_row_under_pointer(canvas, row, view)
        y = row.y + 4
        canvas.text(_local_time(episode.created), (row.x, y), SMALL, QUIET, mono=True)
        canvas.text(episode.demonstrator, (row.x + 160, y), SMALL, max_width=80)
        canvas.text(episode.player, (row.x + 248, y), SMALL, QUIET, max_width=row.right - 168 - row.x - 248)
        canvas.text(f"{episode.score:g}", (row.right - 72, y), SMALL, WHITE, mono=True, align="right")
        canvas.text(clock(int(episode.seconds)), (row.right, y), SMALL, QUIET, mono=True, align="right")


def _local_time(created: str) -> str:
    return datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M")


def _draw_row_under_pointer(canvas: Canvas, row: Box, view: HomeView) -> None:
    if row.contains(*view.pointer):
        canvas.fill(Box(row.x - 8, row.y, row.width + 16, row.height), PANEL, radius=6)


def _draw_runs(canvas: Canvas, box: Box, view: HomeView, overview: Overview) -> None:
    if box.height < 60 or not (overview.runs or overview.supplied):
        return
    canvas.text("Runs", (box.x, box.y), SMALL, QUIET)
    for run, row in run_rows(canvas.box, overview):
        _draw_row_under_pointer(canvas, row, view)
        y = row.y + 4
        canvas.text(run.name, (row.x, y), SMALL, max_width=row.width - 208)
        steps = "training" if run.is_training else "supplied" if run.supplied else counted(run.step, "step")
        canvas.text(steps, (row.right - 80, y), SMALL, GREEN if run.is_training else QUIET, align="right")
        score = "–" if run.mean_score is None else f"{run.mean_score:.0f}"
        canvas.text(score, (row.right, y), SMALL, WHITE, mono=True, align="right")


def _draw_bottom(canvas: Canvas, view: HomeView) -> None:
    for action, box in side_action_boxes(canvas.box).items():
        name, key, _ = NAMES[action]
        Button(box, name, key).draw(canvas, hover=box.contains(*view.pointer))
    buttons = bottom_buttons(canvas.box, view)
    for button in buttons.values():
        button.draw(canvas, hover=button.contains(*view.pointer))
    if view.rebuilding is not None:
        left = buttons["quit"].box.right + 24
        work = view.rebuilding
        room = Box(left, canvas.box.bottom - 56, canvas.box.right - MARGIN - left, 32)
        draw_progress(canvas, room, "Rebuilding", work.done_parts, work.total_parts, work.seconds)
