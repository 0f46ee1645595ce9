"""Read and write replay files (format version 1). The only module that imports h5py."""

from __future__ import annotations

import functools
import io
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import h5py
import hdf5plugin
import numpy as np

from data.decisions import Decisions, decisions_of
from data.episode import DEFAULT_FRAME_SKIP, DEMONSTRATOR_KINDS, EpisodeSummary, Origin, PaceReport
from data.errors import CoachError
from data.replay_checks import (
    GZIP_FILTER,
    ZSTD_FILTER,
    check_attributes,
    check_structure,
    has_endless_heap,
    inflate,
    zstd_content_size,
)
from data.replay_format import (
    ATTRIBUTES_CHECK,
    CHUNK_FRAMES,
    COLUMN_CHECK,
    COLUMNS,
    ID,
    OPTIONAL_COLUMNS,
    SELF_CHECKED,
    attributes_digest,
    attributes_of,
    choice_checks,
    column_digest,
    digest_of,
    origin_of,
    require_attributes,
)
from data.simulation import RAM_BYTES

P = ParamSpec("P")
R = TypeVar("R")

SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZSTD_LEVEL = 9
"""9 MB an hour at 1.7 ms a block. Level 3 needs 17 MB at 0.7 ms, level 12 needs 8 MB at 22 ms."""
COLUMN_CHUNK_ROWS = 16384
READ_CACHE_BYTES = 16 * 2**20
"""Several blocks of frames, so that reading frame by frame decompresses each block once."""

BROKEN = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
"""Exceptions that h5py raises for damaged files."""


_hdf5 = threading.RLock()
"""Locked during every use of HDF5. HDF5 is not thread-safe, and h5py's own lock has gaps (such as the sizes and types
of attributes): a thread that compresses while another reads would crash the process sooner or later."""


def _exclusive(work: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that no other thread uses HDF5 while it runs."""

    @functools.wraps(work)
    def guarded(*arguments: P.args, **options: P.kwargs) -> R:
        with _hdf5:
            return work(*arguments, **options)

    return guarded


def _restrict_plugins() -> None:
    """Let HDF5 load the filters of hdf5plugin only, not those of folders that an environment variable names."""
    while h5py.h5pl.size():
        h5py.h5pl.remove(0)
    h5py.h5pl.append(str(hdf5plugin.PLUGIN_PATH).encode())


_restrict_plugins()


_block_numbers = itertools.count()
"""HDF5 treats two files in memory as the same file if they have the same name."""


@_exclusive
def compress_zstd(rows: np.ndarray) -> bytes:
    """Return one block as HDF5 stores it. It is made in memory, and other threads can run."""
    with h5py.File(f"block {next(_block_numbers)}", "w", driver="core", backing_store=False) as file:
        block = file.create_dataset(
            "block", rows.shape, np.uint8, chunks=rows.shape, **hdf5plugin.Zstd(clevel=ZSTD_LEVEL)
        )
        block.write_direct(np.ascontiguousarray(rows))
        return bytes(block.id.read_direct_chunk((0,) * rows.ndim)[1])


@_exclusive
def decompress_zstd(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Reverse ``compress_zstd``; return an array of this shape, uint8."""
    with h5py.File(f"block {next(_block_numbers)}", "w", driver="core", backing_store=False) as file:
        block = file.create_dataset("block", shape, np.uint8, chunks=shape, **hdf5plugin.Zstd())
        block.id.write_direct_chunk((0,) * len(shape), data)
        return np.asarray(block[:])


@_exclusive
def episode_image(
    path: Path,
    origin: Origin,
    columns: Mapping[str, np.ndarray],
    ended_by: str,
    packed: Sequence[tuple[bytes, bytes]],
    screen_shape: tuple[int, int],
    pace: PaceReport | None = None,
    imported: Mapping[str, Any] | None = None,
) -> tuple[bytes, EpisodeSummary]:
    """Return the bytes of a complete replay file, and its summary.

    columns: palette, actions, rewards, lives, demonstrator, markers. packed: frames and RAM of each CHUNK_FRAMES
    rows, compressed. The file is made in memory, so that no disk error can interrupt HDF5.
    """
    rows = len(columns["actions"]) + 1
    memory, zstd = io.BytesIO(), hdf5plugin.Zstd(clevel=ZSTD_LEVEL)
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        for at, (name, row_shape) in enumerate((("frames", screen_shape), ("ram", (RAM_BYTES,)))):
            dataset = file.create_dataset(
                name,
                (rows, *row_shape),
                np.uint8,
                maxshape=(None, *row_shape),
                chunks=(CHUNK_FRAMES, *row_shape),
                **zstd,
            )
            for index, block in enumerate(packed):
                dataset.id.write_direct_chunk((index * CHUNK_FRAMES,) + (0,) * len(row_shape), block[at])
        checks = choice_checks(columns["actions"], columns["demonstrator"])
        for name, column in {**columns, "choice_checks": checks}.items():
            packing = {"chunks": (min(len(column), COLUMN_CHUNK_ROWS),), **zstd} if len(column) > CHUNK_FRAMES else {}
            dataset = file.create_dataset(name, data=column, **({} if column.ndim > 1 else packing))
            if name in SELF_CHECKED:
                dataset.attrs[COLUMN_CHECK] = column_digest(column)
        ram = (file["ram"][at : at + CHUNK_FRAMES] for at in range(0, rows, CHUNK_FRAMES))
        score = float(columns["rewards"].sum(dtype=np.float64))
        digest = digest_of(columns["actions"], columns["rewards"], ram)
        file.attrs.update(attributes_of(origin, ended_by, score, digest, pace, imported, path.stem))
    summary = _summary(
        path.stem, path, origin, DEMONSTRATOR_KINDS, columns["demonstrator"], columns["rewards"], ended_by
    )
    return memory.getvalue(), summary


@_exclusive
def portable_image(source: ReplayFile, on_progress: Callable[[int, int], None] | None = None) -> bytes:
    """Return the bytes of the same file compressed with gzip only, for tools without the Zstandard plugin."""
    memory, file_in, rows = io.BytesIO(), source.h5py_file, source.frame_count + 1
    with h5py.File(memory, "w", libver=("v110", "v110")) as file_out:
        for name in (*COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in file_in)):
            old = file_in[name]
            chunks = (min(CHUNK_FRAMES, len(old)), *old.shape[1:]) if name in ("frames", "ram") else None
            packing = {"chunks": chunks, "compression": "gzip"} if chunks else {}
            new = file_out.create_dataset(name, old.shape, old.dtype, **packing)
            for at in range(0, len(old), CHUNK_FRAMES):
                new[at : at + CHUNK_FRAMES] = source.rows(name, at, at + CHUNK_FRAMES)
                if name == "frames" and on_progress is not None:
                    on_progress(min(at + CHUNK_FRAMES, rows), rows)
            new.attrs.update(old.attrs)
        file_out.attrs.update(file_in.attrs)
    return memory.getvalue()


@_exclusive
def renamed_image(source: ReplayFile, names: Mapping[str, str], episode_id: str | None = None) -> bytes:
    """Return the bytes of the same file with other names of people. They depend on the arguments only.

    episode_id: the copy's id, if it is to be another episode.


    Everything is copied into a new file, because the old name would remain in the unused bytes of a changed one. What
    this version does not know is left out, since it might contain names.
    """
    memory, file_in = io.BytesIO(), source.h5py_file
    making, access = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    making.set_obj_track_times(False)  # the bytes must not depend on the time
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, memory)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
    name_in_memory = f"renamed {next(_block_numbers)}".encode()
    with h5py.File(h5py.h5f.create(name_in_memory, h5py.h5f.ACC_TRUNC, making, access)) as file_out:
        for name in (*COLUMNS, *(name for name in OPTIONAL_COLUMNS if name in file_in)):
            file_in.copy(name, file_out, without_attrs=True)
            if name in source.column_checks:
                file_out[name].attrs[COLUMN_CHECK] = source.column_checks[name]
        origin = source.origin
        renamed = tuple((kind, names.get(name, name)) for kind, name in origin.players if kind != "agent")
        agents = tuple(pair for pair in origin.players if pair[0] == "agent")
        player = origin.player if origin.players else names.get(origin.player, origin.player)
        origin = replace(origin, player=player, players=tuple(sorted((*renamed, *agents))))
        attributes = attributes_of(
            origin, source.ended_by, source.score, source.digest, episode_id=episode_id or source.attributes.get(ID)
        )
        attributes["demonstrator_kinds"] = list(source.demonstrator_kinds)
        attributes[ATTRIBUTES_CHECK] = attributes_digest(attributes)
        file_out.attrs.update(attributes)
    return memory.getvalue()


def _open(path: Path) -> h5py.File:
    try:
        with path.open("rb") as file:
            signature = file.read(len(SIGNATURE))
    except OSError as error:
        raise CoachError(f"Cannot read {path} ({error.strerror or error}).") from error
    if signature != SIGNATURE:
        raise CoachError(f"{path} is not a replay file: it is not an HDF5 file.")
    try:
        if has_endless_heap(path):
            raise CoachError(f"{path} is damaged: its texts are not readable. Copy it again from its source.")
        return h5py.File(path, "r", rdcc_nbytes=READ_CACHE_BYTES, locking=False)
    except BROKEN as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> CoachError:
    if "truncated file" in str(error):
        return CoachError(f"{path} is truncated: the end of the file is missing. Copy it again from its source.")
    reason = " ".join(str(error).split())[:200]
    return CoachError(f"{path} is damaged or not a replay file ({reason}). Copy it again from its source.")


def _summary(
    episode_id: str,
    path: Path,
    origin: Origin,
    kinds: Sequence[str],
    demonstrator: np.ndarray,
    rewards: np.ndarray,
    ended_by: str,
) -> EpisodeSummary:
    counts = Counter({kinds[i]: int(n) for i, n in enumerate(np.bincount(demonstrator)) if n})
    most = counts.most_common(1)[0][0] if counts else "human"
    return EpisodeSummary(
        episode_id=episode_id,
        path=str(path),
        game=origin.game,
        demonstrator=most,
        player=origin.player_of(most),
        created=origin.created.isoformat(),
        frame_count=len(rewards),
        score=float(rewards.sum(dtype=np.float64)),
        ended_by=ended_by,
        frame_skip=origin.settings.frame_skip,
        rewarded_frames=int(np.count_nonzero(rewards)),
        frames_by_demonstrator=dict(counts),
        players=dict(origin.players),
    )


class ReplayFile:
    """Reads one replay file. Small columns are loaded at once; frames and RAM are read in blocks on demand.

    Raises CoachError, when opened or while reading, for anything but a complete replay file. Pass a file that does not
    come from this library to ``data.quarantine`` first.
    """

    @_exclusive
    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.h5py_file = _open(self.path)
        try:
            self._read_attributes()
            self._datasets = check_structure(self.h5py_file, str(self.path))
            self._read_columns()
        except BROKEN as error:
            self.h5py_file.close()
            raise _damaged(self.path, error) from error
        except CoachError:
            self.h5py_file.close()
            raise

    def _read_attributes(self) -> None:
        check_attributes(self.h5py_file, str(self.path))
        self.attributes: dict[str, Any] = {}
        """The root attributes: strings, numbers, and lists of strings or numbers."""
        for name in self.h5py_file.attrs:
            value = self.h5py_file.attrs[name]
            self.attributes[name] = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        require_attributes(self.attributes, str(self.path))
        attributes = self.attributes
        self.episode_id: str = attributes.get(ID, self.path.stem)
        """As stored in the file, so that a renamed file keeps it; else the file's name without ".h5"."""
        self.origin = origin_of(attributes)
        self.demonstrator_kinds: tuple[str, ...] = tuple(attributes["demonstrator_kinds"])
        self.ended_by: str = attributes["ended_by"]
        self.score = float(attributes["score"])
        self.digest: str = attributes["digest"]
        self.pace = PaceReport.from_json(attributes.get("pace"))
        """How evenly the frames were shown to a player; None if the file does not have it."""

    def _read_columns(self) -> None:
        self.actions = self.rows("actions")
        self.rewards = self.rows("rewards")
        self.lives = self.rows("lives")
        self.demonstrator = self.rows("demonstrator")
        self.markers = self.rows("markers")
        self.palette = self.rows("palette")
        self.screen_shape: tuple[int, int] = self._datasets["frames"].shape[1:]
        self.choice_checks = self.rows("choice_checks") if "choice_checks" in self._datasets else None
        """(T,) uint8, see ``data.replay_format.choice_checks``; None if the file does not have them."""
        self.decision_actions = self.rows("decision_actions") if "decision_actions" in self._datasets else None
        """(T,) uint8: the action that represents each frame's decision of DEFAULT_FRAME_SKIP frames, for imports whose
        labels were chosen by their effect; None: the action held longest."""
        self.column_checks = {
            name: str(attributes[COLUMN_CHECK])
            for name in SELF_CHECKED
            if name in self._datasets and COLUMN_CHECK in (attributes := self._datasets[name].attrs)
        }
        """Column to the SHA-256 that the file states."""
        # Check the indices now: an invalid one would fail much later.
        labels = self.actions if self.decision_actions is None else self.decision_actions
        indices = ((self.actions, "action_meanings"), (labels, "action_meanings"))
        for column, names in (*indices, (self.demonstrator, "demonstrator_kinds")):
            wrong = np.flatnonzero(column >= len(self.attributes[names]))
            if len(wrong):
                raise CoachError(f"{self.path} is damaged: frame {wrong[0]} refers to a missing entry of {names}.")
        if len(self.markers) and not 0 <= self.markers.min() <= self.markers.max() <= self.frame_count:
            raise CoachError(f"{self.path} is damaged: it marks a frame that it does not have.")
        if not np.isfinite(self.rewards).all():
            raise CoachError(f"{self.path} is damaged: it contains a reward that is not a finite number.")

    @_exclusive
    def rows(self, name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return rows of a dataset. The size of each block is checked before HDF5 decompresses it."""
        dataset = self._datasets[name]
        start, stop, _ = slice(start, stop).indices(len(dataset))
        if dataset.chunks is None:
            return np.asarray(dataset[start:stop])
        plan = dataset.id.get_create_plist()
        filter_code = plan.get_filter(0)[0] if plan.get_nfilters() else 0
        block_bytes = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
        parts = []
        length = dataset.chunks[0]
        for first in range(start - start % length, stop, length):
            corner = (first,) + (0,) * (dataset.ndim - 1)
            skipped, packed = dataset.id.read_direct_chunk(corner)
            if skipped:
                raise ValueError(f"block {first} of {name} skips its filter")
            if filter_code == GZIP_FILTER:
                rows = np.frombuffer(inflate(packed, block_bytes), dataset.dtype).reshape(dataset.chunks)
                parts.append(rows[max(start - first, 0) : stop - first])
                continue
            size = zstd_content_size(packed) if filter_code == ZSTD_FILTER else len(packed)
            if size != block_bytes:
                raise ValueError(f"block {first} of {name} decompresses to {size} bytes instead of {block_bytes}")
        if filter_code != GZIP_FILTER:
            return np.asarray(dataset[start:stop])
        if not parts:
            return np.zeros((0, *dataset.shape[1:]), dataset.dtype)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def frame_count(self) -> int:
        """T: the number of actions; there are T + 1 frames."""
        return len(self.actions)

    def frames(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return frames start to stop - 1, (stop - start, H, W) uint8 palette indices."""
        return self._guarded("frames", start, stop)

    def ram(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return the RAM at frames start to stop - 1, (stop - start, 128) uint8."""
        return self._guarded("ram", start, stop)

    def _guarded(self, name: str, start: int, stop: int | None) -> np.ndarray:
        try:
            return self.rows(name, start, stop)
        except BROKEN as error:
            raise _damaged(self.path, error) from error

    def decisions(self, frame_skip: int = DEFAULT_FRAME_SKIP) -> Decisions:
        """Return the episode as decisions of ``frame_skip`` frames."""
        found = decisions_of(
            self.actions, self.rewards, self.lives, self.demonstrator, self.ended_by == "game_over", frame_skip
        )
        if self.decision_actions is None or frame_skip != DEFAULT_FRAME_SKIP:
            return found
        return replace(found, action=self.decision_actions[found.first_frame])

    def summary(self) -> EpisodeSummary:
        """Return what lists show of the episode."""
        return _summary(
            self.episode_id,
            self.path,
            self.origin,
            self.demonstrator_kinds,
            self.demonstrator,
            self.rewards,
            self.ended_by,
        )

    @_exclusive
    def close(self) -> None:
        """Close the file."""
        # Release the datasets here: the garbage collector would use HDF5 without the lock.
        self._datasets.clear()
        self.h5py_file.close()

    def __enter__(self) -> ReplayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
