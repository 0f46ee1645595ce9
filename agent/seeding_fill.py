"""Filling the replay memory with a seeding, and the account of how it was used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.config import TrainConfig
from agent.preprocessing import Preprocessor, observations_of
from agent.replay_memory import ReplayMemory
from agent.returns import REWARDS, discounted_returns
from agent.run_loop import continue_loop, new_emulator, next_episode
from agent.seeding import SeedEpisode, SeedPlan, Spec, terminals
from agent.slots import OWN
from data.episode import FRAMES_PER_SECOND, FrameState
from data.files import write_atomic
from data.replay_file import ReplayFile
from data.runs import RunFolder
from data.simulation import Emulator

SPAN_FRAMES = 3 * FRAMES_PER_SECOND
"""Length of the spans in the account: 3 s, as clips have."""
MAX_SPANS = 200


@dataclass(frozen=True)
class Source:
    """The source of seeded transitions with one source number."""

    name: str
    """Episode id, or "random:N" for new random play."""
    decisions: int
    given: str = "seeding"
    """"seeding", or "coached" for what was added later."""
    score: float | None = None
    """Points of the whole episode; None for new random play and for additions."""


def fill(
    memory: ReplayMemory,
    config: TrainConfig,
    plan: SeedPlan,
    rng: np.random.Generator,
    on_progress: Callable[[int], None],
    equivalent: list[np.ndarray] | None = None,
) -> list[Source]:
    """Write the whole plan into an empty memory, close its seeded region and return the sources by number.

    ``on_progress`` is called with the number of decisions written so far. equivalent: of each episode of the plan.
    """
    sources: list[Source] = []
    done = 0
    for number, episode in enumerate(plan.episodes):
        known = None if equivalent is None else equivalent[number]
        fill_episode(memory, config, episode, len(sources), known)
        kept = int(episode.kept.sum())
        sources.append(Source(episode.episode_id, kept, score=float(episode.decisions.reward.sum())))
        done += kept
        on_progress(done)
    for spec in plan.random:
        fill_random(memory, config, spec, rng, len(sources))
        sources.append(Source(spec.text, spec.count))
        done += spec.count
        on_progress(done)
    memory.close_seeding()
    return sources


def fill_episode(
    memory: ReplayMemory,
    config: TrainConfig,
    episode: SeedEpisode,
    source: int,
    equivalent: np.ndarray | None = None,
) -> None:
    """Write an episode's selected decisions into the memory, under the number ``source``.

    equivalent: (D,) uint32, see ``equivalent_actions``; None: unknown.
    """
    decisions = episode.decisions
    ends = terminals(config, decisions)
    rewards = REWARDS[config.reward](decisions.reward).astype(np.float32)
    recorded = discounted_returns(rewards, ends, config.discount)
    preprocessor = Preprocessor(config.preprocessing)
    pieces = episode.pieces(config.ages[-1], config.most_n_steps)
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
                imitate=int(episode.imitate[d]),
                recorded=float(recorded[d]),
                weight=episode.weight,
                equivalent=0 if equivalent is None else int(equivalent[d]),
            )
    memory.end()


class _RandomAgent:
    """Plays at random and exposes the newest observation."""

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


def account(memory: ReplayMemory, sources: list[Source]) -> dict[str, Any]:
    """Return how each source and each span of 3 s of its episodes was used.

    ``spans`` were sampled at least once and are sorted by mean absolute TD error, greatest first; at most 200.
    """
    columns = memory.columns
    rows = np.flatnonzero(columns["ready"] & (columns["source"] != OWN))
    source, frame = columns["source"][rows], columns["frame"][rows]
    sampled, error = columns["drawn"][rows].astype(np.int64), columns["td_error"][rows].astype(np.float64)
    seen = sampled > 0
    per_source = []
    for number, about in enumerate(sources):
        of_source = source == number
        per_source.append(
            {
                "name": about.name,
                "source": about.given,
                "decisions": about.decisions,
                "still_in_memory": int(of_source.sum()),
                "drawn": int(sampled[of_source].sum()),
                "mean_td_error": float(error[of_source & seen].mean()) if (of_source & seen).any() else None,
            }
        )
    keys, inverse = np.unique(
        np.stack([source, frame // SPAN_FRAMES], axis=1) if len(rows) else np.zeros((0, 2), np.int64),
        axis=0,
        return_inverse=True,
    )
    inverse = inverse.reshape(-1)
    times = np.bincount(inverse, sampled, len(keys))
    counts = np.bincount(inverse[seen], minlength=len(keys))
    errors = np.bincount(inverse[seen], error[seen], len(keys)) / np.maximum(counts, 1)
    spans = [
        {
            "episode_id": sources[int(keys[n, 0])].name,
            "start": int(keys[n, 1]) * SPAN_FRAMES,
            "stop": (int(keys[n, 1]) + 1) * SPAN_FRAMES,
            "drawn": int(times[n]),
            "mean_td_error": float(errors[n]),
        }
        for n in np.argsort(-errors, kind="stable")[:MAX_SPANS]
        if counts[n]
    ]
    return {"sources": per_source, "spans": spans, "seeded_share": memory.seeded_ready / max(1, len(memory))}


def write_account(
    folder: RunFolder,
    memory: ReplayMemory,
    sources: list[Source],
    added: ReplayMemory | None = None,
    added_sources: list[Source] | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write the account as ``seeding.json`` into the run's folder, with later additions and other facts."""
    found = account(memory, sources)
    if added is not None:
        later = account(added, added_sources or [])
        found["sources"] += later["sources"]
        found["spans"] = sorted(found["spans"] + later["spans"], key=lambda span: -span["mean_td_error"])[:MAX_SPANS]
        found["coached"] = {
            "episodes": len(later["sources"]),
            "decisions": sum(source["still_in_memory"] for source in later["sources"]),
            "drawn": sum(source["drawn"] for source in later["sources"]),
        }
    write_atomic(folder.seeding, json.dumps(found | (facts or {}), indent=1).encode())
