"""A list of actions from elsewhere becomes a whole replay file, or none at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from replay_episodes import record

from data.actions_file import read_actions_file, rebuild
from data.errors import AnswerIsNo, CoachError
from data.export import export
from data.library import Library
from data.proof import verify
from data.replay_file import ReplayFile
from data.simulation import Emulator

HUMAN_DEMOS = Path(os.environ.get("REPLAY_COACH_HUMAN_DEMOS", Path(__file__).parents[2] / "shared/data/human_demos"))


@pytest.mark.parametrize(("game", "frames", "score"), [("Pitfall", 42_036, 48_990), ("PrivateEye", 8_749, 100_400)])
def test_real_play_by_people_is_reproduced_exactly(game: str, frames: int, score: float, tmp_path: Path) -> None:
    source = HUMAN_DEMOS / f"{game}.npz"
    if not source.is_file():
        pytest.skip(f"no human play in {HUMAN_DEMOS}; set REPLAY_COACH_HUMAN_DEMOS")
    told: list[tuple[int, int]] = []
    path = rebuild(Library(tmp_path), game, source, on_progress=lambda done, total: told.append((done, total)))
    with ReplayFile(path) as replay, np.load(source) as arrays:
        assert (replay.frame_count, replay.score) == (frames, score)
        assert np.array_equal(replay.rewards, arrays["rewards"])
        assert np.array_equal(replay.lives.astype(np.int16), arrays["lives"]) or arrays["lives"].max() == 0
        assert replay.origin.settings.frame_skip == 1
        assert replay.summary().demonstrator == "imported"
    assert told[-1] == (frames, frames)
    assert verify(path).ok


def actions_file(folder: Path, frames: int = 900, game: str = "Pong") -> Path:
    emulator = Emulator(game)
    actions = np.random.default_rng(0).integers(6, size=frames)
    rewards = np.array([emulator.step(int(action)).reward for action in actions], np.float32)
    path = folder / "actions.npz"
    np.savez(path, actions=actions, rewards=rewards)
    return path


def test_a_list_that_does_not_reproduce_its_rewards_names_the_frame_and_leaves_no_file(tmp_path: Path) -> None:
    path = actions_file(tmp_path)
    with np.load(path) as arrays:
        actions, rewards = arrays["actions"], arrays["rewards"].copy()
    rewards[567] += 1
    np.savez(path, actions=actions, rewards=rewards)
    library = Library(tmp_path / "library")
    with pytest.raises(AnswerIsNo, match="frame 567"):
        rebuild(library, "Pong", path)
    assert list(library.replays.iterdir()) == []
    assert verify(rebuild(library, "Pong", path, keep_anyway=True)).ok


def test_an_exported_archive_comes_back_as_the_same_episode(tmp_path: Path) -> None:
    first = record(Library(tmp_path / "one"), 300, "Breakout", seed=9)
    archive = export(first, "npz", tmp_path)
    again = rebuild(Library(tmp_path / "two"), "Breakout", archive)
    with ReplayFile(first) as one, ReplayFile(again) as two:
        assert one.digest == two.digest
        assert one.origin.settings == two.origin.settings


BAD_FILES = {
    "no actions": ({"rewards": np.zeros(5)}, "no array `actions`"),
    "no frames": ({"actions": np.zeros(0, int)}, "holds no actions"),
    "two rows": ({"actions": np.zeros((2, 5), int)}, "one row"),
    "texts": ({"actions": np.array(["FIRE"])}, "one row"),
    "objects": ({"actions": np.array([object()])}, "not an actions file"),
    "fractions": ({"actions": np.array([0.5])}, "whole numbers"),
    "negative actions": ({"actions": np.array([-1])}, "whole numbers"),
    "rewards of another length": ({"actions": np.zeros(5, int), "rewards": np.zeros(4)}, "contradicts itself"),
    "actions that the game has not": ({"actions": np.array([0, 1, 17])}, "action 17 at frame 2"),
    "a flood": ({"actions": np.zeros(10**7, np.uint8)}, "more actions"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_actions_file_is_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    arrays, reason = BAD_FILES[what]
    path = tmp_path / "bad.npz"
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(CoachError, match=reason) as told:
        rebuild(Library(tmp_path / "library"), "Pong", path)
    assert "\n" not in str(told.value)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("0 1 2")
    np.save(tmp_path / "single.npy", np.zeros(3))
    (tmp_path / "single.npy").rename(tmp_path / "single.npz")
    for name in ("text.npz", "single.npz"):
        with pytest.raises(CoachError, match="not an actions file"):
            read_actions_file(tmp_path / name)
    with pytest.raises(CoachError, match="cannot be read"):
        read_actions_file(tmp_path / "missing.npz")
