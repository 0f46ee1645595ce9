"""Preprocessing: equal to what others compute, and the same for live play and replay files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ale_py
import cv2
import gymnasium
import numpy as np
import pytest
from agent_episodes import record_episode
from gymnasium.wrappers import AtariPreprocessing

from agent.preprocessing import ObservationStack, Preprocessor, observations_of, tutorial_pictures
from data.errors import CoachError
from data.library import Library
from data.observations import luminance
from data.replay_file import ReplayFile
from data.simulation import Emulator

gymnasium.register_envs(ale_py)


class _Screens(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps the palette indices of every frame that the emulator shows, and all colours met so far."""

    def reset(self, **options: Any) -> Any:
        answer = self.env.reset(**options)
        self.screens: list[np.ndarray] = []
        self.palette = np.zeros((256, 3), np.uint8)
        self._look()
        return answer

    def step(self, action: Any) -> Any:
        answer = self.env.step(action)
        self._look()
        return answer

    def _look(self) -> None:
        ale: Any = self.env.unwrapped.ale  # type: ignore[attr-defined]
        screen = ale.getScreen()
        self.screens.append(screen)
        self.palette = self.palette.copy()
        self.palette[screen.reshape(-1)] = ale.getScreenRGB().reshape(-1, 3)


@pytest.mark.parametrize("game", ["SpaceInvaders", "Pong", "Breakout", "Seaquest", "MontezumaRevenge"])
def test_nature_observations_equal_gymnasiums_atari_preprocessing_bit_for_bit(game: str) -> None:
    screens = _Screens(gymnasium.make(f"ALE/{game}-v5", frameskip=1, repeat_action_probability=0.0))
    theirs = AtariPreprocessing(screens, noop_max=0, frame_skip=4, screen_size=84, grayscale_obs=True)
    ours = Preprocessor("nature")
    rng = np.random.default_rng(1)
    expected, _ = theirs.reset(seed=3)
    for _ in range(150):
        np.testing.assert_array_equal(ours.observe(screens.screens[-4:], screens.palette), expected)
        screens.screens.clear()
        expected, _, terminated, _, _ = theirs.step(int(rng.integers(theirs.action_space.n)))
        if terminated:
            break


def test_the_gray_of_each_colour_equals_the_emulators() -> None:
    environment = gymnasium.make("ALE/SpaceInvaders-v5", frameskip=1)
    ale: Any = environment.unwrapped.ale  # type: ignore[attr-defined]
    environment.reset(seed=0)
    for _ in range(200):
        environment.step(environment.action_space.sample())
    screen, rgb, gray = ale.getScreen(), ale.getScreenRGB(), ale.getScreenGrayscale()
    palette = np.zeros((256, 3), np.uint8)
    palette[screen.reshape(-1)] = rgb.reshape(-1, 3)
    np.testing.assert_array_equal(luminance(palette)[screen], gray)


def test_tutorial_observations_are_the_lower_rows_in_black_and_white() -> None:
    emulator = Emulator("SpaceInvaders")
    for _ in range(60):
        emulator.act(0)
    before, screen = emulator.step(0).screen, emulator.step(0).screen
    rgb = np.maximum(emulator.palette[before], emulator.palette[screen])
    gray = cv2.cvtColor(cv2.resize(rgb, (84, 110)), cv2.COLOR_RGB2GRAY)
    expected = np.where(gray[26:110] > 1, 255, 0).astype(np.uint8)
    found = Preprocessor("tutorial").observe([before, screen], emulator.palette)
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (84, 84)
    assert set(np.unique(found)) == {0, 255}


def test_a_new_colour_changes_the_observation_from_then_on() -> None:
    screen = np.full((210, 160), 4, np.uint8)
    palette = np.zeros((256, 3), np.uint8)
    preprocessor = Preprocessor("nature")
    assert preprocessor.observe([screen], palette).max() == 0
    palette = palette.copy()
    palette[4] = 200
    assert preprocessor.observe([screen], palette).min() == 200


def test_an_unknown_preprocessing_is_refused() -> None:
    with pytest.raises(CoachError, match="no preprocessing 'cubist'"):
        Preprocessor("cubist")


def test_a_stack_is_filled_with_its_episodes_first_observation() -> None:
    frames = [np.full((84, 84), value, np.uint8) for value in (1, 2, 3)]
    stack = ObservationStack(4)
    stack.begin(frames[0])
    assert stack.array()[:, 0, 0].tolist() == [1, 1, 1, 1]
    stack.push(frames[1])
    assert stack.array()[:, 0, 0].tolist() == [1, 1, 1, 2]
    stack.begin(frames[2])
    assert stack.array()[:, 0, 0].tolist() == [3, 3, 3, 3]


def test_older_observations_of_a_stack_are_as_many_decisions_old_as_their_ages() -> None:
    frames = [np.full((84, 84), value, np.uint8) for value in range(30)]
    stack = ObservationStack((0, 1, 5, 16))
    stack.begin(frames[0])
    for number, frame in enumerate(frames[1:], 1):
        stack.push(frame)
        assert stack.array()[:, 0, 0].tolist() == [max(0, number - age) for age in (16, 5, 1, 0)]
    other = ObservationStack((0, 1, 5, 16))
    other.fill(frames[13:])
    np.testing.assert_array_equal(other.array(), stack.array())


@pytest.mark.parametrize("name", ["nature", "tutorial"])
def test_observations_of_a_file_equal_those_of_its_frames_one_by_one(name: str, tmp_path: Path) -> None:
    library = Library(tmp_path)
    episode = record_episode(library, 2200, seed=4)
    with ReplayFile(library.episode_path(episode)) as replay:
        decisions = replay.decisions()
        rows = np.array([0, 1, 2, 17, 127, 128, 129, len(decisions)])
        found = list(observations_of(replay, decisions, Preprocessor(name), rows))
        assert len(found) == len(rows)
        for row, observation in zip(rows.tolist(), found, strict=True):
            stop = int(decisions.first_frame[row - 1] + decisions.length[row - 1]) if row else 0
            start = max(stop - 1, int(decisions.first_frame[row - 1]) + 1) if row else 0
            frames = list(replay.frames(start, stop + 1))
            np.testing.assert_array_equal(observation, Preprocessor(name).observe(frames, replay.palette))


def test_the_tutorials_pictures_lead_from_the_frames_to_the_observation() -> None:
    emulator = Emulator("SpaceInvaders")
    screens = [emulator.step(1).screen for _ in range(4)]
    pictures = tutorial_pictures(screens[-2:], emulator.palette)
    assert {name: picture.shape for name, picture in pictures.items()} == {
        "colours": (210, 160, 3),
        "small": (110, 84, 3),
        "gray": (110, 84),
        "cut": (84, 84),
        "black and white": (84, 84),
    }
    observation = Preprocessor("tutorial").observe(screens, emulator.palette)
    np.testing.assert_array_equal(pictures["black and white"], observation)
    assert set(np.unique(observation)) == {0, 255}
