"""The emulator: each episode starts in the same state, whatever was played before, and on which emulator."""

from __future__ import annotations

import numpy as np
import pytest
from ale_py import ALEInterface

from data import simulation
from data.episode import EmulatorSettings
from data.simulation import Emulator, games, rom_path

KEEPS_SOMETHING = ("Assault", "BeamRider", "FishingDerby")
"""Games that show other frames after a second ``reset_game`` of the emulator library than after the first."""


def play(emulator: Emulator, frames: int, seed: int) -> list[bytes]:
    """Play at random; return what each frame shows."""
    rng = np.random.default_rng(seed)
    found = [emulator.state().screen.tobytes()]
    for _ in range(frames):
        state = emulator.step(int(rng.integers(len(emulator.action_meanings))))
        found += [state.screen.tobytes(), state.ram.tobytes(), bytes([state.lives])]
    return found


def whole_state(ale: ALEInterface) -> bytes:
    """Return everything from which the next frames follow."""
    return bytes(ale.cloneState(include_rng=False).serialize())


def just_loaded(game: str, seed: int) -> bytes:
    ale = ALEInterface()
    ale.setFloat("repeat_action_probability", 0.0)
    ale.setInt("random_seed", seed)
    ale.loadROM(str(rom_path(game)))
    ale.reset_game()
    return whole_state(ale)


def assert_starts_equal(game: str, frames: int) -> None:
    simulation._idle.clear()
    emulator = Emulator(game)
    first = play(emulator, frames, seed=1)
    play(emulator, 3 * frames, seed=2)
    emulator.reset()
    assert {whole_state(emulator._ale)} == {just_loaded(game, seed) for seed in (0, 99)}
    assert play(emulator, frames, seed=1) == first
    used = emulator._ale
    del emulator
    next_one = Emulator(game)
    assert next_one._ale is used
    assert play(next_one, frames, seed=1) == first


@pytest.mark.parametrize("game", KEEPS_SOMETHING)
def test_every_episode_starts_as_on_a_cartridge_that_was_just_loaded(game: str) -> None:
    assert_starts_equal(game, 150)


@pytest.mark.soak
@pytest.mark.parametrize("game", games())
def test_every_episode_of_every_game_starts_as_on_a_cartridge_that_was_just_loaded(game: str) -> None:
    assert_starts_equal(game, 600)


def test_an_emulator_with_sound_sounds_the_same_in_each_episode() -> None:
    """The state of the emulator library does not include the phase of its tones, so each episode is loaded anew."""
    emulator = Emulator("SpaceInvaders", sound=True)
    first = [(emulator.act(1), emulator.audio().tobytes()) for _ in range(100)]
    emulator.reset()
    assert [(emulator.act(1), emulator.audio().tobytes()) for _ in range(100)] == first


def test_an_emulator_with_another_mode_loads_the_cartridge_anew() -> None:
    plain = Emulator("SpaceInvaders")
    used = plain._ale
    del plain
    other = Emulator("SpaceInvaders", EmulatorSettings(mode=9, difficulty=1))
    assert other._ale is not used
    first = play_silently(other)
    assert play_silently(Emulator("SpaceInvaders")) != first
    other.reset()
    assert play_silently(other) == first


def play_silently(emulator: Emulator) -> list[bytes]:
    return [emulator.step(frame % 6).screen.tobytes() for frame in range(200)]
