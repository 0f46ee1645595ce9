"""The demonstrators that ``coach record --by`` can name, each with a factory for the processes that record."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from data.demonstrator import Demonstrator
from data.errors import CoachError
from data.library import Library


@dataclass(frozen=True)
class MakePlanner:
    """A picklable factory of planners, for the processes that record."""

    rollouts: int | None
    horizon: int | None
    hold: int | None = None

    def __call__(self) -> Demonstrator:
        from recorder.planner import Planner

        chosen = {"rollouts": self.rollouts, "horizon": self.horizon, "hold": self.hold}
        return Planner(**{name: value for name, value in chosen.items() if value is not None})


@dataclass(frozen=True)
class MakeWithHumanLimits:
    """A picklable factory of another factory's demonstrators with a person's limits."""

    make: Callable[[], Demonstrator]

    def __call__(self) -> Demonstrator:
        from recorder.human_limits import WithHumanLimits

        return WithHumanLimits(self.make())


def make_demonstrator(options: argparse.Namespace, library: Library) -> Any:
    """Return a picklable factory of the demonstrator that ``--by`` names.

    A new kind of demonstrator is added here, and to ``data.episode.DEMONSTRATOR_KINDS``. Raises CoachError.
    """
    kind, _, rest = options.by.partition(":")
    if options.by == "random":
        from data.demonstrator import RandomPlay

        return RandomPlay
    if options.by == "planner":
        return MakePlanner(options.rollouts, options.horizon, options.hold)
    if kind == "agent" and rest:
        from agent.player import PlayerFactory
        from data.runs import open_run

        open_run(library, rest)  # report a missing run before any process is started
        return PlayerFactory(library.folder, rest)
    raise CoachError(f"--by must be random, planner, agent:RUN or actions:FILE.npz, not {options.by!r}.")
