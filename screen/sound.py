"""The game's sound, streamed frame by frame."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from pathlib import Path

import numpy as np
import pygame

from data.episode import FRAMES_PER_SECOND
from data.files import write_atomic
from data.user_folders import config_folder

SAMPLES_PER_FRAME = 512
SAMPLES_PER_SECOND = SAMPLES_PER_FRAME * FRAMES_PER_SECOND
_CHUNK_FRAMES = 3
"""Frames passed to the sound card at once. Whole mixer buffers, so that there is no gap between two chunks."""
_MOST_WAITING_FRAMES = 12
"""More can be waiting only if the game ran ahead; the oldest sound is dropped then."""


def _volume_file() -> Path:
    return config_folder() / "volume.json"


def read_volume() -> float:
    """Return the volume that was saved last, 0 to 1."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return min(1.0, max(0.0, float(json.loads(_volume_file().read_text(encoding="utf-8")))))
    return 1.0


def write_volume(volume: float) -> None:
    """Save the volume, if it can be written."""
    with contextlib.suppress(OSError):
        _volume_file().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_volume_file(), f"{volume:.2f}\n", durable=False)


class GameSound:
    """Plays samples as they arrive; does nothing without a sound device."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=_MOST_WAITING_FRAMES)
        self._channel: pygame.mixer.Channel | None = None
        try:
            pygame.mixer.init(SAMPLES_PER_SECOND, size=8, channels=1, buffer=SAMPLES_PER_FRAME, allowedchanges=0)
            self._channel = pygame.mixer.Channel(0)
        except pygame.error:
            pygame.mixer.quit()

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        if self._channel is not None:
            self._channel.set_volume(volume)

    @property
    def available(self) -> bool:
        """Whether there is a sound device."""
        return self._channel is not None

    def frame(self, samples: np.ndarray) -> None:
        """Play one frame's sound, (SAMPLES_PER_FRAME,) uint8; 128 is silence."""
        if self._channel is None:
            return
        self._waiting.append(np.asarray(samples, np.uint8).tobytes())
        if len(self._waiting) < _CHUNK_FRAMES or self._channel.get_queue() is not None:
            return
        chunk = pygame.mixer.Sound(buffer=b"".join(self._waiting))
        self._waiting.clear()
        if self._channel.get_busy():
            self._channel.queue(chunk)
        else:
            self._channel.play(chunk)

    def silence(self) -> None:
        """Stop at once, and discard what was waiting."""
        self._waiting.clear()
        if self._channel is not None:
            self._channel.stop()

    def close(self) -> None:
        if self._channel is not None:
            self._channel = None
            pygame.mixer.quit()
