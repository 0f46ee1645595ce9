"""A take, as in film: one attempt at an episode, played, rewound and played on until it is saved or discarded."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.continuation import Unended, not_reproduced
from data.demonstrator import Demonstrator, remembered_decisions
from data.episode import (
    MAX_EPISODE_FRAMES,
    EmulatorSettings,
    FrameState,
    PaceCount,
)
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.library import Library
from data.replay_writer import ReplayWriter
from data.simulation import Emulator
from recorder.frame_loop import PlayedFrame, play_frames

SNAPSHOT_EVERY_DECISIONS = 15
MOST_VERSIONS = 32
"""Earlier versions of a take that can be brought back."""


@dataclass(frozen=True)
class Version:
    """The content of a take at one moment, which is played again to bring it back."""

    actions: bytes
    """The executed action of each frame."""
    kinds: bytes
    """Who chose each frame's action, indices into DEMONSTRATOR_KINDS."""
    markers: tuple[int, ...]
    common_frames: int
    """How many frames, from the start, are those of the resumed episode."""

    def common_with(self, actions: bytes, kinds: bytes, skip: int) -> int:
        """Return how many frames, in whole decisions, are the same from the start on."""
        pairs = zip(self.actions, self.kinds, actions, kinds, strict=False)
        same = next(
            (n for n, (a, b, c, d) in enumerate(pairs) if (a, b) != (c, d)), min(len(self.actions), len(actions))
        )
        return same - same % skip


class Take:
    """One episode in the making: played forward frame by frame, rewound, and played on from there.

    Rewinding only moves the emulator. The frames after its position are discarded when the take is played on, so
    rewinding and coming forward again loses nothing. Positions after a rewind are always the start of a decision.
    """

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        demonstrator: Demonstrator,
        rng: np.random.Generator,
        player: str = "",
        sound: bool = False,
        unended: Unended | None = None,
        players: tuple[tuple[str, str], ...] = (),
        started_from: StartedFrom | None = None,
    ) -> None:
        """``unended``: an episode to resume, with these settings; ``restore`` plays it again.

        players, started_from: see ``data.episode.Origin``.

        Raises CoachError for an unknown game or a library that cannot be written.
        """
        meanings = unended.origin.action_meanings if unended is not None else None
        self.emulator = Emulator(game, settings, meanings, sound)
        self.demonstrator = demonstrator
        self._rng = rng
        self.state = self.emulator.state()
        self._library = library
        self._player = player if unended is None else unended.origin.player
        self._players = players if unended is None else unended.origin.players
        self._started_from = started_from if unended is None else unended.origin.started_from
        self._unended = unended
        self._target: Version | None = None
        """The version that ``restore`` plays again."""
        if unended is not None:
            contents = bytes(unended.actions.tolist()), bytes(unended.demonstrators.tolist())
            self._target = Version(*contents, tuple(unended.markers), unended.frame_count)
        self._versions: list[Version] = []
        """The take before each rewind after which play continued, oldest first."""
        self.common_frames = unended.frame_count if unended is not None else 0
        """How many frames, from the start, are those of the resumed episode."""
        self.pace = PaceCount()
        """How evenly the frames came; counted by the frame loop."""
        self._first = self.state
        self._writer: ReplayWriter | None = None
        self._actions = bytearray()
        self._kinds = bytearray()
        self._scores = array("d", [0.0])
        self._lives = bytearray([self.state.lives])
        self._markers: list[int] = []
        self._snapshots: list[tuple[Any, FrameState]] = [(self.emulator.snapshot(), self.state)]
        self._snapshot_every = SNAPSHOT_EVERY_DECISIONS * settings.frame_skip
        self.newest: PlayedFrame | None = None
        """The frame that was played last; None before the first and after a rewind."""
        self._asked_at: int | None = None
        """Where the demonstrator was asked without playing on; it must be reminded before the next frame."""
        demonstrator.begin(self.emulator, rng)
        self._loop = play_frames(self.emulator, demonstrator, [self.state])
        self._over = False
        self._closed = False

    @property
    def frame(self) -> int:
        """The emulator's position; smaller than ``recorded_frames`` after a rewind."""
        return self.emulator.frame_number

    @property
    def first_lives(self) -> int:
        """Lives at frame 0; 0 in a game that does not count them."""
        return self._first.lives

    @property
    def recorded_frames(self) -> int:
        return len(self._actions)

    @property
    def score(self) -> float:
        """Points up to ``frame``."""
        return self._scores[self.frame]

    @property
    def over(self) -> bool:
        """Whether this is the episode's last frame: game over, or the greatest length of an episode."""
        return self.frame == self.recorded_frames and (self._over or self.recorded_frames >= MAX_EPISODE_FRAMES)

    @property
    def ended_by(self) -> str:
        """How the episode ends if it is saved now."""
        if self._over:
            return "game_over"
        return "truncated" if self.recorded_frames >= MAX_EPISODE_FRAMES else "abandoned"

    @property
    def has_decision(self) -> bool:
        """Whether there is anything to save: at least one whole decision, or a game over."""
        return self._over or self.recorded_frames >= self.emulator.settings.frame_skip

    @property
    def has_new_frames(self) -> bool:
        """Whether it holds anything that the resumed episode does not."""
        return self._unended is None or self.recorded_frames != self.common_frames

    @property
    def scores(self) -> Sequence[float]:
        """Points at each recorded frame, T + 1 values."""
        return self._scores

    @property
    def lives(self) -> Sequence[int]:
        """Lives at each recorded frame, T + 1 values."""
        return self._lives

    @property
    def markers(self) -> Sequence[int]:
        """The frames that the player marked."""
        return self._markers

    @property
    def marker_count(self) -> int:
        """Markers up to ``frame``."""
        return sum(marker <= self.frame for marker in self._markers)

    @property
    def actions(self) -> bytes:
        """Executed actions of the recorded frames, one byte each."""
        return bytes(self._actions)

    @property
    def shown_action(self) -> int | None:
        """The executed action of the newest frame; after seeking, that of the recorded frame which follows, if any."""
        if self.newest is not None:
            return self.newest.executed
        return self._actions[self.frame] if self.frame < len(self._actions) else None

    @property
    def kinds(self) -> bytes:
        """Who chose them, indices into DEMONSTRATOR_KINDS, one byte each."""
        return bytes(self._kinds)

    def frames_of(self, demonstrator: int) -> int:
        """Return the number of frames that this demonstrator chose (index into DEMONSTRATOR_KINDS)."""
        return self._kinds.count(demonstrator)

    @property
    def at_decision(self) -> bool:
        """Whether the next frame starts a decision."""
        return self.frame % self.emulator.settings.frame_skip == 0

    @property
    def trouble(self) -> str | None:
        """What is wrong with the disk, in one sentence for the player, or None."""
        return self._writer.trouble if self._writer else None

    def begin_recording(self) -> None:
        """Create the file, which takes a few milliseconds; otherwise the first frame does it.

        Raises CoachError if the library cannot be written.
        """
        if self._writer is None:
            created = self._unended.origin.created if self._unended is not None else None
            origin = self.emulator.origin(self._player, created, self._players, self._started_from)
            self._writer = self._library.begin_episode(origin, self.demonstrator.kind, self._first)

    def advance(self) -> PlayedFrame:
        """Play one frame. Must not be called where the take is ``over``."""
        if self.frame < self.recorded_frames:
            self._remember_version()
            self._discard_later_frames()
            self._remind_demonstrator(self.frame)
        elif self._asked_at is not None:
            self._remind_demonstrator(self.frame)
        self.begin_recording()
        played = next(self._loop)
        self._append(played.executed, played.demonstrator, played.after)
        self.newest = played
        return played

    def _append(self, action: int, demonstrator: int, after: FrameState) -> None:
        assert self._writer is not None
        self._writer.append(action, demonstrator, after)
        self._actions.append(action)
        self._kinds.append(demonstrator)
        self._scores.append(self._scores[-1] + after.reward)
        self._lives.append(after.lives)
        self.state, self._over = after, after.game_over
        if self.frame % self._snapshot_every == 0:
            self._snapshots.append((self.emulator.snapshot(), self.state))

    @property
    def can_bring_back(self) -> bool:
        """Whether there is an earlier version, which a rewind discarded."""
        return bool(self._versions)

    def _remember_version(self) -> None:
        self._versions.append(self._version())
        del self._versions[:-MOST_VERSIONS]

    def _version(self) -> Version:
        return Version(bytes(self._actions), bytes(self._kinds), tuple(self._markers), self.common_frames)

    def begin_bringing_back(self) -> None:
        """Return to where the latest earlier version and the current one differ; ``restore`` then plays the rest again.

        The present version takes the place of the oldest one, so that bringing back repeatedly shows each in turn.
        """
        target = self._versions.pop()
        present = self._version()
        self._versions.insert(0, present)
        self.seek(target.common_with(present.actions, present.kinds, self.emulator.settings.frame_skip))
        self._discard_later_frames()
        self._target = target

    @property
    def restored_frames(self) -> tuple[int, int]:
        """Frames that ``restore`` has played again, and all of them."""
        return self.recorded_frames, len(self._target.actions) if self._target is not None else self.recorded_frames

    def restore(self, most_frames: int) -> bool:
        """Play this many more frames of the resumed episode or earlier version again; return whether it is restored.

        Raises CoachError if the emulator does not reproduce the resumed file.
        """
        target = self._target
        assert target is not None
        self.begin_recording()
        for row in range(self.recorded_frames, min(self.recorded_frames + most_frames, len(target.actions))):
            if row in target.markers:
                self.mark()
            self._append(target.actions[row], target.kinds[row], self.emulator.step(target.actions[row]))
        if self.recorded_frames < len(target.actions):
            return False
        if len(target.actions) in target.markers:
            self.mark()
        unended = self._unended
        is_resumed = unended is not None and self.recorded_frames == unended.frame_count == target.common_frames
        if is_resumed and unended is not None and not np.array_equal(self.state.ram, unended.last_ram):
            raise not_reproduced(unended)
        self.common_frames = target.common_frames
        self._target = None
        if not self._over:
            self._remind_demonstrator(self.frame)
        self.newest = None
        return True

    def seek(self, frame: int) -> None:
        """Move to the decision that holds ``frame`` and discard nothing; beyond the ends, to the nearer end."""
        frame = min(max(0, frame), self.recorded_frames)
        if frame < self.recorded_frames:
            frame -= frame % self.emulator.settings.frame_skip
        if frame == self.frame:
            return
        for state in self._simulated(frame, show_from=frame):
            self.state = state
        self.newest = None

    def _simulated(self, frame: int, show_from: int) -> Iterator[FrameState]:
        """Bring the emulator to ``frame`` from the snapshot before ``show_from``; yield its states from there on."""
        index = show_from // self._snapshot_every
        snapshot, state = self._snapshots[index]
        self.emulator.restore(snapshot)
        start = index * self._snapshot_every
        if start >= show_from:
            yield state  # a restored emulator shows its picture again only with the next frame
        for number in range(start, frame):
            reward = self.emulator.act(self._actions[number])
            if number + 1 >= show_from:
                yield self.emulator.state(reward)

    def _discard_later_frames(self) -> None:
        """Discard what was recorded after the current frame: an episode has no branches."""
        frame = self.frame
        self.common_frames = min(self.common_frames, frame)
        if self._writer is not None and frame < self.recorded_frames:
            self._writer.rewind_to(frame)
        del self._actions[frame:]
        del self._kinds[frame:]
        del self._scores[frame + 1 :]
        del self._lives[frame + 1 :]
        del self._snapshots[frame // self._snapshot_every + 1 :]
        self._markers = [marker for marker in self._markers if marker <= frame]
        self._over = False

    def ask_demonstrator(self) -> None:
        """After a seek, let the demonstrator choose at the present frame, so that it can show what it expects there."""
        if self.newest is None and self._asked_at != self.frame and not self.over:
            self.demonstrator.choose(self._remind_demonstrator(self.frame))
            self._asked_at = self.frame

    def _remind_demonstrator(self, frame: int) -> list[FrameState]:
        """Show the demonstrator the decisions that led to ``frame``, as many as it can remember.

        Returns the frames of the last decision, which it receives when it chooses next.
        """
        self._asked_at = None
        skip = self.emulator.settings.frame_skip
        start = frame - min(remembered_decisions(self.demonstrator), frame // skip) * skip
        state = self.emulator.reset() if start == 0 else deque(self._simulated(start, show_from=start))[-1]
        self.demonstrator.begin(self.emulator, self._rng)
        seen = [state]
        for first in range(start, frame, skip):
            self.demonstrator.choose(seen)
            seen = [self.emulator.step(action) for action in self._actions[first : first + skip]]
        self._loop = play_frames(self.emulator, self.demonstrator, seen)
        return seen

    def mark(self) -> None:
        """Set a marker at the newest frame, once."""
        if self._writer is not None and self.recorded_frames not in self._markers:
            self._writer.mark()
            self._markers.append(self.recorded_frames)

    def save(self, folder: Path | None = None) -> Path:
        """Publish everything that is recorded, including what follows the current frame after a rewind.

        ``folder``: where to put the file instead of the library.
        Raises CoachError if nothing was recorded or the file cannot be written.
        """
        if self._writer is None:
            raise CoachError("Nothing was played yet; there is nothing to save.")
        pace = self.pace.report
        path = self._writer.publish(self.ended_by, self.emulator.palette, pace if pace.frames else None, folder=folder)
        self._closed = True
        return path

    def discard(self) -> None:
        """Remove what was recorded; a saved take stays saved."""
        if self._writer is not None and not self._closed:
            self._writer.discard()
        self._closed = True
