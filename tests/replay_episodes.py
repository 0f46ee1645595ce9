"""Short real episodes for the tests of the replay file and what keeps it safe."""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import threading
import time
from pathlib import Path

import numpy as np

from data.background_writer import WRITE_SECONDS, WRITES_PER_SYNC
from data.episode import EmulatorSettings, FrameState, demonstrator_index
from data.library import Library
from data.replay_writer import ReplayWriter
from data.simulation import Emulator

RANDOM = demonstrator_index("random")
TIME = struct.Struct("<d")


def play(writer: ReplayWriter, emulator: Emulator, frames: int, rng: np.random.Generator) -> list[FrameState]:
    """Play ``frames`` more frames at random, four frames an action; returns the states that were shown."""
    shown = []
    for at in range(frames):
        if at % 4 == 0:
            action = int(rng.integers(len(emulator.action_meanings)))
        shown.append(emulator.step(action))
        writer.append(action, RANDOM, shown[-1])
    return shown


def begin(library: Library, game: str = "SpaceInvaders", seed: int = 0) -> tuple[ReplayWriter, Emulator]:
    emulator = Emulator(game, EmulatorSettings(seed=seed))
    return library.begin_episode(emulator.origin("Ada"), "random", emulator.state()), emulator


def record(library: Library, frames: int = 200, game: str = "SpaceInvaders", seed: int = 0) -> Path:
    """One published episode."""
    writer, emulator = begin(library, game, seed)
    play(writer, emulator, frames, np.random.default_rng(seed))
    return writer.publish("truncated", emulator.palette)


def writable_copy(path: Path, folder: Path, name: str = "copy.h5") -> Path:
    copy = folder / name
    copy.unlink(missing_ok=True)
    shutil.copyfile(path, copy)
    copy.chmod(0o644)
    return copy


def _write_clock(descriptor: int) -> None:
    for tick in itertools.count():
        os.pwrite(descriptor, TIME.pack(time.time()), 0)
        if tick % WRITES_PER_SYNC == 0:
            os.fsync(descriptor)
        time.sleep(WRITE_SECONDS)


def play_until_killed(folder: str, notes: str, seed: int) -> None:
    """Record one short episode after another, and note outside when each frame was appended (a process of its own).

    ``notes/<episode id>``: the time of frame t at byte 8 t. ``notes/published``: the ids of published episodes.
    ``notes/clock``: the time at which another thread last wrote it, as often as a journal is written.
    """
    clock = os.open(Path(notes) / "clock", os.O_WRONLY | os.O_CREAT)
    threading.Thread(target=_write_clock, args=(clock,), daemon=True).start()
    rng = np.random.default_rng(seed)
    library = Library(folder)
    emulator = Emulator("SpaceInvaders", EmulatorSettings(seed=seed))
    published = os.open(Path(notes) / "published", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    # The process that was to kill it may have ended first.
    last = time.monotonic() + 60.0
    while time.monotonic() < last:
        first = emulator.reset()
        writer = library.begin_episode(emulator.origin(), "random", first)
        times = os.open(Path(notes) / writer.path.stem, os.O_WRONLY | os.O_CREAT)
        before = emulator.snapshot()
        length = int(rng.integers(30, 600))
        for at in range(length):
            action = int(rng.integers(6))
            writer.append(action, RANDOM, emulator.step(action))
            os.pwrite(times, TIME.pack(time.time()), TIME.size * writer.frame_count)
            # Not at the very end: an episode without a decision would not be published.
            if rng.random() < 0.005 and at < length - 10:
                emulator.restore(before)
                writer.rewind_to(0)
            time.sleep(0.001)
        writer.publish("abandoned", emulator.palette)
        os.write(published, f"{writer.path.stem}\n".encode())
        os.close(times)
