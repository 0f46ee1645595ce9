"""Judging in the window that plays an episode back, and windows that stand still, without a screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pygame
import pytest

from curator.frame_reader import FrameReader
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
from data.library import Library
from home import episode_drawing
from home.episode_drawing import episode_buttons, episode_layout
from home.episode_window import EpisodeWindow
from home.library_controller import LibraryController
from home.library_window import LibraryWindow
from home.playback import Playback, ReadValues, ValueCurve
from screen.canvas import Canvas
from screen.events import Event, KeyDown
from screen.layout import Box
from tests.replay_episodes import RANDOM, record
from tests.test_home_library_controller import until_idle


class StillWindow:
    """A window that nothing happens to until its time is over; it counts its pictures."""

    title = ""
    closing = False
    visible = True
    size_units = Box(0, 0, 1280, 800)

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.pictures = 0
        self.waited = 0.0
        self._surface = pygame.Surface((1280, 800))

    @property
    def canvas(self) -> Canvas:
        return Canvas(self._surface)

    def start_view(self) -> None:
        pass

    def present(self) -> None:
        self.pictures += 1

    def events(self, wait_seconds: float = 0.0) -> list[Event]:
        self.waited += wait_seconds
        if wait_seconds == 0.0:
            return []
        time.sleep(min(wait_seconds, 0.01))
        return [KeyDown("escape")] if self.waited > self.seconds else []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    made = Library(tmp_path_factory.mktemp("played"))
    record(made, frames=400)
    return made


def opened(
    library: Library, window: StillWindow, read_values: ReadValues | None = None
) -> tuple[EpisodeWindow, LibraryController]:
    controller = LibraryController(library, {})
    until_idle(controller)
    [row] = controller.rows
    made = EpisodeWindow(
        window, row, FrameReader, library, "1 of 1", "Ada", False, 200 if read_values else 0, read_values
    )  # type: ignore[arg-type]
    return made, controller


def test_g_and_b_judge_the_last_three_seconds_and_u_undoes_it(library: Library) -> None:
    window, controller = opened(library, StillWindow())
    window._playback.seek(300)
    for key in ("g", "b"):
        window._handle(KeyDown(key))
    with LabelDatabase(library.labels) as labels:
        [standing] = labels.verdicts()
    assert (standing.verdict, standing.clip.start, standing.clip.stop) == ("bad", 120, 300)
    assert (standing.curator, standing.queue) == ("Ada", "library")
    assert window._message.startswith("Bad: 0:02")
    controller.count_verdicts(standing.clip.episode_id)
    assert [(row.good, row.bad) for row in controller.rows] == [(0, 1)]
    window._handle(KeyDown("u"))
    assert [verdict.verdict for verdict in window._verdicts] == ["good"]
    window._handle(KeyDown("u"))
    window._handle(KeyDown("u"))
    assert window._verdicts == []


def test_a_verdict_of_another_window_under_the_same_name_is_not_replaced_silently(library: Library) -> None:
    window, controller = opened(library, StillWindow())
    window._playback.seek(240)
    clip = Clip(controller.rows[0].episode_id, 60, 240)
    with LabelDatabase(library.labels) as labels:
        labels.record(Verdict(clip, "Ada", "bad"))
        window._handle(KeyDown("g"))
        assert "another window: bad" in window._message
        assert labels.verdict_on(clip, "Ada").verdict == "bad"  # type: ignore[union-attr]
        window._handle(KeyDown("g"))
        assert labels.verdict_on(clip, "Ada").verdict == "good"  # type: ignore[union-attr]
        labels.undo("Ada")
        labels.undo("Ada")


def test_at_the_start_the_first_three_seconds_are_judged(library: Library) -> None:
    window, _ = opened(library, StillWindow())
    window._playback.seek(10)
    assert (window._judged.start, window._judged.stop) == (0, 180)


def test_a_paused_episode_and_a_library_that_is_read_are_drawn_once(library: Library) -> None:
    still = StillWindow(seconds=30.0)
    episode, _ = opened(library, still)
    episode._playback.paused = True

    def paused(frame_count: int) -> Playback:
        made = Playback(frame_count)
        made.paused = True
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("home.episode_window.Playback", paused)
        episode.run()
    assert still.pictures <= 2
    still = StillWindow(seconds=30.0)
    LibraryWindow(still, library, FrameReader, {}).run()  # type: ignore[arg-type]
    assert still.pictures <= 30  # those while the library was read, and one more


def test_an_agents_episode_has_its_values_and_a_click_on_the_curves_jumps(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    curves = episode_drawing.draw_values
    monkeypatch.setattr(episode_drawing, "draw_values", lambda *a: drawn.append((a[2].tolist(), a[3:])) or curves(*a))
    monkeypatch.setattr("home.episode_window.AGENT", RANDOM)
    values = np.linspace(0.0, 1.0, 100, dtype=np.float32)

    def read(path: Path, report: Callable[[int, int], None]) -> ValueCurve:
        assert path.is_file()
        report(0, 100)
        return ValueCurve("first", 24, values, 4)

    episode, _ = opened(library, StillWindow(seconds=30.0), read)
    assert episode.run() == ("", "")
    assert drawn[-1] == (values.tolist(), (4, 400))
    assert episode._value_words == f"{values[50]:.2f}"
    layout = episode_layout(StillWindow.size_units)
    episode._click(layout.x_of(100, 400), layout.timeline.y + 10)
    assert episode.frame == 100


def test_an_episode_of_nobodys_agent_computes_nothing(library: Library) -> None:
    def read(*_: object) -> None:
        raise AssertionError

    episode, _ = opened(library, StillWindow(seconds=2.0), read)
    assert episode.run() == ("", "")
    assert episode._value_words == ""


def test_nothing_is_resumed_at_the_start() -> None:
    layout = episode_layout(Box(0, 0, 1280, 800))
    playback = Playback(100)
    playback.paused = True
    assert episode_buttons(layout, playback, True)["p"].label == "Play"
    playback.seek(10)
    assert episode_buttons(layout, playback, True)["p"].label == "Resume"
