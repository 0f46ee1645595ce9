"""Record one episode without blocking the game, and publish its replay file when it is complete."""

from __future__ import annotations

import errno
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data.background_writer import BackgroundWriter, Block
from data.decisions import decisions_of
from data.episode import ENDINGS, EpisodeSummary, FrameState, Origin, PaceReport, is_plain_text
from data.errors import CoachError
from data.files import write_atomic
from data.journal import SUFFIX, Journal, NoJournal
from data.replay_file import compress_zstd, decompress_zstd, episode_image
from data.replay_format import CHUNK_FRAMES, MAX_FILE_FRAMES
from data.simulation import RAM_BYTES, simulate


class ReplayWriter:
    """Writes one episode. The file appears under its final name only in ``publish``.

    ``append`` takes microseconds: a background thread compresses, writes and syncs. Disk errors never stop the game.
    ``trouble`` reports them, and what is needed to rebuild the episode stays in memory.
    """

    def __init__(
        self,
        path: Path,
        origin: Origin,
        first: FrameState,
        on_published: Callable[[Path, EpisodeSummary], None] | None = None,
        journal: Journal | NoJournal | None = None,
    ) -> None:
        """path: the final name. journal: None for a new one beside the path.

        Raises CoachError if the folder is not writable or the player's name is not plain text.
        """
        for name in (origin.player, *dict(origin.players).values()):
            if not is_plain_text(name):
                raise CoachError(f"The player's name must be plain text, not {name!r}.")
        self.path = path
        self._origin = origin
        self._shape: tuple[int, int] = (first.screen.shape[0], first.screen.shape[1])
        self._on_published = on_published
        try:
            self._journal = journal or Journal(path.with_suffix(SUFFIX), path.parent.parent, origin)
        except OSError as error:
            raise CoachError(_cannot_write(path.parent, error)) from error
        try:
            self._background = BackgroundWriter(path.parent, self._journal, compress_zstd)
        except OSError as error:
            self._journal.close(keep=False)
            raise CoachError(_cannot_write(path.parent, error)) from error
        self._blocks: list[Block] = []
        self._actions = bytearray()
        self._demonstrators = bytearray()
        self._lives = bytearray([first.lives])
        self._rewards = array("f")
        self._markers: list[int] = []
        self._closed = False
        self._finished = False
        self._put(0, first)

    @property
    def frame_count(self) -> int:
        return len(self._actions)

    @property
    def actions(self) -> bytes:
        """The executed actions so far, one byte a frame."""
        return bytes(self._actions)

    @property
    def demonstrators(self) -> bytes:
        """Who chose the actions, one byte a frame: indices of DEMONSTRATOR_KINDS."""
        return bytes(self._demonstrators)

    @property
    def trouble(self) -> str | None:
        """The problem with the disk, in one sentence for the player, or None."""
        return self._background.trouble

    @property
    def journal_path(self) -> Path:
        """File with the actions of the unfinished episode."""
        return self._journal.path

    def append(self, action: int, demonstrator: int, after: FrameState) -> None:
        """Append a frame: the executed action, who chose it (index into DEMONSTRATOR_KINDS), and the next state.

        It neither blocks nor fails because of the disk. Raises CoachError beyond MAX_FILE_FRAMES.
        """
        if len(self._actions) >= MAX_FILE_FRAMES:
            raise CoachError(f"An episode has at most {MAX_FILE_FRAMES} frames; end this one and start another.")
        self._actions.append(action)
        self._demonstrators.append(demonstrator)
        self._rewards.append(after.reward)
        self._lives.append(after.lives)
        self._put(len(self._actions), after)
        self._journal.frame(action, demonstrator, after.ram)

    def _put(self, row: int, state: FrameState) -> None:
        within = row % CHUNK_FRAMES
        if within == 0:
            self._blocks.append(Block(self._shape))
        block = self._blocks[-1]
        if block.screens is not None and block.rams is not None:
            block.screens[within] = state.screen
            block.rams[within] = state.ram
            if within == CHUNK_FRAMES - 1:
                self._background.submit(block)

    def mark(self) -> None:
        """Add a marker at the newest frame."""
        self._markers.append(self.frame_count)
        self._journal.mark(self.frame_count)

    def rewind_to(self, frame_count: int) -> None:
        """Remove everything after frame ``frame_count``. Raises CoachError if the episode has not reached it."""
        if not 0 <= frame_count <= self.frame_count:
            raise CoachError(f"Cannot rewind to frame {frame_count} of an episode of {self.frame_count} frames.")
        if frame_count == self.frame_count:
            return
        index, last = divmod(frame_count, CHUNK_FRAMES)
        newest_is_full = self.frame_count % CHUNK_FRAMES == CHUNK_FRAMES - 1
        if last == CHUNK_FRAMES - 1:
            del self._blocks[index + 1 :]
        elif index < len(self._blocks) - 1 or newest_is_full:
            self._blocks[index:] = [self._reopened(self._blocks[index])]
        for column in (self._actions, self._demonstrators, self._rewards):
            del column[frame_count:]
        del self._lives[frame_count + 1 :]
        self._markers = [marker for marker in self._markers if marker <= frame_count]
        self._journal.rewind(frame_count)

    def _reopened(self, block: Block) -> Block:
        """Return a writable copy of a full block."""
        again = Block(self._shape)
        screens, rams = block.screens, block.rams
        if screens is None or rams is None:
            if block.packed is None:
                return block
            packed = self._background.unpack(block)
            screens = decompress_zstd(packed[0], (CHUNK_FRAMES, *self._shape))
            rams = decompress_zstd(packed[1], (CHUNK_FRAMES, RAM_BYTES))
        assert again.screens is not None and again.rams is not None
        again.screens[:], again.rams[:] = screens, rams
        return again

    def publish(
        self,
        ended_by: str,
        palette: np.ndarray,
        pace: PaceReport | None = None,
        imported: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        decision_actions: np.ndarray | None = None,
    ) -> Path:
        """End the episode, write its read-only file under its final name, and return the path.

        pace: how evenly its frames were shown, if known. imported: what was verified when it was imported, as plain
        values. folder: where to write the file instead of the library, which then does not list it.
        Raises CoachError for an episode without a complete decision, which is discarded, and if the file
        cannot be written. In that case the journal is kept for recovery and ``publish`` may be called again.
        """
        if ended_by not in ENDINGS:
            raise CoachError(f"An episode ends by one of {', '.join(ENDINGS)}, not by {ended_by!r}.")
        if self._finished:
            raise CoachError(f"The episode {self.path.stem} is over already.")
        columns = self._columns(palette)
        if decision_actions is not None:
            columns["decision_actions"] = decision_actions
        if not self._has_decision(columns, ended_by):
            self.discard()
            raise CoachError("The episode ended before its first decision was complete; there is nothing to save.")
        path = self.path if folder is None else folder / self.path.name
        stopped = self._closed or self._background.stop()
        self._closed = True
        try:
            if not stopped:
                raise OSError(errno.ETIMEDOUT, "the disk does not answer")
            self._rebuild_dropped()
            packed = self._packed()
            image, summary = episode_image(path, self._origin, columns, ended_by, packed, self._shape, pace, imported)
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, image, mode=0o444)
        except OSError as error:
            self._journal.close(keep=True)
            raise CoachError(self._not_written(error, path.parent)) from error
        self._end(keep_journal=False)
        if self._on_published is not None and folder is None:
            self._on_published(path, summary)
        return path

    def _columns(self, palette: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "palette": np.asarray(palette, np.uint8).reshape(256, 3),
            "actions": np.frombuffer(bytes(self._actions), np.uint8),
            "rewards": np.array(self._rewards, np.float32),
            "lives": np.frombuffer(bytes(self._lives), np.uint8),
            "demonstrator": np.frombuffer(bytes(self._demonstrators), np.uint8),
            "markers": np.array(self._markers, np.int64),
        }

    def _has_decision(self, columns: dict[str, np.ndarray], ended_by: str) -> bool:
        return (
            len(
                decisions_of(
                    columns["actions"],
                    columns["rewards"],
                    columns["lives"],
                    columns["demonstrator"],
                    ended_by == "game_over",
                    self._origin.settings.frame_skip,
                )
            )
            > 0
        )

    def _rebuild_dropped(self) -> None:
        """Simulate the frames of blocks that were dropped."""
        self._pack_newest(self._blocks[-1])
        if not any(block.dropped for block in self._blocks):
            return
        made: Block | None = None
        for row, state in enumerate(simulate(self._origin, bytes(self._actions))):
            index, within = divmod(row, CHUNK_FRAMES)
            if not self._blocks[index].dropped and made is None:
                continue
            if within == 0:
                made = Block(self._shape)
            assert made is not None and made.screens is not None and made.rams is not None
            made.screens[within], made.rams[within] = state.screen, state.ram
            if within == CHUNK_FRAMES - 1 or row == self.frame_count:
                self._pack_newest(made) if row == self.frame_count else self._background.pack(made)
                if made.dropped:
                    raise OSError(errno.ENOSPC, "the disk is full")
                self._blocks[index] = made
                made = None

    def _pack_newest(self, block: Block) -> None:
        """Compress a block whose rows after the last frame are uninitialised: clear those first."""
        if block.screens is not None and block.rams is not None:
            used = self.frame_count % CHUNK_FRAMES + 1
            block.screens[used:] = 0
            block.rams[used:] = 0
            self._background.pack(block)

    def _packed(self) -> list[tuple[bytes, bytes]]:
        return [self._background.unpack(block) for block in self._blocks]

    def _not_written(self, error: OSError, folder: Path) -> str:
        return (
            f"Cannot write the episode to {folder} ({error.strerror or error}). Its {self.frame_count} "
            "frames are not lost: free some space and run `coach recover`, or save them elsewhere with "
            f"`coach recover {self._journal.path} --library FOLDER`."
        )

    def discard(self) -> None:
        """Discard the episode."""
        if not self._finished:
            self._closed = self._closed or self._background.stop()
            self._end(keep_journal=False)

    def _end(self, keep_journal: bool) -> None:
        self._finished = True
        self._journal.close(keep=keep_journal)
        self._background.close()
        self._blocks = []


def _cannot_write(folder: Path, error: OSError) -> str:
    return f"Cannot record in {folder} ({error.strerror or error}); choose another folder with --library."
