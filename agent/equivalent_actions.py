"""Equivalent actions: those that would have led a recorded episode to the same state as the action that was taken.

In many games most actions have no effect most of the time: in Q*bert all actions are equivalent while the player jumps.
Which of them a demonstrator happened to take says nothing, so imitating it teaches noise. The emulator shows which
actions are equivalent: each is tried from the recorded state, and followed by what was recorded after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from agent.batch import MOST_ACTIONS
from agent.seeding import SeedEpisode, SeedPlan
from data.errors import CoachError
from data.replay_file import ReplayFile
from data.simulation import Emulator, rom_md5


def equivalent_actions(
    episode: SeedEpisode, action_meanings: tuple[str, ...], on_progress: Callable[[int], None] | None = None
) -> np.ndarray:
    """Return the equivalent actions of each decision of an episode, (D,) uint32: bit a is set for action a.

    Two actions are equivalent if the console's RAM is the same after each was held for the decision's frames and the
    next decision's recorded actions followed: games copy the joystick to the RAM, so it differs before that. Only
    selected decisions are simulated; the others, and those of an episode that the emulator does not repeat, are 0:
    nothing is known. The first one is 0, too: the emulator does not restore a state directly after its reset.
    ``on_progress`` is called with the number of decisions so far.
    """
    found = np.zeros(len(episode.decisions), np.uint32)
    with ReplayFile(episode.path) as replay:
        origin, actions = replay.origin, np.asarray(replay.actions[:], np.int64)
        ram = replay.ram()
        if origin.rom_md5 != rom_md5(origin.game) or len(action_meanings) > MOST_ACTIONS:
            return found
        starts = np.append(episode.decisions.first_frame, len(actions)).tolist()
        try:
            emulator = Emulator(origin.game, origin.settings, origin.action_meanings)
            tried = [origin.action_meanings.index(name) for name in action_meanings]
        except (CoachError, ValueError):
            return found  # an action that the recorded emulator lacks cannot be tried in it
        last = int(np.flatnonzero(episode.kept)[-1]) + 1 if episode.kept.any() else 0
        for d in range(last):
            if on_progress is not None:
                on_progress(d)
            now, after = actions[starts[d] : starts[d + 1]], actions[starts[d + 1] : starts[min(d + 2, len(found))]]
            snapshot = emulator.snapshot()
            if d and episode.kept[d] and len(after):
                if not np.array_equal(emulator.ram(), ram[starts[d]]):
                    return np.zeros_like(found)
                found[d] = _equivalent(emulator, snapshot, tried, int(episode.actions[d]), len(now), after)
                emulator.restore(snapshot)
            for action in now:
                emulator.act(int(action))
    return found


def _equivalent(
    emulator: Emulator, snapshot: object, tried: list[int], taken: int, frames: int, after: np.ndarray
) -> int:
    """Return the set of actions, as bits, that lead to the same RAM as the one that was taken."""
    states = []
    for action in tried:
        emulator.restore(snapshot)
        for _ in range(frames):
            emulator.act(action)
        for following in after:
            emulator.act(int(following))
        states.append(emulator.ram().tobytes())
    return sum(1 << number for number, state in enumerate(states) if state == states[taken])


def equivalent_actions_of_plan(
    plan: SeedPlan, action_meanings: tuple[str, ...], on_progress: Callable[[int], None]
) -> list[np.ndarray]:
    """Return the equivalent actions of each episode of a seeding; ``on_progress`` counts the decisions of all."""
    found: list[np.ndarray] = []
    for episode in plan.episodes:
        before = sum(map(len, found))

        def counted(done: int, before: int = before) -> None:
            on_progress(before + done)

        found.append(equivalent_actions(episode, action_meanings, counted))
    return found


def equivalence_facts(sets: np.ndarray, action_count: int) -> dict[str, Any]:
    """Return how many decisions have known sets (N,), their mean size, and in what share no action has an effect."""
    sizes = np.bitwise_count(sets)
    if not len(sizes):
        return {"decisions": 0}
    without_effect = float(np.mean(sizes == action_count))
    return {"decisions": len(sizes), "mean_equivalent": float(sizes.mean()), "without_effect": without_effect}
