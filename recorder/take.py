"""Takes: episodes while they are being played, with a way back, and what becomes of each."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.continuation import Unended, not_reproduced, retire
from data.demonstrator import Demonstrator
from data.episode import FRAMES_PER_SECOND, MAX_EPISODE_FRAMES, EmulatorSettings, FrameState, demonstrator_index
from data.errors import CoachError
from data.library import Library
from data.pace_report import PaceCount, PaceReport
from data.replay_writer import ReplayWriter
from data.simulation import Emulator
from recorder.demonstrators import HumanPlay, TakeOver
from recorder.frame_loop import PlayedFrame, play_frames
from recorder.headless import episode_settings
from recorder.session_state import SessionEpisode

SNAPSHOT_EVERY_DECISIONS = 15
MEMORY_DECISIONS = 5
"""Decisions that a demonstrator is shown again after a rewind: more than any stack of frames is deep."""


class Take:
    """One episode in the making: it is played forward frame by frame, looked back at, and played on from there.

    Looking back only moves the emulator: what is recorded after that frame is dropped when the take is played on,
    so looking back and coming forward again loses nothing. Positions looked at are always the start of a decision.
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
    ) -> None:
        """``unended``: an episode to go on with, whose settings these are; ``play_again`` brings it back.

        Raises CoachError for an unknown game or a library that cannot be written.
        """
        meanings = unended.origin.action_meanings if unended is not None else None
        self.emulator = Emulator(game, settings, meanings, sound)
        self.demonstrator = demonstrator
        self._rng = rng
        self.state = self.emulator.state()
        self._library = library
        self._player = player if unended is None else unended.origin.player
        self._unended = unended
        self.common_frames = unended.frame_count if unended is not None else 0
        """How many frames, from the start, are those of the episode that is gone on with."""
        self.pace = PaceCount()
        """How evenly the frames came; counted by whoever keeps the clock."""
        self._first = self.state
        self._writer: ReplayWriter | None = None
        self._actions = bytearray()
        self._kinds = bytearray()
        self._scores = array("d", [0.0])
        self._markers: list[int] = []
        self._snapshots: list[tuple[Any, FrameState]] = [(self.emulator.snapshot(), self.state)]
        self._snapshot_every = SNAPSHOT_EVERY_DECISIONS * settings.frame_skip
        self.newest: PlayedFrame | None = None
        """The frame that was played last, None before the first and while looking back."""
        demonstrator.begin(self.emulator, rng)
        self._loop = play_frames(self.emulator, demonstrator, [self.state])
        self._over = False
        self._closed = False

    @property
    def frame(self) -> int:
        """Where the emulator stands; smaller than ``recorded_frames`` while looking back."""
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
        """Whether this is the recorded episode's last frame: game over, or as long as an episode may be."""
        return self.frame == self.recorded_frames and (self._over or self.recorded_frames >= MAX_EPISODE_FRAMES)

    @property
    def ended_by(self) -> str:
        """How the episode ends if it is kept now."""
        if self._over:
            return "game_over"
        return "truncated" if self.recorded_frames >= MAX_EPISODE_FRAMES else "abandoned"

    @property
    def has_decision(self) -> bool:
        """Whether there is anything worth keeping: at least one whole decision, or a game over."""
        return self._over or self.recorded_frames >= self.emulator.settings.frame_skip

    @property
    def marker_count(self) -> int:
        return sum(marker <= self.frame for marker in self._markers)

    def frames_of(self, demonstrator: int) -> int:
        """How many frames' actions this demonstrator chose (index into DEMONSTRATOR_KINDS)."""
        return self._kinds.count(demonstrator)

    @property
    def at_decision(self) -> bool:
        """Whether the next frame begins a decision."""
        return self.frame % self.emulator.settings.frame_skip == 0

    @property
    def trouble(self) -> str | None:
        """What is wrong with the disk, in one sentence for the player, or None."""
        return self._writer.trouble if self._writer else None

    def begin_recording(self) -> None:
        """Make the file, which takes a few milliseconds; otherwise done with the first frame.

        Raises CoachError where the library cannot be written.
        """
        if self._writer is None:
            created = self._unended.origin.created if self._unended is not None else None
            origin = self.emulator.origin(self._player, created)
            self._writer = self._library.begin_episode(origin, self.demonstrator.kind, self._first)

    def advance(self) -> PlayedFrame:
        """Play one frame. Must not be called at the end of an episode that is over."""
        if self.frame < self.recorded_frames:
            self._drop_what_follows()
        self.begin_recording()
        assert self._writer is not None
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
        self.state, self._over = after, after.game_over
        if self.frame % self._snapshot_every == 0:
            self._snapshots.append((self.emulator.snapshot(), self.state))

    def play_again(self, most_frames: int) -> bool:
        """Play so many more frames of the episode that is gone on with; True once all of it is back.

        Raises CoachError where the emulator comes out elsewhere than the file.
        """
        unended = self._unended
        assert unended is not None
        self.begin_recording()
        assert self._writer is not None
        for row in range(self.recorded_frames, min(self.recorded_frames + most_frames, unended.frame_count)):
            if row in unended.markers:
                self.mark()
            action = int(unended.actions[row])
            self._append(action, int(unended.demonstrators[row]), self.emulator.step(action))
        if self.recorded_frames < unended.frame_count:
            return False
        if unended.frame_count in unended.markers:
            self.mark()
        if not np.array_equal(self.state.ram, unended.last_ram):
            raise not_reproduced(unended)
        self._remind_demonstrator(self.frame)
        return True

    @property
    def is_news(self) -> bool:
        """Whether it holds anything that the episode which it goes on with does not."""
        return self._unended is None or self.recorded_frames != self.common_frames

    def look_at(self, frame: int) -> None:
        """Move to the decision that holds ``frame``, without dropping anything yet; beyond the ends: to the end."""
        skip = self.emulator.settings.frame_skip
        frame = min(max(0, frame), self.recorded_frames)
        if frame < self.recorded_frames:
            frame -= frame % skip
        if frame == self.frame:
            return
        for state in self._simulated(frame, show_from=frame):
            self.state = state
        self.newest = None

    def _simulated(self, frame: int, show_from: int) -> Iterator[FrameState]:
        """Bring the emulator to ``frame`` from the snapshot before ``show_from``; yields what it shows from there."""
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

    def _drop_what_follows(self) -> None:
        """The take goes on from where it was looked at: there is only one straight episode."""
        frame = self.frame
        self.common_frames = min(self.common_frames, frame)
        if self._writer is not None:
            self._writer.rewind_to(frame)
        del self._actions[frame:]
        del self._kinds[frame:]
        del self._scores[frame + 1 :]
        del self._snapshots[frame // self._snapshot_every + 1 :]
        self._markers = [marker for marker in self._markers if marker <= frame]
        self._over = False
        self._remind_demonstrator(frame)

    def _remind_demonstrator(self, frame: int) -> None:
        """Show the demonstrator (an agent sees a stack of decisions) what led to ``frame``, from its beginning on."""
        skip = self.emulator.settings.frame_skip
        start = frame - min(MEMORY_DECISIONS, frame // skip) * skip
        state = self.emulator.reset() if start == 0 else deque(self._simulated(start, show_from=start))[-1]
        self.demonstrator.begin(self.emulator, self._rng)
        seen = [state]
        for first in range(start, frame, skip):
            self.demonstrator.choose(seen)
            seen = [self.emulator.step(action) for action in self._actions[first : first + skip]]
        self._loop = play_frames(self.emulator, self.demonstrator, seen)

    def mark(self) -> None:
        """Drop a marker at the newest frame, once."""
        if self._writer is not None and self.recorded_frames not in self._markers:
            self._writer.mark()
            self._markers.append(self.recorded_frames)

    def keep(self) -> Path:
        """Publish everything that is recorded, also what lies after a frame that is looked back at.

        Raises CoachError where nothing was recorded or the file cannot be written.
        """
        if self._writer is None:
            raise CoachError("Nothing was played yet; there is nothing to keep.")
        path = self._writer.publish(self.ended_by, self.emulator.palette, self._pace_report)
        self._closed = True
        return path

    @property
    def _pace_report(self) -> PaceReport | None:
        report = self.pace.report
        return report if report.frames else None

    def discard(self) -> None:
        """Forget it; a take that was kept stays kept."""
        if self._writer is not None and not self._closed:
            self._writer.discard()
        self._closed = True


class Takes:
    """Makes, keeps and drops takes. What was dropped last can be brought back until the next is dropped or kept."""

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        demonstrator: HumanPlay | TakeOver,
        player: str,
        sound: bool,
        unended: Unended | None,
    ) -> None:
        """``settings`` holds the seed of the first take; ``unended``: the episode that each take goes on with.

        Raises CoachError for an unknown game.
        """
        self.paths: list[Path] = []
        self.episodes: list[SessionEpisode] = []
        self.begun = 0
        """How many seeds were used."""
        self._unended = unended
        self._library, self._game, self._settings = library, game, settings
        self._demonstrator, self._player, self._sound = demonstrator, player, sound
        self._set_aside: Take | None = None
        self._noted_drop = False
        self.present = self._made()

    @property
    def something_set_aside(self) -> bool:
        return self._set_aside is not None

    def _made(self) -> Take:
        seed = (self._settings.seed + self.begun) % 2**31
        self.begun += 1
        settings = replace(self._settings, seed=seed)
        if isinstance(self._demonstrator, TakeOver):
            settings = episode_settings(self._settings, seed)
        rng = np.random.default_rng([seed, 1])
        of_file = (self._player, self._sound, self._unended)
        return Take(self._library, self._game, settings, self._demonstrator, rng, *of_file)

    def begin_next(self) -> None:
        """The next take stands ready."""
        self.present = self._made()

    def keep(self) -> None:
        """Publish the present take. Raises CoachError where the disk refuses; then nothing is lost."""
        take = self.present
        self.paths.append(take.keep())
        take.look_at(take.recorded_frames)
        self._note(kept=True)

    def retire_unended(self) -> None:
        """The episode that was gone on with is in the newest file now, and leaves the list. Raises CoachError."""
        if self._unended is not None:
            retire(self._library, self._unended.path, self.paths[-1], self.present.common_frames)

    def drop(self, noted: bool = False) -> bool:
        """Set the present take aside; whether there was anything in it. ``noted``: as an episode of this session."""
        self._forget_what_is_set_aside()
        self._noted_drop = noted
        if noted:
            self.present.look_at(self.present.recorded_frames)
            self._note(kept=False)
        if self.present.has_decision:
            self._set_aside = self.present
            return True
        self.present.discard()
        return False

    def bring_back(self) -> None:
        """The take that was set aside is the present one again."""
        assert self._set_aside is not None
        self.present.discard()
        self.present, self._set_aside = self._set_aside, None
        if self._noted_drop:
            self.episodes.pop()

    def end(self, begun: bool) -> bool:
        """No more takes: the present one is kept if it has ``begun`` and a person played in it; whether it was."""
        self._forget_what_is_set_aside()
        if begun and self.present.has_decision and self._person_took_part() and self.present.is_news:
            self.paths.append(self.present.keep())
            return True
        self.present.discard()
        return False

    def _forget_what_is_set_aside(self) -> None:
        dropped, self._set_aside = self._set_aside, None
        if dropped is not None:
            dropped.discard()

    def _person_took_part(self) -> bool:
        watched = isinstance(self._demonstrator, TakeOver)
        return not watched or self.present.frames_of(demonstrator_index("human")) > 0

    def _note(self, kept: bool) -> None:
        take = self.present
        self.episodes.append(SessionEpisode(take.score, take.recorded_frames / FRAMES_PER_SECOND, kept))
