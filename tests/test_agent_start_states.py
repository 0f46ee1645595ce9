"""Start states: own episodes that start inside a seeded one, by each rule, and the exact emulator state there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agent_episodes import record_episode, small_config
from test_agent_training import assert_same_run

from agent.config import TrainConfig
from agent.run_loop import begin_episode, new_emulator
from agent.seeding import SeedPlan, plan_seeding
from agent.start_states import (
    SNAPSHOT_FRAMES,
    Start,
    StartStates,
    read_start_episodes,
    start_episodes,
    write_start_episodes,
)
from agent.training import train
from data.clip import Clip, Verdict
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Two episodes by a person, of 800 and of 400 frames."""
    library = Library(tmp_path / "library")
    library.prepare()
    record_episode(library, 800, seed=1, kind="human")
    record_episode(library, 400, seed=2, kind="human")
    return library


def plan_of(config: TrainConfig, library: Library, *verdicts: Verdict) -> SeedPlan:
    meanings = new_emulator(config).action_meanings
    return plan_seeding(
        config, library, meanings, lambda episode: [v for v in verdicts if v.clip.episode_id == episode]
    )


def states_of(config: TrainConfig, library: Library, *verdicts: Verdict) -> StartStates:
    meanings = new_emulator(config).action_meanings
    return StartStates(config, start_episodes(config, plan_of(config, library, *verdicts), meanings))


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_the_emulator_at_a_start_equals_the_files_frame_and_ram_bit_for_bit(library: Library, sticky: float) -> None:
    config = small_config(seed_from=("human",), start_inside=1.0, sticky=sticky)
    states, emulator = states_of(config, library), new_emulator(config)
    paths = [episode.path for episode in plan_of(config, library).episodes]
    frames = [(0, 400), (1, 4), (0, SNAPSHOT_FRAMES), (0, 796), (0, 0), (1, 396), (0, SNAPSHOT_FRAMES + 4), (0, 400)]
    for number, frame in frames:
        with ReplayFile(paths[number]) as replay:
            frame = min(frame, replay.frame_count)
            screen, ram, lives = (
                replay.frames(frame, frame + 1)[0],
                replay.ram(frame, frame + 1)[0],
                replay.lives[frame],
            )
        states.begin(emulator, Start(number, frame, 0.0))
        np.testing.assert_array_equal(emulator.screen(), screen)
        np.testing.assert_array_equal(emulator.ram(), ram)
        assert (emulator.lives, emulator.frame_number) == (lives, frame)
        emulator.step(1)
    begin_episode(emulator, 5, 3)
    begun = emulator.ram()
    fresh = new_emulator(config)
    begin_episode(fresh, 5, 3)
    np.testing.assert_array_equal(begun, fresh.ram())


def test_even_starts_cover_all_episodes_in_the_requested_share(library: Library) -> None:
    states = states_of(small_config(seed_from=("human",), start_inside=0.8), library)
    starts = [states.choose() for _ in range(3000)]
    inside = [start for start in starts if start is not None]
    assert abs(len(inside) / 3000 - 0.8) < 0.03
    counts = np.bincount([start.episode for start in inside], minlength=2) / len(inside)
    np.testing.assert_allclose(counts, [199 / 298, 99 / 298], atol=0.03)
    assert {start.frame for start in inside if start.episode == 1} == set(range(0, 396, 4))


def test_backward_starts_begin_near_the_end_and_move_earlier_with_success(library: Library) -> None:
    states = states_of(small_config(seed_from=("human",), start_inside=1.0, start_rule="backward"), library)

    def frames() -> np.ndarray:
        starts = [start for _ in range(200) if (start := states.choose()) is not None and start.episode == 0]
        return np.array([start.frame for start in starts])

    first = frames()
    assert first.min() >= 0.94 * 796
    for _ in range(20):
        states.finished(Start(0, 0, 100.0), 100.0)
    earlier = frames()
    assert earlier.max() < first.min() - 200
    for _ in range(40):
        states.finished(Start(0, 0, 100.0), 50.0)
    assert frames().min() > earlier.max()


@pytest.mark.parametrize(("rule", "verdict"), [("good", "good"), ("bad", "bad")])
def test_starts_before_judged_clips_lie_one_to_four_seconds_before_them(
    library: Library, rule: str, verdict: str
) -> None:
    config = small_config(seed_from=("human",), start_inside=1.0, start_rule=rule)
    plan = plan_of(config, library)
    judged = plan.episodes[0].episode_id
    of = [Verdict(Clip(judged, 600, 660), "Grace", verdict)]
    [episode, *_] = start_episodes(config, plan_of(config, library, *of), new_emulator(config).action_meanings)
    expected = set(range(600 - 240, 600 - 60 + 4, 4))
    lost = plan.episodes[0].decisions.first_frame[plan.episodes[0].decisions.life_lost] if rule == "bad" else []
    for frame in lost:
        expected |= {max(0, frame - lead) for lead in range(60, 244, 4)}
    assert set(episode.frames.tolist()) == expected


def test_a_rule_without_such_clips_is_an_error(library: Library) -> None:
    config = small_config(seed_from=("human",), start_inside=0.5, start_rule="good")
    with pytest.raises(CoachError, match="finds no start: no clip of the seeding was judged good"):
        train(library, "none", config)
    assert not library.run_folder("none").exists()


def test_start_inside_without_a_recorded_episode_is_an_error(library: Library) -> None:
    config = small_config(seed_from=("random:20",), start_inside=0.5)
    with pytest.raises(CoachError, match="the seeding has no recorded episode"):
        train(library, "none", config)


def test_saved_start_states_are_read_as_they_were(library: Library, tmp_path: Path) -> None:
    config = small_config(seed_from=("human",), start_inside=1.0)
    episodes = start_episodes(config, plan_of(config, library), new_emulator(config).action_meanings)
    write_start_episodes(tmp_path / "starts.npz", episodes)
    for ours, theirs in zip(episodes, read_start_episodes(tmp_path / "starts.npz"), strict=True):
        assert (ours.seed, ours.noop_start, ours.initial_ram) == (theirs.seed, theirs.noop_start, theirs.initial_ram)
        for name in ("actions", "frames", "points"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


@pytest.mark.parametrize("rule", ["even", "backward"])
def test_a_stopped_training_with_such_starts_continues_bit_for_bit(library: Library, rule: str) -> None:
    config = small_config(
        **{"seed_from": ("human",), "deterministic": True, "steps": 160, "checkpoint_every": 40, "sticky": 0.25},
        **{"start_inside": 0.7, "start_rule": rule, "max_episode_frames": 120, "epsilon_seeded": 0.8},
        **{"epsilon_end": 0.5, "network": "small", "quantiles": 4, "margin_anneal_steps": 100},
        **{"pretrain_on": "returns", "bound_returns": "own", "bad_margin": 0.5},
    )
    asked = iter(range(1000))
    stopped = train(library, "stopped", config, should_stop=lambda: next(asked) == 25)
    assert stopped.stopped
    assert 0 < stopped.step < 160
    for path in library.replays.glob("*.h5"):
        path.unlink()  # a resume needs nothing of the library but the run
    train(library, "stopped", config, resume=True)
    record_episode(library, 800, seed=1, kind="human")
    record_episode(library, 400, seed=2, kind="human")
    train(library, "whole", config)
    assert_same_run(library, "whole", "stopped")
    rows = (library.run_folder("whole") / "monitor.csv").read_text().splitlines()[2:]
    assert len(rows) < 160 // 30, "an episode that started inside the seeding is listed as a whole one"


def test_evaluations_start_at_the_games_beginning(library: Library) -> None:
    scores = []
    for share in (0.0, 1.0):
        changes = {"start_inside": share, "steps": 0, "evaluate_every": 10, "evaluation_episodes": 2}
        config = small_config(seed_from=("human",), pretrain_steps=0, **changes)
        train(library, f"share-{share:g}", config)
        scores.append(
            (library.run_folder(f"share-{share:g}") / "evaluations.jsonl").read_text().split('"scores"')[1][:40]
        )
    assert scores[0] == scores[1]
