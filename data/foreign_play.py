"""What an input from elsewhere states about the play of a game, and whether the emulator contradicts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from data.episode import EmulatorSettings, FrameState
from data.observations import Observations
from data.simulation import Emulator


@dataclass(frozen=True)
class ForeignPlay:
    """What an input states about the play of one game, step by step; None for what it does not state.

    S is the number of steps. ``ends`` may mark several episodes, each of which starts with a reset.
    """

    source: str
    """Its name in messages, such as "actions.npz" or "episode 3 of atari/pong-v0"."""
    actions: np.ndarray
    """(S,) uint8, indices into the action set."""
    game: str | None = None
    settings: EmulatorSettings = field(default_factory=lambda: EmulatorSettings(frame_skip=1))
    action_meanings: tuple[str, ...] | None = None
    """What the actions are indices of; None: the action set of ``settings``."""
    held_for: int = 1
    """Frames for which each action is held, unless the game ends before."""
    rewards: np.ndarray | None = None
    """(S,) float32 points, summed over the frames of a step."""
    reward_range: tuple[float, float] | None = None
    """To which the points of each step were clipped."""
    lives: np.ndarray | None = None
    """(S,) after each step."""
    ram: np.ndarray | None = None
    """(S, 128) uint8 after each step."""
    first_ram: np.ndarray | None = None
    """(128,) uint8 before the first step."""
    observations: Observations | None = None
    """Pictures, S + 1 of them."""
    terminations: np.ndarray | None = None
    """(S,) bool: the game is over after this step."""
    ends: np.ndarray | None = None
    """(S,) bool: the episode ends with this step, for whatever reason; the next step starts a new one."""
    ends_at_life_loss: bool = False
    """Whether a lost life ends an episode, at the frame in which it is lost."""
    noop_candidates: tuple[int, ...] = (0,)
    """How many no-op frames may have been executed before the first step, the most likely first."""
    demonstrator: np.ndarray | None = None
    """(S,) uint8, indices of DEMONSTRATOR_KINDS."""
    markers: tuple[int, ...] = ()
    """Frames that the player marked."""
    player: str = ""
    ended_by: str | None = None
    """How the episode ended, if the input states one of ENDINGS."""
    kind: str = "imported"

    def __len__(self) -> int:
        return len(self.actions)

    def part(self, start: int, stop: int, number: int | None) -> ForeignPlay:
        """Steps ``start`` to ``stop`` - 1 as a play of its own; ``number``: which episode it is, for messages."""
        rows = slice(start, stop)
        columns: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows]
            for name in ("actions", "rewards", "lives", "ram", "terminations", "ends", "demonstrator")
        }
        if start:
            columns |= {"first_ram": None, "markers": ()}
        if self.observations is not None:
            columns["observations"] = self.observations.part(start, stop)
        source = self.source if number is None else f"{self.source}, episode {number}"
        return replace(self, source=source, **columns)


@dataclass(frozen=True)
class SimulatedStep:
    """One simulated step: its frames, and whether it was cut short by the end of the game or of a life."""

    frames: list[FrameState]
    reward: float
    is_last: bool


def contradictions(
    play: ForeignPlay, step: int, simulated: SimulatedStep, palette: np.ndarray
) -> Iterator[tuple[str, str]]:
    """Yield (column, sentence) for each statement of the input about this step that the emulator contradicts."""
    after = simulated.frames[-1]
    if play.rewards is not None:
        reward = simulated.reward if play.reward_range is None else float(np.clip(simulated.reward, *play.reward_range))
        if np.float32(reward) != play.rewards[step]:
            said = f"{play.rewards[step]:g} in the input and {reward:g} in the emulator"
            yield "rewards", f"the points of step {step} are {said}."
    if play.lives is not None and int(play.lives[step]) != after.lives:
        yield (
            "lives",
            f"the lives after step {step} are {int(play.lives[step])} in the input and {after.lives} in the emulator.",
        )
    if play.ram is not None and not np.array_equal(play.ram[step], after.ram):
        byte = int(np.flatnonzero(play.ram[step] != after.ram)[0])
        yield (
            "ram",
            f"byte {byte} of the RAM after step {step} is {play.ram[step, byte]} in the input and {after.ram[byte]} in "
            "the emulator.",
        )
    if play.terminations is not None and bool(play.terminations[step]) != simulated.is_last:
        ended, not_ended = ("is", "is not") if play.terminations[step] else ("is not", "is")
        yield "terminations", f"after step {step} the game {ended} over in the input and {not_ended} in the emulator."
    if play.ends is not None and simulated.is_last and not play.ends[step]:
        yield "ends", f"after step {step} the game is over in the emulator, and the episode continues in the input."
    if play.observations is not None and len(simulated.frames) == play.held_for:
        difference = play.observations.difference(step + 1, [frame.screen for frame in simulated.frames], palette)
        if difference is not None:
            yield "observations", f"the picture after step {step} {difference}."


def difference_at_start(play: ForeignPlay, emulator: Emulator) -> str | None:
    """Return how the emulator differs from the input before the first step, as a sentence; None if it does not."""
    state = emulator.state()
    if play.first_ram is not None and not np.array_equal(play.first_ram, state.ram):
        return "the RAM before the first step differs."
    if play.observations is not None:
        difference = play.observations.difference(0, [state.screen], emulator.palette)
        if difference is not None:
            return f"the picture before the first step {difference}."
    return None


def confirming_columns(play: ForeignPlay) -> tuple[str, ...]:
    """Return the columns of the input that could contradict wrong actions."""
    found = []
    if play.rewards is not None and play.rewards.any():
        found.append("rewards")
    if play.lives is not None and len(np.unique(play.lives)) > 1:
        found.append("lives")
    if play.ram is not None:
        found.append("ram")
    if play.observations is not None:
        found.append("observations")
    if play.terminations is not None and play.terminations.any():
        found.append("terminations")
    return tuple(found)
