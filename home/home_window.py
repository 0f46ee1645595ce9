"""The home window: its doors (play, judge, train, watch, compare), the library's state, and the next useful thing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from home.overview import DOORS, SIDE_DOORS, Door, Overview, door_lines, next_door
from screen.canvas import KEY_CAP_HEIGHT, Canvas
from screen.layout import Box
from screen.theme import (
    GREEN,
    GROUND,
    LARGE,
    LINE,
    MEDIUM,
    OLIVE,
    ORANGE,
    PANEL,
    QUIET,
    SMALL,
    WHITE,
)
from screen.widgets import Button, draw_key_list
from screen.window import CloseRequested, KeyDown, PointerDown, PointerMoved, Window

TITLE = "Replay Coach - home"
FRAME_SECONDS = 1 / 30
LOOK_AGAIN_SECONDS = 1.0

NAMES: dict[Door, tuple[str, str, str]] = {
    "play": ("Play", "P", "Record yourself in the real emulator"),
    "curate": ("Judge", "J", "Say which clips are good and which are bad"),
    "train": ("Train", "T", "Let an agent start from what you approved"),
    "watch": ("Watch", "W", "See an agent play, and take over"),
    "compare": ("Compare", "C", "Put seedings side by side"),
    "library": ("Library", "L", "Look through the episodes"),
    "settings": ("Settings", "S", "Your name, the game and the rest"),
}
KEYS = [
    ("P", "Play and record an episode"),
    ("J", "Judge clips"),
    ("T", "Train an agent; while one trains: stop it"),
    ("W", "Watch the newest agent play"),
    ("C", "Compare seedings"),
    ("L", "Look through the library"),
    ("S", "Settings"),
    ("← →", "Choose a door"),
    ("Enter", "Open the chosen door"),
    ("F11", "Full screen"),
    ("Esc", "Leave"),
]


@dataclass(frozen=True)
class Picture:
    """A game frame for the head of the window: (H, W) uint8 palette indices with their (256, 3) palette."""

    frame: np.ndarray
    palette: np.ndarray


class HomeWindow:
    """Shows an overview until a door is chosen.

    ``look`` makes the overview anew; it is asked about once a second while a run is training, and whenever the
    window comes back.
    """

    def __init__(self, window: Window, look: Callable[[], Overview], picture: Picture | None = None) -> None:
        self._window = window
        self._look = look
        self._picture = picture
        self._overview = look()
        self._looked = time.monotonic()
        self._chosen = DOORS.index(next_door(self._overview)[0])
        self._pointer = (-1.0, -1.0)
        self._shows_keys = False
        self.message = ""
        """One sentence to show under the doors, such as what went wrong behind one of them."""

    def choose(self) -> Door | None:
        """The door that the person opens, or None when they leave."""
        self._overview = self._look()
        self._chosen = DOORS.index(next_door(self._overview)[0])
        while True:
            for event in self._window.events():
                match event:
                    case CloseRequested():
                        return None
                    case KeyDown(key="f1") | KeyDown(key="h"):
                        self._shows_keys = not self._shows_keys
                    case KeyDown(key="escape"):
                        if not self._shows_keys:
                            return None
                        self._shows_keys = False
                    case KeyDown(key="f11", repeat=False):
                        self._window.toggle_full_screen()
                    case KeyDown(key="left"):
                        self._chosen = (self._chosen - 1) % len(DOORS)
                    case KeyDown(key="right" | "tab"):
                        self._chosen = (self._chosen + 1) % len(DOORS)
                    case KeyDown(key="return", repeat=False):
                        return DOORS[self._chosen]
                    case KeyDown(key=key, repeat=False):
                        for door in (*DOORS, *SIDE_DOORS):
                            if NAMES[door][1].lower() == key:
                                return door
                    case PointerMoved(x, y):
                        self._pointer = (x, y)
                    case PointerDown(x, y, 1):
                        boxes = self.door_boxes(self._window.size_units) | self.side_door_boxes(self._window.size_units)
                        for door, box in boxes.items():
                            if box.contains(x, y):
                                return door
            if self._overview.training is not None and time.monotonic() - self._looked > LOOK_AGAIN_SECONDS:
                self._overview = self._look()
                self._looked = time.monotonic()
            self.draw(self._window.canvas)
            self._window.present()
            time.sleep(FRAME_SECONDS)

    @staticmethod
    def door_boxes(window: Box) -> dict[Door, Box]:
        row = Box(window.x + 48, window.y + 248, window.width - 96, 200)
        return dict(zip(DOORS, row.columns(len(DOORS), gap=16), strict=True))

    @staticmethod
    def side_door_boxes(window: Box) -> dict[Door, Box]:
        row = Box(window.x + 48, window.bottom - 56, 296, 32)
        return dict(zip(SIDE_DOORS, row.columns(len(SIDE_DOORS), gap=8), strict=True))

    def draw(self, canvas: Canvas) -> None:
        canvas.fill(canvas.box, GROUND)
        self._draw_head(canvas)
        door, reason = next_door(self._overview)
        for number, (name, box) in enumerate(self.door_boxes(canvas.box).items()):
            self._draw_door(canvas, name, box, is_next=name == door, is_chosen=number == self._chosen)
        left = canvas.box.x + 48
        y = 248.0 + 200 + 24
        if self.message:
            canvas.text(self.message, (left, y), MEDIUM, ORANGE, max_width=canvas.box.width - 96)
        else:
            x = canvas.text("Next:", (left, y), MEDIUM, OLIVE).right + 8
            canvas.text(reason, (x, y), MEDIUM, max_width=canvas.box.right - 48 - x)
        self._draw_recent(canvas, Box(left, y + 56, canvas.box.width - 96, canvas.box.bottom - y - 56 - 64))
        self._draw_foot(canvas)
        if self._shows_keys:
            draw_key_list(canvas, "Keys", KEYS)

    def _draw_head(self, canvas: Canvas) -> None:
        head = Box(canvas.box.x + 48, canvas.box.y + 40, canvas.box.width - 96, 176)
        width = 0.0
        if self._picture is not None:
            picture_box = head.right_part(head.height * 4 / 3)
            drawn = canvas.picture(self._picture.frame, self._picture.palette, picture_box, integer_scale=False)
            width = head.right - drawn.x + 24
        canvas.text("Replay Coach", (head.x, head.y), LARGE, bold=True)
        words = "Play, judge short clips of play, and watch a deep Q-network begin with what you approved."
        canvas.paragraph(words, Box(head.x, head.y + 48, head.width - width, 60), MEDIUM, QUIET)
        facts = f"{self._overview.game}   library {self._overview.library}"
        canvas.text(facts, (head.x, head.bottom - 24), SMALL, QUIET, max_width=head.width - width)

    def _draw_door(self, canvas: Canvas, door: Door, box: Box, is_next: bool, is_chosen: bool) -> None:
        name, key, what = NAMES[door]
        hover = box.contains(*self._pointer)
        canvas.fill(box, LINE if hover else PANEL, radius=10)
        canvas.outline(box, OLIVE if is_next else (QUIET if is_chosen else LINE), 2 if is_next or is_chosen else 1, 10)
        inner = box.inset(20)
        canvas.text(name, (inner.x, inner.y - 6), LARGE)
        cap = canvas.key_cap_width(key)
        canvas.key_cap(key, (inner.right - cap, inner.y + 4), OLIVE if is_next else LINE)
        canvas.paragraph(what, inner.without_top(48), SMALL, QUIET)
        first, second = door_lines(self._overview)[door]
        canvas.text(first, (inner.x, inner.bottom - 44), SMALL, max_width=inner.width)
        canvas.text(second, (inner.x, inner.bottom - 20), SMALL, QUIET, max_width=inner.width)
        training = self._overview.training
        if door == "train" and training is not None:
            done = training.step / max(1, training.total)
            canvas.bar(Box(inner.x, inner.bottom + 8, inner.width, 6), done, GREEN)

    def _draw_recent(self, canvas: Canvas, box: Box) -> None:
        if box.height < 60:
            return
        canvas.text("Newest episodes", (box.x, box.y), SMALL, QUIET)
        rows = int((box.height - 32) // 28)
        if not self._overview.recent:
            canvas.text("No episodes yet. Press P to play one.", (box.x, box.y + 32), MEDIUM)
        columns = (box.x, box.x + 184, box.x + 304, box.x + 560, box.x + 680)
        for number, episode in enumerate(self._overview.recent[:rows]):
            y = box.y + 32 + number * 28
            canvas.text(episode.created[:16].replace("T", " "), (columns[0], y), SMALL, QUIET, mono=True)
            canvas.text(episode.demonstrator, (columns[1], y), SMALL)
            canvas.text(episode.player, (columns[2], y), SMALL, QUIET, max_width=136)
            canvas.text(f"{episode.score:g}", (columns[3] - 24, y), SMALL, WHITE, mono=True, align="right")
            length = f"{int(episode.seconds) // 60}:{int(episode.seconds) % 60:02}"
            canvas.text(length, (columns[4] - 24, y), SMALL, QUIET, mono=True, align="right")

    def _draw_foot(self, canvas: Canvas) -> None:
        for door, box in self.side_door_boxes(canvas.box).items():
            name, key, _ = NAMES[door]
            Button(box, name, key).draw(canvas, hover=box.contains(*self._pointer))
        y = canvas.box.bottom - 52
        x = canvas.box.x + 48 + 296 + 24
        for key, meaning in (("F1", "all keys"), ("Esc", "leave")):
            cap = canvas.key_cap(key, (x, y))
            height = canvas.measure(meaning, SMALL)[1]
            x = canvas.text(meaning, (cap.right + 8, y + (KEY_CAP_HEIGHT - height) / 2), SMALL, QUIET).right + 24
        if self._overview.unfinished:
            waits = f"{self._overview.unfinished} unfinished episode(s) to rebuild: coach recover"
            canvas.text(waits, (canvas.box.right - 48, y + 3), SMALL, ORANGE, align="right")
