"""Evaluating an agent, and the trained agent as a player: protocols, random seeds, actions."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
from agent_episodes import small_config

from agent import run_loop
from agent.array_file import read_arrays
from agent.config import TrainConfig
from agent.evaluation import (
    PROTOCOLS,
    EpisodeTask,
    Protocol,
    episode_tasks,
    evaluate,
    play_episodes,
)
from agent.player import PlayerFactory, load_player
from agent.preprocessing import Preprocessor
from agent.training import train
from commands.value_curve import value_curve
from data.demonstrator import RandomPlay
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import list_runs
from data.simulation import Emulator
from recorder.headless import record_episodes


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library with one run of a few steps."""
    made = Library(tmp_path_factory.mktemp("library"))
    train(made, "first", small_config(steps=24, evaluate_every=24, evaluation_episodes=1))
    return made


@pytest.fixture
def short_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocols whose episodes are cut off after 200 frames."""
    for name, protocol in PROTOCOLS.items():
        monkeypatch.setitem(PROTOCOLS, name, dataclasses.replace(protocol, max_frames=200))


@pytest.mark.usefixtures("short_episodes")
@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_each_protocol_gives_scores_and_an_interval_around_their_mean(library: Library, protocol: str) -> None:
    reported: list[tuple[int, int]] = []
    found = evaluate(library, "first", 3, protocol, on_progress=lambda done, total: reported.append((done, total)))
    assert len(found.scores) == found.episodes == 3
    assert found.low <= found.mean <= found.high
    assert found.mean == np.mean(found.scores)
    assert (found.run, found.protocol, found.step) == ("first", protocol, 24)
    assert reported == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert f'"protocol": "{protocol}"' in found.to_json()


def test_scores_are_those_of_the_emulator_for_the_actions_with_the_greatest_value() -> None:
    config = small_config()
    meanings = Emulator("SpaceInvaders").action_meanings
    always_fire = np.eye(6, dtype=np.float32)[meanings.index("FIRE")]
    protocol = Protocol("none", 0, 0.0, 0.0, 2000, False)
    [score] = play_episodes(config, meanings, lambda _: always_fire, protocol, [EpisodeTask(5, 12, 0)])
    emulator = Emulator("SpaceInvaders", EmulatorSettings(seed=5, noop_start=12))
    assert score == sum(emulator.act(meanings.index("FIRE")) for _ in range(2000) if not emulator.game_over) > 0


def test_under_all_18_actions_an_agents_own_actions_keep_their_meaning() -> None:
    config = small_config()
    meanings = Emulator("SpaceInvaders").action_meanings
    fire = np.eye(6, dtype=np.float32)[meanings.index("FIRE")]
    tasks = [EpisodeTask(5, 0, 0)]
    minimal, full = (
        list(play_episodes(config, meanings, lambda _: fire, Protocol("", 0, 0.0, 0.0, 2000, all_actions), tasks))
        for all_actions in (False, True)
    )
    assert minimal == full


def test_no_episode_of_an_evaluation_is_one_of_a_training() -> None:
    tasks = episode_tasks(PROTOCOLS["nature"], 200, 0)
    emulator = Emulator("SpaceInvaders")
    rng = np.random.default_rng(0)
    config: TrainConfig = small_config()
    trained = set()
    for _ in range(5):
        run_loop.next_episode(emulator, config, rng)
        trained.add(emulator.settings.seed)
    assert max(trained) < run_loop.TRAINING_SEEDS[1] <= min(task.seed for task in tasks)
    assert {task.noop_start for task in tasks} == set(range(31))


@pytest.mark.usefixtures("short_episodes")
def test_scores_do_not_depend_on_the_number_of_processes(library: Library) -> None:
    # A spawned process imports the unpatched protocols, so the patched one is passed with the task.
    alone = evaluate(library, "first", 2, "nature", jobs=1, seed=4)
    together = evaluate(library, "first", 2, "nature", jobs=2, seed=4)
    assert alone.scores == together.scores


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"run": "other"}, "has no run 'other'; there are first"),
        ({"protocol": "ours"}, "no protocol 'ours'; there are nature, machado, tutorial"),
        ({"episodes": 0}, "at least 1 episode"),
        ({"weights": "worst"}, 'must be "last" or "best"'),
    ],
)
def test_an_invalid_evaluation_is_refused(library: Library, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(CoachError, match=message):
        evaluate(library, **{"run": "first", "episodes": 1, **arguments})  # type: ignore[arg-type]


@pytest.mark.usefixtures("short_episodes")
def test_the_best_weights_can_be_evaluated_too(library: Library) -> None:
    # Evaluated at step 0 and at step 24; the step of the better evaluation is stored with the weights.
    best = read_arrays(library.run_folder("first") / "best.npz")["step"]
    assert evaluate(library, "first", 1, weights="best").step == best


def test_a_player_chooses_the_action_with_the_greatest_value(library: Library) -> None:
    player = load_player(library, "first")
    emulator = Emulator("SpaceInvaders", EmulatorSettings(full_action_set=True))
    player.begin(emulator, np.random.default_rng(0))
    preprocessor = Preprocessor("nature")
    frames = [emulator.state()]
    seen = [preprocessor.observe([frames[0].screen], emulator.palette)] * 4
    for _ in range(6):
        action = player.choose(frames)
        np.testing.assert_array_equal(player.observation_stack(), seen[-4:])
        best = player.action_meanings[int(np.argmax(player.q_values()))]
        assert emulator.action_meanings[action] == best
        frames = [emulator.step(action) for _ in range(4)]
        seen.append(preprocessor.observe([frame.screen for frame in frames], emulator.palette))


def test_a_player_with_epsilon_1_plays_at_random(library: Library) -> None:
    player = load_player(library, "first", epsilon=1.0)
    emulator = Emulator("SpaceInvaders")
    player.begin(emulator, np.random.default_rng(0))
    state = emulator.state()
    counts = np.bincount([player.choose([state]) for _ in range(600)], minlength=6)
    assert counts.min() > 60


def test_a_player_that_only_observes_computes_the_same_values(library: Library) -> None:
    emulator = Emulator("SpaceInvaders")
    watching, playing = (load_player(library, "first") for _ in range(2))
    for player in (watching, playing):
        player.begin(emulator, np.random.default_rng(0))
    frames = [emulator.state()]
    for _ in range(5):
        watching.see(frames)
        action = playing.choose(frames)
        np.testing.assert_array_equal(watching.q_values(), playing.q_values())
        frames = [emulator.step(action) for _ in range(4)]


def test_a_recorded_episode_has_the_values_by_which_its_agent_acted(library: Library) -> None:
    make, settings = PlayerFactory(library.folder, "first"), EmulatorSettings(seed=3, noop_start=2)
    (path,) = record_episodes(library, make, "SpaceInvaders", 1, settings, 3, max_frames=400, player="first")
    reported: list[tuple[int, int]] = []
    curve = value_curve(library, path, lambda done, total: reported.append((done, total)))
    assert curve is not None
    assert (curve.run, curve.step, curve.frame_skip, reported) == ("first", 24, 4, [(0, 100), (64, 100)])
    player = load_player(library, "first")
    with ReplayFile(path) as replay:
        emulator = Emulator("SpaceInvaders", replay.origin.settings, replay.origin.action_meanings)
        actions = replay.actions
    player.begin(emulator, np.random.default_rng(0))
    frames = [emulator.state()]
    acted = []
    for first in range(0, len(actions), 4):
        assert player.choose(frames) == actions[first]
        acted.append(player.q_values().max())
        frames = [emulator.step(action) for action in actions[first : first + 4]]
    np.testing.assert_allclose(curve.values, acted, rtol=1e-6)
    assert [curve.at(frame) for frame in (0, 7, 400)] == [curve.values[0], curve.values[1], curve.values[99]]


def test_an_episode_that_no_known_run_played_has_no_values(library: Library) -> None:
    for make, player in ((RandomPlay, "first"), (PlayerFactory(library.folder, "first"), "Ada")):
        (path,) = record_episodes(library, make, "SpaceInvaders", 1, seed=4, max_frames=40, player=player)
        assert value_curve(library, path, lambda *_: None) is None


def test_a_player_refuses_another_game(library: Library) -> None:
    with pytest.raises(CoachError, match="plays SpaceInvaders, not Pong"):
        load_player(library, "first").begin(Emulator("Pong"), np.random.default_rng(0))


def test_a_player_factory_can_be_pickled(library: Library) -> None:
    factory = pickle.loads(pickle.dumps(PlayerFactory(library.folder, "first", 0.1)))
    assert factory().epsilon == 0.1


def test_a_library_without_runs_has_none(tmp_path: Path) -> None:
    assert list_runs(Library(tmp_path)) == []
