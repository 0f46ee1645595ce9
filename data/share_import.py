"""Import shares into a library. Every episode is verified before it appears, complete, in the library."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from data.clip import Verdict
from data.episode import EpisodeSummary, is_plain_text
from data.errors import CoachError
from data.files import (
    BINARY,
    LocksUnavailable,
    publish_new,
    remove_quietly,
    set_mode,
    try_lock,
    wait_for_lock,
    write_all,
)
from data.label_database import LabelDatabase
from data.label_exchange import read_labels
from data.library import Library
from data.quarantine import Quarantine
from data.replay_file import ReplayFile
from data.share_archive import LABELS, SUFFIX, Listed, ShareArchive
from data.share_export import Pseudonyms

INCOMING = ".incoming-"
SPARE_BYTES = 2**26
"""Disk space that must remain free after an episode is unpacked."""
LONGEST_NAME = 200

OnProgress = Callable[[int, int], None]
"""Called with the number of episodes done and their total, from other threads, but never at the same time."""


@dataclass(frozen=True)
class Refusal:
    """An episode of a share that was not imported."""

    episode: str
    reason: str


@dataclass
class ShareImport:
    """The result of importing one share."""

    path: Path
    imported: list[EpisodeSummary] = field(default_factory=list)
    already_here: list[str] = field(default_factory=list)
    """Ids of episodes that the library has already."""
    refused: list[Refusal] = field(default_factory=list)
    verdicts: int = 0
    """Verdicts in the share on episodes that the library has now."""
    new_verdicts: int = 0
    problem: str = ""
    """Why the whole share, or all of its verdicts, were refused; "" if they were not."""

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not self.problem and not self.refused

    @property
    def is_refused(self) -> bool:
        """Whether the whole share was refused."""
        return bool(self.problem) and not (self.imported or self.already_here or self.refused)


class ShareImporter:
    """Imports shares into one library, with child processes that read and simulate the episodes."""

    def __init__(self, library: Library, labels: Path | str | None = None, jobs: int = 1) -> None:
        """labels: the label database, by default the library's. jobs: episodes verified at the same time."""
        self._library = library
        self._labels = labels if labels is not None else library.labels
        self._children = [Quarantine() for _ in range(jobs)]
        self._idle: SimpleQueue[Quarantine] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        library.prepare()
        _clear_leftovers(library.replays)
        self._renamed = {
            episode.episode_id: Path(episode.path)
            for episode in library.episodes()
            if Path(episode.path).stem != episode.episode_id
        }

    def import_share(self, path: Path, on_progress: OnProgress | None = None) -> ShareImport:
        """Import what is valid in one share and report what is not. Never raises for its content.

        Each episode appears complete, once it is verified. The verdicts follow in one transaction. Importing a share
        again changes nothing, and completes an import that was interrupted.
        """
        result = ShareImport(path)
        try:
            with ShareArchive(path) as archive:
                frames = self._import_episodes(archive, result, on_progress)
                self._import_verdicts(archive, result, frames)
        except CoachError as error:
            result.problem = str(error)
        return result

    def _import_episodes(
        self, archive: ShareArchive, result: ShareImport, on_progress: OnProgress | None
    ) -> dict[str, int]:
        """Import the episodes and return the frame counts of those that the library has now, by id."""
        names = list(archive.manifest.episodes)
        done = 0
        callback_lock = threading.Lock()

        def one(name: str) -> tuple[EpisodeSummary, bool] | CoachError:
            nonlocal done
            child = self._idle.get()
            try:
                return self._import_episode(archive, name, child)
            except CoachError as error:
                return error
            except OSError as error:
                return CoachError(f"Cannot write it to {self._library.replays} ({error.strerror or error}).")
            finally:
                self._idle.put(child)
                with callback_lock:
                    done += 1
                    if on_progress is not None:
                        on_progress(done, len(names))

        with ThreadPoolExecutor(len(self._children)) as pool:
            try:
                answers = list(pool.map(one, names))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        frames = {}
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, CoachError):
                result.refused.append(Refusal(name, str(answer)))
                continue
            summary, is_new = answer
            frames[name] = summary.frame_count
            if is_new:
                result.imported.append(summary)
            else:
                result.already_here.append(name)
        return frames

    def _import_episode(self, archive: ShareArchive, name: str, child: Quarantine) -> tuple[EpisodeSummary, bool]:
        """Return the episode's summary, and whether it is new here. Raises CoachError if it is refused."""
        listed = archive.manifest.episodes[name]
        final = self._place(name)
        if _is_same_file(final, listed):
            return child.summary(final), False
        with _unpacked(archive, name, listed, self._library.replays) as unpacked:
            summary = self._verified(archive, name, unpacked, child)
            if publish_new(unpacked, final):
                summary = replace(summary, episode_id=name, path=str(final))
                self._library.index.add(final, summary)
                return summary, True
            if not final.is_symlink() and _is_same_play(final, unpacked):
                return summary, False
            raise CoachError(f"{final} exists already and is another episode.")

    def _place(self, name: str) -> Path:
        """Return the library's file of an episode, which may have been renamed, or where it would be."""
        return self._renamed.get(name) or self._library.replays / f"{name}{SUFFIX}"

    def _verified(self, archive: ShareArchive, name: str, unpacked: Path, child: Quarantine) -> EpisodeSummary:
        where = f"{name} in {archive.path}"
        answer = child.verify(unpacked)
        if not answer.ok:
            sentence = answer.sentence.replace(str(unpacked.absolute()), where).replace(str(unpacked), where)
            raise CoachError(
                sentence if answer.kind == "structure" else f"{where} differs from what the emulator does: {sentence}"
            )
        summary = child.summary(unpacked)
        if summary.episode_id not in (name, unpacked.stem):
            raise CoachError(f"{where} says that its id is {summary.episode_id}.")
        names = (summary.player, *summary.players.values())
        if not all(is_plain_text(one) and len(one) <= LONGEST_NAME for one in names):
            raise CoachError(f"A player's name in {where} is not plain text.")
        return summary

    def _import_verdicts(self, archive: ShareArchive, result: ShareImport, frames: dict[str, int]) -> None:
        if archive.manifest.labels is None:
            return
        where = f"{LABELS} in {archive.path}"
        with tempfile.TemporaryDirectory(prefix="replay-coach-") as folder:
            path = Path(folder) / LABELS
            try:
                with path.open("wb") as file:
                    file.writelines(archive.parts_of_labels())
            except OSError as error:
                raise CoachError(f"Cannot unpack {where} ({error.strerror or error}).") from error
            verdicts = read_labels(path, where)
        for verdict in verdicts:
            _require_on_episode(verdict, archive, frames, where)
        verdicts = [verdict for verdict in verdicts if verdict.clip.episode_id in frames]
        result.verdicts = len(verdicts)
        if verdicts:
            with LabelDatabase(self._labels) as labels:
                result.new_verdicts = labels.merge(_without_own(verdicts, self._library, labels))

    def close(self) -> None:
        for child in self._children:
            child.close()

    def __enter__(self) -> ShareImporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _require_on_episode(verdict: Verdict, archive: ShareArchive, frames: dict[str, int], where: str) -> None:
    clip = verdict.clip
    if not is_plain_text(verdict.curator + verdict.queue):
        raise CoachError(f"{where} is refused: the name of a curator or a queue is not plain text.")
    if clip.episode_id not in archive.manifest.episodes:
        raise CoachError(f"{where} is refused: it judges {clip.episode_id[:150]!r}, which is not in the share.")
    if clip.stop > frames.get(clip.episode_id, clip.stop) + 1:
        raise CoachError(
            f"{where} is refused: it judges frame {clip.stop - 1} of {clip.episode_id}, which has only "
            f"{frames[clip.episode_id]}."
        )


def _without_own(verdicts: Sequence[Verdict], library: Library, labels: LabelDatabase) -> Sequence[Verdict]:
    """Leave out the library's own verdicts that were shared under pseudonyms: their curators would vote twice."""
    pseudonyms = Pseudonyms.existing(library)
    if pseudonyms is None:
        return verdicts
    own = {pseudonyms.of(curator) for curator in labels.curators()}
    return [verdict for verdict in verdicts if verdict.by_rule or verdict.curator not in own]


def _is_same_file(path: Path, listed: Listed) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size != listed.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == listed.sha256


def _is_same_play(here: Path, unpacked: Path) -> bool:
    """Return whether two files have the same episode, despite another player's name or compression."""
    with ReplayFile(here) as ours, ReplayFile(unpacked) as theirs:
        return (
            (ours.digest, ours.ended_by, ours.origin.game, ours.origin.settings)
            == (theirs.digest, theirs.ended_by, theirs.origin.game, theirs.origin.settings)
            and ours.demonstrator.tobytes() == theirs.demonstrator.tobytes()
            and ours.markers.tobytes() == theirs.markers.tobytes()
        )


@contextmanager
def _unpacked(archive: ShareArchive, name: str, listed: Listed, folder: Path) -> Iterator[Path]:
    """Yield a read-only temporary file in ``folder`` with the episode's bytes, and remove it afterwards."""
    if shutil.disk_usage(folder).free < listed.bytes + SPARE_BYTES:
        raise CoachError(f"Too little space for {name} ({listed.bytes / 1e6:.0f} MB) in {folder}; free some space.")
    path, descriptor = _locked_file(folder)
    with ExitStack() as cleaning:
        cleaning.callback(remove_quietly, path)
        cleaning.callback(os.close, descriptor)
        for part in archive.parts_of_episode(name):
            write_all(descriptor, part)
        set_mode(descriptor, 0o444)
        os.fsync(descriptor)
        yield path


def _locked_file(folder: Path) -> tuple[Path, int]:
    """Create a file that stays locked until this process ends, so that leftovers of a killed import are recognised."""
    while True:
        path = folder / f"{INCOMING}{secrets.token_hex(4)}{SUFFIX}.part"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        if os.name == "nt" or (wait_for_lock(descriptor, path) and os.fstat(descriptor).st_nlink):
            return path, descriptor
        os.close(descriptor)  # another import removed it as a leftover before it was locked


def _clear_leftovers(folder: Path) -> None:
    """Remove temporary files of killed imports."""
    for path in folder.glob(f"{INCOMING}*"):
        try:
            with path.open("rb") as file:
                is_leftover = try_lock(file.fileno(), path)
                if is_leftover:
                    remove_quietly(path)
            if is_leftover:
                remove_quietly(path)  # Windows cannot remove an open file
        except (OSError, LocksUnavailable):
            continue  # it belongs to another import, or is gone already


def shares_in(paths: Sequence[Path]) -> list[Path]:
    """Return the given files, and the zips in the given folders. Raises CoachError if there are none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(item for item in path.iterdir() if item.suffix.lower() == ".zip" and item.is_file())
            if not inside:
                raise CoachError(f"The folder {path} has no shares (*.zip).")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise CoachError(f"There is no share {path}.")
    return list(dict.fromkeys(found))


def episodes_in(paths: Sequence[Path]) -> dict[Path, int]:
    """Return the number of episodes in each share according to its manifest; 0 for a share that is refused."""
    counts = {}
    for path in paths:
        try:
            with ShareArchive(path) as archive:
                counts[path] = len(archive.manifest.episodes)
        except CoachError:
            counts[path] = 0
    return counts
