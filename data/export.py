"""Export episodes and spans of them as films, NumPy archives, and replay files without Zstandard."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.clip import Clip
from data.errors import CoachError
from data.files import atomic_path, write_atomic
from data.film import caption_of, frames_of, write_gif_of, write_mp4
from data.replay_file import ReplayFile, portable_image
from data.replay_format import CHUNK_FRAMES

FILE_KINDS = {"gif": ".gif", "mp4": ".mp4", "npz": ".npz", "portable": ".h5"}
"""The formats of one file for each episode, and their suffixes. (Minari data sets: ``data.minari_export``.)"""

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Span:
    """Frames ``start`` to ``stop`` - 1 of a replay file, by default all of it."""

    path: Path
    start: int = 0
    stop: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.stop is None

    @property
    def name(self) -> str:
        return self.path.stem if self.is_whole else f"{self.path.stem}-{self.start}-{self.stop}"


def spans_of(clips: Sequence[Clip], paths: Mapping[str, Path]) -> list[Span]:
    """Return the spans of clips, such as those of one verdict. paths: the replay file of each episode id."""
    return [Span(paths[clip.episode_id], clip.start, clip.stop) for clip in clips]


def export(
    path: Path,
    to: str,
    destination: Path,
    start: int | None = None,
    stop: int | None = None,
    overlay: bool = False,
    on_progress: OnProgress | None = None,
) -> Path:
    """Write one episode, or frames ``start`` to ``stop`` - 1 of it, as ``to``: one of FILE_KINDS. Returns the file.

    destination: a file, or a folder for a file that is named after the episode. overlay: action, reward and score
    under the picture (films only). Raises CoachError for a span that the episode does not have and for a file that
    cannot be written; an existing file is replaced.
    """
    if to not in FILE_KINDS:
        raise CoachError(f"An episode is exported to {', '.join(FILE_KINDS)} or minari, not to {to!r}.")
    span = Span(path, start or 0, stop)
    if destination.is_dir():
        destination = destination / f"{span.name}{FILE_KINDS[to]}"
    if destination.exists() and destination.samefile(path):
        raise CoachError(f"{destination} is the episode itself; export it to another file.")
    with ReplayFile(path) as replay:
        _require_span(replay, span)
        if to == "gif":
            return write_gif_of(replay, destination, span.start, span.stop, overlay, on_progress)
        if to == "mp4":
            captions = caption_of(replay, span.start) if overlay else None
            frames = frames_of(replay, span.start, span.stop, on_progress)
            return write_mp4(destination, frames, replay.palette, overlay=captions)
        try:
            if to == "npz":
                _write_npz(replay, span, destination, on_progress)
            elif not span.is_whole:
                raise CoachError("Only a whole episode can be exported to portable, not a span of it.")
            else:
                write_atomic(destination, portable_image(replay, on_progress), mode=0o444)
        except OSError as error:
            raise CoachError(f"Cannot write {destination} ({error.strerror or error}).") from error
    return destination


def export_all(
    spans: Sequence[Span], to: str, folder: Path, overlay: bool = False, on_progress: OnProgress | None = None
) -> list[Path]:
    """Write many spans into ``folder``, one file each; on_progress: called with the spans done and their total."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CoachError(f"Cannot make the folder {folder} ({error.strerror or error}).") from error
    written = []
    for number, span in enumerate(spans, 1):
        destination = folder / f"{span.name}{FILE_KINDS.get(to, '')}"
        written.append(export(span.path, to, destination, span.start, span.stop, overlay))
        if on_progress is not None:
            on_progress(number, len(spans))
    return written


def _require_span(replay: ReplayFile, span: Span) -> None:
    stop = replay.frame_count + 1 if span.stop is None else span.stop
    if not 0 <= span.start < stop <= replay.frame_count + 1:
        raise CoachError(
            f"{replay.path} has frames 0 to {replay.frame_count}; it has no span from {span.start} to {stop}."
        )


def _write_npz(replay: ReplayFile, span: Span, destination: Path, on_progress: OnProgress | None) -> None:
    """Write every column of the span, and the settings, as plain arrays and texts.

    Frames, RAM and lives have one row more than actions and rewards, as in the replay file. Frames are written block by
    block, because an hour of them is 7 GB uncompressed.
    """
    stop = replay.frame_count + 1 if span.stop is None else span.stop
    rows = slice(span.start, max(span.start, stop - 1))
    origin = replay.origin
    arrays = {
        "actions": replay.actions[rows],
        "rewards": replay.rewards[rows],
        "lives": replay.lives[span.start : stop],
        "demonstrator": replay.demonstrator[rows],
        "markers": replay.markers[(replay.markers >= span.start) & (replay.markers < stop)] - span.start,
        "ram": replay.ram(span.start, stop),
        "palette": replay.palette,
        "game": np.array(origin.game),
        "settings": np.array(origin.settings.to_json()),
        "action_meanings": np.array(origin.action_meanings),
        "demonstrator_kinds": np.array(replay.demonstrator_kinds),
        "about": np.array(
            json.dumps(
                {
                    "episode": replay.episode_id,
                    "start": span.start,
                    "player": origin.player,
                    "ended_by": replay.ended_by,
                }
            )
        ),
    }
    with (
        atomic_path(destination) as partial,
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(array, order="C"), allow_pickle=False)
        with archive.open("frames.npy", "w", force_zip64=True) as file:
            shape = (stop - span.start, *replay.screen_shape)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for first in range(span.start, stop, CHUNK_FRAMES):
                last = min(first + CHUNK_FRAMES, stop)
                file.write(replay.frames(first, last).tobytes())
                if on_progress is not None:
                    on_progress(last - span.start, stop - span.start)
