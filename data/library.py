"""The library: the folder with replay files, the label database and the training runs, and its index.

The index lists the content of each replay file, so that a list of thousands opens at once. ``index.jsonl`` has one
line for each file: its name, size, time of change and summary, or why it is not readable. Publishing adds a line, and
a file whose size or time differs from its line is read again. The index may be deleted at any time: it is rebuilt.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from data.episode import EpisodeSummary, FrameState, Origin
from data.errors import CoachError
from data.files import BINARY, write_all, write_atomic
from data.fitting_verdicts import fit_verdicts, frame_counts_of
from data.label_database import LabelDatabase
from data.quarantine import Quarantine, ReaderUnavailable
from data.replay_writer import ReplayWriter

READERS = 2
FILES_WORTH_A_SECOND_READER = 100
NEVER = -1
"""A time at which no file was changed."""


class Library:
    """A library folder: ``replays/*.h5``, ``labels.sqlite``, ``runs/<name>/``."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    @property
    def replays(self) -> Path:
        """Folder of the replay files."""
        return self.folder / "replays"

    @property
    def labels(self) -> Path:
        """File of the label database."""
        return self.folder / "labels.sqlite"

    @property
    def runs(self) -> Path:
        """Folder of the runs."""
        return self.folder / "runs"

    @property
    def is_read_only(self) -> bool:
        """Whether it exists and cannot be written, such as a teacher's shared folder."""
        folders = [folder for folder in (self.folder, self.replays) if folder.is_dir()]
        return any(not os.access(folder, os.W_OK | os.X_OK) for folder in folders)

    def prepare(self) -> None:
        """Create the folders. Raises CoachError if one cannot be created or is not writable."""
        if self.is_read_only:
            raise CoachError(
                f"The library {self.folder} is read-only; to record, judge, train or delete, choose another folder "
                "with --library."
            )
        try:
            for folder in (self.folder, self.replays, self.runs):
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(13, "Permission denied", str(folder))
        except OSError as error:
            raise CoachError(
                f"Cannot write to the library {self.folder} ({error.strerror or error}); "
                "choose another folder with --library."
            ) from error

    def run_folder(self, name: str) -> Path:
        """Return the folder of a run, existing or not. Raises CoachError for a name that is not a plain file name."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
            raise CoachError(
                f"A run's name may contain letters, digits, dots, hyphens and underscores; {name!r} is not valid."
            )
        return self.runs / name

    def begin_episode(self, origin: Origin, demonstrator: str, first: FrameState) -> ReplayWriter:
        """Return a writer for a new episode named ``<UTC time>-<game>-<demonstrator>-<8 hex>``."""
        self.prepare()
        stamp = origin.created.strftime("%Y%m%dT%H%M%SZ")
        name = f"{stamp}-{origin.game}-{demonstrator}-{secrets.token_hex(4)}.h5"
        return ReplayWriter(self.replays / name, origin, first, self.index.add)

    @property
    def index(self) -> LibraryIndex:
        """The index of the replay files, which need not be opened to be listed."""
        return LibraryIndex(self.folder / "index.jsonl", self.replays)

    def episodes(self, game: str | None = None) -> list[EpisodeSummary]:
        """Return summaries of all published episodes, oldest first.

        Files that cannot be read, and copies of an episode under another name, are reported by ``broken``.
        """
        found = [summary for summary in self._originals().values() if game in (None, summary.game)]
        return sorted(found, key=lambda summary: (summary.created, summary.episode_id))

    def broken(self) -> list[tuple[Path, str]]:
        """Return the files in ``replays`` that are not used, each with a sentence that says why."""
        entries = self.index.entries()
        originals = self._originals(entries)
        found = []
        for entry in entries:
            path = self.replays / entry.name
            if entry.summary is None:
                found.append((path, entry.problem))
            elif (original := originals[entry.summary.episode_id]).path != entry.summary.path:
                found.append((path, f"{path} has the same id as {Path(original.path).name}: only that one is used."))
        return found

    def _originals(self, entries: Sequence[Entry] | None = None) -> dict[str, EpisodeSummary]:
        """Return the episodes by id. Of several files with one id: the one of that name, else the first by name."""
        found: dict[str, EpisodeSummary] = {}
        for entry in self.index.entries() if entries is None else entries:
            if entry.summary is not None:
                episode_id = entry.summary.episode_id
                if episode_id not in found or entry.name == f"{episode_id}.h5":
                    found[episode_id] = entry.summary
        return found

    def episode_path(self, episode_id: str) -> Path:
        """Return the path of an episode by its id, or by its file's name; raises CoachError if there is none."""
        path = self.replays / f"{episode_id}.h5"
        if not path.is_file() and (renamed := self._originals().get(episode_id)) is not None:
            return Path(renamed.path)
        # Ids are not trusted: the path must not lead out of the library.
        if Path(episode_id).name != episode_id or path.is_symlink() or not path.is_file():
            raise CoachError(f"The library {self.folder} has no episode {episode_id!r}.")
        return path


@dataclass(frozen=True)
class EpisodeChoice:
    """Criteria that select episodes. An empty one selects all; of several values, one must match."""

    game: str | None = None
    players: tuple[str, ...] = ()
    demonstrators: tuple[str, ...] = ()
    """Kinds of demonstrators; at least one of them must have chosen an action."""
    least_score: float | None = None
    verdict: str | None = None
    """The episode must have at least one verdict of this kind."""
    names: tuple[str, ...] = ()
    """Episode ids of the library, or paths of replay files, which are validated in a child process first."""

    @property
    def is_everything(self) -> bool:
        return self == EpisodeChoice()

    def episodes(self, library: Library, labels: LabelDatabase | None) -> list[EpisodeSummary]:
        """Return the selected episodes, oldest first. Raises CoachError for a name that is not an episode."""
        judged = set()
        if self.verdict is not None and labels is not None:
            fitting = fit_verdicts(labels.verdicts(), frame_counts_of(library.episodes())).fitting
            judged = {v.clip.episode_id for v in fitting if v.verdict == self.verdict}
        candidates = self._named(library) if self.names else library.episodes(self.game)
        return [episode for episode in candidates if self._fits(episode, judged)]

    def _fits(self, episode: EpisodeSummary, judged: set[str]) -> bool:
        return (
            self.game in (None, episode.game)
            and (not self.players or episode.player in self.players)
            and (not self.demonstrators or any(kind in episode.frames_by_demonstrator for kind in self.demonstrators))
            and (self.least_score is None or episode.score >= self.least_score)
            and (self.verdict is None or episode.episode_id in judged)
        )

    def _named(self, library: Library) -> list[EpisodeSummary]:
        inside = {episode.episode_id: episode for episode in library.episodes()}
        by_file = {Path(episode.path).name: episode for episode in inside.values()}
        found: dict[str, EpisodeSummary] = {}
        with Quarantine() as quarantine:
            for name in self.names:
                path = Path(name)
                episode = inside.get(name.removesuffix(".h5")) or by_file.get(f"{name.removesuffix('.h5')}.h5")
                if path.is_file() and path.resolve().parent == library.replays.resolve():
                    episode = by_file.get(path.name)
                elif path.is_file():
                    episode = quarantine.vet(path)
                if episode is None:
                    raise CoachError(f"There is no replay file {name}, here or in the library {library.folder}.")
                known = found.setdefault(episode.episode_id, episode)
                if Path(known.path).resolve() != Path(episode.path).resolve():
                    raise CoachError(f"{known.path} and {episode.path} have the same id; choose one of them.")
        return sorted(found.values(), key=lambda episode: (episode.created, episode.episode_id))


# ---- index --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """One replay file in the index."""

    name: str
    size: int
    changed_ns: int
    summary: EpisodeSummary | None
    problem: str
    """Why there is no summary, in one sentence."""

    def to_line(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Parse a line. Raises ValueError, TypeError or KeyError if it is damaged or of another version."""
        values: dict[str, Any] = json.loads(line)
        summary = values["summary"]
        return cls(**(values | {"summary": None if summary is None else EpisodeSummary(**summary)}))


class LibraryIndex:
    """The index of the replay files in one folder."""

    def __init__(self, path: Path, replays: Path) -> None:
        self._path = path
        self._replays = replays

    def add(self, path: Path, summary: EpisodeSummary) -> None:
        """Add a file that was just published. Errors of the disk are ignored: the next reader repairs the index."""
        try:
            status = path.stat()
            line = Entry(path.name, status.st_size, status.st_mtime_ns, summary, "").to_line()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | BINARY, 0o644)
            try:
                write_all(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError:
            return

    def entries(self) -> list[Entry]:
        """Return all files of the folder, by name. New and changed files are read in a child process."""
        known = self._known()
        present = list(self._present())
        entries = {
            name: known[name]
            for name, size, changed_ns in present
            if name in known and (known[name].size, known[name].changed_ns) == (size, changed_ns)
        }
        new = [status for status in present if status[0] not in entries]
        entries |= {entry.name: entry for entry in self._read(new)}
        if new or len(known) != len(entries):
            self._write(entries)
        return [
            entry
            if entry.summary is None
            else replace(entry, summary=replace(entry.summary, path=str(self._replays / name)))
            for name, entry in sorted(entries.items())
        ]

    def _known(self) -> dict[str, Entry]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return {}
        known = {}
        for line in lines:
            try:
                entry = Entry.from_line(line)
            except (ValueError, TypeError, KeyError):
                continue
            known[entry.name] = entry
        return known

    def _present(self) -> Iterator[tuple[str, int, int]]:
        try:
            with os.scandir(self._replays) as found:
                for item in found:
                    if item.name.endswith(".h5"):
                        status = item.stat(follow_symlinks=False)
                        yield item.name, status.st_size, status.st_mtime_ns
        except FileNotFoundError:
            return

    def _read(self, files: list[tuple[str, int, int]]) -> list[Entry]:
        if not files:
            return []
        readers: SimpleQueue[Quarantine] = SimpleQueue()
        all_readers = [Quarantine() for _ in range(READERS if len(files) > FILES_WORTH_A_SECOND_READER else 1)]
        for reader in all_readers:
            readers.put(reader)

        def one(status: tuple[str, int, int]) -> Entry:
            reader = readers.get()
            try:
                return self._entry(status, reader)
            finally:
                readers.put(reader)

        try:
            with ThreadPoolExecutor(len(all_readers)) as pool:
                return list(pool.map(one, files))
        finally:
            for reader in all_readers:
                reader.close()

    def _entry(self, status: tuple[str, int, int], reader: Quarantine) -> Entry:
        path = self._replays / status[0]
        if path.is_symlink():
            return Entry(*status, None, f"{path} is a symbolic link; copy the file into the library instead.")
        try:
            return Entry(*status, reader.summary(path), "")
        except ReaderUnavailable as error:
            # The file was not read: a time that no file has makes the next reader try again.
            return Entry(status[0], status[1], NEVER, None, str(error))
        except CoachError as error:
            return Entry(*status, None, str(error))

    def _write(self, entries: dict[str, Entry]) -> None:
        text = b"".join(entry.to_line() for _, entry in sorted(entries.items()))
        try:
            write_atomic(self._path, text)
        except OSError:
            # The index of a read-only library is rebuilt each time.
            return
