"""What the library's window does, on a real library and without a window."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from data.library import Library
from data.proof import Verification
from home.library_controller import LibraryController
from screen.layout import Box
from tests.replay_episodes import record


def until_quiet(desk: LibraryController) -> None:
    """Wait for everything that goes on in the background."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        desk.see_what_is_done()
        desk.list.place(Box(0, 0, 100, 300), len(desk.rows))
        busy = (desk._loading, desk._moving, desk._removing, desk.verifying)
        if desk.is_loaded and not any(busy):
            return
        time.sleep(0.01)
    pytest.fail("the background did not come to an end")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of four episodes, one of them of another game, of which each test gets a copy."""
    library = Library(tmp_path_factory.mktemp("recorded"))
    for seed in range(3):
        record(library, frames=40 + 40 * seed, seed=seed)
    record(library, frames=40, game="Breakout")
    return library.folder


@pytest.fixture
def desk(recorded: Path, tmp_path: Path) -> LibraryController:
    made = LibraryController(Library(shutil.copytree(recorded, tmp_path / "library")), {})
    until_quiet(made)
    return made


def test_a_visit_begins_with_the_game_that_is_played(desk: LibraryController) -> None:
    again = LibraryController(desk.library, {}, game="Breakout")
    until_quiet(again)
    assert [row.game for row in again.rows] == ["Breakout"]
    assert again.summary == "1 of 4 episodes, 1 s"


def test_marked_episodes_are_thrown_away_together_and_undo_brings_all_back(desk: LibraryController) -> None:
    before = [row.episode_id for row in desk.rows]
    desk.mark()
    desk.mark()
    desk.throw_away()
    until_quiet(desk)
    assert [row.episode_id for row in desk.rows] == before[2:]
    assert len(desk.library.episodes()) == 2
    assert desk.trash_count == 2
    desk.undo()
    until_quiet(desk)
    assert [row.episode_id for row in desk.rows] == before
    assert len(desk.library.episodes()) == 4
    assert not desk.can_undo


def test_without_a_mark_the_chosen_episode_is_meant(desk: LibraryController) -> None:
    desk.list.press("down")
    chosen = desk.chosen
    assert chosen is not None
    desk.throw_away()
    until_quiet(desk)
    assert chosen.episode_id not in [row.episode_id for row in desk.rows]
    assert len(desk.rows) == 3


def test_from_the_trash_one_restores_or_removes_for_ever(desk: LibraryController) -> None:
    desk.mark()
    desk.mark()
    desk.throw_away()
    until_quiet(desk)
    desk.switch()
    desk.restore()
    until_quiet(desk)
    assert (len(desk.rows), len(desk.library.episodes())) == (1, 3)
    desk.empty_trash()
    until_quiet(desk)
    assert desk.rows == []
    assert not desk.can_undo
    desk.switch()
    assert len(desk.rows) == 3


def test_after_all_of_a_game_is_thrown_away_no_other_game_comes_into_view(desk: LibraryController) -> None:
    while desk.filter.game != "Breakout":
        desk.step_filter("game")
    desk.mark_all()
    desk.throw_away()
    until_quiet(desk)
    assert (desk.filter.game, desk.rows) == ("Breakout", [])
    desk.throw_away()
    until_quiet(desk)
    assert len(desk.library.episodes()) == 3


def test_the_chosen_episode_stays_chosen_when_the_list_is_sorted(desk: LibraryController) -> None:
    desk.list.press("down")
    chosen = desk.chosen
    desk.sort_by("length")
    assert desk.chosen == chosen


def test_a_filter_takes_the_marks_off_what_it_hides(desk: LibraryController) -> None:
    desk.mark_all()
    desk.step_filter("game")
    assert {row.episode_id for row in desk.rows} == desk.marked


def test_verifying_several_episodes_tells_of_each_and_finds_the_one_that_was_changed(desk: LibraryController) -> None:
    rotten = Path(desk.rows[0].path)
    data = bytearray(rotten.read_bytes())
    rotten.chmod(0o644)
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    rotten.write_bytes(data)
    desk.mark_all()
    desk.verify()
    until_quiet(desk)
    assert [desk.answers[row.episode_id].ok for row in desk.rows] == [False, True, True, True]
    assert desk.message.startswith("3 of 4 episodes are true.")
    assert desk.is_trouble


def test_verifying_can_be_stopped_and_keeps_what_it_found(desk: LibraryController) -> None:
    answers: dict[str, Verification] = desk.answers  # type: ignore[assignment]
    desk.mark_all()
    desk.verify()
    deadline = time.monotonic() + 120
    while not answers and time.monotonic() < deadline:
        time.sleep(0.001)
    desk.stop_verifying()
    until_quiet(desk)
    assert answers
    assert desk.message


def test_a_library_without_anything_is_no_trouble(tmp_path: Path) -> None:
    empty = LibraryController(Library(tmp_path / "nothing"), {})
    until_quiet(empty)
    for act in (empty.throw_away, empty.verify, empty.mark, empty.mark_all, empty.undo, empty.switch, empty.restore):
        act()
    until_quiet(empty)
    assert empty.rows == []
