"""Verifying finds any change, and names the frame and the kind of the first one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replay_episodes import record, writable_copy

from data.errors import CoachError
from data.library import Library
from data.quarantine import replay_paths, verify_many
from data.replay_format import COLUMNS
from data.verification import verify


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(Library(tmp_path_factory.mktemp("recorded")), 500, "Breakout", seed=7)


def changed(path: Path, folder: Path, change: Callable[[h5py.File], None]) -> Path:
    copy = writable_copy(path, folder)
    with h5py.File(copy, "r+") as file:
        change(file)
    return copy


def set_cell(name: str, at: Any, value: Callable[[Any], Any]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][at] = value(file[name][at])

    return change


CHANGES: dict[str, tuple[Callable[[h5py.File], None], str, int | None]] = {
    "an action": (set_cell("actions", 321, lambda a: (a + 1) % 4), "action", 321),
    "an action while nothing can be done": (set_cell("actions", 1, lambda a: (a + 1) % 4), "action", 1),
    "the last action": (set_cell("actions", 499, lambda a: (a + 1) % 4), "action", 499),
    "who acted": (set_cell("demonstrator", 77, lambda _: 0), "demonstrator", 77),
    "a reward": (set_cell("rewards", 250, lambda r: r + 1), "reward", 250),
    "the lives": (set_cell("lives", 400, lambda n: n - 1), "lives", 400),
    "a pixel": (set_cell("frames", (123, 100, 80), lambda p: p ^ 2), "frame", 123),
    "a pixel of frame 0": (set_cell("frames", (0, 5, 5), lambda p: p ^ 2), "frame", 0),
    "a RAM byte": (set_cell("ram", (500, 127), lambda b: b ^ 128), "ram", 500),
    "a colour": (set_cell("palette", (0, 2), lambda c: c ^ 1), "palette", None),
    "a colour that is not used": (set_cell("palette", (255, 2), lambda c: c ^ 1), "palette", None),
    "a check": (set_cell("choice_checks", 9, lambda c: c ^ 1), "checks", 9),
    "the ROM": (lambda f: f.attrs.__setitem__("rom_md5", "0" * 32), "rom", None),
    "the emulator": (lambda f: f.attrs.__setitem__("ale_version", "0.11.0"), "emulator", None),
    "the digest": (lambda f: f.attrs.__setitem__("digest", "0" * 64), "digest", None),
    "the score": (lambda f: f.attrs.__setitem__("score", 1e6), "score", None),
    "the player": (lambda f: f.attrs.__setitem__("player", "Eve"), "attributes", None),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_named(what: str, recorded: Path, tmp_path: Path) -> None:
    change, kind, frame = CHANGES[what]
    answer = verify(changed(recorded, tmp_path, change))
    assert (answer.ok, answer.kind, answer.frame) == (False, kind, frame), answer.sentence
    assert frame is None or str(frame) in answer.sentence


def test_without_the_stored_checks_a_changed_action_is_still_told_from_a_changed_picture(
    recorded: Path, tmp_path: Path
) -> None:
    def change(file: h5py.File) -> None:
        del file["choice_checks"]
        moves = np.flatnonzero(file["actions"][300:] == 2) + 300
        file["actions"][moves[0]] = 3
        file.attrs["note"] = int(moves[0])

    copy = changed(recorded, tmp_path, change)
    with h5py.File(copy) as file:
        where = int(file.attrs["note"])
    with h5py.File(copy, "r+") as file:
        del file.attrs["attributes_sha256"]
    answer = verify(copy)
    assert (answer.kind, answer.frame) == ("action", where)


def test_the_first_of_two_changes_is_the_one_that_is_named(recorded: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        set_cell("ram", (300, 3), lambda b: b ^ 1)(file)
        set_cell("actions", 100, lambda a: (a + 1) % 4)(file)
        set_cell("frames", (60, 3, 3), lambda p: p ^ 2)(file)

    answer = verify(changed(recorded, tmp_path, change))
    assert (answer.kind, answer.frame) == ("frame", 60)


def test_a_true_file_is_true_and_every_frame_was_looked_at(recorded: Path) -> None:
    answer = verify(recorded)
    assert (answer.ok, answer.kind, answer.frame, answer.frames_checked) == (True, "", None, 501)


@given(name=st.sampled_from(sorted(COLUMNS)), data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_in_any_column_is_found(name: str, data: st.DataObject, recorded: Path, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        column = file[name][:]
        cells = column.reshape(-1).view(np.uint8)
        if not len(cells):
            return
        cells[data.draw(st.integers(0, len(cells) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        file[name][:] = column

    copy = changed(recorded, tmp_path, change)
    with h5py.File(copy) as new, h5py.File(recorded) as old:
        same = new[name][:].tobytes() == old[name][:].tobytes()
    assert verify(copy).ok == same


def test_many_files_are_verified_in_parallel_with_progress_and_answers_in_order(recorded: Path, tmp_path: Path) -> None:
    false = changed(recorded, tmp_path, set_cell("ram", (10, 10), lambda b: b ^ 1))
    stranger = tmp_path / "stranger.h5"
    stranger.write_text("no")
    told: list[tuple[int, int]] = []
    answers = verify_many([recorded, false, stranger, recorded], 2, lambda done, total: told.append((done, total)))
    assert [answer.ok for answer in answers] == [True, False, False, True]
    assert [answer.kind for answer in answers] == ["", "ram", "structure", ""]
    assert [answer.path for answer in answers] == [recorded, false, stranger, recorded]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_folders_and_libraries_stand_for_their_files(recorded: Path, tmp_path: Path) -> None:
    library = recorded.parent.parent
    assert replay_paths([library, recorded]) == [recorded]
    with pytest.raises(CoachError, match="has no replay files"):
        replay_paths([tmp_path])
    with pytest.raises(CoachError, match="no file or folder"):
        replay_paths([tmp_path / "missing.h5"])
