"""Taking shares into a library: every episode is proved before it appears, and nothing is ever half there."""

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
"""What must stay free on the disk after an episode was unpacked."""
LONGEST_NAME = 200

OnProgress = Callable[[int, int], None]
"""Called with episodes done and episodes in all, from threads other than the caller's, one at a time."""


@dataclass(frozen=True)
class Refusal:
    """One episode of a share that did not come in."""

    episode: str
    reason: str


@dataclass
class ShareImport:
    """What came of one share."""

    path: Path
    imported: list[EpisodeSummary] = field(default_factory=list)
    already_here: list[str] = field(default_factory=list)
    """Ids of episodes that the library had."""
    refused: list[Refusal] = field(default_factory=list)
    verdicts: int = 0
    """Verdicts that the share holds on episodes that are here now."""
    new_verdicts: int = 0
    problem: str = ""
    """Why the share as a whole, or all of its verdicts, were refused; empty where they were not."""

    @property
    def ok(self) -> bool:
        """Whether nothing was refused."""
        return not self.problem and not self.refused

    @property
    def is_refused(self) -> bool:
        """Whether nothing at all came of it, because it is no share that can be trusted."""
        return bool(self.problem) and not (self.imported or self.already_here or self.refused)


class ShareImporter:
    """Imports shares into one library, with child processes that read and simulate the episodes."""

    def __init__(self, library: Library, labels: Path | str | None = None, jobs: int = 1) -> None:
        """labels: the label database, by default the library's. jobs: episodes proved at a time."""
        self._library = library
        self._labels = labels if labels is not None else library.labels
        self._children = [Quarantine() for _ in range(jobs)]
        self._idle: SimpleQueue[Quarantine] = SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        library.prepare()
        _clear_leftovers(library.replays)

    def take(self, path: Path, on_progress: OnProgress | None = None) -> ShareImport:
        """Import one share; what is valid is imported, what is not is reported.

        Never raises for what the share holds. Importing it again changes nothing. Each episode appears whole, when
        it is proved, and the verdicts come after all of them in one transaction, so an import that was interrupted
        is finished by importing again.
        """
        result = ShareImport(path)
        try:
            with ShareArchive(path) as archive:
                frames = self._take_episodes(archive, result, on_progress)
                self._take_verdicts(archive, result, frames)
        except CoachError as error:
            result.problem = str(error)
        return result

    def _take_episodes(
        self, archive: ShareArchive, result: ShareImport, on_progress: OnProgress | None
    ) -> dict[str, int]:
        """Returns the frame counts of all episodes that are here now, by id."""
        names = list(archive.manifest.episodes)
        done = 0
        telling = threading.Lock()

        def one(name: str) -> tuple[EpisodeSummary, bool] | CoachError:
            nonlocal done
            child = self._idle.get()
            try:
                return self._take_episode(archive, name, child)
            except CoachError as error:
                return error
            except OSError as error:
                return CoachError(f"It cannot be written to {self._library.replays} ({error.strerror or error}).")
            finally:
                self._idle.put(child)
                with telling:
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

    def _take_episode(self, archive: ShareArchive, name: str, child: Quarantine) -> tuple[EpisodeSummary, bool]:
        """The episode's summary, and whether it is new here; raises CoachError for one that is refused."""
        listed = archive.manifest.episodes[name]
        final = self._library.replays / f"{name}{SUFFIX}"
        if _is_same_file(final, listed):
            return child.summary(final), False
        with _unpacked(archive, name, listed, self._library.replays) as unpacked:
            summary = self._proved(archive, name, unpacked, child)
            if publish_new(unpacked, final):
                summary = replace(summary, episode_id=name, path=str(final))
                self._library.index.add(final, summary)
                return summary, True
            if not final.is_symlink() and _is_same_play(final, unpacked):
                return summary, False
            raise CoachError(f"{final} is here already, and is not the same episode.")

    def _proved(self, archive: ShareArchive, name: str, unpacked: Path, child: Quarantine) -> EpisodeSummary:
        where = f"{name} in {archive.path}"
        answer = child.verify(unpacked)
        if not answer.ok:
            sentence = answer.sentence.replace(str(unpacked.absolute()), where).replace(str(unpacked), where)
            raise CoachError(
                sentence if answer.kind == "structure" else f"{where} differs from what the emulator does: {sentence}"
            )
        summary = child.summary(unpacked)
        names = (summary.player, *summary.players.values())
        if not all(is_plain_text(name) and len(name) <= LONGEST_NAME for name in names):
            raise CoachError(f"{where} names a player whose name is no plain text.")
        return summary

    def _take_verdicts(self, archive: ShareArchive, result: ShareImport, frames: dict[str, int]) -> None:
        if archive.manifest.labels is None:
            return
        where = f"{LABELS} in {archive.path}"
        with tempfile.TemporaryDirectory(prefix="replay-coach-") as folder:
            path = Path(folder) / LABELS
            try:
                with path.open("wb") as file:
                    file.writelines(archive.parts_of_labels())
            except OSError as error:
                raise CoachError(f"{where} cannot be unpacked ({error.strerror or error}).") from error
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
        raise CoachError(f"{where} is refused: it names a curator or a queue whose name is no plain text.")
    if clip.episode_id not in archive.manifest.episodes:
        raise CoachError(f"{where} is refused: it judges {clip.episode_id[:150]!r}, which is not in the share.")
    if clip.stop > frames.get(clip.episode_id, clip.stop) + 1:
        raise CoachError(
            f"{where} is refused: it judges frame {clip.stop - 1} of {clip.episode_id}, which has "
            f"{frames[clip.episode_id]}."
        )


def _without_own(verdicts: Sequence[Verdict], library: Library, labels: LabelDatabase) -> Sequence[Verdict]:
    """Leave out what was shared from here under pseudonyms and comes back: its curators would speak twice."""
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
    """Whether two files hold the same episode, under another name of the player or packed otherwise."""
    with ReplayFile(here) as ours, ReplayFile(unpacked) as theirs:
        return (
            (ours.digest, ours.ended_by, ours.origin.game, ours.origin.settings)
            == (theirs.digest, theirs.ended_by, theirs.origin.game, theirs.origin.settings)
            and ours.demonstrator.tobytes() == theirs.demonstrator.tobytes()
            and ours.markers.tobytes() == theirs.markers.tobytes()
        )


@contextmanager
def _unpacked(archive: ShareArchive, name: str, listed: Listed, folder: Path) -> Iterator[Path]:
    """The episode's bytes in a file of their own in ``folder``, on the disk, read-only, and gone afterwards."""
    if shutil.disk_usage(folder).free < listed.bytes + SPARE_BYTES:
        raise CoachError(f"There is no room for {name} ({listed.bytes / 1e6:.0f} MB) in {folder}; make room.")
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
    """A new file, locked as long as this process lives, so that the next import can tell what a killed one left."""
    while True:
        path = folder / f"{INCOMING}{secrets.token_hex(4)}{SUFFIX}.part"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        if os.name == "nt" or (wait_for_lock(descriptor, path) and os.fstat(descriptor).st_nlink):
            return path, descriptor
        os.close(descriptor)  # another import took it for a leftover before it was locked


def _clear_leftovers(folder: Path) -> None:
    """Remove what imports that were killed had unpacked."""
    for path in folder.glob(f"{INCOMING}*"):
        try:
            with path.open("rb") as file:
                is_leftover = try_lock(file.fileno(), path)
                if is_leftover:
                    remove_quietly(path)
            if is_leftover:
                remove_quietly(path)  # Windows removes no file that is open.
        except (OSError, LocksUnavailable):
            continue  # another import's, or gone already


def shares_in(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; of a folder its zips. Raises CoachError where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(item for item in path.iterdir() if item.suffix.lower() == ".zip" and item.is_file())
            if not inside:
                raise CoachError(f"The folder {path} holds no share (*.zip).")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise CoachError(f"There is no share {path}.")
    return list(dict.fromkeys(found))


def episodes_in(paths: Sequence[Path]) -> dict[Path, int]:
    """How many episodes each share says that it holds, for a bar that knows its end; 0 for one that is refused."""
    counts = {}
    for path in paths:
        try:
            with ShareArchive(path) as archive:
                counts[path] = len(archive.manifest.episodes)
        except CoachError:
            counts[path] = 0
    return counts
