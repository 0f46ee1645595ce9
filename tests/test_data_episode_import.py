"""Importing play: everything that the input states is compared, and an episode ends where the game ends."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.actions_file import import_actions
from data.demo_pickle import read_demo
from data.episode import EmulatorSettings
from data.episode_import import Imported, ImportOptions, import_play
from data.errors import AnswerIsNo, CoachError
from data.export import export
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.verification import verify

HUMAN_DEMOS = Path(os.environ.get("REPLAY_COACH_HUMAN_DEMOS", Path(__file__).parents[2] / "shared/data/human_demos"))
PONG = ImportOptions(game="Pong")
INVADERS = ImportOptions(game="SpaceInvaders")


def played(frames: int, game: str = "Pong", settings: EmulatorSettings | None = None) -> dict[str, np.ndarray]:
    """Random play as columns: actions, rewards, lives and RAM."""
    emulator = Emulator(game, settings or EmulatorSettings(frame_skip=1))
    rng = np.random.default_rng(0)
    actions = rng.integers(len(emulator.action_meanings), size=frames)
    states = [emulator.state(), *(emulator.step(int(action)) for action in actions)]
    return {
        "actions": actions,
        "rewards": np.array([state.reward for state in states[1:]], np.float32),
        "lives": np.array([state.lives for state in states]),
        "ram": np.array([state.ram for state in states]),
    }


def whole_game() -> dict[str, np.ndarray]:
    """A game of Space Invaders to its end, without an action."""
    emulator = Emulator("SpaceInvaders", EmulatorSettings(frame_skip=1))
    lives, rewards = [], []
    while not emulator.game_over:
        state = emulator.step(1 if len(lives) % 40 < 20 else 0)
        lives.append(state.lives)
        rewards.append(state.reward)
    actions = np.array([1 if frame % 40 < 20 else 0 for frame in range(len(lives))])
    return {"actions": actions, "lives": np.array(lives), "rewards": np.array(rewards, np.float32)}


def saved(folder: Path, **columns: object) -> Path:
    path = folder / "play.npz"
    np.savez_compressed(path, **columns)  # type: ignore[arg-type]
    return path


def imported(folder: Path, options: ImportOptions, **columns: object) -> list[Imported]:
    return import_actions(Library(folder / "library"), saved(folder, **columns), options)


@pytest.mark.parametrize("column", ["rewards", "lives", "ram"])
def test_a_column_that_the_emulator_contradicts_is_named_and_nothing_is_written(column: str, tmp_path: Path) -> None:
    columns = played(900, "SpaceInvaders")
    altered = columns[column].copy()
    altered[567] += 1
    with pytest.raises(AnswerIsNo, match=r"step 56[67]"):
        imported(tmp_path, INVADERS, **(columns | {column: altered}))
    assert list((tmp_path / "library/replays").iterdir()) == []


def test_what_was_kept_anyway_says_in_result_and_file_what_differs(tmp_path: Path) -> None:
    columns = played(900)
    columns["ram"][567, 3] += 1
    (result,) = imported(tmp_path, replace(PONG, keep_anyway=True), **columns)
    assert result.proved_by == ("rewards",)
    assert "byte 3 of the RAM after step 566" in result.differences[0]
    assert verify(result.path).ok
    with ReplayFile(result.path) as replay:
        assert json.loads(replay.attributes["imported"])["differences"] == list(result.differences)


def test_the_start_of_a_recording_that_diverges_can_be_kept(tmp_path: Path) -> None:
    columns = played(900)
    columns["ram"][601:] = 0
    (result,) = imported(tmp_path, replace(PONG, until_mismatch=True), **columns)
    assert (result.unused_steps, result.skipped_noops) == (300, 0)
    assert verify(result.path).ok
    with ReplayFile(result.path) as replay:
        assert (replay.frame_count, replay.ended_by) == (600, "truncated")
        assert np.array_equal(replay.ram(0, 601), columns["ram"][:601])


def test_a_difference_before_the_first_step_leaves_nothing_to_keep(tmp_path: Path) -> None:
    columns = played(300)
    columns["ram"][:] = 0
    with pytest.raises(AnswerIsNo, match="the RAM before the first step differs"):
        imported(tmp_path, replace(PONG, until_mismatch=True), **columns)
    assert Library(tmp_path / "library").episodes() == []


def test_actions_that_nothing_confirms_are_said_to_be_unproved(tmp_path: Path) -> None:
    (result,) = imported(tmp_path, PONG, actions=np.zeros(200, int), rewards=np.zeros(200))
    assert result.proved_by == ()
    assert any("Nothing in the input could confirm" in sentence for sentence in result.sentences())
    with ReplayFile(result.path) as replay:
        assert json.loads(replay.attributes["imported"])["proved_by"] == []


def test_two_games_in_one_file_become_two_episodes_that_end_with_the_game(tmp_path: Path) -> None:
    game = whole_game()
    frames = len(game["actions"])
    dones = np.zeros(2 * frames, bool)
    dones[[frames - 1, 2 * frames - 1]] = True
    other = np.concatenate([game["actions"][:100], np.zeros(20, int)])
    columns = {"actions": np.concatenate([game["actions"], other]), "dones": dones[: frames + 120]}
    first, second = imported(tmp_path, INVADERS, **columns)
    with ReplayFile(first.path) as one, ReplayFile(second.path) as two:
        assert (one.frame_count, one.ended_by) == (frames, "game_over")
        assert (two.frame_count, two.ended_by) == (120, "truncated")
        assert np.array_equal(two.actions, other)
    assert first.proved_by == ("ends",)


def test_a_second_game_without_a_mark_is_found_by_its_points(tmp_path: Path) -> None:
    game = whole_game()
    twice = {name: np.concatenate([column, column[:-1]]) for name, column in game.items()}
    first, second = imported(tmp_path, INVADERS, **twice)
    with ReplayFile(first.path) as one, ReplayFile(second.path) as two:
        assert (one.frame_count, two.frame_count) == (len(game["actions"]), len(game["actions"]) - 1)


def test_steps_after_the_game_are_counted_and_never_kept(tmp_path: Path) -> None:
    game = whole_game()
    frames = len(game["actions"])
    columns = {
        "actions": np.append(game["actions"], np.zeros(50, int)),
        "rewards": np.append(game["rewards"], np.zeros(50)),
    }
    (result,) = imported(tmp_path, INVADERS, **columns)
    assert result.unused_steps == 50
    with ReplayFile(result.path) as replay:
        assert (replay.frame_count, replay.ended_by) == (frames, "game_over")


def test_an_end_that_the_emulator_does_not_have_is_a_contradiction(tmp_path: Path) -> None:
    columns = played(300)
    ended = np.zeros(300, bool)
    ended[-1] = True
    with pytest.raises(AnswerIsNo, match="the game is over in the input and is not in the emulator"):
        imported(tmp_path, PONG, **columns, terminations=ended)


def test_an_episode_that_is_here_already_is_not_imported_again(tmp_path: Path) -> None:
    columns = played(300)
    (first,) = imported(tmp_path, PONG, **columns)
    (second,) = imported(tmp_path, PONG, **columns)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.path == second.path
    assert len(Library(tmp_path / "library").episodes()) == 1


def test_no_ops_at_the_start_that_were_never_played_are_left_out(tmp_path: Path) -> None:
    columns = played(900, "SpaceInvaders")
    late = {
        "actions": np.append(np.zeros(4, int), columns["actions"]),
        "rewards": np.append(np.zeros(4, np.float32), columns["rewards"]),
    }
    assert late["rewards"].any()
    (result,) = imported(tmp_path, INVADERS, **late)
    assert result.skipped_noops == 4
    assert result.proved_by == ("rewards",)
    assert verify(result.path).ok


def test_no_ops_before_the_first_action_are_found(tmp_path: Path) -> None:
    columns = played(600, "SpaceInvaders", EmulatorSettings(frame_skip=1, noop_start=17))
    (result,) = imported(tmp_path, INVADERS, **columns)
    assert result.noop_start == 17
    with ReplayFile(result.path) as replay:
        assert replay.origin.settings.noop_start == 17


def test_an_initial_ram_is_set_and_verified(tmp_path: Path) -> None:
    start = Emulator("SpaceInvaders").ram()
    start[73] = 1  # lives
    settings = EmulatorSettings(frame_skip=1, initial_ram=tuple(enumerate(start.tolist())))
    columns = played(300, "SpaceInvaders", settings)
    plain = played(300, "SpaceInvaders")
    assert not np.array_equal(columns["ram"], plain["ram"])
    (result,) = imported(tmp_path, INVADERS, **columns, initial_ram=start)
    assert "ram" in result.proved_by
    assert verify(result.path).ok
    with ReplayFile(result.path) as replay:
        assert replay.origin.settings.initial_ram == settings.initial_ram


def test_settings_without_an_initial_ram_are_stored_as_ever() -> None:
    assert "initial_ram" not in EmulatorSettings().to_json()
    assert EmulatorSettings.from_json(EmulatorSettings().to_json()) == EmulatorSettings()


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, ("touch harmed",))


def test_a_pickled_demonstration_is_read_without_running_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    columns = played(600)
    demo = {
        "actions": columns["actions"].tolist(),
        "rewards": [float(reward) for reward in columns["rewards"]],
        "lives": [np.int64(0)] * 600,
        "checkpoints": [np.zeros(8, np.uint8)],
    }
    (tmp_path / "good.demo").write_bytes(pickle.dumps(demo, protocol=2))
    (result,) = import_play(Library(tmp_path / "library"), read_demo(tmp_path / "good.demo"), PONG)
    with ReplayFile(result.path) as replay:
        assert np.array_equal(replay.actions, columns["actions"])
    (tmp_path / "bad.demo").write_bytes(pickle.dumps(demo | {"checkpoints": Harmful()}))
    with pytest.raises(CoachError, match=r"refused: it refers to posix\.system") as error:
        read_demo(tmp_path / "bad.demo")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "harmed").exists()
    for name, content in (("list", pickle.dumps([1, 2])), ("text", b"hello"), ("cut", pickle.dumps(demo)[:-20])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CoachError, match=r"not a (pickled )?demonstration"):
            read_demo(tmp_path / name)


HUMAN = [
    ("PrivateEye", 8_749, 100_400),
    pytest.param("Pitfall", 42_036, 48_990, marks=pytest.mark.soak),
    pytest.param("MontezumaRevenge", 53_057, 71_500, marks=pytest.mark.soak),
]


@pytest.mark.parametrize(("game", "frames", "score"), HUMAN)
def test_real_play_by_people_is_reproduced_exactly(game: str, frames: int, score: float, tmp_path: Path) -> None:
    source = HUMAN_DEMOS / f"{game}.npz"
    if not source.is_file():
        pytest.skip(f"no human play in {HUMAN_DEMOS}; set REPLAY_COACH_HUMAN_DEMOS")
    seen: list[tuple[int, int]] = []
    library = Library(tmp_path / "one")
    options = ImportOptions(game=game, player="Ada", demonstrator="human")
    (result,) = import_actions(library, source, options, on_progress=lambda done, total: seen.append((done, total)))
    assert "rewards" in result.proved_by
    assert seen[-1] == (frames, frames)
    (again,) = import_actions(Library(tmp_path / "two"), export(result.path, "npz", tmp_path), ImportOptions())
    with ReplayFile(result.path) as replay, np.load(source) as arrays, ReplayFile(again.path) as copy:
        assert (replay.frame_count, replay.score) == (frames, score)
        assert np.array_equal(replay.rewards, arrays["rewards"])
        assert replay.origin.settings.frame_skip == 1
        assert copy.digest == replay.digest
        assert (copy.summary().demonstrator, copy.origin.player) == ("human", "Ada")


@pytest.mark.soak
@pytest.mark.parametrize("game", ["PrivateEye", "Pitfall", "MontezumaRevenge"])
@pytest.mark.filterwarnings("ignore::UserWarning:minari")
def test_real_play_by_people_survives_minari(game: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = HUMAN_DEMOS / f"{game}.npz"
    if not source.is_file():
        pytest.skip(f"no human play in {HUMAN_DEMOS}; set REPLAY_COACH_HUMAN_DEMOS")
    pytest.importorskip("minari")
    from data.export import Span
    from data.minari_export import default_dataset_id, export_minari
    from data.minari_import import import_minari

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    options = ImportOptions(game=game, player="Ada", demonstrator="human")
    (result,) = import_actions(Library(tmp_path / "one"), source, options)
    name = default_dataset_id([Span(result.path)])
    export_minari([Span(result.path)], name)
    (again,) = import_minari(Library(tmp_path / "two"), name, ImportOptions())
    with ReplayFile(result.path) as replay, ReplayFile(again.path) as copy:
        assert copy.digest == replay.digest
        assert (copy.summary().demonstrator, copy.origin.player) == ("human", "Ada")
