"""The game's sound, written by SDL to a file instead of a sound card."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pygame
import pytest

from screen.sound import SAMPLES_PER_FRAME, GameSound


def test_every_frame_is_heard_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard_file = tmp_path / "heard.raw"
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")
    monkeypatch.setenv("SDL_DISKAUDIOFILE", str(heard_file))
    pygame.mixer.quit()  # a window of an earlier test in this process may have left it open, with another driver
    sound = GameSound()
    assert sound.available
    frames = [np.full(SAMPLES_PER_FRAME, 130 + number, np.uint8) for number in range(60)]
    for frame in frames:
        sound.frame(frame)
        time.sleep(1 / 60)
    time.sleep(0.3)
    sound.close()
    heard = np.fromfile(heard_file, np.uint8)
    played = [int(heard[start]) for start in range(0, len(heard) - 1, SAMPLES_PER_FRAME) if heard[start] > 129]
    assert len(played) > 40
    assert played == sorted(set(played))


def test_without_a_sound_device_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_AUDIODRIVER", "no such driver")
    sound = GameSound()
    assert not sound.available
    sound.frame(np.full(SAMPLES_PER_FRAME, 128, np.uint8))
    sound.silence()
    sound.close()
