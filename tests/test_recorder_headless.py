"""Recording without a window: real emulators, real files, real processes, and the guide's own demonstrator."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from played_sessions import assert_simulates_equal

from data.demonstrator import RandomPlay
from data.episode import EmulatorSettings, FrameState
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator
from data.verification import verify
from recorder.headless import record_episodes
from recorder.planner import Planner


class CannotBeMade:
    """A demonstrator that cannot be made, like an agent whose run does not exist."""

    kind = "agent"

    def __init__(self) -> None:
        raise CoachError("There is no run called x.")

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None: ...

    def choose(self, frames: Sequence[FrameState]) -> int:
        raise AssertionError(frames)


class CountsFrames:
    """Does nothing, and counts the frames that it is shown at each decision."""

    kind = "agent"
    shown: list[int]

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        self.emulator, self.rng = emulator, rng
        self.shown = []

    def choose(self, frames: Sequence[FrameState]) -> int:
        self.shown.append(len(frames))
        return 0


def actions_of(paths: list[Path]) -> list[np.ndarray]:
    found = []
    for path in paths:
        with ReplayFile(path) as replay:
            found.append(replay.actions)
    return found


def test_a_recorded_episode_simulates_equal_with_sticky_actions(tmp_path: Path) -> None:
    settings = EmulatorSettings(repeat_action_probability=0.25)
    (path,) = record_episodes(Library(tmp_path), RandomPlay, "SpaceInvaders", 1, settings, seed=7)
    assert_simulates_equal(path)


def test_sticky_actions_are_recorded_as_executed(tmp_path: Path) -> None:
    settings = EmulatorSettings(repeat_action_probability=0.25)
    (path,) = record_episodes(Library(tmp_path), RandomPlay, "SpaceInvaders", 1, settings, seed=7, max_frames=400)
    with ReplayFile(path) as replay:
        assert replay.decisions().mixed.mean() > 0.1


def test_without_stickiness_every_action_is_held_for_a_whole_decision(tmp_path: Path) -> None:
    (path,) = record_episodes(Library(tmp_path), RandomPlay, "Pong", 1, EmulatorSettings(), seed=1, max_frames=400)
    with ReplayFile(path) as replay:
        assert replay.decisions().mixed.mean() == 0.0
        assert len(set(replay.actions.tolist())) > 3


def test_the_same_seed_gives_the_same_actions_whatever_the_number_of_processes(tmp_path: Path) -> None:
    planner = partial(Planner, rollouts=2, horizon=6)
    one = record_episodes(Library(tmp_path / "1"), planner, "Breakout", 2, EmulatorSettings(), seed=3, max_frames=60)
    two = record_episodes(
        Library(tmp_path / "2"), planner, "Breakout", 2, EmulatorSettings(), seed=3, max_frames=60, jobs=2
    )
    for alone, beside in zip(actions_of(one), actions_of(two), strict=True):
        assert np.array_equal(alone, beside)


def test_episodes_differ_in_their_start_and_say_so(tmp_path: Path) -> None:
    paths = record_episodes(Library(tmp_path), RandomPlay, "Pong", 4, EmulatorSettings(), seed=0, max_frames=8)
    starts = set()
    for path in paths:
        with ReplayFile(path) as replay:
            starts.add((replay.origin.settings.seed, replay.origin.settings.noop_start))
        assert_simulates_equal(path)
    assert {seed for seed, _ in starts} == {0, 1, 2, 3}
    assert len({noops for _, noops in starts}) > 1


def test_an_episode_that_reaches_the_longest_length_is_truncated(tmp_path: Path) -> None:
    (path,) = record_episodes(Library(tmp_path), RandomPlay, "Pong", 1, EmulatorSettings(), seed=0, max_frames=50)
    with ReplayFile(path) as replay:
        assert (replay.frame_count, replay.ended_by) == (50, "truncated")


def test_random_decisions_of_an_exploring_demonstrator_are_recorded_as_random(tmp_path: Path) -> None:
    (path,) = record_episodes(
        Library(tmp_path), CountsFrames, "Pong", 1, EmulatorSettings(), seed=0, epsilon=0.5, max_frames=800
    )
    with ReplayFile(path) as replay:
        kinds = np.array(replay.demonstrator_kinds)[replay.demonstrator]
        assert set(kinds) == {"agent", "random"}
        assert not replay.actions[kinds == "agent"].any()
        assert replay.actions[kinds == "random"].any()
        assert 0.35 < (replay.decisions().demonstrator == replay.demonstrator_kinds.index("random")).mean() < 0.65


def test_a_demonstrator_sees_every_frame_once(tmp_path: Path) -> None:
    demonstrator = CountsFrames()
    settings = EmulatorSettings(frame_skip=3)
    record_episodes(Library(tmp_path), lambda: demonstrator, "Pong", 1, settings, seed=0, max_frames=10)
    assert demonstrator.shown == [1, 3, 3, 3]


def test_progress_is_reported_to_the_end_of_every_episode(tmp_path: Path) -> None:
    reported: list[tuple[int, int, float]] = []
    paths = record_episodes(
        Library(tmp_path),
        RandomPlay,
        "SpaceInvaders",
        2,
        EmulatorSettings(),
        seed=2,
        on_progress=lambda episode, frames, score: reported.append((episode, frames, score)),
    )
    for number, path in enumerate(paths):
        with ReplayFile(path) as replay:
            assert (number, replay.frame_count, replay.score) in reported


def test_wrong_numbers_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    library = Library(tmp_path / "new")
    for episodes, jobs, max_frames in ((0, 1, 10), (1, 0, 10), (1, 1, 0)):
        with pytest.raises(CoachError, match="must"):
            record_episodes(
                library, RandomPlay, "Pong", episodes, EmulatorSettings(), seed=0, jobs=jobs, max_frames=max_frames
            )
    assert not library.folder.exists()


def test_an_error_in_another_process_reaches_the_caller(tmp_path: Path) -> None:
    with pytest.raises(CoachError, match="no run called x"):
        record_episodes(Library(tmp_path), CannotBeMade, "Pong", 2, EmulatorSettings(), seed=0, jobs=2)
    assert list(Library(tmp_path).replays.glob("*")) == []


INTERRUPTED = """
import sys
from functools import partial
from data.episode import EmulatorSettings
from data.library import Library
from recorder.headless import RecordingStopped, record_episodes
from recorder.planner import Planner

if __name__ == "__main__":
    report = lambda episode, frames, score: print(frames, flush=True)
    settings = EmulatorSettings()
    try:
        planner = partial(Planner, rollouts=2, horizon=6)
        record_episodes(Library(sys.argv[1]), planner, "Pong", 2, settings, 0, int(sys.argv[2]), on_progress=report)
    except RecordingStopped as stopped:
        print("saved", len(stopped.paths))
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_after_an_interrupt_the_running_episode_is_saved_as_abandoned(tmp_path: Path, jobs: int) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, str(script), str(tmp_path / "library"), str(jobs)]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path
    )
    assert process.stdout is not None
    while int(process.stdout.readline()) < 60:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group
    rest = process.communicate(timeout=120)[0].splitlines()
    paths = sorted((tmp_path / "library" / "replays").iterdir())
    assert rest[-1] == f"saved {len(paths)}"
    assert 1 <= len(paths) <= jobs
    for path in paths:
        with ReplayFile(path) as replay:
            assert replay.ended_by == "abandoned"
        assert_simulates_equal(path)


PAGE = Path(__file__).parent.parent / "docs" / "your-own-demonstrator.md"


class StandIn:
    """Has the one method of a Stable-Baselines3 model that is used, and stores what it was shown."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def predict(self, observation: np.ndarray, deterministic: bool) -> tuple[np.ndarray, None]:
        assert deterministic
        self.shown.append(observation.copy())
        return np.array([len(self.shown) % 6]), None


def test_the_demonstrator_of_the_guide_records_episodes(tmp_path: Path) -> None:
    wrapper = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(compile(wrapper, str(PAGE), "exec"), names)
    model = StandIn()
    (path,) = record_episodes(
        Library(tmp_path),
        lambda: names["StableBaselines"](model),
        "SpaceInvaders",
        1,
        EmulatorSettings(),
        0,
        max_frames=400,
    )
    assert verify(path).ok
    with ReplayFile(path) as replay:
        assert replay.decisions().action.tolist() == [(number + 1) % 6 for number in range(100)]
        assert {replay.demonstrator_kinds[kind] for kind in replay.demonstrator} == {"agent"}
    assert {observation.shape for observation in model.shown} == {(1, 4, 84, 84)}
    assert np.array_equal(model.shown[80][0, 1:], model.shown[81][0, :3]), "each decision pushes one picture"
    assert not np.array_equal(model.shown[10][0, 3], model.shown[99][0, 3])
