"""The games of the study of defaults, and how each one's demonstrations are recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.player import PlayerFactory
from benchmarks.learning_study import ROOT
from commands.demonstrators import MakePlanner, MakeWithHumanLimits
from data.actions_file import read_actions_file
from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.episode_import import ImportOptions, import_play
from data.errors import CoachError
from data.library import Library
from recorder.headless import record_episodes


@dataclass(frozen=True)
class StudyGame:
    """One game with its demonstrations."""

    name: str
    """Of its library, and in rows and tables."""
    game: str
    title: str
    source: str
    """The ``--seed-from`` of its demonstrations."""
    record: Callable[[Library], None]
    chance: float
    """Points of random play (Mnih et al. 2015, extended data table 2)."""
    changes: tuple[tuple[str, object], ...] = ()
    """Settings that this game has in every seeded arm."""
    published: str = ""
    """Points of published agents after 100,000 steps without demonstrations."""
    minutes: float | None = None
    """Of play, where the game is part of the curve of points over minutes of play."""

    @property
    def short(self) -> str:
        """How long who played."""
        return self.title.split(",")[0].split(";")[0]


def human_demonstrations() -> Path:
    """Return the folder of people's play; raises CoachError if there is none."""
    folder = Path(os.environ.get("REPLAY_COACH_HUMAN_DEMOS", ROOT.parent / "shared" / "data" / "human_demos"))
    if not folder.is_dir():
        raise CoachError(f"{folder} does not exist; set REPLAY_COACH_HUMAN_DEMOS to the folder of people's play.")
    return folder


@dataclass(frozen=True)
class PersonsPlay:
    """Imports the first frames of a person's actions."""

    game: str
    frames: int | None = None

    def __call__(self, library: Library) -> None:
        path = human_demonstrations() / f"{self.game}.npz"
        if self.frames is not None:
            with np.load(path) as arrays:
                cut = {name: arrays[name][: self.frames] for name in ("actions", "rewards")}
            path = library.folder / f"{self.game}-beginning.npz"
            np.savez(path, **cut)
        import_play(library, read_actions_file(path, self.game), ImportOptions(game=self.game))


PLANNER = MakePlanner(None, None, 3)
"""Holds actions for three decisions at least: smoother play, more like a person's."""


@dataclass(frozen=True)
class RecordedPlay:
    """Records so many frames of a demonstrator's play, in whole episodes but for the last; continues if interrupted."""

    game: str
    frames: int
    first_seed: int = 500_000
    """Of the episodes, which no other result uses."""
    make: Callable[[], Demonstrator] = PLANNER

    def __call__(self, library: Library) -> None:
        while True:
            episodes = library.episodes(self.game)
            left = self.frames - sum(episode.frame_count for episode in episodes)
            if left <= 0:
                return
            seed = self.first_seed + len(episodes)
            record_episodes(library, self.make, self.game, 1, EmulatorSettings(), seed, max_frames=left)


LIMITED = MakeWithHumanLimits(PLANNER)
QUICK_PLANNER = MakePlanner(5, 20, 3)
"""Fewer and shorter plans: a fifth of the time, where they suffice to play well."""
FIVE_MINUTES, FIFTEEN_MINUTES = 18_000, 54_000
"""Frames."""
A_MINUTE = 3_600
"""Frames, too."""


def limited_play(name: str, minutes: float) -> StudyGame:
    """Return Space Invaders with so many minutes by the planner with a person's limits; longer play begins alike."""
    return StudyGame(
        name,
        "SpaceInvaders",
        f"{minutes:g} minute{'s' if minutes != 1 else ''} by the planner with a person's limits",
        "planner",
        RecordedPlay("SpaceInvaders", round(A_MINUTE * minutes), 900_000, LIMITED),
        148,
        minutes=minutes,
    )


SUPPLIED_AGENT = PlayerFactory(ROOT, "teacher", 0.01)
"""One action in a hundred is random, so that its episodes differ."""
GAMES = {
    game.name: game
    for game in (
        StudyGame(
            "PrivateEye",
            "PrivateEye",
            "a person's 2.4 minutes, 100,400 points",
            "imported",
            PersonsPlay("PrivateEye"),
            25,
            published="BBF 37, EfficientZero 97, IRIS 100, SPR 86, DreamerV3 3,238",
        ),
        limited_play("SpaceInvaders-limited", 1.5),
        *(limited_play(f"SpaceInvaders-limited-{minutes}", minutes) for minutes in (1, 4, 15)),
        StudyGame(
            "SpaceInvaders",
            "SpaceInvaders",
            "15 minutes by the planner",
            "planner",
            RecordedPlay("SpaceInvaders", FIFTEEN_MINUTES),
            148,
        ),
        StudyGame(
            "SpaceInvaders-trained",
            "SpaceInvaders",
            "15 minutes by the supplied agent, which scores 696 points",
            "agent",
            RecordedPlay("SpaceInvaders", FIFTEEN_MINUTES, make=SUPPLIED_AGENT),
            148,
        ),
        StudyGame(
            "MontezumaRevenge",
            "MontezumaRevenge",
            "the first 38 s of a person's play, 3,600 points; four in five own episodes start inside",
            "imported",
            PersonsPlay("MontezumaRevenge", 2_300),
            0,
            (("start_inside", 0.8),),
        ),
        StudyGame(
            "MontezumaRevenge-whole",
            "MontezumaRevenge",
            "a person's 14.7 minutes, 71,500 points",
            "imported",
            PersonsPlay("MontezumaRevenge"),
            0,
        ),
        StudyGame(
            "Pitfall",
            "Pitfall",
            "a person's 11.7 minutes, 48,990 points",
            "imported",
            PersonsPlay("Pitfall"),
            -229,
        ),
        StudyGame(
            "Freeway",
            "Freeway",
            "one game by the planner, 22 points",
            "planner",
            RecordedPlay("Freeway", 8_200, make=QUICK_PLANNER),
            0,
        ),
        *(
            StudyGame(
                game,
                game,
                f"5 minutes by the planner, {points} points a game",
                "planner",
                RecordedPlay(game, FIVE_MINUTES, make=QUICK_PLANNER),
                chance,
            )
            for game, points, chance in (("MsPacman", "3,480", 307), ("Qbert", "10,525", 164), ("Breakout", "9", 2))
        ),
    )
}

CURVE = tuple(sorted((name for name, game in GAMES.items() if game.minutes), key=lambda name: GAMES[name].minutes or 0))
"""The games that differ only in the minutes of play, ascending."""


def library_of(game: StudyGame, work: Path) -> Library:
    """Return the library of a game with its demonstrations, recorded where they are missing."""
    library = Library(work / game.name)
    library.prepare()
    marker = library.folder / "recorded"
    if not marker.is_file():
        game.record(library)
        marker.touch()
    return library
