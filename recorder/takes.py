"""The takes of one session: the current one, the last discarded one, and those that were saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from data.continuation import Unended, retire
from data.episode import EmulatorSettings, demonstrator_index
from data.episode_start import StartedFrom
from data.library import Library
from recorder.headless import episode_settings
from recorder.human_play import HumanPlay, TakeOver
from recorder.session_state import SessionEpisode
from recorder.take import Take


class Takes:
    """The takes of one session: the current one, the last discarded one, and the files of those that were saved.

    A discarded take can be brought back until the next one is discarded or saved.
    """

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        demonstrator: HumanPlay | TakeOver,
        player: str,
        sound: bool,
        unended: Unended | None,
        started_from: StartedFrom | None = None,
    ) -> None:
        """``settings`` holds the seed of the first take; ``unended``: the episode that each take resumes.

        ``started_from``: where each take starts, if it starts inside another episode, whose actions ``settings`` hold.

        Raises CoachError for an unknown game.
        """
        self.paths: list[Path] = []
        self.episodes: list[SessionEpisode] = []
        self.seeds_used = 0
        self._unended = unended
        self._library, self._game, self._settings = library, game, settings
        self._demonstrator, self._player, self._sound = demonstrator, player, sound
        self._discarded: Take | None = None
        self._discarded_is_listed = False
        self._players: tuple[tuple[str, str], ...] = ()
        self._started_from = started_from
        self.present = self._new_take()

    @property
    def can_bring_back(self) -> bool:
        return self._discarded is not None

    def _new_take(self) -> Take:
        seed = (self._settings.seed + self.seeds_used) % 2**31
        self.seeds_used += 1
        settings = replace(self._settings, seed=seed)
        if self._started_from is not None:
            settings = self._settings  # each attempt starts at the same moment
        elif isinstance(self._demonstrator, TakeOver):
            settings = episode_settings(self._settings, seed)
        rng = np.random.default_rng([seed, 1])
        of_file = (self._player, self._sound, self._unended)
        of_start = (self._players, self._started_from)
        return Take(self._library, self._game, settings, self._demonstrator, rng, *of_file, *of_start)

    def name_players(self, players: tuple[tuple[str, str], ...]) -> None:
        """Store a name for each demonstrator kind in the files of this session; before the first take is recorded."""
        self._players = players
        self.present.discard()
        self.seeds_used -= 1
        self.present = self._new_take()

    def drop(self) -> None:
        """Discard the current take permanently."""
        self._remove_discarded()
        self.present.discard()

    def begin_next(self) -> None:
        """Prepare the next take."""
        self.present = self._new_take()

    def save(self, folder: Path | None = None) -> None:
        """Publish the current take, in the library or in ``folder``.

        Raises CoachError if it cannot be written; then nothing is lost.
        """
        take = self.present
        path = take.save(folder)
        if folder is None:
            self.paths.append(path)
        take.seek(take.recorded_frames)
        self._list_present(saved=True)

    def retire_unended(self) -> None:
        """Remove the resumed episode, which the newest file holds now, from the list. Raises CoachError."""
        if self._unended is not None:
            retire(self._library, self._unended.path, self.paths[-1], self.present.common_frames)

    def discard(self, listed: bool = False) -> bool:
        """Set the current take aside and return whether there was anything in it.

        ``listed``: it counts as an episode of this session.
        """
        self._remove_discarded()
        self._discarded_is_listed = listed
        if listed:
            self.present.seek(self.present.recorded_frames)
            self._list_present(saved=False)
        if self.present.has_decision:
            self._discarded = self.present
            return True
        self.present.discard()
        return False

    def bring_back(self) -> None:
        """Make the discarded take the current one again."""
        assert self._discarded is not None
        self.present.discard()
        self.present, self._discarded = self._discarded, None
        if self._discarded_is_listed:
            self.episodes.pop()

    def close(self, begun: bool) -> bool:
        """End the session; return whether the current take was saved: if it has ``begun`` and a person played in it."""
        self._remove_discarded()
        if begun and self.present.has_decision and self._person_took_part() and self.present.has_new_frames:
            self.paths.append(self.present.save())
            return True
        self.present.discard()
        return False

    def _remove_discarded(self) -> None:
        discarded, self._discarded = self._discarded, None
        if discarded is not None:
            discarded.discard()

    def _person_took_part(self) -> bool:
        watched = isinstance(self._demonstrator, TakeOver)
        return not watched or self.present.frames_of(demonstrator_index("human")) > 0

    def _list_present(self, saved: bool) -> None:
        take = self.present
        self.episodes.append(SessionEpisode(take.score, take.recorded_frames, saved))
