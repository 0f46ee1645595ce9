"""The controller of the library window, on a real library and without a window."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from data.library import Library
from data.verification import Verification
from home.library_controller import LibraryController
from screen.layout import Box
from tests.replay_episodes import record


def until_idle(controller: LibraryController) -> None:
    """Wait until the background work is done."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        controller.poll()
        controller.list.place(Box(0, 0, 100, 300), len(controller.rows))
        busy = (controller._loading, controller._moving, controller._removing, controller.verifying)
        if controller.is_loaded and not any(busy):
            return
        time.sleep(0.01)
    pytest.fail("the background work did not end")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of four episodes, one of them of another game, of which each test gets a copy."""
    library = Library(tmp_path_factory.mktemp("recorded"))
    for seed in range(3):
        record(library, frames=40 + 40 * seed, seed=seed)
    record(library, frames=40, game="Breakout")
    return library.folder


@pytest.fixture
def controller(recorded: Path, tmp_path: Path) -> LibraryController:
    made = LibraryController(Library(shutil.copytree(recorded, tmp_path / "library")), {})
    until_idle(made)
    return made


def test_the_game_that_is_played_is_shown_first(controller: LibraryController) -> None:
    again = LibraryController(controller.library, {}, game="Breakout")
    until_idle(again)
    assert [row.game for row in again.rows] == ["Breakout"]
    assert again.summary == "1 of 4 episodes, 0:00"


def test_filters_that_are_cleared_while_the_library_is_read_stay_cleared(controller: LibraryController) -> None:
    again = LibraryController(controller.library, {}, game="Breakout")
    again.clear_filters()
    until_idle(again)
    assert len(again.rows) == 4


def test_marked_episodes_are_deleted_together_and_undo_brings_all_back(controller: LibraryController) -> None:
    before = [row.episode_id for row in controller.rows]
    controller.mark()
    controller.mark()
    controller.delete()
    until_idle(controller)
    assert [row.episode_id for row in controller.rows] == before[2:]
    assert len(controller.library.episodes()) == 2
    assert controller.trash_count == 2
    controller.undo()
    until_idle(controller)
    assert [row.episode_id for row in controller.rows] == before
    assert len(controller.library.episodes()) == 4
    assert not controller.can_undo


def test_without_marks_the_selected_episode_is_deleted(controller: LibraryController) -> None:
    controller.list.press("down")
    chosen = controller.chosen
    assert chosen is not None
    controller.delete()
    until_idle(controller)
    assert chosen.episode_id not in [row.episode_id for row in controller.rows]
    assert len(controller.rows) == 3


def test_from_the_trash_one_restores_or_removes_forever(controller: LibraryController) -> None:
    controller.mark()
    controller.mark()
    controller.delete()
    until_idle(controller)
    controller.switch()
    controller.restore()
    until_idle(controller)
    assert (len(controller.rows), len(controller.library.episodes())) == (1, 3)
    controller.empty_trash()
    until_idle(controller)
    assert controller.rows == []
    assert not controller.can_undo
    controller.switch()
    assert len(controller.rows) == 3


def test_after_all_of_a_game_is_deleted_no_other_game_is_shown(controller: LibraryController) -> None:
    while controller.filter.game != "Breakout":
        controller.step_filter("game")
    controller.mark_all()
    controller.delete()
    until_idle(controller)
    assert (controller.filter.game, controller.rows) == ("Breakout", [])
    controller.delete()
    until_idle(controller)
    assert len(controller.library.episodes()) == 3


def test_the_chosen_episode_stays_chosen_when_the_list_is_sorted(controller: LibraryController) -> None:
    controller.list.press("down")
    chosen = controller.chosen
    controller.sort_by("length")
    assert controller.chosen == chosen


def test_a_filter_takes_the_marks_off_what_it_hides(controller: LibraryController) -> None:
    controller.mark_all()
    controller.step_filter("game")
    assert {row.episode_id for row in controller.rows} == controller.marked


def test_verifying_several_episodes_tells_of_each_and_finds_the_one_that_was_changed(
    controller: LibraryController,
) -> None:
    damaged = Path(controller.rows[0].path)
    data = bytearray(damaged.read_bytes())
    damaged.chmod(0o644)
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    damaged.write_bytes(data)
    controller.mark_all()
    controller.verify()
    until_idle(controller)
    assert [controller.answers[row.episode_id].ok for row in controller.rows] == [False, True, True, True]
    assert controller.message.startswith("3 of 4 verified.")
    assert controller.is_trouble


def test_verifying_can_be_stopped_and_keeps_what_it_found(controller: LibraryController) -> None:
    answers: dict[str, Verification] = controller.answers  # type: ignore[assignment]
    controller.mark_all()
    controller.verify()
    deadline = time.monotonic() + 120
    while not answers and time.monotonic() < deadline:
        time.sleep(0.001)
    controller.stop_verifying()
    until_idle(controller)
    assert answers
    assert controller.message


def test_a_library_without_anything_is_no_error(tmp_path: Path) -> None:
    empty = LibraryController(Library(tmp_path / "nothing"), {})
    until_idle(empty)
    for act in (empty.delete, empty.verify, empty.mark, empty.mark_all, empty.undo, empty.switch, empty.restore):
        act()
    until_idle(empty)
    assert empty.rows == []


def test_verified_marks_outlast_a_restart_but_not_a_change_of_the_file(
    controller: LibraryController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.checked_files.cache_folder", lambda: tmp_path / "cache")
    controller.verify()
    until_idle(controller)
    [verified] = controller.answers
    again = LibraryController(controller.library, {})
    until_idle(again)
    assert {name: answer.ok for name, answer in again.answers.items()} == {verified: True}
    os.utime(controller.library.replays / f"{verified}.h5", (1, 1))
    changed = LibraryController(controller.library, {})
    until_idle(changed)
    assert changed.answers == {}
