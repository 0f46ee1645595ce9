"""The values of the agent that played a recorded episode, for the playback window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from data.episode import demonstrator_index
from data.errors import CoachError
from data.library import Library
from data.quarantine import vetted
from data.replay_file import ReplayFile
from data.runs import open_run

if TYPE_CHECKING:
    from home.playback import ValueCurve

AGENT = demonstrator_index("agent")


def value_curve(library: Library, episode: Path, report: Callable[[int, int], None]) -> ValueCurve | None:
    """Return the values of the run that played an episode; None if no run of the library played in it.

    The run's last weights are used, which may be newer than those that played.
    """
    from home.playback import ValueCurve

    with ReplayFile(vetted(episode, library.replays)) as replay:
        origin = replay.origin
        if not (replay.demonstrator == AGENT).any():
            return None
        try:
            folder = open_run(library, origin.player_of("agent"))
        except CoachError:
            return None
        from agent.episode_values import episode_values
        from agent.player import load_agent_weights

        loaded = load_agent_weights(folder)
        if loaded.config.game != origin.game:
            return None
        values = episode_values(loaded, replay, report)
    return ValueCurve(folder.name, loaded.step, values, loaded.config.frame_skip)
