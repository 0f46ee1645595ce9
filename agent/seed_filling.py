"""Filling the replay memory with what a seeding selected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.config import TrainConfig
from agent.episode_origins import new_emulator, next_episode
from agent.preprocessing import Preprocessor, observations_of
from agent.replay_memory import ReplayMemory
from agent.returns import REWARDS, discounted_returns
from agent.run_loop import continue_loop
from agent.seeding import SeedEpisode, SeedPlan, Spec, terminals
from data.episode import FrameState
from data.replay_file import ReplayFile
from data.simulation import Emulator


@dataclass(frozen=True)
class Source:
    """Where seeded transitions of one source number come from."""

    name: str
    """Episode id, or "random:N" for fresh random play."""
    decisions: int


def fill(
    memory: ReplayMemory,
    config: TrainConfig,
    plan: SeedPlan,
    rng: np.random.Generator,
    on_progress: Callable[[int], None],
) -> list[Source]:
    """Write the whole plan into an empty memory and close its seeded region.

    ``on_progress`` is told how many decisions were filled in. Returns the sources, in the order of their numbers.
    """
    sources: list[Source] = []
    done = 0
    for episode in plan.episodes:
        fill_episode(memory, config, episode, len(sources))
        kept = int(episode.kept.sum())
        sources.append(Source(episode.episode_id, kept))
        done += kept
        on_progress(done)
    for spec in plan.random:
        fill_random(memory, config, spec, rng, len(sources))
        sources.append(Source(spec.text, spec.count))
        done += spec.count
        on_progress(done)
    memory.close_seeding()
    return sources


def fill_episode(memory: ReplayMemory, config: TrainConfig, episode: SeedEpisode, source: int) -> None:
    """Write what an episode contributes into the memory, under the number ``source``."""
    decisions = episode.decisions
    ends = terminals(config, decisions)
    rewards = REWARDS[config.reward](decisions.reward).astype(np.float32)
    recorded = discounted_returns(rewards, ends, config.discount)
    preprocessor = Preprocessor(config.preprocessing)
    pieces = episode.pieces(config.stack, config.n_steps)
    rows = np.concatenate([np.arange(start, stop + 1) for start, stop in pieces])
    starts = {start for start, _ in pieces}
    with ReplayFile(episode.path) as replay:
        for row, observation in zip(rows.tolist(), observations_of(replay, decisions, preprocessor, rows), strict=True):
            if row in starts:
                memory.begin(observation, age=row)
                continue
            d = row - 1
            memory.add(
                int(episode.actions[d]),
                float(decisions.reward[d]),
                bool(ends[d]),
                observation,
                source=source,
                frame=int(decisions.first_frame[d]),
                kept=bool(episode.kept[d]),
                imitate=bool(episode.imitate[d]),
                recorded=float(recorded[d]),
                weight=episode.weight,
            )
    memory.end()


class _RandomAgent:
    """Plays at random and keeps the observations."""

    def __init__(self, preprocessing: str, rng: np.random.Generator) -> None:
        self._preprocessor = Preprocessor(preprocessing)
        self._rng = rng

    def observe_start(self, emulator: Emulator) -> None:
        self._actions = len(emulator.action_meanings)
        self.observation = self._preprocessor.observe([emulator.screen()], emulator.palette)

    def act(self) -> int:
        return int(self._rng.integers(self._actions))

    def observe(self, frames: list[FrameState], emulator: Emulator) -> None:
        self.observation = self._preprocessor.observe([frame.screen for frame in frames], emulator.palette)


def fill_random(memory: ReplayMemory, config: TrainConfig, spec: Spec, rng: np.random.Generator, source: int) -> None:
    """Play ``spec.count`` decisions at random and write them into the memory; they are never imitated."""
    emulator = new_emulator(config)
    agent = _RandomAgent(config.preprocessing, rng)
    missing = spec.count
    while missing:
        next_episode(emulator, config, rng)
        agent.observe_start(emulator)
        memory.begin(agent.observation)
        frame = 0
        for step in continue_loop(emulator, agent, config.max_episode_frames):
            terminal = step.game_over or (config.life_loss_ends and step.life_lost)
            memory.add(
                step.action, step.reward, terminal, agent.observation, source=source, frame=frame, weight=spec.weight
            )
            frame += len(step.frames)
            missing -= 1
            if not missing:
                break
        memory.end()
