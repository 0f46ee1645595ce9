"""Preprocessing: from frames to the network's observations, the same for live play and for replay files."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np

from data.decisions import Decisions
from data.errors import CoachError
from data.observations import luminance
from data.replay_file import ReplayFile

OBSERVATION_SIDE = 84
OBSERVATION_BYTES = OBSERVATION_SIDE * OBSERVATION_SIDE
BLOCK_FRAMES = 512
"""Frames read from a replay file at once."""


class _Nature:
    """Grayscale, the brighter of two frames, 84 x 84 (Mnih et al. 2015, methods, "Preprocessing").

    Equals ``gymnasium.wrappers.AtariPreprocessing`` bit for bit.
    """

    def __init__(self, palette: np.ndarray) -> None:
        self._gray = luminance(palette)

    def __call__(self, screens: Sequence[np.ndarray]) -> np.ndarray:
        gray = cv2.LUT(screens[-1], self._gray)
        if len(screens) > 1:
            gray = cv2.max(gray, cv2.LUT(screens[-2], self._gray))
        small: np.ndarray = cv2.resize(gray, (OBSERVATION_SIDE, OBSERVATION_SIDE), interpolation=cv2.INTER_AREA)
        return small


class _Tutorial:
    """84 x 110, grayscale, rows 26 to 109, black and white (R. Meertens 2017, after F. Sung's DQN)."""

    def __init__(self, palette: np.ndarray) -> None:
        self._palette = palette

    def __call__(self, screens: Sequence[np.ndarray]) -> np.ndarray:
        return tutorial_pictures(screens, self._palette)["black and white"]


def tutorial_pictures(screens: Sequence[np.ndarray], palette: np.ndarray) -> dict[str, np.ndarray]:
    """Return every intermediate picture of the preprocessing "tutorial", from frames to observation.

    screens, palette: as for ``Preprocessor.observe``. Keys, in order: "colours" (H, W, 3), "small" (110, 84, 3),
    "gray" (110, 84), "cut" (84, 84) and "black and white" (84, 84), all uint8; the last one is the observation.
    """
    colours = palette[screens[-1]]
    if len(screens) > 1:
        colours = cv2.max(colours, palette[screens[-2]])
    small = cv2.resize(colours, (OBSERVATION_SIDE, 110))
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    cut = gray[26:110]
    black_and_white = cv2.threshold(cut, 1, 255, cv2.THRESH_BINARY)[1]
    return {"colours": colours, "small": small, "gray": gray, "cut": cut, "black and white": black_and_white}


_KINDS: dict[str, Callable[[np.ndarray], Callable[[Sequence[np.ndarray]], np.ndarray]]] = {
    "nature": _Nature,
    "tutorial": _Tutorial,
}


class Preprocessor:
    """Makes an observation from the last frames of a decision; has no state besides the palette."""

    def __init__(self, name: str) -> None:
        if name not in _KINDS:
            raise CoachError(f"There is no preprocessing {name!r}; there are {', '.join(_KINDS)}.")
        self.name = name
        self._palette: np.ndarray | None = None

    def observe(self, screens: Sequence[np.ndarray], palette: np.ndarray) -> np.ndarray:
        """Return the observation (84, 84) uint8 of a decision's frames, oldest first; only the last two matter.

        screens: (H, W) uint8 palette indices each; frame 0 alone at an episode's start. palette: (256, 3) uint8; a
        changed palette must be a new array, as from ``Emulator``.
        """
        if palette is not self._palette:
            self._palette = palette
            self._prepared = _KINDS[self.name](palette)
        observation: np.ndarray = self._prepared(screens[-2:])
        return observation


class ObservationStack:
    """Observations of the current episode, as the network receives them: the newest ones, and perhaps older ones."""

    def __init__(self, ages: int | Sequence[int]) -> None:
        """ages: of the observations in the stack, in decisions, newest first; or how many of the newest ones."""
        ages = range(ages) if isinstance(ages, int) else ages
        self._places = [-1 - age for age in reversed(ages)]
        self._recent: deque[np.ndarray] = deque(maxlen=max(ages) + 1)
        self._stack = np.zeros((len(ages), OBSERVATION_SIDE, OBSERVATION_SIDE), np.uint8)

    def begin(self, observation: np.ndarray) -> None:
        """Fill the stack with an episode's first observation, so that no stack reaches across its start."""
        assert self._recent.maxlen is not None
        self.fill([observation] * self._recent.maxlen)

    def push(self, observation: np.ndarray) -> None:
        """Add the newest observation, (84, 84) uint8."""
        self.fill([observation])

    def fill(self, observations: Iterable[np.ndarray]) -> None:
        """Add observations (84, 84) uint8, oldest first."""
        self._recent.extend(observations)
        self._stack = np.stack([self._recent[place] for place in self._places])

    def array(self) -> np.ndarray:
        """Return the stack (S, 84, 84) uint8, oldest first; the array is never changed afterwards."""
        return self._stack


def observations_of(
    replay: ReplayFile, decisions: Decisions, preprocessor: Preprocessor, rows: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield some of the D + 1 observations of an episode's D decisions, each (84, 84) uint8.

    Observation 0 is of frame 0; observation d + 1 of the last two frames of decision d. ``rows`` (n,) are the
    requested ones, ascending. Frames are read in blocks, the next one while the current one is processed.
    """
    stops = decisions.first_frame + decisions.length
    # Observation d is made of frames first[d] to last[d], both included.
    last = np.concatenate(([0], stops))[rows]
    first = np.concatenate(([0], np.maximum(stops - 1, decisions.first_frame + 1)))[rows]
    palette = replay.palette
    with ThreadPoolExecutor(1) as reader:

        def read(block: range) -> Future[np.ndarray]:
            return reader.submit(replay.frames, int(first[block.start]), int(last[block.stop - 1]) + 1)

        blocks = _blocks(last)
        ahead = [read(block) for block in blocks[:1]]
        for number, block in enumerate(blocks):
            frames = ahead.pop().result()
            if number + 1 < len(blocks):
                ahead.append(read(blocks[number + 1]))
            offset = int(first[block.start])
            for row in block:
                yield preprocessor.observe(list(frames[first[row] - offset : last[row] - offset + 1]), palette)


def _blocks(last: np.ndarray) -> list[range]:
    """Return ranges of neighbouring rows whose frames are in the same block of the file."""
    edges = (np.flatnonzero(np.diff(last // BLOCK_FRAMES)) + 1).tolist()
    return [range(start, stop) for start, stop in pairwise([0, *edges, len(last)]) if stop > start]
