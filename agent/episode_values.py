"""The values that a run's network expects along a recorded episode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.player import LoadedAgent
from agent.preprocessing import ObservationStack, Preprocessor, observations_of
from data.replay_file import ReplayFile

REPORT_EVERY = 64
"""Decisions between two reports of progress."""


def episode_values(loaded: LoadedAgent, replay: ReplayFile, report: Callable[[int, int], None]) -> np.ndarray:
    """Return the greatest Q-value before each decision of an episode, (D,) float32.

    report: called with the decisions done and all of them. Raises CoachError if the weights do not fit the network.
    """
    config, network = loaded.config, loaded.q_function()
    decisions = replay.decisions(config.frame_skip)
    stack = ObservationStack(config.ages)
    values = np.zeros(len(decisions), np.float32)
    rows = np.arange(len(decisions))
    for row, observation in enumerate(observations_of(replay, decisions, Preprocessor(config.preprocessing), rows)):
        if row == 0:
            stack.begin(observation)
        else:
            stack.push(observation)
        values[row] = network(stack.array()).max()
        if row % REPORT_EVERY == 0:
            report(row, len(decisions))
    return values
