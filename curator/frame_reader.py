"""Frames of episodes, decoded before they are needed, with the action, points and lives of each."""

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

CACHED_BLOCKS = 96
"""Decoded blocks in memory: 96 of 64 frames of 33.6 KB are 206 MB, enough for more than a dozen clips."""
OPEN_FILES = 16


class FrameReader:
    """Reads frames in blocks, as the replay file stores them, and caches the latest ones.

    A background thread decodes the clips given to ``prepare``; a frame that is not yet decoded is read when it is asked
    for (about a millisecond). Use it as a context manager.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        """``paths``: the replay file of each episode id."""
        self._paths = paths
        self._files: OrderedDict[str, ReplayFile] = OrderedDict()
        self._blocks: OrderedDict[tuple[str, int], np.ndarray] = OrderedDict()
        self._lock = threading.RLock()
        self._wanted: SimpleQueue[list[Clip] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._prepare_wanted, name="clip decoder", daemon=True)
        self._thread.start()

    def episode(self, episode_id: str) -> ReplayFile:
        """Return the open replay file, for its columns; raises CoachError if it cannot be read."""
        with self._lock:
            replay = self._files.pop(episode_id, None)
            if replay is None:
                if episode_id not in self._paths:
                    raise CoachError(f"The library has no episode {episode_id!r}.")
                replay = ReplayFile(self._paths[episode_id])
            self._files[episode_id] = replay
            while len(self._files) > OPEN_FILES:
                self._files.popitem(last=False)[1].close()
            return replay

    def frame(self, episode_id: str, frame: int) -> np.ndarray:
        """Return (H, W) uint8 palette indices; raises CoachError if the frame cannot be read."""
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
        while len(self._blocks) > CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        return found

    def prepare(self, clips: Iterable[Clip]) -> None:
        """Decode these clips in the background, in this order; earlier requests are dropped."""
        self._wanted.put(list(clips))

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
                # A file that cannot be read is reported when it is to be shown.
                with contextlib.suppress(CoachError):
                    for block in _blocks_of(clip):
                        with self._lock:  # One block at a time, so that showing a frame hardly waits.
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
    """Return the blocks that hold the frames ``clip.start`` to ``clip.stop``."""
    return range(clip.start // CHUNK_FRAMES, clip.stop // CHUNK_FRAMES + 1)


EVENT_FRAMES = 36
"""Frames for which points and the loss of a life stay visible."""


@dataclass(frozen=True)
class ShownFrame:
    """One frame and what happened there."""

    picture: np.ndarray
    """(H, W) uint8 palette indices."""
    palette: np.ndarray
    """(256, 3) uint8."""
    number: int
    action: str
    """Name of the action that led to this frame, such as "RIGHTFIRE"."""
    reward: float
    """Points of the last reward within ``EVENT_FRAMES``; 0 for none."""
    lives: int
    life_lost: bool
    """Whether a life was lost within ``EVENT_FRAMES``."""


def read_shown_frame(reader: FrameReader, clip: Clip, frame: int) -> ShownFrame:
    """Return a frame of the clip's episode; raises CoachError if it cannot be read."""
    replay = reader.episode(clip.episode_id)
    row = max(0, frame - 1)
    # An event of a sixtieth of a second could not be noticed, so it stays visible: events from this row on are shown.
    since = max(frame - EVENT_FRAMES, clip.start if clip.start <= frame else 0)
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
