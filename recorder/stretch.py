"""A stretch that a person played inside somebody else's episode, as an episode of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from data.episode import EmulatorSettings
from data.episode_start import StartedFrom
from data.library import Library
from data.simulation import Emulator


@dataclass(frozen=True)
class Stretch:
    """Some frames of an episode: how the emulator gets to the first, and what was executed from there."""

    game: str
    settings: EmulatorSettings
    action_meanings: tuple[str, ...]
    actions: bytes
    """Executed actions, one a frame."""
    demonstrators: bytes
    """Who chose them, indices into DEMONSTRATOR_KINDS."""
    started_from: StartedFrom
    game_over: bool
    """Whether the game was over at its end."""


def last_run(kinds: bytes, kind: int) -> tuple[int, int]:
    """Return start and stop of the last frames in a row that ``kind`` chose; (0, 0) if there are none."""
    stop = kinds.rfind(bytes([kind])) + 1
    start = stop
    while start and kinds[start - 1] == kind:
        start -= 1
    return start, stop


def stretch_of(
    emulator: Emulator, actions: bytes, kinds: bytes, span: tuple[int, int], started_from: StartedFrom
) -> Stretch:
    """Return the frames [start, stop) of the episode that ``emulator`` plays."""
    start, stop = span
    settings = emulator.settings
    return Stretch(
        game=emulator.game,
        settings=replace(settings, actions_before=settings.actions_before + actions[:start]),
        action_meanings=emulator.action_meanings,
        actions=actions[start:stop],
        demonstrators=kinds[start:stop],
        started_from=replace(started_from, frame=len(settings.actions_before) + start),
        game_over=emulator.game_over and stop == len(actions),
    )


def publish_stretch(library: Library, stretch: Stretch, player: str) -> Path:
    """Simulate a stretch and publish it as a replay file. Raises CoachError if the library cannot be written."""
    emulator = Emulator(stretch.game, stretch.settings, stretch.action_meanings)
    origin = emulator.origin(player, started_from=stretch.started_from)
    writer = library.begin_episode(origin, "human", emulator.state())
    try:
        for action, kind in zip(stretch.actions, stretch.demonstrators, strict=True):
            writer.append(action, kind, emulator.step(action))
    except BaseException:
        writer.discard()
        raise
    return writer.publish("game_over" if stretch.game_over else "abandoned", emulator.palette)
