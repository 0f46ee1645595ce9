"""Continue an episode that the player left before its end: read it, and retire its old file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from data.episode import EmulatorSettings, EpisodeSummary, Origin, demonstrator_index
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.journal import JournalContents
from data.label_database import LabelDatabase
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import ale_version, rom_md5


@dataclass(frozen=True)
class Unended:
    """An abandoned episode up to its last complete decision: what is needed to replay and continue it."""

    path: Path
    origin: Origin
    actions: np.ndarray
    """(T,) uint8."""
    demonstrators: np.ndarray
    """(T,) uint8, indices into DEMONSTRATOR_KINDS."""
    markers: tuple[int, ...]
    last_ram: np.ndarray
    """(128,) uint8, of frame T, to compare with the emulator's."""

    @property
    def frame_count(self) -> int:
        return len(self.actions)


def unended_episodes(library: Library, game: str | None = None) -> list[EpisodeSummary]:
    """Return the library's abandoned episodes in which a person played, newest first."""
    found = [
        episode
        for episode in library.episodes(game)
        if episode.ended_by == "abandoned" and episode.frames_by_demonstrator.get("human", 0)
    ]
    return found[::-1]


def read_unended(path: Path) -> Unended:
    """Read an abandoned episode. Raises CoachError if the episode is over or cannot be continued here."""
    with ReplayFile(path) as replay:
        if replay.ended_by != "abandoned":
            raise CoachError(
                f"{path.stem} is over ({replay.ended_by.replace('_', ' ')}); only abandoned episodes can be continued."
            )
        origin = replay.origin
        if origin.rom_md5 != rom_md5(origin.game):
            raise CoachError(
                f"{path.stem} was recorded with another ROM of {origin.game} and cannot be continued here."
            )
        skip = origin.settings.frame_skip
        count = replay.frame_count - replay.frame_count % skip
        kinds = [demonstrator_index(kind) for kind in replay.demonstrator_kinds]
        return Unended(
            path=path,
            origin=origin,
            actions=replay.actions[:count].copy(),
            demonstrators=np.array(kinds, np.uint8)[replay.demonstrator[:count]],
            markers=tuple(int(marker) for marker in replay.markers if marker <= count),
            last_ram=replay.ram(count, count + 1)[0],
        )


def start_inside(replay: ReplayFile, frame: int) -> tuple[EmulatorSettings, StartedFrom]:
    """Return what an episode starts with whose frame 0 is a frame of this one: the decision's first, at or before it.

    The settings carry all actions before it, so the new file needs this one neither to be played nor to be verified.
    Raises CoachError if the frame is not in the episode, or another cartridge recorded it.
    """
    origin, skip = replay.origin, replay.origin.settings.frame_skip
    if not 0 <= frame <= replay.frame_count:
        raise CoachError(f"{replay.episode_id} has frames 0 to {replay.frame_count}, not {frame}.")
    if origin.rom_md5 != rom_md5(origin.game):
        raise CoachError(f"{replay.episode_id} was recorded with another cartridge of {origin.game}.")
    if replay.ended_by == "game_over":
        frame = min(frame, replay.frame_count - 1)
    frame -= frame % skip
    before = origin.settings.actions_before + replay.actions[:frame].tobytes()
    settings = replace(origin.settings, actions_before=before)
    return settings, StartedFrom(frame, replay.episode_id, replay.digest)


def not_reproduced(unended: Unended) -> CoachError:
    """Return the error for an episode that the emulator does not reproduce."""
    return CoachError(
        f"This emulator (ale-py {ale_version()}) does not reproduce {unended.path.stem} (recorded with "
        f"{unended.origin.ale_version}), so it cannot be continued here. The file is unchanged."
    )


@dataclass(frozen=True)
class RecordedBefore:
    """An abandoned episode that a journal continues."""

    path: Path
    common_frames: int
    """Number of frames, from the start, that are equal in both."""


def recorded_before(library: Library, journal: JournalContents) -> RecordedBefore | None:
    """Return the episode that the journal continues: the one with the same origin, including its time."""
    for episode in library.episodes(journal.origin.game):
        if episode.ended_by != "abandoned" or episode.episode_id == journal.episode_id:
            continue
        if datetime.fromisoformat(episode.created) != journal.origin.created:
            continue
        with ReplayFile(Path(episode.path)) as replay:
            if replay.origin != journal.origin:
                continue
            actions = np.frombuffer(journal.actions, np.uint8)
            shorter = min(len(actions), replay.frame_count)
            differing = np.flatnonzero(actions[:shorter] != replay.actions[:shorter])
            return RecordedBefore(Path(episode.path), int(differing[0]) if len(differing) else shorter)
    return None


def retire(library: Library, old: Path, new: Path, common_frames: int) -> Path:
    """Move the file of an episode that was continued in ``new`` to the folder ``continued``, and return its new path.

    common_frames: number of frames, from the start, that are equal in both. Verdicts on clips within them are copied
    to the new episode. Raises CoachError.
    """
    if library.labels.is_file():
        with ReplayFile(old) as before, ReplayFile(new) as after:
            old_id, new_id = before.episode_id, after.episode_id
        with LabelDatabase(library.labels) as labels:
            common = [v for v in labels.verdicts(episode_id=old_id) if v.clip.stop <= common_frames]
            labels.merge(replace(v, clip=replace(v.clip, episode_id=new_id)) for v in common)
    folder = library.folder / "continued"
    try:
        folder.mkdir(exist_ok=True)
        return old.replace(folder / old.name)
    except OSError as error:
        raise CoachError(
            f"{old} was continued in {new.name} but cannot be moved to {folder} ({error.strerror or error})."
        ) from error
