"""Evaluate an agent under a published protocol: scores of episodes, and their mean with a bootstrap interval."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from agent.acting import ActingAgent, QFunction
from agent.config import TrainConfig
from agent.player import LoadedAgent, load_agent_weights
from agent.run_loop import EVALUATION_SEEDS, begin_episode, emulator_settings, run_loop
from agent.statistics import mean_interval
from data.errors import CoachError
from data.library import Library
from data.runs import open_run
from data.simulation import Emulator

INTERVAL_SEED = 0
"""Of the bootstrap, so that the same scores give the same interval."""


@dataclass(frozen=True)
class Protocol:
    """The rules of an evaluation."""

    source: str
    noop_max: int
    """Maximum number of no-op frames before frame 0."""
    epsilon: float
    sticky: float
    max_frames: int
    full_action_set: bool


PROTOCOLS: dict[str, Protocol] = {
    "nature": Protocol("Mnih et al. 2015, methods, 'Evaluation procedure'", 30, 0.05, 0.0, 18_000, False),
    "machado": Protocol("Machado et al. 2018, section 5 and table 1", 0, 0.01, 0.25, 18_000, True),
    "tutorial": Protocol("R. Meertens 2017: as for its GIF", 0, 0.2, 0.0, 108_000, False),
}


@dataclass(frozen=True)
class Evaluation:
    """Scores of one agent under one protocol."""

    run: str
    protocol: str
    scores: tuple[float, ...]
    """Points of each episode."""
    mean: float
    median: float
    low: float
    """Lower end of the mean's 95% bootstrap interval."""
    high: float
    episodes: int
    seconds: float
    step: int
    """Own steps of the agent's training so far."""

    def to_json(self) -> str:
        """Return the fields as a JSON object."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class EpisodeTask:
    """One episode of an evaluation: its seed, no-op frames and the seed of the agent's random actions."""

    seed: int
    noop_start: int
    acting_seed: int


def episode_tasks(protocol: Protocol, episodes: int, seed: int) -> list[EpisodeTask]:
    """Return the episodes of an evaluation. They depend on ``seed`` only, and no training has any of them."""
    rng = np.random.default_rng(seed)
    return [
        EpisodeTask(
            int(rng.integers(*EVALUATION_SEEDS)), int(rng.integers(protocol.noop_max + 1)), int(rng.integers(2**31))
        )
        for _ in range(episodes)
    ]


def protocol_named(name: str) -> Protocol:
    """Return a protocol by its name; raises CoachError for an unknown one."""
    if name not in PROTOCOLS:
        raise CoachError(f"There is no protocol {name!r}; there are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def summarise(run: str, protocol: str, scores: list[float], seconds: float, step: int) -> Evaluation:
    """Return the evaluation with these scores."""
    found = np.array(scores, np.float64)
    low, high = mean_interval(found, np.random.default_rng(INTERVAL_SEED))
    return Evaluation(
        run,
        protocol,
        tuple(scores),
        float(found.mean()),
        float(np.median(found)),
        low,
        high,
        len(scores),
        seconds,
        step,
    )


def play_episodes(
    config: TrainConfig,
    action_meanings: tuple[str, ...],
    q_function: QFunction,
    protocol: Protocol,
    tasks: list[EpisodeTask],
    watch: Callable[[Emulator, ActingAgent, float], None] | None = None,
) -> Iterator[float]:
    """Play the episodes one after another and yield their scores.

    watch: called after each step with the emulator, the agent and the points so far. Raises CoachError if the emulator
    lacks one of the agent's actions.
    """
    settings = replace(
        emulator_settings(config),
        repeat_action_probability=protocol.sticky,
        full_action_set=protocol.full_action_set or config.full_action_set,
    )
    emulator = Emulator(config.game, settings)
    places = [emulator.action_meanings.index(name) for name in action_meanings if name in emulator.action_meanings]
    if len(places) != len(action_meanings):
        raise CoachError(f"The agent has actions that {config.game} does not have under this protocol.")
    for task in tasks:
        begin_episode(emulator, task.seed, task.noop_start)
        rng = np.random.default_rng(task.acting_seed)
        agent = _Translated(ActingAgent(q_function, len(places), config.preprocessing, config.ages, rng), places)
        agent.inner.epsilon = protocol.epsilon
        score = 0.0
        for step in run_loop(emulator, agent, protocol.max_frames):
            score += step.reward
            if watch is not None:
                watch(emulator, agent.inner, score)
        yield score


class _Translated:
    """An agent whose actions are mapped to those of the emulator, which has all 18 under ``machado``."""

    def __init__(self, inner: ActingAgent, places: list[int]) -> None:
        self.inner = inner
        self.observe_start = inner.observe_start
        self.observe = inner.observe
        self._places = places

    def act(self) -> int:
        return self._places[self.inner.act()]


def evaluate(
    library: Library,
    run: str,
    episodes: int = 30,
    protocol: str = "nature",
    jobs: int = 1,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    weights: str = "last",
) -> Evaluation:
    """Evaluate a run's agent on ``episodes`` episodes under a protocol, in ``jobs`` processes.

    The scores depend on ``seed``, not on ``jobs``. on_progress: called with the episodes done and their total. weights:
    "last", or "best" for those of the best evaluation during training. Raises CoachError for an unknown run or
    protocol, and for a number below 1.
    """
    if episodes < 1 or jobs < 1:
        raise CoachError("An evaluation requires at least 1 episode and 1 job.")
    rules = protocol_named(protocol)
    folder = open_run(library, run)
    loaded = load_agent_weights(folder, weights)
    tasks = episode_tasks(rules, episodes, seed)
    began = time.monotonic()
    scores: list[float] = [0.0] * episodes
    done = 0
    report = on_progress or (lambda *_: None)
    report(0, episodes)
    if jobs == 1:
        for number, score in enumerate(
            play_episodes(loaded.config, loaded.action_meanings, loaded.q_function(), rules, tasks)
        ):
            scores[number] = score
            report(number + 1, episodes)
    else:
        with ProcessPoolExecutor(min(jobs, episodes), mp_context=get_context("spawn")) as pool:
            numbers = {
                pool.submit(_play_episode, library.folder, run, weights, rules, task): number
                for number, task in enumerate(tasks)
            }
            try:
                for future in as_completed(numbers):
                    scores[numbers[future]] = future.result()
                    done += 1
                    report(done, episodes)
            except BrokenProcessPool as error:
                raise CoachError(
                    "A process of the evaluation was killed, perhaps because memory ran out; use fewer --jobs."
                ) from error
    return summarise(run, protocol, scores, time.monotonic() - began, loaded.step)


@functools.cache
def _agent_of_this_process(library: Path, run: str, weights: str) -> LoadedAgent:
    """Load the agent once for each process of the pool."""
    return load_agent_weights(open_run(Library(library), run), weights)


def _play_episode(library: Path, run: str, weights: str, protocol: Protocol, task: EpisodeTask) -> float:
    """Play one episode in a process of the pool and return its score."""
    loaded = _agent_of_this_process(library, run, weights)
    return next(play_episodes(loaded.config, loaded.action_meanings, loaded.q_function(), protocol, [task]))
