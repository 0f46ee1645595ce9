"""A picture of each game, made with the emulator once and kept in the user's cache folder."""

from __future__ import annotations

import io
import re
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
"""Ten seconds of random play, of which the picture is taken."""
FIRST_FRAME, EVERY_FRAMES = 150, 30
HELD_FRAMES = 10
_VERSION = 1
"""In the files' names: increase it when pictures are made in another way."""


@dataclass(frozen=True)
class GamePicture:
    """frame: (H, W) uint8 palette indices; palette: (256, 3) uint8."""

    frame: np.ndarray
    palette: np.ndarray


def display_name(game: str) -> str:
    """The ALE id as people write it: "SpaceInvaders" -> "Space Invaders", "MsPacman" -> "Ms Pacman"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", game)


def make_picture(game: str) -> GamePicture:
    """Play at random for ten seconds and take the picture with the most in it. Takes a tenth of a second or more.

    Two frames in a row are laid over one another, because many games show their sprites at every second frame only.
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
    """Where pictures are kept; may be deleted at any time."""
    return user_folders.cache_folder() / "games"


def picture_path(game: str, folder: Path | None = None) -> Path:
    """The file of a game's picture, there or not. Its name holds the cartridge's MD5."""
    return (folder or cache_folder()) / f"{game}-{rom_md5(game)[:8]}-{_VERSION}.npz"


def cached_picture(game: str, folder: Path | None = None) -> GamePicture | None:
    """The picture if it was made before; None also for a file that is damaged."""
    try:
        with np.load(picture_path(game, folder), allow_pickle=False) as arrays:
            frame, palette = arrays["frame"], arrays["palette"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, CoachError):
        return None
    if frame.dtype != np.uint8 or frame.ndim != 2 or palette.dtype != np.uint8 or palette.shape != (256, 3):
        return None
    return GamePicture(frame, palette)


def make_and_keep(game: str, folder: Path) -> GamePicture:
    """Make a game's picture and put it into the cache. A disk that refuses is no harm."""
    picture = make_picture(game)
    memory = io.BytesIO()
    np.savez_compressed(memory, frame=picture.frame, palette=picture.palette)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(picture_path(game, folder), memory.getvalue(), durable=False)
    return picture
