"""Actions files (.npz): NumPy archives with the actions of an episode, read without ever unpickling."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from data.action_values import FULL, action_indices
from data.episode import DEMONSTRATOR_KINDS, ENDINGS, RAM_BYTES, EmulatorSettings
from data.episode_import import Imported, ImportOptions, OnProgress, import_play
from data.errors import CoachError
from data.foreign_play import ForeignPlay
from data.library import Library
from data.replay_format import MAX_FILE_FRAMES
from data.simulation import action_names, game_named

ALIASES = {
    "rewards": ("rewards", "reward"),
    "lives": ("lives",),
    "ram": ("ram",),
    "terminations": ("terminations", "terminateds", "terminals"),
    "truncations": ("truncations", "truncateds"),
    "dones": ("dones", "done"),
    "demonstrator": ("demonstrator",),
    "markers": ("markers",),
}
"""The columns that are compared or used, and their names in archives."""
TEXTS = ("settings", "game", "about")


def read_actions_file(path: Path, game: str | None = None, held_for: int = 1, action_set: str = "") -> ForeignPlay:
    """Read an archive; raises CoachError for one that is not an actions file, or that is inconsistent.

    Arrays: ``actions`` (S,) integers, texts that name actions, or (S, N) one-hot; optionally ``rewards`` (S,) points,
    ``lives`` (S,) or (S + 1,), ``ram`` (S, 128) or (S + 1, 128), ``dones``, ``terminations`` and ``truncations``
    (S,), ``initial_ram`` (128,), and what ``coach export --to npz`` writes. game: the game, if the archive does
    not name it. held_for: frames for which each action is held. action_set: "minimal" or "full"; "" if the archive
    decides.
    """
    with _opened(path) as arrays:
        names = set(arrays.files)
        if "actions" not in names:
            raise CoachError(f"{path} has no array `actions`; it has {', '.join(sorted(names)) or 'no arrays'}.")
        about = _about(path, arrays)
        named = _game(path, arrays)
        settings = _settings(path, arrays, held_for, action_set)
        meanings = tuple(map(str, arrays["action_meanings"].tolist())) if "action_meanings" in names else None
        playing = named or game
        if action_set and meanings is not None and playing is not None:
            _require_set(path, meanings, playing, action_set)
        known = meanings or (action_names(playing, settings.full_action_set) if playing is not None else None)
        actions = action_indices(arrays["actions"], known, str(path))
        steps = len(actions)
        columns = {name: _column(path, name, arrays, steps) for name in ALIASES}
        initial = _initial_ram(path, arrays)
    if initial:
        settings = EmulatorSettings.from_json(json.dumps(json.loads(settings.to_json()) | {"initial_ram": initial}))
    terminations, ends = _ends(path, columns)
    lives, ram = columns["lives"], columns["ram"]
    rewards = columns["rewards"]
    ended_by = about.get("ended_by")
    return ForeignPlay(
        source=str(path),
        actions=actions,
        game=named,
        settings=settings,
        action_meanings=meanings,
        held_for=held_for,
        rewards=None if rewards is None else rewards.astype(np.float32),
        lives=None if lives is None or not lives.any() else lives[-steps:],
        ram=None if ram is None else ram[-steps:],
        first_ram=None if ram is None or len(ram) == steps else ram[0],
        terminations=terminations,
        ends=ends,
        demonstrator=_demonstrator(path, columns["demonstrator"]),
        markers=tuple(columns["markers"].tolist()) if columns["markers"] is not None else (),
        player=str(about.get("player", "")),
        ended_by=ended_by if ended_by in ENDINGS else None,
        kind=_kind(columns["demonstrator"]),
    )


def import_actions(
    library: Library,
    path: Path,
    options: ImportOptions,
    held_for: int = 1,
    action_set: str = "",
    on_progress: OnProgress | None = None,
) -> list[Imported]:
    """Read an archive, simulate it and publish its episodes; see ``read_actions_file`` and ``import_play``."""
    return import_play(library, read_actions_file(path, options.game, held_for, action_set), options, on_progress)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open an archive; every failure to read it raises CoachError."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            raise CoachError(f"{path} is a single array, not an archive; save it with np.savez(path, actions=...).")
        with loaded as arrays:
            _refuse_large(path, arrays)
            yield arrays
    except OSError as error:
        raise CoachError(f"Cannot read the actions file {path} ({error.strerror or error}).") from error
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise CoachError(
                f"{path} has an array of Python objects, which is not read because loading it could run code; save "
                "the actions as numbers: np.savez(path, actions=np.asarray(actions, dtype=np.uint8))."
            ) from error
        raise CoachError(f"{path} is not an actions file: {error}.") from error
    except (KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, NotImplementedError) as error:
        raise CoachError(f"{path} is not an actions file: it must be an .npz with an array `actions`.") from error


def _refuse_large(path: Path, arrays: np.lib.npyio.NpzFile) -> None:
    """Refuse arrays that are too large before they are unpacked, because a small archive could fill the memory."""
    wanted = {
        "actions",
        "initial_ram",
        "action_meanings",
        *TEXTS,
        *(name for names in ALIASES.values() for name in names),
    }
    for entry in arrays.zip.infolist() if arrays.zip is not None else ():
        name = entry.filename.removesuffix(".npy")
        row_bytes = 160 if name in ("ram", "actions") else 8
        if name in wanted and entry.file_size > row_bytes * (MAX_FILE_FRAMES + 1) + 4096:
            raise CoachError(f"{path} has more {entry.filename} than an episode may have ({MAX_FILE_FRAMES} frames).")


def _column(path: Path, name: str, arrays: Any, steps: int) -> np.ndarray | None:
    found = [alias for alias in ALIASES[name] if alias in arrays.files]
    if not found:
        return None
    column = np.asarray(arrays[found[0]])
    called = f"{path} is inconsistent: it has {steps} actions but its `{found[0]}`"
    if column.dtype.kind not in "biuf" or (column.dtype.kind == "f" and not np.isfinite(column).all()):
        raise CoachError(f"{called} is not an array of numbers.")
    if name == "markers":
        if column.ndim != 1 or len(column) > MAX_FILE_FRAMES:
            raise CoachError(f"{path} must have `markers` as one row of frames.")
        return column
    lengths = (steps, steps + 1) if name in ("lives", "ram") else (steps,)
    shape = (RAM_BYTES,) if name == "ram" else ()
    if column.ndim != 1 + len(shape) or column.shape[1:] != shape or len(column) not in lengths:
        raise CoachError(f"{called} has the shape {column.shape}.")
    return column


def _about(path: Path, arrays: Any) -> Mapping[str, Any]:
    """Return what ``coach export`` stored about the episode. Refuses a clip, which cannot be simulated."""
    if "about" not in arrays.files:
        return {}
    try:
        about = json.loads(str(arrays["about"]))
        start = int(about.get("start", 0))
    except (ValueError, TypeError, AttributeError):
        return {}
    if start != 0:
        raise CoachError(
            f"{path} is a clip that starts at frame {start}: only an episode from its start can be simulated."
        )
    return dict(about)


def _game(path: Path, arrays: Any) -> str | None:
    if "game" not in arrays.files:
        return None
    name = str(arrays["game"])
    game = game_named(name)
    if game is None:
        raise CoachError(f"{path} says that its game is {name[:60]!r}, which is not a game of ale-py.")
    return game


def _settings(path: Path, arrays: Any, held_for: int, action_set: str) -> EmulatorSettings:
    if "settings" not in arrays.files:
        return EmulatorSettings(frame_skip=max(1, held_for), full_action_set=action_set == FULL)
    try:
        settings = EmulatorSettings.from_json(str(arrays["settings"]))
    except CoachError as error:
        raise CoachError(f"{path}: {error}") from error
    if held_for > 1:
        raise CoachError(f"{path} has an action for every frame; --held-for does not apply to it.")
    if action_set and (action_set == FULL) != settings.full_action_set:
        raise CoachError(f"{path} says that its actions are not the {action_set} set.")
    return settings


def _require_set(path: Path, meanings: tuple[str, ...], game: str, action_set: str) -> None:
    if meanings != action_names(game, action_set == FULL):
        raise CoachError(f"{path} names its actions, and they are not the {action_set} set of {game}.")


def _ends(path: Path, columns: Mapping[str, np.ndarray | None]) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return whether the game was over and whether the episode ended, each (S,) bool or None."""
    flags = {}
    for name in ("terminations", "truncations", "dones"):
        column = columns[name]
        if column is not None and not np.isin(column, (0, 1)).all():
            raise CoachError(f"{path} must have `{name}` as true and false.")
        flags[name] = None if column is None else column.astype(bool)
    ended = [flag for flag in flags.values() if flag is not None]
    if not ended:
        return None, None
    return flags["terminations"], np.logical_or.reduce(ended)


def _initial_ram(path: Path, arrays: Any) -> list[list[int]]:
    if "initial_ram" not in arrays.files:
        return []
    ram = np.asarray(arrays["initial_ram"])
    if ram.shape != (RAM_BYTES,) or ram.dtype.kind not in "iu" or ram.min() < 0 or ram.max() > 255:
        raise CoachError(f"{path} must have `initial_ram` as {RAM_BYTES} bytes.")
    return [[byte, int(value)] for byte, value in enumerate(ram)]


def _demonstrator(path: Path, column: np.ndarray | None) -> np.ndarray | None:
    if column is None:
        return None
    if column.dtype.kind not in "iu" or column.min() < 0 or column.max() >= len(DEMONSTRATOR_KINDS):
        raise CoachError(f"{path} must have `demonstrator` as numbers from 0 to {len(DEMONSTRATOR_KINDS) - 1}.")
    return column.astype(np.uint8)


def _kind(column: np.ndarray | None) -> str:
    """Return the kind that chose most frames."""
    if column is None or not len(column):
        return "imported"
    return DEMONSTRATOR_KINDS[int(np.bincount(column.astype(np.int64)).argmax())]
