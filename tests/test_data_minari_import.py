"""Minari data sets: what their environment says is obeyed, and whatever they hold, no import ends in a traceback."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ale_py
import gymnasium
import minari
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from minari.data_collector import EpisodeBuffer
from replay_episodes import record

import coach
from data.episode_import import ImportOptions
from data.errors import AnswerIsNo, CoachError
from data.export import Span
from data.library import Library
from data.minari_export import default_dataset_id, export_minari
from data.minari_import import import_minari
from data.replay_file import ReplayFile
from data.verification import verify

ABOUT = {
    "algorithm_name": "x",
    "author": "x",
    "author_email": "x@example.org",
    "code_permalink": "https://example.org",
    "description": "-",
}
NUMBERS = itertools.count()
gymnasium.register_envs(ale_py)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:minari")


@pytest.fixture(autouse=True)
def _data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "data sets"))


def collected(make: Callable[[], gymnasium.Env[Any, Any]], steps: int, episodes: int = 1) -> str:
    """Random play collected by Minari's own DataCollector; returns the data set's id."""
    environment = minari.DataCollector(make())
    rng = np.random.default_rng(1)
    for number in range(episodes):
        environment.reset(seed=5 if number == 0 else None)
        for _ in range(steps):
            *_, terminated, truncated, _ = environment.step(int(rng.integers(environment.action_space.n)))
            if terminated or truncated:
                break
    name = f"test/n{next(NUMBERS)}-v0"
    environment.create_dataset(name, **ABOUT)
    environment.close()
    return name


def breakout(**wrapper: Any) -> gymnasium.Env[Any, Any]:
    plain = gymnasium.make("ALE/Breakout-v5", frameskip=1, repeat_action_probability=0.0)
    return gymnasium.wrappers.AtariPreprocessing(plain, **wrapper)


@pytest.mark.parametrize(
    "wrapper", [{}, {"grayscale_obs": False}, {"noop_max": 0, "screen_size": 64}, {"scale_obs": True}], ids=str
)
def test_a_set_made_by_the_official_recipe_is_imported_exactly(wrapper: dict[str, Any], tmp_path: Path) -> None:
    name = collected(lambda: breakout(**wrapper), 80, episodes=2)
    results = import_minari(Library(tmp_path / "library"), name, ImportOptions())
    for result, episode in zip(results, minari.load_dataset(name).iterate_episodes(), strict=True):
        assert {"observations"} <= set(result.proved_by)
        assert (result.noop_start > 0) == (wrapper.get("noop_max", 30) > 0)
        assert verify(result.path).ok
        with ReplayFile(result.path) as replay:
            decisions = replay.decisions()
            assert decisions.action.tolist() == episode.actions.tolist()
            assert decisions.reward.tolist() == episode.rewards.tolist()
            assert replay.origin.settings.frame_skip == 4
            assert not decisions.mixed.any()


def test_a_life_lost_ends_the_episode_where_the_wrapper_says_so(tmp_path: Path) -> None:
    name = collected(lambda: breakout(terminal_on_life_loss=True), 400)
    episode = minari.load_dataset(name)[0]
    assert episode.terminations[-1]
    (result,) = import_minari(Library(tmp_path / "library"), name, ImportOptions())
    with ReplayFile(result.path) as replay:
        assert replay.ended_by == "truncated"
        assert replay.lives[-1] < replay.lives[0]


def test_an_old_environment_id_is_understood(tmp_path: Path) -> None:
    def old() -> gymnasium.Env[Any, Any]:
        return gymnasium.wrappers.ResizeObservation(gymnasium.make("PongNoFrameskip-v4"), (8, 8))

    name = collected(old, 20)
    (result,) = import_minari(Library(tmp_path / "library"), name, ImportOptions())
    with ReplayFile(result.path) as replay:
        assert (replay.origin.game, replay.frame_count) == ("Pong", 20)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: gymnasium.make("ALE/Pong-v5"), "sticky actions"),
        (lambda: gymnasium.make("Pong-v4"), "random frame skip"),
        (lambda: gymnasium.wrappers.StickyAction(breakout(), 0.5), "sticky actions"),
        (lambda: gymnasium.wrappers.FlattenObservation(breakout()), "wrapper FlattenObservation, whose effect"),
        (lambda: gymnasium.make("CartPole-v1"), "not a game of ale-py"),
    ],
    ids=["sticky", "random skip", "sticky wrapper", "unknown wrapper", "another environment"],
)
def test_what_actions_alone_cannot_reproduce_is_refused_by_name(
    make: Callable[[], gymnasium.Env[Any, Any]], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(CoachError, match=reason):
        import_minari(Library(tmp_path / "library"), collected(make, 5), ImportOptions())


def test_pictures_of_another_play_are_a_contradiction(tmp_path: Path) -> None:
    name = collected(lambda: breakout(noop_max=0), 60)
    source = minari.load_dataset(name)
    episode = source[0]
    altered = episode.observations.copy()
    altered[40] = 0
    made = f"test/n{next(NUMBERS)}-v0"
    buffer = EpisodeBuffer(
        seed=5,
        observations=altered,
        actions=episode.actions,
        rewards=episode.rewards,
        terminations=episode.terminations,
        truncations=episode.truncations,
    )
    minari.create_dataset_from_buffers(made, [buffer], env=source.spec.env_spec, **ABOUT)
    with pytest.raises(AnswerIsNo, match="the picture after step 39 differs"):
        import_minari(Library(tmp_path / "library"), made, ImportOptions())


def put(episodes: list[dict[str, Any]], action_space: spaces.Space[Any]) -> str:
    name = f"test/n{next(NUMBERS)}-v0"
    pictures = spaces.Box(0, 255, (2, 2, 3), np.uint8)
    buffers = [EpisodeBuffer(**episode) for episode in episodes]
    minari.create_dataset_from_buffers(name, buffers, observation_space=pictures, action_space=action_space, **ABOUT)
    return name


def tiny(actions: Any, steps: int, **more: Any) -> dict[str, Any]:
    return {
        "observations": np.zeros((steps + 1, 2, 2, 3), np.uint8),
        "actions": actions,
        "rewards": np.zeros(steps),
        "terminations": np.zeros(steps, bool),
        "truncations": np.arange(steps) == steps - 1,
        **more,
    }


def test_an_import_that_fails_midway_says_what_came_in(tmp_path: Path) -> None:
    good, bad = np.zeros(8, int), np.full(8, 5)
    name = put([tiny(good, 8), tiny(bad, 8, rewards=np.ones(8))], spaces.Discrete(6))
    library = Library(tmp_path / "library")
    with pytest.raises(AnswerIsNo, match="Before that, 1 episode was imported") as error:
        import_minari(library, name, ImportOptions(game="SpaceInvaders"))
    assert library.episodes()[0].episode_id in str(error.value)


SHAPES = {
    "indices": (lambda a: a, spaces.Discrete(6)),
    "column": (lambda a: a[:, None], spaces.MultiDiscrete([6])),
    "one-hot": (lambda a: np.eye(6, dtype=np.int8)[a], spaces.MultiBinary(6)),
    "continuous": (lambda a: np.stack([a, a, a], 1).astype(np.float32), spaces.Box(-9, 9, (3,), np.float32)),
    "dict": (lambda a: {"a": a}, spaces.Dict(a=spaces.Discrete(6))),
    "tuple": (lambda a: (a, a), spaces.Tuple((spaces.Discrete(6), spaces.Discrete(6)))),
    "fraction": (lambda a: a.astype(np.float32) + 0.5, spaces.Box(0, 9, (), np.float32)),
    "whole floats": (lambda a: a.astype(np.float32), spaces.Box(0, 9, (), np.float32)),
    "too large": (lambda a: a + 7, spaces.Discrete(20)),
}
OPTIONS = [
    None,
    {"replay_coach": {"start": 0}},
    {"replay_coach": "hello"},
    {"replay_coach": {"start": 5, "game": "Pong"}},
    {"replay_coach": {"start": 0, "game": "Chess", "settings": "{}", "action_meanings": "A,B", "player": "x"}},
    {"replay_coach": {"start": 0, "game": "Pong", "settings": "no", "action_meanings": "NOOP", "player": "x"}},
]
INFOS = [None, "negative kinds", "short lives", "wrong ram", "lives that differ"]


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[str, list[np.ndarray], list[str], dict[str, Any]]:
    shape = draw(st.sampled_from(list(SHAPES)))
    lengths = draw(st.lists(st.integers(1, 20), min_size=1, max_size=2))
    actions = [np.array(draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))) for n in lengths]
    more = {
        "options": draw(st.sampled_from(OPTIONS)),
        "infos": draw(st.sampled_from(INFOS)),
        "terminated": draw(st.booleans()),
        "rewarded": draw(st.booleans()),
    }
    return shape, actions, draw(st.sampled_from([[], ["--keep-anyway"], ["--until-mismatch"]])), more


def infos_of(kind: str | None, steps: int) -> dict[str, np.ndarray] | None:
    made = {
        None: None,
        "negative kinds": {"demonstrator": np.full(steps + 1, -1)},
        "short lives": {"lives": np.full(steps + 1, 3, np.uint8)},
        "wrong ram": {"ram": np.zeros((steps + 1, 128), np.uint8)},
        "lives that differ": {"lives": np.arange(1, steps + 2)},
    }
    return made[kind]


@contextlib.contextmanager
def printed() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        yield out, error


@pytest.mark.parametrize("examples", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_random_data_sets_are_imported_without_contradiction_or_refused_in_one_sentence(
    tmp_path: Path, examples: int
) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(data_sets())
    def check(drawn: tuple[str, list[np.ndarray], list[str], dict[str, Any]]) -> None:
        import_random_set(tmp_path, *drawn)

    check()


def import_random_set(
    tmp_path: Path, shape: str, all_actions: list[np.ndarray], flags: list[str], more: dict[str, Any]
) -> None:
    change, space = SHAPES[shape]
    episodes = []
    for actions in all_actions:
        steps = len(actions)
        last = np.arange(steps) == steps - 1
        ended = {"terminations": last, "truncations": ~last & False} if more["terminated"] else {}
        rewards = {"rewards": np.arange(steps, dtype=float)} if more["rewarded"] else {}
        about = {"options": more["options"], "infos": infos_of(more["infos"], steps)}
        episodes.append(tiny(change(actions), steps, **about, **ended, **rewards))
    name = put(episodes, space)
    library = Library(tmp_path / f"library-{name.removeprefix('test/')}")
    command = ["--library", str(library.folder), "import", "--from", "minari", "--game", "SpaceInvaders", "--json"]
    with printed() as (out, error):
        code = coach.main([*command, *flags, name])
    assert code in (0, 1, 2)
    if code:
        assert "Traceback" not in error.getvalue()
        assert error.getvalue().strip().count("\n") == 0, error.getvalue()
    for summary in library.episodes():
        assert verify(Path(summary.path)).ok
    if code == 0:
        for result, episode in zip(json.loads(out.getvalue())["episodes"], episodes, strict=True):
            with ReplayFile(Path(result["path"])) as replay:
                if not result["differences"]:
                    assert replay.rewards.tolist() == np.asarray(episode["rewards"], np.float32).tolist()
                    assert (replay.ended_by == "game_over") == bool(episode["terminations"][-1])
                note = json.loads(replay.attributes["imported"])
                assert result["is_new"] is False or note["differences"] == list(result["differences"])


def test_an_episode_goes_to_minari_and_back_without_loss(tmp_path: Path) -> None:
    recorded = record(Library(tmp_path / "one"), 300)
    name = default_dataset_id([Span(recorded)])
    export_minari([Span(recorded)], name)
    dataset = minari.load_dataset(name)
    episode = dataset[0]
    (result,) = import_minari(Library(tmp_path / "two"), name, ImportOptions())
    with ReplayFile(recorded) as replay, ReplayFile(result.path) as again:
        assert np.array_equal(episode.observations, replay.palette[replay.frames()])
        assert np.array_equal(episode.actions, replay.actions)
        assert replay.digest == again.digest
        assert replay.demonstrator.tolist() == again.demonstrator.tolist()
        assert again.origin.player == "Ada"
        with dataset.recover_environment() as environment:
            observation, _ = environment.reset()
            assert np.array_equal(observation, replay.palette[replay.frames(0, 1)[0]])
            for action in replay.actions[:60].tolist():
                observation, *_ = environment.step(action)
            assert np.array_equal(observation, replay.palette[replay.frames(60, 61)[0]])


def test_minari_shows_an_exported_data_set(tmp_path: Path) -> None:
    from minari.cli import app
    from typer.testing import CliRunner

    recorded = record(Library(tmp_path / "one"), 100)
    name = default_dataset_id([Span(recorded)])
    export_minari([Span(recorded)], name)
    result = CliRunner().invoke(app, ["show", name])
    assert result.exit_code == 0, result.output
    assert "SpaceInvaders" in result.output
