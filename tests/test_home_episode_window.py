"""Judging in the window that plays an episode back, and windows that stand still, without a screen."""

from __future__ import annotations

import time

import pygame
import pytest

from curator.frame_reader import FrameReader
from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
from data.library import Library
from home.episode_drawing import episode_buttons, episode_layout
from home.episode_window import EpisodeWindow
from home.library_controller import LibraryController
from home.library_window import LibraryWindow
from home.playback import Playback
from screen.canvas import Canvas
from screen.layout import Box
from screen.window import Event, KeyDown
from tests.replay_episodes import record
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

    def ignore_held_keys(self) -> None:
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


def opened(library: Library, window: StillWindow) -> tuple[EpisodeWindow, LibraryController]:
    controller = LibraryController(library, {})
    until_idle(controller)
    [row] = controller.rows
    return EpisodeWindow(window, row, FrameReader, library, "1 of 1", "Ada"), controller  # type: ignore[arg-type]


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


def test_nothing_is_resumed_at_the_start() -> None:
    layout = episode_layout(Box(0, 0, 1280, 800))
    playback = Playback(100)
    playback.paused = True
    assert episode_buttons(layout, playback, True)["p"].label == "Play"
    playback.seek(10)
    assert episode_buttons(layout, playback, True)["p"].label == "Resume"
