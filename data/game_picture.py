"""A picture of each game, made with the emulator once and saved in the user's cache folder."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import user_folders
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.files import write_atomic
from data.film import brighter
from data.simulation import Emulator, rom_md5

FRAMES = 600
"""Length of the random play from which the picture is chosen: ten seconds."""
FIRST_FRAME, EVERY_FRAMES = 150, 30
HELD_FRAMES = 10
_VERSION = 1
"""Part of the file names. Increase it when pictures are made differently."""


@dataclass(frozen=True)
class GamePicture:
    """A picture. frame: (H, W) uint8 palette indices. palette: (256, 3) uint8 RGB."""

    frame: np.ndarray
    palette: np.ndarray


def make_picture(game: str) -> GamePicture:
    """Play at random for ten seconds and return the most detailed picture. This takes 0.1 s or more.

    Each picture combines two successive frames, because many games draw their sprites in every second frame only.
    """
    emulator = Emulator(game, EmulatorSettings())
    rng = np.random.default_rng(0)
    best, most = None, -1
    before, action = emulator.screen(), 0
    for number in range(1, FRAMES + 1):
        if number % HELD_FRAMES == 1:
            action = int(rng.integers(len(emulator.action_meanings)))
        emulator.act(action)
        beside = number % EVERY_FRAMES
        if number < FIRST_FRAME or beside not in (0, EVERY_FRAMES - 1):
            continue
        screen = emulator.screen()
        if beside == 0:
            whole = brighter(before, screen, emulator.palette)
            edges = int(np.count_nonzero(np.diff(whole, axis=1)) + np.count_nonzero(np.diff(whole, axis=0)))
            if edges > most:
                best, most = whole, edges
        before = screen
        if emulator.game_over:
            emulator.reset()
    assert best is not None
    return GamePicture(best, emulator.palette)


def cache_folder() -> Path:
    """Return the folder of the pictures. It may be deleted at any time."""
    return user_folders.cache_folder() / "games"


def picture_path(game: str, folder: Path | None = None) -> Path:
    """Return the file of a game's picture, existing or not. Its name includes the ROM's MD5."""
    return (folder or cache_folder()) / f"{game}-{rom_md5(game)[:8]}-{_VERSION}.npz"


def cached_picture(game: str, folder: Path | None = None) -> GamePicture | None:
    """Return the saved picture, or None if there is none or its file is damaged."""
    try:
        with np.load(picture_path(game, folder), allow_pickle=False) as arrays:
            frame, palette = arrays["frame"], arrays["palette"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, CoachError):
        return None
    if frame.dtype != np.uint8 or frame.ndim != 2 or palette.dtype != np.uint8 or palette.shape != (256, 3):
        return None
    return GamePicture(frame, palette)


def make_and_save(game: str, folder: Path) -> GamePicture:
    """Make a game's picture and save it in the cache. Errors of the disk are ignored."""
    picture = make_picture(game)
    memory = io.BytesIO()
    np.savez_compressed(memory, frame=picture.frame, palette=picture.palette)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(picture_path(game, folder), memory.getvalue(), durable=False)
    return picture
