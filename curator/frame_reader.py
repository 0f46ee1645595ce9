"""Pictures and columns of the episodes that are judged, decoded before they are needed."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np

from curator.outline import death_frames
from data.clip import Clip
from data.errors import CoachError
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES

KEPT_BLOCKS = 96
"""Decoded blocks that are kept: 96 of 64 frames of 33.6 KB are 206 MB, enough for more than a dozen clips."""
KEPT_FILES = 16


class FrameReader:
    """Reads frames in blocks, as the replay file stores them, and keeps the latest ones.

    One thread in the background decodes the clips given to ``prepare``; a frame that is not yet decoded is read on
    the spot (about a millisecond). Use it as a context manager.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        """``paths``: where each episode's replay file is."""
        self._paths = paths
        self._files: OrderedDict[str, ReplayFile] = OrderedDict()
        self._blocks: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._lock = threading.RLock()
        self._wanted: SimpleQueue[list[Clip] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._prepare_wanted, name="clip decoder", daemon=True)
        self._thread.start()

    def episode(self, episode_id: str) -> ReplayFile:
        """The open replay file, for its columns; raises CoachError if it cannot be read."""
        with self._lock:
            replay = self._files.pop(episode_id, None)
            if replay is None:
                if episode_id not in self._paths:
                    raise CoachError(f"The library holds no episode {episode_id!r}.")
                replay = ReplayFile(self._paths[episode_id])
            self._files[episode_id] = replay
            while len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)[1].close()
            return replay

    def frame(self, episode_id: str, frame: int) -> np.ndarray:
        """(H, W) uint8 palette indices; raises CoachError if it cannot be read."""
        with self._lock:
            block, place = divmod(frame, CHUNK_FRAMES)
            return np.asarray(self._block(episode_id, block)[place])

    def _block(self, episode_id: str, block: int) -> np.ndarray:
        key = (episode_id, block)
        found = self._blocks.pop(key, None)
        if found is None:
            replay = self.episode(episode_id)
            start = block * CHUNK_FRAMES
            found = replay.frames(start, min(start + CHUNK_FRAMES, replay.frame_count + 1))
        self._blocks[key] = found
        while len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return found

    def prepare(self, clips: Iterable[Clip]) -> None:
        """Decode these clips in the background, the first first; what was asked for before is dropped."""
        self._wanted.put(list(clips))

    def is_prepared(self, clip: Clip) -> bool:
        """Whether every frame of a clip is decoded."""
        with self._lock:
            return all((clip.episode_id, block) in self._blocks for block in _blocks_of(clip))

    def _prepare_wanted(self) -> None:
        while True:
            wanted = self._wanted.get()
            with contextlib.suppress(Empty):
                while True:  # Only the newest request matters.
                    wanted = self._wanted.get_nowait() if wanted is not None else None
                    if wanted is None:
                        break
            if wanted is None:
                return
            for clip in wanted:
                # What cannot be read is told when it is to be shown, not here.
                with contextlib.suppress(CoachError):
                    for block in _blocks_of(clip):
                        with self._lock:  # For one block at a time, so that whoever shows a frame hardly waits.
                            self._block(clip.episode_id, block)
                if not self._wanted.empty():
                    break

    def close(self) -> None:
        self._wanted.put(None)
        self._thread.join()
        with self._lock:
            while self._files:
                self._files.popitem()[1].close()
            self._blocks.clear()

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _blocks_of(clip: Clip) -> range:
    """Blocks that hold the frames ``clip.start`` to ``clip.stop``."""
    return range(clip.start // CHUNK_FRAMES, clip.stop // CHUNK_FRAMES + 1)


STAYING_FRAMES = 36
"""For so many frames the points and the loss of a life stay to be read."""


@dataclass(frozen=True)
class ShownFrame:
    """One frame and what belongs to it."""

    picture: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    number: int
    action: str
    """Name of the action that led to this frame, such as "RIGHTFIRE"."""
    reward: float
    """The points that came last, with this frame or a moment before; 0 for none."""
    lives: int
    life_lost: bool
    """Whether one was lost at this frame or a moment before."""


def read_shown_frame(reader: FrameReader, clip: Clip, frame: int) -> ShownFrame:
    """A frame of the clip's episode; raises CoachError if it cannot be read."""
    replay = reader.episode(clip.episode_id)
    row = max(0, frame - 1)
    # What happened in a sixtieth of a second could not be read, so it stays for a moment: from this row on.
    since = max(frame - STAYING_FRAMES, clip.start if clip.start <= frame else 0)
    rewarded = np.flatnonzero(replay.rewards[since:frame])
    return ShownFrame(
        picture=reader.frame(clip.episode_id, frame),
        palette=replay.palette,
        number=frame,
        action=replay.origin.action_meanings[int(replay.actions[row])],
        reward=float(replay.rewards[since + rewarded[-1]]) if len(rewarded) else 0.0,
        lives=int(replay.lives[frame]),
        life_lost=bool(death_frames(replay.lives[since : frame + 1])),
    )
