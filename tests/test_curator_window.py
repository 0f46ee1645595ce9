"""The curator's window: sent SDL's events without a screen, and killed on a virtual screen while keys come."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pygame
import pytest
from conftest import VirtualDisplay
from recorded_episodes import record_random_play

from curator import window as curator_window
from curator.layout import curator_layout
from curator.outline import read_outlines
from curator.queue_menu import queue_menu_rows
from curator.queued_clips import is_repeat
from curator.queues import build_queue
from curator.session import JudgingSummary
from curator.timeline import FrameRange, TimelineScale
from curator.window import WindowLoop, curate
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from screen import fonts
from screen.events import KeyDown
from screen.layout import Box
from screen.theme import scale_of
from screen.window import Window

HOUSE = Path(__file__).parent.parent
PROGRAM = """
import sys
from curator.window import curate
from data.label_database import LabelDatabase
from data.library import Library
library = Library(sys.argv[1])
curator = sys.argv[4] if len(sys.argv) > 4 else "Ann"
with LabelDatabase(sys.argv[5] if len(sys.argv) > 5 else library.labels) as labels:
    print(curate(library, labels, curator, sys.argv[2], float(sys.argv[3])))
"""
VERDICT_OF_KEY = {"g": "good", "b": "bad", "s": "skip", "space": "skip"}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    for seed in range(3):
        record_random_play(library, 1500, seed)
    return library


@pytest.fixture
def library(played: Library) -> Iterator[Library]:
    """A library whose labels nobody has written yet."""
    yield played
    for path in played.folder.glob("labels.sqlite*"):
        path.unlink()


@dataclass
class Program:
    """A curator's window in a process of its own."""

    process: subprocess.Popen[str]
    display: VirtualDisplay
    window: str

    @property
    def title(self) -> str:
        return self.display.windows().get(self.window, "")

    @property
    def left(self) -> int:
        """How many clips are left, as the title says."""
        found = re.search(r"(\d+) left", self.title)
        return int(found.group(1)) if found else 0

    def wait_for_left(self, left: int) -> None:
        self.display.wait_until(lambda: self.left == left, f"{left} clips left, beginning with {self.title!r}")

    def press(self, *keys: str) -> None:
        # A key that comes back within 2 ms is taken for one that is held; no hand is so fast.
        self.display.xdotool("key", "--delay", 12, *keys)


@contextmanager
def opened(
    display: VirtualDisplay, library: Library, queue: str = "uniform", clip_seconds: float = 3.0
) -> Iterator[Program]:
    command = [sys.executable, "-c", PROGRAM, str(library.folder), queue, str(clip_seconds)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=HOUSE, env=display.environment, stdout=pipe, stderr=pipe, text=True)
    try:
        yield Program(process, display, display.wait_for_window("curating, ", process))
    finally:
        process.kill()
        process.communicate()


def standing(library: Library) -> list[Verdict]:
    with LabelDatabase(library.labels) as labels:
        return labels.verdicts(curator="Ann")


def expected_queue(library: Library, clip_seconds: float = 3.0) -> list[Clip]:
    return [one.clip for one in build_queue(read_outlines(library), "uniform", clip_seconds, seed=0, curator="Ann")]


@dataclass
class OpenWindow:
    """A curator's window in this process, without a screen, that is sent SDL's events."""

    loop: WindowLoop

    @property
    def left(self) -> int:
        return self.loop._controller.session.progress.left

    def send(self, *events: pygame.event.Event) -> None:
        for event in events:
            pygame.event.post(event)
        for arrived in self.loop._window.events():
            self.loop.handle(arrived)
        self.loop.draw_changes()

    def press(self, *keys: str) -> None:
        for key in keys:
            control, _, name = key.rpartition("ctrl+")
            modifiers = pygame.KMOD_CTRL if key.startswith("ctrl+") else 0
            code = pygame.key.key_code(name or control)
            for kind in (pygame.KEYDOWN, pygame.KEYUP):
                pygame.event.post(pygame.event.Event(kind, key=code, scancode=0, mod=modifiers, unicode=""))
        self.send()

    def click(self, box: Box) -> None:
        scale = self.loop._window.canvas.scale
        at = (round(box.centre[0] * scale), round(box.centre[1] * scale))
        self.send(
            pygame.event.Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)),
            pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=at, button=1),
            pygame.event.Event(pygame.MOUSEBUTTONUP, pos=at, button=1),
        )


@pytest.fixture
def judge(library: Library, monkeypatch: pytest.MonkeyPatch) -> Callable[..., JudgingSummary]:
    """Opens the curator's window, lets a script use it, and returns the summary."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")

    def run(script: Callable[[OpenWindow], None], queue: str | None = "uniform", **more: object) -> JudgingSummary:
        monkeypatch.setattr(WindowLoop, "run", lambda loop: script(OpenWindow(loop)))
        with LabelDatabase(library.labels) as labels:
            return curate(library, labels, "Ann", queue, **more)

    return run


def test_each_key_is_one_verdict_in_the_database_in_the_order_of_the_queue(
    judge: Callable[..., JudgingSummary], library: Library
) -> None:
    queue = expected_queue(library)

    def script(opened_window: OpenWindow) -> None:
        assert opened_window.left == len(queue)
        for number, key in enumerate(("g", "b", "s", "space"), start=1):
            opened_window.press(key)
            # Already saved, while the window is still open.
            assert (opened_window.left, len(standing(library))) == (len(queue) - number, number)
        opened_window.press("ctrl+z")
        assert opened_window.loop._window.title == f"Replay Coach - curating, {len(queue) - 3} left"

    assert str(judge(script)).startswith("Ann gave 3 verdicts (1 good, 1 bad, 1 skip)")
    assert [(v.clip, v.verdict) for v in standing(library)] == list(zip(queue, ("good", "bad", "skip"), strict=False))


def test_keys_that_come_faster_than_pictures_are_all_counted(
    judge: Callable[..., JudgingSummary], library: Library
) -> None:
    judge(lambda opened_window: opened_window.press(*("g", "b") * 5))
    assert [v.verdict for v in standing(library)] == ["good", "bad"] * 5


def test_undo_and_the_rest_of_the_queue_outlive_the_window(
    judge: Callable[..., JudgingSummary], library: Library
) -> None:
    queue = expected_queue(library)
    left: list[int] = []

    def second(opened_window: OpenWindow) -> None:
        left.append(opened_window.left)
        opened_window.press("backspace", "s")

    judge(lambda opened_window: opened_window.press("g", "b"))
    judge(second)
    assert left == [len(queue) - 2]
    assert [(v.clip, v.verdict) for v in standing(library)] == [(queue[0], "good"), (queue[1], "skip")]


@pytest.mark.parametrize("size", [(1280, 800), (960, 600)])
def test_the_mouse_judges_reopens_scrubs_and_chooses_a_queue(
    judge: Callable[..., JudgingSummary], library: Library, size: tuple[int, int]
) -> None:
    queue = expected_queue(library)
    scale = scale_of(*size)
    window = Box(0, 0, size[0] / scale, size[1] / scale)
    layout = curator_layout(window, scale)
    good, bad, skip = layout.verdict_buttons

    def script(opened_window: OpenWindow) -> None:
        opened_window.loop._window.resize(size)
        opened_window.send()
        for box in (good, bad, skip, good, layout.lower_buttons[0], layout.recent_rows[2], bad):
            opened_window.click(box)
        assert [v.verdict for v in standing(library)] == ["bad", "skip", "bad"]
        outline = next(one for one in read_outlines(library) if one.episode_id == queue[3].episode_id)
        timeline = TimelineScale(layout.timeline, FrameRange(0, outline.frame_count))
        for key, frame in (("i", 300), ("o", 450)):
            opened_window.click(Box(timeline.x_of(frame), layout.timeline.centre[1], 0, 0))
            opened_window.press(key)
        opened_window.press("g")
        opened_window.click(layout.queue_button)
        menu = opened_window.loop._controller.menu
        assert menu is not None
        opened_window.click(queue_menu_rows(window, len(menu.rows))[1])
        assert opened_window.loop._controller.view().queue == "Before a lost life"

    judge(script)
    cut = standing(library)[-1]
    assert (cut.clip.episode_id, cut.queue) == (queue[3].episode_id, "by hand")
    assert abs(cut.clip.start - 300) <= 3 and abs(cut.clip.stop - 450) <= 3


def test_a_note_is_typed_and_goes_with_the_verdict(judge: Callable[..., JudgingSummary], library: Library) -> None:
    def script(opened_window: OpenWindow) -> None:
        opened_window.press("n")
        # The letter of the key that opened the field is no part of the note.
        opened_window.send(*(pygame.event.Event(pygame.TEXTINPUT, text=letter) for letter in "nno Gun, bad aim"))
        opened_window.press("return", "g")

    judge(script)
    assert [(v.verdict, v.note) for v in standing(library)] == [("good", "no Gun, bad aim")]


def test_help_and_playback_keys_change_no_verdict(judge: Callable[..., JudgingSummary], library: Library) -> None:
    judge(lambda opened_window: opened_window.press("f1", "g", "b", "f1", "p", "left", ",", ".", "l", "b"))
    assert [v.verdict for v in standing(library)] == ["bad"]


def test_the_end_of_a_queue_opens_the_training_that_it_is_passed(judge: Callable[..., JudgingSummary]) -> None:
    trained: list[Window] = []
    judge(lambda opened_window: opened_window.press("g", "t"), queue="markers", train=trained.append)
    assert len(trained) == 1
    judge(lambda opened_window: opened_window.press("t"), queue="markers")
    assert len(trained) == 1


@pytest.mark.parametrize("size", [(960, 600), (1280, 800), (2560, 1600)])
def test_no_caption_of_the_window_is_cut(
    judge: Callable[..., JudgingSummary], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the window itself; a person's long note in the list of verdicts has a tooltip."""
    shortened, cut = fonts.shortened, []

    def recorded(text: str, *rest: Any) -> str:
        found = shortened(text, *rest)
        cut.extend([text] if found != text else [])
        return found

    def script(opened_window: OpenWindow) -> None:
        opened_window.loop._window.resize(size)
        opened_window.loop._controller._goal = 100
        for keys in ("g b s v", "p", "f1", "f1", "q", "q", "n", "escape", "i right", "escape", "3", "escape"):
            opened_window.press(*keys.split())
        while opened_window.left:
            opened_window.press("s")

    monkeypatch.setattr(fonts, "shortened", recorded)
    judge(script, train=lambda _: None)
    assert cut == []


def judged_with_undo_and_kills(display: VirtualDisplay, library: Library, verdicts: int, kills: int) -> None:
    """Judge and undo at random; kill the program at random. The database must hold what was acknowledged.

    A key is acknowledged when the title counts it. Of the keys sent just before the kill, any number from the first
    on may have been taken.
    """
    rng = np.random.default_rng(verdicts)
    queue = expected_queue(library, 1.0)
    said: list[str] = []
    per_life = verdicts // (kills + 1)
    for _ in range(kills + 1):
        with opened(display, library, clip_seconds=1.0) as program:
            for _ in range(per_life):
                undo = bool(said) and rng.random() < 0.2
                key = "BackSpace" if undo else str(rng.choice(list(VERDICT_OF_KEY)))
                program.press(key)
                said = said[:-1] if undo else [*said, VERDICT_OF_KEY[key]]
                program.wait_for_left(len(queue) - len(said))
            program.press("g", "b", "g")
            program.process.send_signal(signal.SIGKILL)
            program.process.wait()
        with LabelDatabase(library.labels) as labels:
            history = labels.history("Ann")
        found = [verdict.verdict for verdict in history]
        assert found in [said + ["good", "bad", "good"][:taken] for taken in range(4)]
        said = found
    # Which clips come a second time depends on what was skipped; the new ones come in the queue's order.
    firsts = [verdict.clip for verdict in history if not is_repeat(verdict)]
    assert firsts == [clip for place, clip in enumerate(queue) if clip not in queue[:place]][: len(firsts)]
    repeats = [verdict.clip for verdict in history if is_repeat(verdict)]
    due = len(firsts) // 32
    assert len(set(repeats)) == len(repeats)
    assert due - 1 <= len(repeats) <= due  # where the kill came just before one, it is the next clip
    assert set(repeats) < set(firsts)


def test_killed_at_any_moment_the_database_holds_the_acknowledged_keys(
    virtual_display: VirtualDisplay, library: Library
) -> None:
    judged_with_undo_and_kills(virtual_display, library, verdicts=12, kills=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_three_hundred_verdicts_with_twenty_kills(virtual_display: VirtualDisplay, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    for seed in range(12):
        record_random_play(library, 4000, seed)
    assert len(expected_queue(library, 1.0)) > 380
    judged_with_undo_and_kills(virtual_display, library, verdicts=300, kills=20)


def test_a_library_without_episodes_says_what_to_do_and_makes_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    library = Library(tmp_path / "library")
    library.prepare()
    said: list[str] = []
    monkeypatch.setattr(curator_window, "draw_message", lambda _, title, text, *__: said.extend((title, text)))

    def events(window: Window, _: float = 0.0) -> list[KeyDown]:
        said.append(window.title)
        return [KeyDown("g"), KeyDown("escape")]

    monkeypatch.setattr(Window, "events", events)
    with LabelDatabase(library.labels) as labels:
        curate(library, labels, "Ann")
        assert labels.verdicts() == []
    assert said[0] == "No episodes yet" and "coach play" in said[1]
    assert said[2] == "Replay Coach - curating, no episodes"


def test_the_window_is_called_curating_only_once_keys_are_verdicts(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    titles: list[str] = []
    monkeypatch.setattr(curator_window, "_with_progress", lambda window, *_: titles.append(window.title))
    with LabelDatabase(library.labels) as labels:
        curator_window.curate(library, labels, "Ann")
    assert titles == ["Replay Coach - reading the episodes"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("Ann", "best"), "no queue called 'best'"),
        (("Ann", "surprising"), "no queue called 'surprising'"),
        (("Ann", "uniform", 9.0), "1 to 5 seconds"),
        (("rule:me",), "A curator needs a name"),
        ((" ",), "A curator needs a name"),
    ],
)
def test_what_cannot_be_is_refused_before_a_window_opens(
    played: Library, tmp_path: Path, arguments: tuple[str, ...], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    with (
        LabelDatabase(tmp_path / "labels.sqlite") as labels,
        pytest.raises(CoachError, match=complaint),
    ):
        curate(played, labels, *arguments)
