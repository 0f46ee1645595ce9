"""The common parts of the Train and the Compare window: action bar, list of keys and layout."""

from __future__ import annotations

from pathlib import Path

import pygame
import pytest

from commands.comparison_controller import LibraryComparisonController
from commands.training_controller import LibraryTrainingController
from data.comparisons import ComparisonSummary
from data.job_queue import Job, JobQueue
from data.library import Library
from data.runs import RunFolder, RunSummary
from home.action_bar import areas
from home.comparison_window import ComparisonWindow
from home.train_window import TrainWindow
from screen.canvas import Canvas
from screen.events import KeyDown, PointerDown, TextTyped
from screen.layout import Box
from screen.widgets import fits_in_row

SIZES = [Box(0, 0, 1280, 800), Box(0, 0, 1097, 686)]


class NoWindow:
    """The parts of a window that these tests use."""

    title = ""
    size_units = SIZES[0]
    canvas = Canvas(pygame.Surface((1280, 800)), 1.0)


def windows(library: Library) -> list[TrainWindow | ComparisonWindow]:
    window = NoWindow()
    return [
        TrainWindow(window, LibraryTrainingController(library, "SpaceInvaders")),  # type: ignore[arg-type]
        ComparisonWindow(window, LibraryComparisonController(library, "SpaceInvaders")),  # type: ignore[arg-type]
    ]


def test_the_action_bar_always_ends_in_the_keys_and_the_way_back(tmp_path: Path) -> None:
    for window in windows(Library(tmp_path)):
        assert [(b.label, b.key) for b in window.buttons(SIZES[0])][-2:] == [("All keys", "F1"), ("Home", "Esc")]
        window._open_form()
        assert [b.key for b in window.buttons(SIZES[0])] == ["Enter", "F1", "Esc"]


def test_the_train_window_shows_the_supplied_run_and_offers_only_to_watch_it(tmp_path: Path) -> None:
    window = windows(Library(tmp_path))[0]
    window._update()
    assert window.names() == ["teacher"]
    assert window._starts_with_form(""), "there is no run of one's own"
    assert not window._starts_with_form("teacher")
    assert [action.label for action in window._actions() if action.enabled] == ["New", "Watch", "All keys", "Home"]
    window.draw(NoWindow.canvas)


def test_the_list_of_keys_opens_by_key_or_button_and_a_click_only_closes_it(tmp_path: Path) -> None:
    for window in windows(Library(tmp_path)):
        new, *_, keys, home = window.buttons(SIZES[0])
        window._handle(PointerDown(*keys.box.centre, 1))
        assert window._shows_keys
        window._handle(PointerDown(*home.box.centre, 1))
        assert (window._shows_keys, window._leaving) == (False, False)
        window._handle(KeyDown("f1"))
        window._handle(PointerDown(*new.box.centre, 1))
        assert (window._shows_keys, window._form) == (False, None)


@pytest.mark.parametrize("window", SIZES, ids=str)
def test_buttons_fit_the_action_bar_and_nothing_covers_them(tmp_path: Path, window: Box) -> None:
    rows, main, bar = areas(window)
    assert max(rows.bottom, main.bottom) < bar.y
    for shown in windows(Library(tmp_path)):
        assert max(button.box.right for button in shown.buttons(window)) <= bar.right + 1
        shown._open_form()
        shown.draw(Canvas(pygame.Surface((round(window.width), round(window.height))), 1.0))


def test_in_a_narrow_window_only_what_is_possible_has_a_button_and_its_key_stays(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.prepare()
    RunFolder(library.run_folder("first")).create({"game": "SpaceInvaders", "steps": 100}, ("NOOP",))
    train = TrainWindow(NoWindow(), LibraryTrainingController(library, "SpaceInvaders"))  # type: ignore[arg-type]
    train._update()
    train._show("first")
    narrow_window = Box(0, 0, 900, 600)
    narrow = train.buttons(narrow_window)
    row = areas(narrow_window)[2]
    assert fits_in_row(row, [(button.label, button.key) for button in narrow])
    assert narrow == [button for button in narrow if button.enabled]
    assert {button.key for button in narrow} == {button.key for button in train.buttons(SIZES[0]) if button.enabled}
    assert len(train.buttons(SIZES[0])) > len(narrow), "where there is room all keep their places"


def labels(window: TrainWindow | ComparisonWindow) -> list[str]:
    return [button.label for button in window.buttons(SIZES[0])]


def test_a_queued_run_is_not_said_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobQueue, "ensure_running", lambda _: None)
    library = Library(tmp_path)
    JobQueue(library).add(Job("training", "earlier", ("--steps", "100")))
    train, _ = windows(library)
    train._open_form()
    train._handle(KeyDown("return"))
    assert train._message.startswith("run-1 is waiting for its turn and starts by itself,")
    JobQueue(library).remove("training", "earlier")
    JobQueue(library).remove("training", "run-1")
    train._open_form()
    train._handle(KeyDown("return"))
    assert train._message.startswith("run-1 is training in the background, even if this window is closed.")


def test_a_message_about_a_comparison_goes_when_it_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, compare = windows(Library(tmp_path))
    assert isinstance(compare, ComparisonWindow)
    for state, message in (("running", "a runs in the background."), ("done", "")):
        found = [ComparisonSummary("a", state)]  # type: ignore[arg-type]
        monkeypatch.setattr(compare._controller, "comparisons", lambda found=found: found)
        compare._update()
        if state == "running":
            compare._say(message)
        assert compare._message == message


def test_resume_is_offered_only_where_there_is_something_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, compare = windows(Library(tmp_path))
    assert isinstance(train, TrainWindow)
    assert isinstance(compare, ComparisonWindow)
    assert "Resume" not in labels(train) + labels(compare)
    for state in ("waiting", "starting", "training", "done", "failed"):
        run = RunSummary("a", state, step=5, steps=10)  # type: ignore[arg-type]
        monkeypatch.setattr(train._controller, "runs", lambda run=run: [run])
        train._update()
        assert "Resume" not in labels(train), state
    for state in ("running", "done", "failed"):
        summary = ComparisonSummary("a", state)  # type: ignore[arg-type]
        monkeypatch.setattr(compare._controller, "comparisons", lambda summary=summary: [summary])
        compare._update()
        assert "Resume" not in labels(compare), state
    unreadable = RunSummary("a", "failed", tmp_path, error="Not readable.")
    assert not unreadable.can_resume


def test_a_run_is_renamed_and_deleted_and_the_deletion_undone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.prepare()
    RunFolder(library.run_folder("first")).create({"steps": 10, "game": "SpaceInvaders", "seed_from": []}, ("NOOP",))
    train, _ = windows(library)
    train._update()
    train._handle(KeyDown("f2"))
    train.draw(Canvas(pygame.Surface((1280, 800)), 1.0))
    train._handle(KeyDown("u", control=True))
    train._handle(TextTyped("se/cond"))
    train._handle(KeyDown("return"))
    assert train.names() == ["second", "teacher"]
    assert train._shown == "second"
    train._handle(KeyDown("delete"))
    assert train.names() == ["teacher"]
    assert "Press U" in train._message
    train._handle(KeyDown("u"))
    assert train.names() == ["second", "teacher"]
    train._handle(KeyDown("f2"))
    train._handle(KeyDown("escape"))
    assert not train._leaving


def test_runs_of_a_comparison_keep_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = windows(Library(tmp_path))
    assert isinstance(train, TrainWindow)
    run = RunSummary("c-none-s0", "done", tmp_path, comparison="c", step=10, steps=10)
    monkeypatch.setattr(train._controller, "runs", lambda: [run])
    train._update()
    assert not any(button.enabled for button in train.buttons(SIZES[0]) if button.label in ("Rename", "Delete"))


def test_the_estimate_names_its_source_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for window in windows(Library(tmp_path)):
        monkeypatch.setattr(window._controller, "seconds_estimate", lambda _: 600.0)
        window._open_form()
        if isinstance(window, ComparisonWindow) and window._form is not None:
            window._form.chosen = {"none", "random"}
            window._form_changed()
        assert window._estimate.startswith("About 10 min")
        assert window._estimate.endswith("at the last run's speed.")
