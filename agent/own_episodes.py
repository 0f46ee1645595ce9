"""Which of the agent's own episodes are imitated: the best of the newest ones, chosen again after each episode."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agent.imitation import Imitation
from agent.replay_memory import ReplayMemory


@dataclass
class OwnEpisode:
    """A finished own episode and where it is in the memory."""

    score: float
    """Points."""
    first: int
    """Number of its first observation, counted as ``ReplayMemory.written`` does."""
    decisions: int
    imitated: bool = False


class OwnEpisodes:
    """The newest own episodes that began at the game's beginning. The best of them join the demonstrations."""

    def __init__(self, memory: ReplayMemory, imitation: Imitation, most: int) -> None:
        """most: how many episodes are compared."""
        self._memory = memory
        self._imitation = imitation
        self._most = most
        self._episodes: deque[OwnEpisode] = deque()

    def ended(self, score: float, decisions: int, scores: Sequence[float]) -> None:
        """Take in the episode that the memory has just ended, and imitate from now on which are among the best.

        scores: points of the newest own episodes, this one included; at most ``most``. An episode that is no longer
        among the best, or no longer one of the newest, is not imitated any more.
        """
        if not self._imitation.config.imitate_own or not self._memory.seeded_ready:
            return
        self._episodes.append(OwnEpisode(score, self._memory.written - decisions - 1, decisions))
        while len(self._episodes) > self._most:
            self._imitate(self._episodes.popleft(), False)
        for episode in self._episodes:
            self._imitate(episode, self._imitation.is_of_best(episode.score, scores))

    def _imitate(self, episode: OwnEpisode, imitated: bool) -> None:
        if imitated != episode.imitated:
            self._memory.imitate_own(episode.first, episode.decisions, imitated)
            episode.imitated = imitated

    def state(self) -> list[dict[str, Any]]:
        """Return plain values for a checkpoint."""
        return [asdict(episode) for episode in self._episodes]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Continue from ``state()``; checkpoints of older versions have none, and their choice stays as it is."""
        self._episodes = deque(OwnEpisode(**episode) for episode in state)
