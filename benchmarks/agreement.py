"""Measure how often an agent would act as demonstrated, where the demonstrator kept the action and where it changed.

    python -m benchmarks.agreement RUN [--library FOLDER]

RUN is a run with a seeding. Every imitated decision is shown to the agent as it was stored: the demonstrator's stack,
not the agent's own way there. An agent that agrees where the action stays the same, and elsewhere repeats the
demonstrator's previous action, has learned to continue, not to decide (Wen et al. 2021).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.memory_of_config import new_memory
from agent.player import load_agent_weights
from agent.seeding import plan_with_labels
from agent.seeding_fill import fill
from data.errors import CoachError
from data.library import Library
from data.runs import open_run


@dataclass(frozen=True)
class Agreement:
    """Shares of an agent's demonstrated decisions; those of no decision are NaN."""

    kept: int
    """Decisions at which the demonstrator kept the action."""
    changed: int
    """Those at which it changed the action."""
    agrees_where_kept: float
    agrees_where_changed: float
    repeats_where_changed: float
    """Share of the changes at which the agent would repeat the previous action."""


def agreement(library: Library, run: str) -> Agreement:
    """Return an agent's agreement with its seeding. Raises CoachError if there is no such run or no seeding."""
    loaded = load_agent_weights(open_run(library, run))
    config, meanings = loaded.config, loaded.action_meanings
    plan = plan_with_labels(config, library, meanings, library.labels)
    memory = new_memory(config, plan.slots(config))
    fill(memory, config, plan, np.random.default_rng(0), lambda _: None)
    columns = {name: memory.columns[name][: memory.seeded_end] for name in ("ready", "imitate", "action")}
    slots = np.flatnonzero(columns["ready"] & (columns["imitate"] > 0))
    if not len(slots):
        raise CoachError(f"The run {run!r} has no decision to imitate: it needs a seeding.")
    q_values = loaded.q_function()
    stacks = (memory.stacks(np.array([slot]))[0] for slot in slots.tolist())
    chosen = np.array([int(q_values(stack).argmax()) for stack in stacks])
    changed = memory.changed_action(slots)
    agrees, repeats = chosen == columns["action"][slots], chosen == columns["action"][slots - 1]

    def share(where: np.ndarray, of: np.ndarray) -> float:
        return float(where[of].mean()) if of.any() else float("nan")

    return Agreement(
        kept=int((~changed).sum()),
        changed=int(changed.sum()),
        agrees_where_kept=share(agrees, ~changed),
        agrees_where_changed=share(agrees, changed),
        repeats_where_changed=share(repeats, changed),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--library", type=Path, default=Path("library"), help="(default: library)")
    options = parser.parse_args()
    try:
        found = agreement(Library(options.library), options.run)
    except CoachError as error:
        raise SystemExit(f"error: {error}") from None
    print(
        f"{options.run}: agrees with {found.agrees_where_kept:.0%} of the {found.kept:,} decisions that keep the "
        f"action, and with {found.agrees_where_changed:.0%} of the {found.changed:,} that change it; "
        f"in {found.repeats_where_changed:.0%} of those it would repeat the previous action."
    )


if __name__ == "__main__":
    main()
