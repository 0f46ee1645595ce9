"""A trained agent as a demonstrator, which can be recorded, watched and evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.acting import ActingAgent
from agent.array_file import read_arrays
from agent.checkpoint import acting_weights
from agent.config import TrainConfig, run_config
from agent.network import NumpyNetwork
from data.episode import FrameState
from data.errors import CoachError
from data.library import Library
from data.runs import RunFolder, open_run
from data.simulation import Emulator


@dataclass(frozen=True)
class LoadedAgent:
    """The weights of a trained network and what is needed to act with them."""

    config: TrainConfig
    action_meanings: tuple[str, ...]
    weights: dict[str, np.ndarray]
    step: int
    """Own steps trained."""

    def q_function(self) -> NumpyNetwork:
        """Return the network as a function. Raises CoachError if the weights do not fit it."""
        try:
            return NumpyNetwork(self.config, len(self.action_meanings), self.weights)
        except ValueError as error:
            raise CoachError(f"These weights do not fit the run's network: {error}.") from error


def load_agent_weights(folder: RunFolder, weights: str = "last") -> LoadedAgent:
    """Read a run's agent. weights: "last", or "best" if it was evaluated during training; a supplied run has one."""
    config, action_meanings = run_config(folder), folder.read().action_meanings
    if weights == "best" and not folder.is_supplied:
        if not folder.best.is_file():
            raise CoachError(f"The run {folder.name} was not evaluated during training, so it has no best weights.")
        arrays = read_arrays(folder.best)
        step = int(arrays.pop("step"))
    elif weights in ("last", "best"):
        arrays = acting_weights(folder)
        saved = folder.newest_state()
        assert saved is not None
        step = int(saved[1]["step"])
    else:
        raise CoachError(f'The weights must be "last" or "best", not {weights!r}.')
    return LoadedAgent(config, action_meanings, arrays, step)


class AgentPlayer:
    """A ``data.demonstrator.Demonstrator`` that plays epsilon-greedily with a run's network."""

    kind = "agent"

    def __init__(self, loaded: LoadedAgent, epsilon: float = 0.0) -> None:
        """epsilon: probability of a random action at each decision."""
        if not 0.0 <= epsilon <= 1.0:
            raise CoachError(f"Epsilon, the share of random decisions, must be between 0 and 1, not {epsilon}.")
        config = loaded.config
        self.config = config
        self.action_meanings = loaded.action_meanings
        """Names of the actions of ``q_values``, in their order."""
        self._network = loaded.q_function()
        self._agent = ActingAgent(
            self._network,
            len(loaded.action_meanings),
            config.preprocessing,
            config.ages,
            np.random.default_rng(0),
        )
        self._agent.epsilon = epsilon
        self._fresh = True
        self.remembered_decisions = config.ages[-1] + 1

    @property
    def epsilon(self) -> float:
        """Probability of a random action at each decision."""
        return self._agent.epsilon

    @epsilon.setter
    def epsilon(self, value: float) -> None:
        self._agent.epsilon = value

    def begin(self, emulator: Emulator, rng: np.random.Generator) -> None:
        """Start an episode at the emulator's frame 0. Raises CoachError for another game or one without its actions."""
        missing = [name for name in self.action_meanings if name not in emulator.action_meanings]
        if missing:
            raise CoachError(
                f"The agent of {self.config.game} has actions that {emulator.game} lacks: {', '.join(missing)}."
            )
        if emulator.game != self.config.game:
            raise CoachError(f"The agent plays {self.config.game}, not {emulator.game}.")
        self._places = [emulator.action_meanings.index(name) for name in self.action_meanings]
        self._emulator = emulator
        self._agent.rng = rng
        self._agent.observe_start(emulator)
        self._fresh = True

    def choose(self, frames: Sequence[FrameState]) -> int:
        """Return the next action, an index into the emulator's ``action_meanings``."""
        self.see(frames)
        return self._places[self._agent.act()]

    def see(self, frames: Sequence[FrameState]) -> None:
        """Take in the frames of a decision without choosing, for example while a person plays."""
        if not self._fresh:
            self._agent.observe(list(frames), self._emulator)
        self._fresh = False

    def q_values(self) -> np.ndarray:
        """Return the (A,) float32 values of ``action_meanings`` for the present observation."""
        return self._agent.q_values()

    def return_interval(self, probability: float) -> np.ndarray | None:
        """Return the central interval (A, 2) that holds each action's return with this probability.

        It is taken from the network's quantiles for the present observation; None for a network without quantiles.
        """
        self._agent.q_values()  # the network's last call must be for the present observation
        return self._network.interval(probability)

    def observation_stack(self) -> np.ndarray:
        """Return the network's present input, (S, 84, 84) uint8, oldest observation first."""
        return self._agent.observation_stack()


def load_player(library: Library, run: str, epsilon: float = 0.0, weights: str = "last") -> AgentPlayer:
    """Return the agent of a run as a demonstrator. Raises CoachError if there is no such run or checkpoint."""
    return AgentPlayer(load_agent_weights(open_run(library, run), weights), epsilon)


@dataclass(frozen=True)
class PlayerFactory:
    """Makes the player of a run. It is picklable, for recording in several processes."""

    library_folder: Path
    run: str
    epsilon: float = 0.0
    weights: str = "last"

    def __call__(self) -> AgentPlayer:
        return load_player(Library(self.library_folder), self.run, self.epsilon, self.weights)
