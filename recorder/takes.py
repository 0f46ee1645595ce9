"""The takes of one session: the present one, the one that can be brought back, and those that were kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.continuation import Unended, retire
from data.episode import FRAMES_PER_SECOND, EmulatorSettings, demonstrator_index
from data.library import Library
from recorder.headless import episode_settings
from recorder.human_play import HumanPlay, TakeOver
from recorder.stage import SessionEpisode
from recorder.take import Take


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
