"""Play on from a moment inside another episode, without a window."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.episode_start import StartedFrom
from data.library import Library
from data.simulation import Emulator
from recorder.frame_loop import play_frames


def play_on(
    library: Library,
    demonstrator: Demonstrator,
    game: str,
    settings: EmulatorSettings,
    started_from: StartedFrom,
    action_meanings: tuple[str, ...],
    most_frames: int,
    player: str = "",
) -> Path:
    """Play at most ``most_frames`` frames from where the settings' actions lead, and publish them as an episode.

    Returns the path of the replay file. The same arguments record the same actions.
    """
    emulator = Emulator(game, settings, action_meanings)
    first = emulator.state()
    demonstrator.begin(emulator, np.random.default_rng([settings.seed, len(settings.actions_before)]))
    origin = emulator.origin(player, started_from=started_from)
    writer = library.begin_episode(origin, demonstrator.kind, first)
    ended_by = "truncated"
    try:
        for frame in play_frames(emulator, demonstrator, [first]):
            writer.append(frame.executed, frame.demonstrator, frame.after)
            if frame.after.game_over:
                ended_by = "game_over"
                break
            if writer.frame_count >= most_frames:
                break
    except BaseException:
        writer.discard()
        raise
    return writer.publish(ended_by, emulator.palette)
