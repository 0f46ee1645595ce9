"""The replay file, format version 1: the one door to h5py."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from datetime import datetime
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from data.decisions import Decisions, decisions_of
from data.episode import DEFAULT_FRAME_SKIP, DEMONSTRATOR_KINDS, EmulatorSettings, EpisodeSummary, FrameState, Origin
from data.errors import CoachError

FORMAT = "replay-coach"
VERSION = 1
CHUNK_FRAMES = 64


def digest_of(actions: np.ndarray, rewards: np.ndarray, ram: np.ndarray) -> str:
    """SHA-256, as hex, over actions (T,) uint8, rewards (T,) little-endian float32 and ram (T+1, 128) uint8."""
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(actions, np.uint8).tobytes())
    digest.update(np.ascontiguousarray(rewards, "<f4").tobytes())
    digest.update(np.ascontiguousarray(ram, np.uint8).tobytes())
    return digest.hexdigest()


class ReplayWriter:
    """Writes one episode; nothing is visible under its final name before ``publish``."""

    def __init__(self, path: Path, origin: Origin, first: FrameState) -> None:
        self.path = path
        self._partial = path.with_suffix(".part")
        self._origin = origin
        self._file = h5py.File(self._partial, "w", libver="v110")
        zstd = hdf5plugin.Zstd(clevel=3)
        height, width = first.screen.shape
        make = self._file.create_dataset
        make(
            "frames",
            (0, height, width),
            np.uint8,
            maxshape=(None, height, width),
            chunks=(CHUNK_FRAMES, height, width),
            **zstd,
        )
        make("ram", (0, 128), np.uint8, maxshape=(None, 128), chunks=(CHUNK_FRAMES, 128), **zstd)
        self._screens = [first.screen]
        self._rams = [first.ram]
        self._lives = [first.lives]
        self._actions: list[int] = []
        self._rewards: list[float] = []
        self._demonstrators: list[int] = []
        self._markers: list[int] = []
        self._stored = 0

    @property
    def frame_count(self) -> int:
        return len(self._actions)

    def append(self, action: int, demonstrator: int, after: FrameState) -> None:
        """One frame: the executed action, who chose it (index into DEMONSTRATOR_KINDS), and the state it led to."""
        self._actions.append(action)
        self._rewards.append(after.reward)
        self._demonstrators.append(demonstrator)
        self._lives.append(after.lives)
        self._screens.append(after.screen)
        self._rams.append(after.ram)
        if len(self._screens) == CHUNK_FRAMES:
            self._flush()

    def mark(self) -> None:
        """Drop a marker at the newest frame."""
        self._markers.append(self.frame_count)

    def rewind_to(self, frame_count: int) -> None:
        """Drop everything after frame ``frame_count``: the file then holds the one straight episode.

        Raises CoachError for a frame that the episode has not reached.
        """
        if not 0 <= frame_count <= self.frame_count:
            raise CoachError(f"Cannot rewind to frame {frame_count} of an episode of {self.frame_count} frames.")
        kept = frame_count + 1
        if kept < self._stored:
            whole = kept - kept % CHUNK_FRAMES
            self._screens = list(self._file["frames"][whole:kept])
            self._rams = list(self._file["ram"][whole:kept])
            self._file["frames"].resize(whole, axis=0)
            self._file["ram"].resize(whole, axis=0)
            self._stored = whole
        else:
            del self._screens[kept - self._stored :], self._rams[kept - self._stored :]
        for column in (self._actions, self._rewards, self._demonstrators):
            del column[frame_count:]
        del self._lives[kept:]
        self._markers = [marker for marker in self._markers if marker <= frame_count]

    def _flush(self) -> None:
        for name, rows in (("frames", self._screens), ("ram", self._rams)):
            if rows:
                dataset = self._file[name]
                dataset.resize(self._stored + len(rows), axis=0)
                dataset[self._stored :] = np.stack(rows)
        self._stored += len(self._screens)
        self._screens, self._rams = [], []

    def publish(self, ended_by: str, palette: np.ndarray) -> Path:
        """Close the episode and give the file its final name, read-only. Returns the path."""
        self._flush()
        columns = {
            "palette": np.asarray(palette, np.uint8),
            "actions": np.asarray(self._actions, np.uint8),
            "rewards": np.asarray(self._rewards, np.float32),
            "lives": np.asarray(self._lives, np.uint8),
            "demonstrator": np.asarray(self._demonstrators, np.uint8),
            "markers": np.asarray(self._markers, np.int64),
        }
        for name, column in columns.items():
            self._file.create_dataset(name, data=column)
        origin = self._origin
        self._file.attrs.update(
            {
                "format": FORMAT,
                "version": VERSION,
                "game": origin.game,
                "rom_md5": origin.rom_md5,
                "ale_version": origin.ale_version,
                "settings": origin.settings.to_json(),
                "action_meanings": json.dumps(origin.action_meanings),
                "demonstrator_kinds": json.dumps(DEMONSTRATOR_KINDS),
                "player": origin.player,
                "created": origin.created.isoformat(),
                "ended_by": ended_by,
                "score": float(columns["rewards"].sum()),
                "digest": digest_of(columns["actions"], columns["rewards"], self._file["ram"][:]),
            }
        )
        self._file.close()
        os.chmod(self._partial, 0o444)
        os.replace(self._partial, self.path)
        return self.path

    def discard(self) -> None:
        """Forget the episode."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


class ReplayFile:
    """Reads one replay file. Light columns are loaded at once; frames and RAM are read in blocks on demand."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise CoachError(f"{self.path} is not a readable replay file.") from error
        attrs = self._file.attrs
        if attrs.get("format") != FORMAT:
            raise CoachError(f"{self.path} is not a replay file of Replay Coach.")
        self.episode_id = self.path.stem
        self.actions: np.ndarray = self._file["actions"][:]
        self.rewards: np.ndarray = self._file["rewards"][:]
        self.lives: np.ndarray = self._file["lives"][:]
        self.demonstrator: np.ndarray = self._file["demonstrator"][:]
        self.markers: np.ndarray = self._file["markers"][:]
        self.palette: np.ndarray = self._file["palette"][:]
        self.demonstrator_kinds: tuple[str, ...] = tuple(json.loads(attrs["demonstrator_kinds"]))
        self.origin = Origin(
            game=attrs["game"],
            settings=EmulatorSettings.from_json(attrs["settings"]),
            action_meanings=tuple(json.loads(attrs["action_meanings"])),
            rom_md5=attrs["rom_md5"],
            ale_version=attrs["ale_version"],
            player=attrs["player"],
            created=datetime.fromisoformat(attrs["created"]),
        )
        self.ended_by: str = attrs["ended_by"]
        self.score = float(attrs["score"])
        self.digest: str = attrs["digest"]

    @property
    def frame_count(self) -> int:
        """T: the number of actions; there are T + 1 frames."""
        return len(self.actions)

    def frames(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """(stop - start, H, W) uint8 palette indices of frames start to stop - 1."""
        return np.asarray(self._file["frames"][start:stop])

    def ram(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """(stop - start, 128) uint8."""
        return np.asarray(self._file["ram"][start:stop])

    def decisions(self, frame_skip: int = DEFAULT_FRAME_SKIP) -> Decisions:
        return decisions_of(
            self.actions, self.rewards, self.lives, self.demonstrator, self.ended_by == "game_over", frame_skip
        )

    def summary(self) -> EpisodeSummary:
        counts = Counter(self.demonstrator_kinds[i] for i in self.demonstrator.tolist())
        return EpisodeSummary(
            episode_id=self.episode_id,
            path=str(self.path),
            game=self.origin.game,
            demonstrator=counts.most_common(1)[0][0] if counts else "human",
            player=self.origin.player,
            created=self.origin.created.isoformat(),
            frame_count=self.frame_count,
            score=self.score,
            ended_by=self.ended_by,
            frame_skip=self.origin.settings.frame_skip,
            rewarded_frames=int(np.count_nonzero(self.rewards)),
            frames_by_demonstrator=dict(counts),
        )

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> ReplayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
