"""Checkpoints: a whole training on disk, from which it continues exactly where it was, even after a kill.

A checkpoint is a folder ``checkpoints/<number>/``, written under another name and renamed once it is complete. The
memory's observations would make each one large, so they are beside it in ``memory/``: compressed blocks of 4096 slots,
of which only those that changed since the last checkpoint are written again. A checkpoint names its blocks. A block
that no checkpoint names is deleted.
"""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from agent.array_file import read_arrays, write_arrays
from agent.replay_memory import ReplayMemory
from data.errors import CoachError
from data.files import publish_folder, write_atomic
from data.runs import RunFolder

ACTING = "acting.npz"
"""A checkpoint's file of the weights that act, by the names of ``agent.network``."""
COMPRESSION = 1
"""zlib's fastest level, which reduces observations of Space Invaders to a twenty-fifth."""


class DamagedCheckpoint(CoachError):
    """A checkpoint cannot be read; the one before it may be whole."""


def read_checkpoint(folder: RunFolder) -> tuple[Path, dict[str, Any], dict[str, np.ndarray]] | None:
    """Return folder, state and learner arrays of the newest checkpoint, or None; raises DamagedCheckpoint."""
    try:
        found = folder.newest_state()
        return None if found is None else (*found, read_arrays(found[0] / "learner.npz"))
    except CoachError as error:
        raise DamagedCheckpoint(str(error)) from error


class CheckpointStore:
    """Saves and reads the checkpoints of one run. The newest two are kept."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._blocks: dict[int, str] = {}
        """Block number to the file that holds its newest content."""

    def save(
        self,
        state: dict[str, Any],
        memory: ReplayMemory,
        learned: dict[str, np.ndarray],
        acting: dict[str, np.ndarray],
        added: dict[str, np.ndarray] | None = None,
    ) -> Path:
        """Write a checkpoint; added: what changed of the transitions that were added during the training.

        Raises CoachError if that fails; the checkpoint before it remains.
        """
        newest = self._folder.newest_checkpoint()
        number = int(newest.name) + 1 if newest else 1
        target = self._folder.checkpoints / f"{number:08d}"
        partial = self._folder.checkpoints / "partial"
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for block in memory.changed_blocks():
                name = f"{block:06d}-{number:08d}.z"
                write_atomic(self._folder.memory / name, _packed(memory.block(block)))
                self._blocks[block] = name
            write_arrays(partial / "memory.npz", memory.mutable_arrays())
            write_arrays(partial / "learner.npz", learned)
            write_arrays(partial / ACTING, acting)
            if added is not None:
                write_arrays(partial / "added.npz", added)
            whole = {**state, "memory": memory.counters(), "blocks": self._blocks}
            write_atomic(partial / "state.json", json.dumps(whole).encode())
            publish_folder(partial, target)
        except OSError as error:
            raise CoachError(
                f"Cannot write the checkpoint {target} ({error.strerror or error}); free some space, then use --resume."
            ) from error
        memory.mark_saved()
        self._tidy()
        return target

    def load_memory(self, checkpoint: Path, state: dict[str, Any], memory: ReplayMemory) -> None:
        """Fill an empty memory of the same size as the saved one; raises DamagedCheckpoint."""
        self._blocks = {int(block): name for block, name in state["blocks"].items()}
        for block, name in self._blocks.items():
            path = self._folder.memory / name
            try:
                _unpack(path.read_bytes(), memory.block(block))
            except (OSError, ValueError, zlib.error) as error:
                raise DamagedCheckpoint(f"{path}, part of the replay memory, is not readable ({error}).") from error
        try:
            arrays = read_arrays(checkpoint / "memory.npz")
        except CoachError as error:
            raise DamagedCheckpoint(str(error)) from error
        memory.restore(state["memory"], arrays)

    def _tidy(self) -> None:
        kept = self._folder.checkpoint_paths()
        for old in [*kept[:-2], *self._folder.checkpoints.glob("damaged-*")]:
            shutil.rmtree(old, ignore_errors=True)
        named: set[str] = set()
        for checkpoint in kept[-2:]:
            named.update(json.loads((checkpoint / "state.json").read_text())["blocks"].values())
        for path in self._folder.memory.iterdir():
            if path.name not in named:
                path.unlink(missing_ok=True)


def acting_weights(folder: RunFolder) -> dict[str, np.ndarray]:
    """Return the acting weights of the newest checkpoint, or of the one before it if the newest is damaged, float32.

    Raises CoachError if there is none.
    """
    paths = folder.checkpoint_paths()
    if not paths:
        raise CoachError(f"The run {folder.name} has no checkpoint yet; let it train first.")
    try:
        arrays = read_arrays(paths[-1] / ACTING)
    except CoachError:
        if len(paths) == 1:
            raise
        arrays = read_arrays(paths[-2] / ACTING)
    # Those of a supplied run are stored as float16.
    return {name: array.astype(np.float32, copy=False) for name, array in arrays.items()}


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    parts = [zlib.compress(np.ascontiguousarray(array).tobytes(), COMPRESSION) for array in arrays.values()]
    sizes = np.array([len(part) for part in parts], "<i8").tobytes()
    return sizes + b"".join(parts)


def _unpack(content: bytes, arrays: dict[str, np.ndarray]) -> None:
    """Write packed content into arrays of the same shapes. Raises ValueError or zlib.error for other content."""
    sizes = np.frombuffer(content[: 8 * len(arrays)], "<i8")
    at = 8 * len(arrays)
    for array, size in zip(arrays.values(), sizes.tolist(), strict=True):
        raw = zlib.decompress(content[at : at + size])
        array[...] = np.frombuffer(raw, array.dtype).reshape(array.shape)
        at += size
