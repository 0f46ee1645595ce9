"""A library whose episodes are added to trainings, and how the tests do it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from agent_episodes import record_episode, small_config

import agent.additions as additions_module
import agent.progress as progress_module
from agent.addition_requests import Requested, request_episode
from agent.additions import Additions
from agent.replay_memory import ReplayMemory
from agent.sampling import PrioritisedSampler, UniformSampler
from agent.slots import MemoryRules
from data.additions import Addition, AdditionsFolder
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunFolder, open_run

RULES = MemoryRules(ages=(0, 1, 2, 3), n_steps=3, discount=0.9, reward="points", evict_seed=False)


def library_of_two(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library with an episode of a person and one of the planner; additions are read and reported at once."""
    monkeypatch.setattr(additions_module, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(additions_module, "READING_SECONDS", 60.0)
    monkeypatch.setattr(progress_module, "REPORT_SECONDS", 0.0)
    made = Library(folder)
    record_episode(made, 400, seed=1, kind="human")
    record_episode(made, 240, seed=2, kind="planner")
    return made


def added(library: Library, run: str, kind: str = "planner") -> Requested:
    (path,) = [Path(e.path) for e in library.episodes() if e.demonstrator == kind]
    with ReplayFile(path) as replay:
        return request_episode(open_run(library, run), replay)


def lines(library: Library, run: str) -> list[Addition]:
    return AdditionsFolder(library.run_folder(run)).taken()


def make_run(library: Library, **changes: Any) -> None:
    """Make the folder of a run that has not been trained."""
    config = small_config(**changes)
    names = {"SpaceInvaders": ("NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"), "Pong": ("NOOP",)}
    RunFolder(library.run_folder("run-1")).create(dataclasses.asdict(config), names[config.game])


def additions_of(library: Library) -> tuple[Additions, Any]:
    """The additions of a run that stands still, and its trainer."""
    run = open_run(library, "run-1")
    config, sampler = small_config(), lambda slots: PrioritisedSampler(slots, 0.6, 0.001, 1.0)
    additions = Additions(run, config, run.read().action_meanings, sampler)
    additions.open()
    return additions, SimpleNamespace(memory=memory_with(40), pretrained=4, step=0, batches=SimpleNamespace(added=None))


def memory_with(decisions: int, offset: int = 0) -> ReplayMemory:
    memory = ReplayMemory(RULES, lambda _: UniformSampler(), own_slots=decisions + 2)
    memory.begin(np.full((84, 84), offset % 251, np.uint8))
    for number in range(decisions):
        memory.add(number % 3, 1.0, False, np.full((84, 84), (offset + number) % 251, np.uint8), source=0, imitate=1)
    memory.end()
    return memory
