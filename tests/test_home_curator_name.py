"""Changing one's name in the settings: the verdicts under the old name are offered to be moved, and moved back."""

from __future__ import annotations

from pathlib import Path

import pygame
import pytest

from data.clip import Clip, Verdict
from data.label_database import LabelDatabase
from home import settings_window
from home.setting_rows import WINDOW_SIZES, setting_rows
from home.settings import Settings
from home.settings_window import SettingsWindow
from screen.canvas import Canvas
from screen.events import KeyDown, PointerDown, TextTyped
from screen.layout import Box

SCREEN = (1920, 1080)


class NoWindow:
    """The parts of a window that these tests use."""

    title = ""
    closing = full_screen = False
    size_units = Box(0, 0, 1280, 800)
    resized: tuple[int, int] | None = None

    @property
    def canvas(self) -> Canvas:
        return Canvas(pygame.Surface((1280, 800)))

    def resize(self, size: tuple[int, int]) -> None:
        self.resized = size


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A label database with two verdicts of Ada, one of which was withdrawn, and one of Bo."""
    with LabelDatabase(tmp_path / "labels.sqlite") as made:
        made.record(Verdict(Clip("a", 0, 60), "Ada", "good"))
        made.record(Verdict(Clip("a", 60, 120), "Ada", "bad"))
        made.undo("Ada")
        made.record(Verdict(Clip("a", 0, 60), "Bo", "bad"))
    return tmp_path / "labels.sqlite"


def opened(monkeypatch: pytest.MonkeyPatch, labels: Path | None, player: str = "Ada") -> SettingsWindow:
    monkeypatch.setattr(settings_window, "usable_size", lambda: SCREEN)
    return SettingsWindow(
        NoWindow(),  # type: ignore[arg-type]
        Settings(player=player),
        save=lambda _: None,
        pick_game=lambda _: None,
        edit_keys=lambda: None,
        login_name="login",
        processors=2,
        labels=labels,
    )


def rename(window: SettingsWindow, name: str) -> None:
    """Type a name into the first row."""
    window._handle(KeyDown("return"))
    window._handle(KeyDown("u", control=True))
    window._handle(TextTyped(name))
    window._handle(KeyDown("return"))


def curators(labels: Path) -> dict[str, int]:
    with LabelDatabase(labels) as found:
        return {name: sum(counts.values()) for name, counts in found.counts().items()}


def test_verdicts_are_taken_along_by_default_and_moved_back_by_undo(
    monkeypatch: pytest.MonkeyPatch, labels: Path
) -> None:
    window = opened(monkeypatch, labels)
    rename(window, "Grace")
    assert window._asked is not None
    assert window._asked.question.startswith("1 verdict is saved under Ada.")
    window._draw(window._window.canvas)
    window._handle(KeyDown("return"))
    assert curators(labels) == {"Bo": 1, "Grace": 1}
    window._handle(KeyDown("u"))
    assert curators(labels) == {"Ada": 1, "Bo": 1}
    assert window.settings.player == "Grace"


def test_they_can_be_left_and_a_name_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch, labels: Path) -> None:
    window = opened(monkeypatch, labels)
    rename(window, "Bo")
    assert window._asked is not None
    assert "Bo has 1 here already" in window._asked.question
    leave = window._question_buttons(window._window.canvas)[1]
    window._handle(PointerDown(*leave.box.centre, 1))
    assert (window._asked, curators(labels)) == (None, {"Ada": 1, "Bo": 1})


def test_undo_leaves_the_verdicts_of_whoever_had_the_name_before(labels: Path) -> None:
    with LabelDatabase(labels) as database:
        moved = database.rename_curator("Ada", "Bo")
        assert len(moved) == 2  # the withdrawn one too
        assert database.rename_curator("Bo", "Ada", moved) == moved
    assert curators(labels) == {"Ada": 1, "Bo": 1}


def test_nothing_is_asked_without_verdicts(monkeypatch: pytest.MonkeyPatch, labels: Path) -> None:
    window = opened(monkeypatch, labels, player="Nobody")
    rename(window, "Grace")
    assert window._asked is None
    rename(window, "rule:x")
    assert window.settings.player == "Grace"
    assert "rule:" in window._message


def test_only_window_sizes_that_fit_on_the_screen_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    def sizes(usable: tuple[int, int]) -> list[str]:
        [row] = [row for row in setting_rows("", 2, usable) if row.label == "Window"]
        return [words for _, words in row.options(Settings(window_width=960, window_height=600))]

    assert sizes((1366, 768)) == ["960 x 600", "1280 x 720", "full screen"]
    assert "1920 x 1080" in sizes((2560, 1440))
    assert len(sizes((5120, 2880))) == len(WINDOW_SIZES) + 1
    # A setting that was made on a larger screen does not push the title bar off this one.
    window = opened(monkeypatch, None)
    window._change(Settings(window_width=2560, window_height=1600))
    assert window._window.resized[0] <= SCREEN[0]  # type: ignore[attr-defined]
    assert window._window.resized[1] < SCREEN[1]  # type: ignore[attr-defined]
