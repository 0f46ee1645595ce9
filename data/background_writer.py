"""Compress and write frames in a background thread, in bounded memory.

The game's thread fills blocks of one second and submits them. The background thread compresses them, writes them to
the disk, and syncs the journal. If the disk stalls, blocks wait in memory up to a limit. Beyond it they are dropped,
because they can be simulated again from the episode's actions.
"""

from __future__ import annotations

import atexit
import queue
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.files import write_all
from data.journal import Journal, NoJournal
from data.replay_format import CHUNK_FRAMES
from data.simulation import RAM_BYTES

WRITE_SECONDS = 0.15
"""Time between two writes of the journal. What is written survives a crash of this program."""
WRITES_PER_SYNC = 4
"""A synced journal survives a power failure too, but a sync can take long on a busy disk and delays the writes."""
MAX_WAITING_BLOCKS = 96
"""About 200 MB and 100 seconds of play."""
SLOW_WAITING_BLOCKS = 16
HURRIED_BLOCK_SECONDS = 0.25
"""Blocks submitted faster than this are not played by a person."""
PATIENCE_SECONDS = 10.0
MAX_SPOOL_BYTES_IN_MEMORY = 64 * 2**20
STOP_SECONDS = 60.0

Compress = Callable[[np.ndarray], bytes]


class Block:
    """CHUNK_FRAMES rows of frames and RAM: raw (being filled or waiting), packed, or dropped (neither)."""

    def __init__(self, screen_shape: tuple[int, int]) -> None:
        self.screens: np.ndarray | None = np.empty((CHUNK_FRAMES, *screen_shape), np.uint8)
        self.rams: np.ndarray | None = np.empty((CHUNK_FRAMES, RAM_BYTES), np.uint8)
        self.packed: tuple[SpoolPlace, SpoolPlace] | None = None

    @property
    def dropped(self) -> bool:
        return self.packed is None and self.screens is None

    def drop(self) -> None:
        self.screens = self.rams = None


@dataclass(frozen=True)
class SpoolPlace:
    """Where compressed bytes are: in the file, or in memory if they could not be written."""

    size: int
    offset: int | None
    in_memory: bytes | None


class Spool:
    """Compressed blocks in an unnamed temporary file, so that a crash leaves no file behind.

    The background thread puts blocks while the game's thread may get earlier ones.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        """The file has one position for reading and writing."""
        self.trouble: str | None = None
        self._end = 0
        self._bytes_in_memory = 0
        self._file = tempfile.TemporaryFile(dir=folder, prefix=".spool-", buffering=0)  # noqa: SIM115

    def put(self, data: bytes) -> SpoolPlace:
        """Store bytes, in memory if the disk fails. Raises OSError if the memory for that is full too."""
        try:
            with self._lock:
                self._file.seek(self._end)
                write_all(self._file.fileno(), data)
        except OSError as error:
            self.trouble = f"Cannot write to the disk ({error.strerror or error}); the episode is kept in memory."
            if self._bytes_in_memory + len(data) > MAX_SPOOL_BYTES_IN_MEMORY:
                raise
            self._bytes_in_memory += len(data)
            return SpoolPlace(len(data), None, data)
        self._end += len(data)
        return SpoolPlace(len(data), self._end - len(data), None)

    def get(self, place: SpoolPlace) -> bytes:
        if place.in_memory is not None:
            return place.in_memory
        assert place.offset is not None
        with self._lock:
            self._file.seek(place.offset)
            return self._file.read(place.size)

    def close(self) -> None:
        self._file.close()


class BackgroundWriter:
    """The thread that compresses and stores blocks and syncs the journal."""

    def __init__(self, folder: Path, journal: Journal | NoJournal, compress: Compress) -> None:
        self._spool = Spool(folder)
        self._journal = journal
        self._compress = compress
        self._queue: queue.SimpleQueue[Block | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        self._has_dropped = False
        self._room = threading.Condition()
        self._submitted: deque[float] = deque(maxlen=MAX_WAITING_BLOCKS)
        """Times of the newest submissions."""
        self._thread.start()
        # The program may end without closing this: the journal must be complete.
        atexit.register(self.stop)

    @property
    def trouble(self) -> str | None:
        """The problem, in one sentence, or None."""
        if self._has_dropped:
            return (
                "The disk is too slow and the memory reserved for it is full; the missing frames will be simulated "
                "from the episode's actions when it ends."
            )
        if self._journal.trouble or self._spool.trouble:
            return self._journal.trouble or self._spool.trouble
        waiting = self._queue.qsize()
        if waiting >= SLOW_WAITING_BLOCKS and not self._is_hurried():
            return self._slow(waiting)
        return None

    def _slow(self, waiting: int) -> str:
        return f"The disk is slow: {waiting} of {MAX_WAITING_BLOCKS} seconds of play are waiting in memory for it."

    def _is_hurried(self) -> bool:
        """Return whether blocks are submitted much faster than a person plays, so that waiting disturbs nobody."""
        times = self._submitted
        return len(times) > 1 and times[-1] - times[0] < HURRIED_BLOCK_SECONDS * (len(times) - 1)

    def submit(self, block: Block) -> None:
        """Queue a full block. This blocks only a recorder that is faster than both the game and the disk."""
        self._submitted.append(time.monotonic())
        few = min(SLOW_WAITING_BLOCKS, MAX_WAITING_BLOCKS)
        if self._queue.qsize() >= few and self._is_hurried():
            with self._room:
                self._room.wait_for(lambda: self._queue.qsize() < few, PATIENCE_SECONDS)
        if self._queue.qsize() >= MAX_WAITING_BLOCKS:
            block.drop()
            self._has_dropped = True
        else:
            self._queue.put(block)

    def pack(self, block: Block) -> None:
        """Compress and store a block. If it cannot be stored, it is dropped."""
        if block.screens is None or block.rams is None:
            return
        try:
            packed = self._compress(block.screens), self._compress(block.rams)
            block.packed = self._spool.put(packed[0]), self._spool.put(packed[1])
        except (OSError, MemoryError, RuntimeError, ValueError):
            # HDF5 raises the last two when memory is exhausted.
            self._has_dropped = True
        block.drop()

    def unpack(self, block: Block) -> tuple[bytes, bytes]:
        assert block.packed is not None
        return self._spool.get(block.packed[0]), self._spool.get(block.packed[1])

    def _work(self) -> None:
        writes = 0
        due = time.monotonic() + WRITE_SECONDS
        while True:
            try:
                block = self._queue.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                pass
            else:
                if block is None:
                    return
                self.pack(block)
                with self._room:
                    self._room.notify_all()
            if time.monotonic() >= due:
                writes += 1
                if writes % WRITES_PER_SYNC:
                    self._journal.write()
                else:
                    self._journal.sync()
                due = time.monotonic() + WRITE_SECONDS

    def stop(self) -> bool:
        """Finish the waiting blocks and end the thread. Return False if the disk does not respond."""
        atexit.unregister(self.stop)
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            return False
        self._journal.sync()
        return True

    def close(self) -> None:
        self._spool.close()
