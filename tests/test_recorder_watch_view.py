"""What the Watch window shows beside and below the game, drawn without a screen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pygame
import pytest
from test_recorder_watch import Thinker
from test_recorder_watch_session import play, watching

from data.episode import FrameState
from data.simulation import Emulator
from recorder.agent_values import Expected, ValueHistory
from recorder.play_window import RecorderWindow
from recorder.session_state import NOTICE_TICKS, SessionState
from recorder.value_panel import ValuePanel
from recorder.watch_session import Coaching, WatchSession
from recorder.watch_view import WatchView, span_of
from screen.canvas import Canvas
from screen.events import PointerDown
from screen.layout import Box
from screen.theme import GREEN
from screen.window import Window


class Distributional(Thinker):
    """Sees the frames of its last two decisions, expects the sum of the newest, and knows how far returns spread."""

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        super().begin(emulator, rng)
        self._before = self._newest

    def choose(self, frames: Sequence[FrameState]) -> int:
        self._before = self._newest
        return super().choose(frames)

    def observation_stack(self) -> np.ndarray:
        return np.stack([self._before, self._newest])

    def q_values(self) -> np.ndarray:
        return np.full(6, self._newest.sum() / 1e6, np.float32)

    def return_interval(self, probability: float) -> np.ndarray | None:
        assert probability == 0.8
        return np.stack([self.q_values() - 1, self.q_values() + 1], axis=1)


SIZES = ((960, 600), (1280, 800), (1920, 1080))


def canvases() -> list[Canvas]:
    return [Canvas(pygame.Surface(size)) for size in SIZES]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with Window("Replay Coach - watch", SIZES[0]) as opened:
        yield opened


@pytest.fixture
def drawn_text(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were drawn."""
    texts: list[str] = []
    draw = Canvas.text

    def record(canvas: Canvas, string: str, *arguments: object, **more: object) -> Box:
        texts.append(string)
        return draw(canvas, string, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Canvas, "text", record)
    return texts


def watching_distributional(folder: Path, coaching: Coaching | None = None) -> WatchSession:
    session = watching(folder, coaching)
    session.over.other = thinker = Distributional()
    thinker.begin(session.take.emulator, np.random.default_rng(0))
    return session


@pytest.mark.parametrize("size", SIZES)
def test_all_eighteen_actions_have_bars_and_intervals_in_every_window(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, drawn_text: list[str]
) -> None:
    canvas = Canvas(pygame.Surface(size))
    bars, bands = [], []
    monkeypatch.setattr(Canvas, "bar", lambda _, box, share, colour: bars.append((box, share)))  # noqa: ARG005
    monkeypatch.setattr("recorder.value_panel._draw_band", lambda _, *band: bands.append(band))
    values = np.arange(18.0)
    interval = np.stack([values - 1, values + 2], axis=1)
    names = tuple(f"ACTION {number}" for number in range(18))
    expected = Expected(names, values, interval, np.zeros((4, 84, 84), np.uint8))
    ValuePanel().draw(canvas, canvas.box.left_part(200), expected, names[0], GREEN)
    assert (len(bars), len(bands)) == (18, 19), "one band is in the legend"
    assert bands[-1][2] + 3 < canvas.box.bottom
    assert min(below.y - above.y for (above, _), (below, _) in itertools.pairwise(bars)) >= 22
    for (box, share), (left, right, y, _), ends, value in zip(bars, bands[1:], interval, values, strict=True):
        assert share == pytest.approx((value + 1) / 20)
        np.testing.assert_allclose([left, right], box.x + box.width * (ends + 1) / 20)
        assert y > box.bottom
    assert "mean, 80% interval" in drawn_text
    assert any("from the 10% to the 90% quantile" in hint for hint in canvas.hints)


def test_a_click_on_the_strip_pauses_and_shows_what_the_agent_saw_then(
    window: Window, tmp_path: Path, drawn_text: list[str]
) -> None:
    session = watching_distributional(tmp_path)
    seen = []
    for _ in range(120):
        play(session, 1)
        if session.take.frame % 4 == 1:
            expected = session.expected()
            assert expected is not None
            seen.append((expected.observation, expected.values.max()))
    np.testing.assert_allclose(session.values.values(), [value for _, value in seen])
    view = WatchView(session)
    shown = RecorderWindow(window, session, view)
    view.draw(window.canvas)
    track = view.bar._track
    shown._handle(PointerDown(track.x + track.width * 60 / span_of(120), track.centre[1]))
    assert (session.state, session.take.frame) == (SessionState.PAUSED, 60)
    drawn_text.clear()
    view.draw(window.canvas)
    action = session.take.actions[60]
    assert session.take.shown_action == action
    assert session.take.emulator.action_meanings[action] in drawn_text
    assert "–" not in drawn_text
    expected = session.expected()
    assert expected is not None
    np.testing.assert_array_equal(expected.observation, seen[15][0])
    assert session.shown_value == seen[15][1]
    # Beyond the newest frame there is nothing to show.
    shown._handle(PointerDown(track.right - 2, track.centre[1]))
    assert session.take.frame == 120
    view.draw(window.canvas)
    session.toggle_pause()
    play(session, 4)
    assert (session.state, len(session.values.values())) == (SessionState.PLAYING, 31)
    expected = session.expected()
    assert expected is not None
    np.testing.assert_array_equal(expected.observation[0], seen[29][0][1], "it has seen no frame twice")
    session.close()


def test_values_of_what_was_rewound_are_discarded_with_it(tmp_path: Path) -> None:
    session = watching_distributional(tmp_path)
    play(session, 80)
    first = session.values.values()
    session.seek(40)
    assert len(session.values.values()) == 20, "looking back discards nothing"
    session.toggle_take_over()
    session.toggle_pause()
    play(session, 8)
    assert len(session.values.values()) == 12
    session.bring_back()
    while session.state is SessionState.RESTORING:
        session.tick()
    np.testing.assert_array_equal(session.values.values(), first[:10], "values of other play are not shown")
    session.close()


def test_values_are_unknown_where_they_were_not_computed() -> None:
    history = ValueHistory()
    history.put(2, 0.5)
    np.testing.assert_array_equal(history.values(), [np.nan, np.nan, 0.5])
    assert np.isnan(history.values()[:2]).all()


def test_the_strip_keeps_its_scale_for_a_minute() -> None:
    assert [span_of(frames) for frames in (0, 3600, 3601, 7201)] == [3600, 3600, 7200, 14400]


def test_the_result_of_coaching_stays_in_every_window(tmp_path: Path, drawn_text: list[str]) -> None:
    result = "run-1: 1,240 decisions added at step 23,500."
    session = watching(tmp_path, Coaching(lambda _: result, lambda: ""))
    session.toggle_take_over()
    play(session, 20)
    session.toggle_take_over()
    play(session, 8)
    session._given[0].result()
    play(session, NOTICE_TICKS + 20)
    assert session.notice == ""
    for canvas in canvases():
        drawn_text.clear()
        WatchView(session).draw(canvas)
        assert " ".join(drawn_text).count(result) == 1
    session.close()
