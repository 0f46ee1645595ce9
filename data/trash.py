"""The library's trash: discarded episodes and runs, which can be restored until it is emptied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from data.episode import EpisodeSummary
from data.errors import CoachError
from data.files import sync_folder
from data.library import Entry, Library, LibraryIndex
from data.runs import RunFolder, move_run, open_own_run, run_folder


@dataclass(frozen=True)
class Moved:
    """The result of moving episodes."""

    episode_ids: tuple[str, ...]
    """Those that were moved."""
    problem: str = ""
    """Why the first of the others was not moved, in one sentence."""


class Trash:
    """The folder ``trash`` of a library. The verdicts on its episodes stay in the label database."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.folder = library.folder / "trash"

    @property
    def _index(self) -> LibraryIndex:
        return LibraryIndex(self.folder / "index.jsonl", self.folder)

    def episodes(self) -> list[EpisodeSummary]:
        """Return the readable episodes in the trash, oldest first."""
        found = [entry.summary for entry in self._index.entries() if entry.summary is not None]
        return sorted(found, key=lambda summary: (summary.created, summary.episode_id))

    def broken(self) -> list[tuple[Path, str]]:
        """Return the files in the trash that are not readable, each with a sentence that says why."""
        return [(self.folder / entry.name, entry.problem) for entry in self._index.entries() if entry.summary is None]

    def names(self) -> list[str]:
        """Return the names, without ".h5", of all files in the trash, sorted; no file is opened."""
        return sorted(path.stem for path in self.folder.glob("*.h5"))

    def discard(self, episode_ids: Iterable[str]) -> Moved:
        """Move episodes (or broken files, by their names without ".h5") from the library to the trash."""
        return self._move(episode_ids, self._library.replays, self.folder, self._library.index, self._index, True)

    def restore(self, episode_ids: Iterable[str]) -> Moved:
        """Move episodes back to the library. An episode that exists there again stays in the trash."""
        return self._move(episode_ids, self.folder, self._library.replays, self._index, self._library.index, False)

    # ---- runs ----------------------------------------------------------------------------------------------------

    def run_names(self) -> list[str]:
        """Return the names of the runs in the trash, sorted."""
        return sorted(path.name for path in self._runs.glob("*/") if RunFolder(path).exists)

    @property
    def _runs(self) -> Path:
        return self.folder / "runs"

    def discard_run(self, name: str) -> None:
        """Move a run to the trash. Raises CoachError while it is trained, or if a run of that name is there already."""
        move_run(open_own_run(self._library, name), RunFolder(self._runs / name))

    def restore_run(self, name: str) -> None:
        """Move a run back to the library. Raises CoachError if there is none, or if its name is in use again."""
        if name not in self.run_names():
            raise CoachError(f"There is no run {name!r} in the trash.")
        move_run(RunFolder(self._runs / name), run_folder(self._library, name))

    # ---- emptying ------------------------------------------------------------------------------------------------

    def empty(self) -> int:
        """Delete everything in the trash and return the number of episodes and runs. Raises CoachError."""
        return self.remove(self.names()) + self.remove_runs()

    def remove_runs(self) -> int:
        """Delete the runs in the trash and return how many. Raises CoachError."""
        names = self.run_names()
        try:
            if self._runs.is_dir():
                shutil.rmtree(self._runs)
        except OSError as error:
            raise CoachError(f"Cannot delete {self._runs} ({error.strerror or error}).") from error
        return len(names)

    def remove(self, episode_ids: Iterable[str], on_progress: Callable[[int, int], None] | None = None) -> int:
        """Delete episodes in the trash and return how many. Raises CoachError if one cannot be deleted."""
        ids = list(episode_ids)
        names = _names_by_id(self._index.entries())
        for done, episode_id in enumerate(ids):
            path = self.folder / (names.get(episode_id) or _file_name(episode_id))
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise CoachError(f"Cannot delete {path} ({error.strerror or error}).") from error
            if on_progress is not None:
                on_progress(done + 1, len(ids))
        return len(ids)

    @staticmethod
    def _move(
        episode_ids: Iterable[str],
        source: Path,
        target: Path,
        known: LibraryIndex,
        index: LibraryIndex,
        replace: bool,
    ) -> Moved:
        entries = known.entries()
        summaries = {entry.name: entry.summary for entry in entries}
        names = _names_by_id(entries)
        moved: list[str] = []
        problem = ""
        for episode_id in episode_ids:
            name = names.get(episode_id) or _file_name(episode_id)
            try:
                target.mkdir(parents=True, exist_ok=True)
                if not replace and os.path.lexists(target / name):
                    raise FileExistsError(17, "the library has an episode of that name again")
                os.rename(source / name, target / name)
            except FileNotFoundError:
                problem = problem or f"There is no episode {episode_id} in {source}."
                continue
            except OSError as error:
                problem = problem or f"Cannot move the episode {episode_id} ({error.strerror or error})."
                continue
            moved.append(episode_id)
            summary = summaries.get(name)
            if summary is not None:  # so that the file is not read again
                index.add(target / name, summary)
        for folder in (target, source):
            sync_folder(folder)
        return Moved(tuple(moved), problem)


def _names_by_id(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the file names of readable episodes by id; a file whose name is its id goes before its copies."""
    names: dict[str, str] = {}
    for entry in entries:
        if entry.summary is not None:
            episode_id = entry.summary.episode_id
            if episode_id not in names or entry.name == f"{episode_id}.h5":
                names[episode_id] = entry.name
    return names


def _file_name(episode_id: str) -> str:
    name = f"{episode_id}.h5"
    # Ids are not trusted: the path must not lead out of the folder.
    if Path(name).name != name:
        raise CoachError(f"There is no episode {episode_id!r}.")
    return name
