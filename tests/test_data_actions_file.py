"""Actions files: what is read from an archive, and what is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from replay_episodes import record

from data.actions_file import import_actions, read_actions_file
from data.episode_import import ImportOptions
from data.errors import CoachError
from data.export import export
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator, action_names

PONG = ImportOptions(game="Pong")


def test_an_exported_archive_comes_back_as_the_same_episode(tmp_path: Path) -> None:
    first = record(Library(tmp_path / "one"), 300, "Breakout", seed=9)
    archive = export(first, "npz", tmp_path)
    (again,) = import_actions(Library(tmp_path / "two"), archive, ImportOptions())
    assert "ram" in again.proved_by
    with ReplayFile(first) as one, ReplayFile(again.path) as two:
        assert one.digest == two.digest
        assert one.origin.settings == two.origin.settings
        assert (two.origin.game, two.origin.player) == ("Breakout", "Ada")
        assert np.array_equal(one.demonstrator, two.demonstrator)
        assert again.path.name.split("-")[2] == "random"


def test_a_clip_is_refused_because_its_start_is_missing(tmp_path: Path) -> None:
    first = record(Library(tmp_path / "one"), 300, "Breakout")
    archive = export(first, "npz", tmp_path, start=100, stop=200)
    with pytest.raises(CoachError, match="clip that starts at frame 100"):
        import_actions(Library(tmp_path / "two"), archive, ImportOptions())


BAD_FILES: dict[str, tuple[dict[str, object], str]] = {
    "no actions": ({"rewards": np.zeros(5)}, "no array `actions`"),
    "no frames": ({"actions": np.zeros(0, int)}, "has no actions"),
    "unknown names": ({"actions": np.array(["FIRE", "JUMP"])}, "the action 'JUMP' at step 1"),
    "objects": ({"actions": np.array([object()])}, "array of Python objects, which is not read"),
    "fractions": ({"actions": np.array([0.5])}, "action 0.5 at step 0; actions must be whole"),
    "negative actions": ({"actions": np.array([-1])}, "whole numbers from 0 to 255"),
    "two ones in a row": ({"actions": np.array([[1, 1, 0, 0, 0, 0]])}, "not one-hot"),
    "one-hot of another width": ({"actions": np.eye(4, dtype=int)}, "one-hot actions of 4, but the game has 6"),
    "three dimensions": ({"actions": np.zeros((2, 2, 2))}, "of the shape"),
    "rewards of another length": ({"actions": np.zeros(5, int), "rewards": np.zeros(4)}, "is inconsistent"),
    "lives of another length": ({"actions": np.zeros(5, int), "lives": np.zeros(9)}, "is inconsistent"),
    "RAM of another width": ({"actions": np.zeros(5, int), "ram": np.zeros((5, 64))}, "is inconsistent"),
    "dones that are numbers": ({"actions": np.zeros(5, int), "dones": np.arange(5)}, "as true and false"),
    "kinds that do not exist": ({"actions": np.zeros(2, int), "demonstrator": np.array([0, 9])}, "from 0 to 4"),
    "actions that the game does not have": ({"actions": np.array([0, 1, 17])}, "action 17 at step 2.*--actions full"),
    "more than memory": ({"actions": np.zeros(2 * 10**8, np.uint8)}, "more actions"),
    "a game that does not exist": ({"actions": np.zeros(5, int), "game": np.array("Chess")}, "'Chess', which is not"),
    "another game": ({"actions": np.zeros(5, int), "game": np.array("Breakout")}, "its game is Breakout, not Pong"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_actions_file_is_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    arrays, reason = BAD_FILES[what]
    path = tmp_path / "bad.npz"
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(CoachError, match=reason) as error:
        import_actions(Library(tmp_path / "library"), path, PONG)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("0 1 2")
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    for name, reason in (("text.npz", "array of Python objects|not an actions file"), ("single.npz", "single array")):
        with pytest.raises(CoachError, match=reason):
            read_actions_file(tmp_path / name)
    with pytest.raises(CoachError, match="Cannot read"):
        read_actions_file(tmp_path / "missing.npz")


def test_actions_are_read_as_indices_one_hot_rows_columns_or_names(tmp_path: Path) -> None:
    names = action_names("Pong")
    wanted = np.array([0, 1, 3, 2, 5, 4, 0])
    shapes = {
        "indices": wanted,
        "whole floats": wanted.astype(float),
        "column": wanted[:, None],
        "one-hot": np.eye(6, dtype=np.int8)[wanted],
        "names": np.array([names[action] for action in wanted]),
        "lower case": np.array([names[action].lower() for action in wanted]),
    }
    for shape, actions in shapes.items():
        np.savez(tmp_path / "actions.npz", actions=actions)
        assert read_actions_file(tmp_path / "actions.npz", "Pong").actions.tolist() == wanted.tolist(), shape


def test_one_action_a_decision_is_held_and_the_full_set_is_obeyed(tmp_path: Path) -> None:
    emulator = Emulator("Pong")
    full = action_names("Pong", full=True)
    decisions = np.array([0, 3, 4, 1, 3, 3, 4, 0] * 20)  # indices into the full set
    rewards = [
        sum(emulator.step(emulator.action_meanings.index(full[action])).reward for _ in range(4))
        if full[action] in emulator.action_meanings
        else 0.0
        for action in decisions
    ]
    keep = np.array([full[action] in emulator.action_meanings for action in decisions])
    np.savez(tmp_path / "held.npz", actions=decisions[keep], rewards=np.array(rewards, np.float32)[keep])
    (result,) = import_actions(
        Library(tmp_path / "library"), tmp_path / "held.npz", PONG, held_for=4, action_set="full"
    )
    with ReplayFile(result.path) as replay:
        assert replay.frame_count == 4 * keep.sum()
        assert replay.origin.settings.frame_skip == 4
        assert replay.origin.settings.full_action_set
        assert not replay.decisions().mixed.any()
