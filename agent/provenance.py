"""The provenance of an agent's experience: run by run, back to people, planners and random play."""

from __future__ import annotations

from typing import Any

from agent.config import TrainConfig, run_config
from agent.seeding import parse_spec
from data.errors import CoachError
from data.library import Library
from data.runs import open_run

LARGEST_DEPTH = 12


def provenance(library: Library, config: TrainConfig, from_run: str | None = None) -> list[dict[str, Any]]:
    """Return the chain as lines ``{"depth": 0, "text": "..."}``; a deeper line is a source of the line above it.

    A run that is gone is named as such. A run that occurs in its own chain is followed once.
    """
    lines: list[dict[str, Any]] = []
    _follow(library, config, from_run, 0, frozenset(), lines)
    return lines


def _follow(
    library: Library,
    config: TrainConfig,
    from_run: str | None,
    depth: int,
    seen: frozenset[str],
    lines: list[dict[str, Any]],
) -> None:
    if depth > LARGEST_DEPTH:
        return
    if from_run is not None:
        _run(library, f"weights of the run {from_run}", from_run, depth, seen, lines)
    for text in config.seed_from:
        spec = parse_spec(text)
        if spec.kind == "agent" and spec.run:
            played = [e for e in library.episodes(config.game) if e.player_of("agent") == spec.run]
            words = f"{len(played)} episodes of {config.game} played by the run {spec.run}"
            _run(library, words, spec.run, depth, seen, lines)
        elif spec.kind == "agent":
            players = sorted({e.player for e in library.episodes(config.game) if e.demonstrator == "agent"})
            for player in players:
                _run(library, f"episodes played by the run {player}", player, depth, seen, lines)
        else:
            lines.append({"depth": depth, "text": _words(text, config)})


def _words(text: str, config: TrainConfig) -> str:
    spec = parse_spec(text)
    if spec.kind == "random":
        return f"{spec.count:,} decisions of new random play"
    if spec.kind == "file":
        return f"the replay file {spec.path.name if spec.path else text}"
    return f"episodes of {config.game} by {'anyone' if spec.kind == 'all' else spec.kind} (keep {config.keep})"


def _run(
    library: Library, words: str, name: str, depth: int, seen: frozenset[str], lines: list[dict[str, Any]]
) -> None:
    if name in seen:
        lines.append({"depth": depth, "text": f"{words} (see above)"})
        return
    try:
        folder = open_run(library, name)
        info, config = folder.read(), run_config(folder)
        found = folder.newest_state()
    except CoachError:
        lines.append({"depth": depth, "text": f"{words} (a run that is not in this library)"})
        return
    step = int(found[1]["step"]) if found else 0
    seeding = "" if config.seed_from or info.from_run else ", trained from scratch"
    about = f"{words}: {config.game}, {step:,} own steps, seed {config.seed}{seeding}"
    lines.append({"depth": depth, "text": about})
    _follow(library, config, info.from_run, depth + 1, seen | {name}, lines)
