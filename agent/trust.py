"""How far the demonstrations are trusted: after pretraining, the agent is compared with random play.

Little or passive play, imitated faithfully, can leave an agent below random play. The check finds that out before the
first own step. An agent that is not clearly above chance is pretrained again: up to twice from other weights where the
demonstrator played better than chance, and then without imitation. If none passes although the demonstrator played
better than chance, the game is hard, and the play is still worth having: if imitation was better than none, it is tried
once more, and the training continues with the best of these agents. Otherwise the training continues as if it had no
demonstrations. Where neither ever scores, nothing is discarded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.acting import QFunction
from agent.config import TrainConfig
from agent.evaluation import episode_tasks, play_episodes, protocol_named
from data.durations import clock

IMITATION, VALUES, NOTHING = "imitation", "values", "nothing"
"""What the demonstrations are used for: values and imitation, values alone, or nothing."""
IMITATIONS = 3
"""Pretrainings with imitation before one without, each from new weights, of play that scores more than random play."""
CHECK_SEED = 2**20 + 7919
"""Random seed of the check's episodes, which no evaluation plays."""
CHECK_FRAMES = 2 * 60 * 60
"""Longest episode of the check: 2 minutes, so that it takes seconds."""


@dataclass(frozen=True)
class Check:
    """The result of one comparison with random play."""

    trust: str
    """What the demonstrations were used for in this pretraining."""
    agent: float
    """Mean points of the agent."""
    chance: float
    """Mean points of random play in the same episodes."""
    error: float = 0.0
    """Standard error of their difference."""

    @property
    def passed(self) -> bool:
        """Whether the agent is above chance by a standard error: with a few episodes, equal means may hide harm."""
        return self.agent - self.chance >= self.error


def check(
    config: TrainConfig,
    action_meanings: tuple[str, ...],
    q_function: QFunction,
    trust: str,
    done: Callable[[int], None],
    watch: Callable[..., None] | None = None,
) -> Check:
    """Play the check's episodes by the agent and at random.

    done: called with the number of episodes played. watch: called after each step, as by ``play_episodes``.
    """
    protocol = dataclasses.replace(protocol_named("nature"), max_frames=min(CHECK_FRAMES, config.max_episode_frames))
    tasks = episode_tasks(protocol, config.check_episodes, CHECK_SEED)
    found, played = [], 0
    for epsilon in (protocol.epsilon, 1.0):
        rules = dataclasses.replace(protocol, epsilon=epsilon)
        scores = []
        for score in play_episodes(config, action_meanings, q_function, rules, tasks, watch):
            scores.append(score)
            played += 1
            done(played)
        found.append(np.array(scores))
    agent, chance = (float(scores.mean()) for scores in found)
    error = float(np.sqrt(sum(scores.var(ddof=min(1, len(scores) - 1)) / len(scores) for scores in found)))
    return Check(trust, agent, chance, error)


def demonstrator_passes(scores: list[float], last: Check) -> bool:
    """Return whether the mean points of the demonstrated episodes are above those of random play in the last check."""
    return bool(scores) and float(np.mean(scores)) - last.chance > last.error


def used_next(checks: list[Check], imitates: bool, scores: list[float]) -> str | None:
    """Return what another pretraining uses the demonstrations for after these checks.

    None: pretraining ends, with the agent that passed, or the best one. imitates: whether leaving imitation out
    changes anything. scores: the points of each demonstrated episode.
    """
    last = checks[-1]
    if last.passed:
        return None
    uses = [made.trust for made in checks]
    if not demonstrator_passes(scores, last):
        return VALUES if imitates and VALUES not in uses else NOTHING
    if not imitates:
        return None
    if VALUES not in uses:
        return IMITATION if len(checks) < IMITATIONS else VALUES
    best = max(checks, key=lambda made: made.agent)
    return IMITATION if last.trust == VALUES and best.trust == IMITATION else None


def sentence(checks: list[Check], seconds: float, episodes: int, trust: str = NOTHING) -> str:
    """Return the result in words.

    seconds, episodes: the length of the demonstrations. trust: what they are used for where no check was passed.
    """
    if not checks:
        return ""
    last = checks[-1]
    if last.passed and last.trust == IMITATION:
        return f"{clock(seconds)} of play: after pretraining {last.agent:.0f} points, random play {last.chance:.0f}."
    best = max((made for made in checks if made.trust == IMITATION), key=lambda made: made.agent)
    facts = f"imitating it scores {best.agent:.0f} points, random play {best.chance:.0f}"
    if last.passed:
        use = f"Learning from its points alone scores {last.agent:.0f}, so its actions are not imitated."
    elif trust == IMITATION:
        use = "The play itself scored more, so the training continues to imitate it."
    elif trust == VALUES:
        use = "The play itself scored more, so the training continues with its points, and without imitation."
    else:
        use = "The training continues without it."
    more = "three more episodes" if episodes < 10 else "better ones, or judge clips,"
    return f"{clock(seconds)} of play teaches little yet: {facts}. {use} Record {more} or continue from here."
