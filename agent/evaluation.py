"""Evaluation: what an agent scores under a published protocol, with a bootstrap interval."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from agent.acting import ActingAgent, QFunction
from agent.config import TrainConfig
from agent.episode_origins import EVALUATION_SEEDS, begin_episode
from agent.player import LoadedAgent, load_agent_weights
from agent.run import open_run
from agent.run_loop import run_loop
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.simulation import Emulator

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Protocol:
    """How an agent is put to the test."""

    source: str
    noop_max: int
    """Most no-op frames before frame 0."""
    epsilon: float
    sticky: float
    max_frames: int
    full_action_set: bool


PROTOCOLS: dict[str, Protocol] = {
    "nature": Protocol("Mnih et al. 2015, methods, 'Evaluation procedure'", 30, 0.05, 0.0, 18_000, False),
    "machado": Protocol("Machado et al. 2018, section 5 and table 1", 0, 0.01, 0.25, 18_000, True),
    "tutorial": Protocol("R. Meertens 2017: as in its pictures", 0, 0.2, 0.0, 108_000, False),
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
    """Own steps that the agent had trained."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class EpisodeTask:
    """One episode of an evaluation: its seed, no-op frames and the seed of the agent's random actions."""

    seed: int
    noop_start: int
    acting_seed: int


def episode_tasks(protocol: Protocol, episodes: int, seed: int) -> list[EpisodeTask]:
    """The episodes of an evaluation; ``seed`` decides all of them, and none is an episode of any training."""
    rng = np.random.default_rng(seed)
    return [
        EpisodeTask(
            int(rng.integers(*EVALUATION_SEEDS)), int(rng.integers(protocol.noop_max + 1)), int(rng.integers(2**31))
        )
        for _ in range(episodes)
    ]


def protocol_named(name: str) -> Protocol:
    if name not in PROTOCOLS:
        raise CoachError(f"There is no protocol {name!r}; there are {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def interval(scores: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """95% bootstrap interval of the mean of scores (n,), by percentiles (Efron and Tibshirani 1993, chapter 13)."""
    if len(scores) < 2 or np.ptp(scores) == 0.0:
        return float(scores.mean()), float(scores.mean())
    from scipy import stats  # here: it takes a second, which every training would wait for

    result = stats.bootstrap(
        (scores,),
        np.mean,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def summarise(run: str, protocol: str, scores: list[float], seconds: float, step: int) -> Evaluation:
    found = np.array(scores, np.float64)
    low, high = interval(found)
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

    ``watch`` is shown the emulator, the agent and the points so far after each step.
    """
    settings = EmulatorSettings(
        frame_skip=config.frame_skip,
        repeat_action_probability=protocol.sticky,
        full_action_set=protocol.full_action_set or config.full_action_set,
    )
    emulator = Emulator(config.game, settings)
    places = [emulator.action_meanings.index(name) for name in action_meanings if name in emulator.action_meanings]
    if len(places) != len(action_meanings):
        raise CoachError(f"The agent has actions that {config.game} does not offer under this protocol.")
    for task in tasks:
        begin_episode(emulator, task.seed, task.noop_start)
        rng = np.random.default_rng(task.acting_seed)
        agent = _Translated(ActingAgent(q_function, len(places), config.preprocessing, config.stack, rng), places)
        agent.inner.epsilon = protocol.epsilon
        score = 0.0
        for step in run_loop(emulator, agent, protocol.max_frames):
            score += step.reward
            if watch is not None:
                watch(emulator, agent.inner, score)
        yield score


class _Translated:
    """An agent whose actions are those of another set: under ``machado`` the emulator offers all 18."""

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
    """Let a run's agent play ``episodes`` episodes under a protocol, on ``jobs`` processes.

    The scores depend on ``seed`` alone, not on ``jobs``. ``on_progress`` is told episodes done and their number.
    weights: "last", or "best" for those of the best evaluation while training. Raises CoachError for an unknown run,
    protocol or a number below 1.
    """
    if episodes < 1 or jobs < 1:
        raise CoachError("An evaluation needs at least 1 episode and 1 job.")
    rules = protocol_named(protocol)
    folder = open_run(library, run)
    loaded = load_agent_weights(folder, weights)
    tasks = episode_tasks(rules, episodes, seed)
    began = time.monotonic()
    scores: list[float] = [0.0] * episodes
    done = 0
    tell = on_progress or (lambda *_: None)
    tell(0, episodes)
    if jobs == 1:
        for number, score in enumerate(
            play_episodes(loaded.config, loaded.action_meanings, loaded.q_function(), rules, tasks)
        ):
            scores[number] = score
            tell(number + 1, episodes)
    else:
        with ProcessPoolExecutor(min(jobs, episodes), mp_context=get_context("spawn")) as pool:
            shares = {
                pool.submit(_play_share, library.folder, run, weights, rules, tasks[n : n + 1]): n
                for n in range(episodes)
            }
            try:
                for future in as_completed(shares):
                    scores[shares[future]] = future.result()
                    done += 1
                    tell(done, episodes)
            except BrokenProcessPool as error:
                raise CoachError(
                    "A process of the evaluation died, perhaps for want of memory; use fewer jobs."
                ) from error
    return summarise(run, protocol, scores, time.monotonic() - began, loaded.step)


@functools.cache
def _loaded_here(library: Path, run: str, weights: str) -> LoadedAgent:
    """The agent in this process, which keeps it for its next episode."""
    return load_agent_weights(open_run(Library(library), run), weights)


def _play_share(library: Path, run: str, weights: str, protocol: Protocol, tasks: list[EpisodeTask]) -> float:
    """One episode in a process of its own."""
    loaded = _loaded_here(library, run, weights)
    return next(play_episodes(loaded.config, loaded.action_meanings, loaded.q_function(), protocol, tasks))
