"""Choosing episodes of a library: by game, player, demonstrator, score, verdict or name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.episode import EpisodeSummary
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.quarantine import Quarantine


@dataclass(frozen=True)
class EpisodeChoice:
    """What an episode must be to be chosen; what is left empty chooses all. Several names are alternatives."""

    game: str | None = None
    players: tuple[str, ...] = ()
    demonstrators: tuple[str, ...] = ()
    """Kinds of which at least one must have chosen a frame."""
    least_score: float | None = None
    verdict: str | None = None
    """At least one verdict of this kind stands on the episode."""
    names: tuple[str, ...] = ()
    """Episode ids of the library, or paths of replay files, which are read in a child process first."""

    @property
    def is_everything(self) -> bool:
        return self == EpisodeChoice()

    def episodes(self, library: Library, labels: LabelDatabase | None) -> list[EpisodeSummary]:
        """The chosen episodes, oldest first; raises CoachError for a name that is no episode."""
        judged = set()
        if self.verdict is not None and labels is not None:
            judged = {v.clip.episode_id for v in labels.verdicts() if v.verdict == self.verdict}
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
        found: dict[str, EpisodeSummary] = {}
        with Quarantine() as quarantine:
            for name in self.names:
                path = Path(name)
                episode = inside.get(name.removesuffix(".h5"))
                if path.is_file() and path.resolve().parent == library.replays.resolve():
                    episode = inside.get(path.stem)
                elif path.is_file():
                    episode = quarantine.vet(path)
                if episode is None:
                    raise CoachError(
                        f"There is no replay file {name}, neither here nor in the library {library.folder}."
                    )
                known = found.setdefault(episode.episode_id, episode)
                if Path(known.path).resolve() != Path(episode.path).resolve():
                    raise CoachError(f"{known.path} and {episode.path} have the same name; choose one of them.")
        return sorted(found.values(), key=lambda episode: (episode.created, episode.episode_id))
