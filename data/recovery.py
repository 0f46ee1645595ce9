"""Rebuild episodes that a crash left unfinished from their journals."""

from __future__ import annotations

import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data.continuation import recorded_before, retire
from data.episode import FRAMES_PER_SECOND
from data.errors import AnswerIsNo, CoachError
from data.files import remove_quietly, try_lock
from data.journal import SUFFIX, JournalContents, NoJournal, is_being_recorded, is_blank, read_journal, rescue_folder
from data.library import Library
from data.replay_writer import ReplayWriter
from data.simulation import Emulator, ale_version, rom_md5

LEFTOVER_SECONDS = 3600.0
PROGRESS_FRAMES = 600


@dataclass(frozen=True)
class Unfinished:
    """An episode that was neither published nor is being recorded now."""

    path: Path
    """Its journal."""
    episode_id: str
    game: str
    player: str
    created: str
    frame_count: int

    @property
    def seconds(self) -> float:
        return self.frame_count / FRAMES_PER_SECOND


def _journals(library: Library) -> Iterator[Path]:
    """Yield the library's journals, including those that were written elsewhere because its disk failed."""
    yield from sorted(library.replays.glob(f"*{SUFFIX}"))
    for folder in (rescue_folder(), Path(tempfile.gettempdir())):
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                if not is_blank(path) and read_journal(path).library == library.folder.resolve():
                    yield path
            except (CoachError, OSError):
                # Another program's file in a shared folder.
                continue


def unfinished(library: Library) -> list[Unfinished]:
    """Return what ``recover`` would rebuild, without episodes that are being recorded and unreadable journals."""
    found = []
    for path in _journals(library):
        try:
            if is_being_recorded(path) or is_blank(path):
                continue
            contents = read_journal(path)
        except (CoachError, OSError):
            continue
        if contents.frame_count and not (library.replays / f"{contents.episode_id}.h5").exists():
            origin = contents.origin
            found.append(
                Unfinished(
                    path,
                    contents.episode_id,
                    origin.game,
                    origin.player,
                    origin.created.isoformat(),
                    contents.frame_count,
                )
            )
    return found


def recover(
    library: Library,
    paths: Sequence[Path] | None = None,
    into: Library | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Rebuild unfinished episodes by simulation, publish them, and return the new replay files.

    paths: journals (or folders with journals); None: all that ``unfinished`` lists. into: the library for the files,
    if not ``library``. on_progress: called with the simulated and the total frames of the current episode. A journal
    is removed once its episode is published. Episodes that are being recorded are skipped. After all others were
    rebuilt, raises CoachError for a journal that is not readable, and AnswerIsNo for one that this emulator does not
    reproduce. Such journals are kept.
    """
    target = into or library
    target.prepare()
    published: list[Path] = []
    problems: list[CoachError] = []
    for path in _chosen(paths) if paths is not None else list(_journals(library)):
        try:
            with _locked(path) as free:
                if free:
                    published += _rebuild(path, target, on_progress)
                elif paths is not None:
                    raise CoachError(f"The episode of {path} is being recorded. End it first.")
        except CoachError as error:
            problems.append(error)
    _clear_leftovers(library)
    if problems:
        kind = type(problems[0]) if len(problems) == 1 else CoachError
        raise kind(" ".join(str(problem) for problem in problems))
    return published


def _chosen(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob(f"*{SUFFIX}"))
        elif path.is_file():
            found.append(path)
        else:
            raise CoachError(f"There is no journal {path}.")
    return found


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a journal's lock; yield False if another process holds it."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise CoachError(f"Cannot read the journal {path} ({error.strerror or error}).") from error
    with file:
        is_free = try_lock(file.fileno(), path)
        if os.name == "nt":
            file.close()  # on Windows a locked file can be neither read nor removed
        yield is_free


def _rebuild(path: Path, target: Library, on_progress: Callable[[int, int], None] | None) -> list[Path]:
    if is_blank(path):
        remove_quietly(path)
        return []
    contents = read_journal(path)
    destination = target.replays / f"{contents.episode_id}.h5"
    if destination.exists() or contents.frame_count < contents.origin.settings.frame_skip:
        # It was published just before the crash, or ended before its first decision.
        remove_quietly(path)
        return []
    origin = contents.origin
    if origin.rom_md5 != rom_md5(origin.game):
        raise AnswerIsNo(f"{path} was recorded with another ROM of {origin.game}; it is unchanged.")
    before = recorded_before(target, contents)
    if before is not None and before.common_frames == contents.frame_count:
        # An episode was being continued, but nothing new had been played.
        remove_quietly(path)
        return []
    emulator = Emulator(origin.game, origin.settings, origin.action_meanings)
    writer = ReplayWriter(destination, origin, emulator.state(), target.index.add, NoJournal(path))
    try:
        _play_again(contents, emulator, writer, on_progress)
        result = writer.publish("game_over" if emulator.game_over else "abandoned", emulator.palette)
    finally:
        writer.discard()
    remove_quietly(path)
    if before is not None:
        retire(target, before.path, result, before.common_frames)
    return [result]


def _play_again(
    contents: JournalContents,
    emulator: Emulator,
    writer: ReplayWriter,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    markers = set(contents.markers)
    if 0 in markers:
        writer.mark()
    for row, action in enumerate(contents.actions):
        state = emulator.step(action)
        writer.append(action, contents.demonstrators[row], state)
        frame = row + 1
        if contents.ram_checks.get(frame, None) not in (None, zlib.crc32(state.ram.tobytes())):
            raise AnswerIsNo(
                f"This emulator (ale-py {ale_version()}) does not reproduce {contents.path} at frame {frame} (recorded "
                f"with {contents.origin.ale_version}); the journal is kept: recover it with that version."
            )
        if frame in markers:
            writer.mark()
        if on_progress is not None and (frame % PROGRESS_FRAMES == 0 or frame == contents.frame_count):
            on_progress(frame, contents.frame_count)


def _clear_leftovers(library: Library) -> None:
    """Remove old partial files of processes that ended while writing them."""
    for pattern in (".*.h5.*.part", "*.h5.part", ".spool-*"):
        for path in library.replays.glob(pattern):
            try:
                if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                    remove_quietly(path)
            except OSError:
                continue
