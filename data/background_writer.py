"""Compressing and writing off the game's thread, in bounded memory.

The game's thread fills one block of a second and hands it over; a thread of its own compresses it, puts it on the
disk, and syncs the journal. If the disk stalls, blocks wait in memory up to a limit; beyond it they are given up,
because the episode's actions can make them again.
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
"""Time between two writes of the journal, which outlive a crash of this program."""
WRITES_PER_SYNC = 4
"""A sync, which outlives a power cut too, can take long on a busy disk; meanwhile nothing is written."""
MAX_WAITING_BLOCKS = 96
"""About 200 MB and 100 seconds of play."""
SLOW_WAITING_BLOCKS = 16
HURRIED_BLOCK_SECONDS = 0.25
"""A second of play that comes in less time than this comes from no player."""
PATIENCE_SECONDS = 10.0
MAX_SPOOL_BYTES_IN_MEMORY = 64 * 2**20
STOP_SECONDS = 60.0

Compress = Callable[[np.ndarray], bytes]


class Block:
    """CHUNK_FRAMES rows of pictures and RAM: being filled, waiting, packed, or given up (neither raw nor packed)."""

    def __init__(self, screen_shape: tuple[int, int]) -> None:
        self.screens: np.ndarray | None = np.empty((CHUNK_FRAMES, *screen_shape), np.uint8)
        self.rams: np.ndarray | None = np.empty((CHUNK_FRAMES, RAM_BYTES), np.uint8)
        self.packed: tuple[SpoolPlace, SpoolPlace] | None = None

    @property
    def given_up(self) -> bool:
        return self.packed is None and self.screens is None

    def give_up(self) -> None:
        self.screens = self.rams = None


@dataclass(frozen=True)
class SpoolPlace:
    """Where compressed bytes are: on the disk, or in memory where the disk would not take them."""

    size: int
    offset: int | None
    held: bytes | None


class Spool:
    """Compressed blocks in a file without a name, so that a crash leaves nothing to clear away."""

    def __init__(self, folder: Path) -> None:
        self.trouble: str | None = None
        self._end = 0
        self._bytes_in_memory = 0
        self._file = tempfile.TemporaryFile(dir=folder, prefix=".spool-", buffering=0)  # noqa: SIM115

    def put(self, data: bytes) -> SpoolPlace:
        """Never fails because of the disk alone; raises OSError when the memory set aside is full too."""
        try:
            self._file.seek(self._end)
            write_all(self._file.fileno(), data)
        except OSError as error:
            self.trouble = f"The disk takes no more ({error.strerror or error}); the episode is kept in memory."
            if self._bytes_in_memory + len(data) > MAX_SPOOL_BYTES_IN_MEMORY:
                raise
            self._bytes_in_memory += len(data)
            return SpoolPlace(len(data), None, data)
        self._end += len(data)
        return SpoolPlace(len(data), self._end - len(data), None)

    def get(self, place: SpoolPlace) -> bytes:
        if place.held is not None:
            return place.held
        assert place.offset is not None
        self._file.seek(place.offset)
        return self._file.read(place.size)

    def close(self) -> None:
        self._file.close()


class BackgroundKeeper:
    """The thread that packs blocks and syncs the journal."""

    def __init__(self, folder: Path, journal: Journal | NoJournal, compress: Compress) -> None:
        self._spool = Spool(folder)
        self._journal = journal
        self._compress = compress
        self._queue: queue.SimpleQueue[Block | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
        self._gave_up = False
        self._room = threading.Condition()
        self._handed_over: deque[float] = deque(maxlen=MAX_WAITING_BLOCKS)
        self._thread.start()
        # A program may end without a word: what was played by then must be in the journal.
        atexit.register(self.stop)

    @property
    def trouble(self) -> str | None:
        """What is wrong, in one sentence, or None."""
        if self._gave_up:
            return (
                "The disk is too slow to keep up and the memory set aside for it is full; the pictures will be made "
                "again from the episode's actions when it ends."
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
        """Whether blocks come much faster than a game is played: then nobody is there whom a wait would disturb."""
        times = self._handed_over
        return len(times) > 1 and times[-1] - times[0] < HURRIED_BLOCK_SECONDS * (len(times) - 1)

    def hand_over(self, block: Block) -> None:
        """Take a full block. Returns at once, except to a recorder that runs faster than the game and than the disk."""
        self._handed_over.append(time.monotonic())
        few = min(SLOW_WAITING_BLOCKS, MAX_WAITING_BLOCKS)
        if self._queue.qsize() >= few and self._is_hurried():
            with self._room:
                self._room.wait_for(lambda: self._queue.qsize() < few, PATIENCE_SECONDS)
        if self._queue.qsize() >= MAX_WAITING_BLOCKS:
            block.give_up()
            self._gave_up = True
        else:
            self._queue.put(block)

    def pack(self, block: Block) -> None:
        """Compress a block and put it away; a block that finds no place is given up."""
        if block.screens is None or block.rams is None:
            return
        try:
            packed = self._compress(block.screens), self._compress(block.rams)
            block.packed = self._spool.put(packed[0]), self._spool.put(packed[1])
        except (OSError, MemoryError, RuntimeError, ValueError):
            # The last two are how HDF5 says that it ran out of memory.
            self._gave_up = True
        block.give_up()

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
        """Finish what waits; True when the thread is done, False when the disk does not answer."""
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
