"""Put a trained agent into the package: float16 weights, a card that says what it is, and its page in the guide."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import os
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from agent.checkpoint import ACTING
from agent.config import TrainConfig
from agent.evaluation import PROTOCOLS, Evaluation, episode_tasks, evaluate, play_episodes
from agent.network import NumpyNetwork
from agent.player import LoadedAgent, load_agent_weights
from benchmarks.teacher import SETTINGS, run_name
from benchmarks.teacher_page import PAGE, PICTURES, write_page
from commands.output import progress_counter
from data.errors import CoachError
from data.library import Library
from data.run_curves import TRACE_COLUMNS, read_curves, read_evaluations
from data.runs import SUPPLIED_RUNS, RunFolder

MOST_BYTES = 3_000_000
MANTISSA_BITS = 10
"""Of a float16 number, without the leading one."""
LEAST_MANTISSA_BITS = 6
CHECK_EPISODES, CHECK_FRAMES, CHECK_SEED = 3, 600, 21
"""Episodes of the card's check, their length, and the seed that decides them."""
CHOOSING_EPISODES, CHOOSING_SEED = 30, 1
"""Of the choice between the best and the last weights; the card's evaluation has seed 0."""
LICENCE = "MIT, as the rest of Replay Coach"


# ---- weights ---------------------------------------------------------------------------------------------------------


def packed(weights: dict[str, np.ndarray], most_bytes: int = MOST_BYTES) -> tuple[bytes, int]:
    """Return the weights as a compressed .npz file of float16 arrays, and the bits of mantissa that are stored.

    The last bits of each number are rounded away, as few as make the file small enough. Raises CoachError if it is too
    large with LEAST_MANTISSA_BITS.
    """
    for bits in range(MANTISSA_BITS, LEAST_MANTISSA_BITS - 1, -1):
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **{name: rounded(array, bits) for name, array in weights.items()})
        if file.tell() <= most_bytes:
            return file.getvalue(), bits
    raise CoachError(
        f"The weights need {file.tell():,} bytes even with {bits} bits of mantissa; {most_bytes:,} may be."
    )


def rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """Return an array as float16 with so many bits of mantissa; raises CoachError for numbers beyond float16."""
    with np.errstate(over="ignore"):  # refused below
        half = np.asarray(array, np.float16)
    if not np.isfinite(half).all():
        raise CoachError("The weights are not finite as float16.")
    drop = MANTISSA_BITS - bits
    if drop:
        # Ties go up; a carry into the exponent is the next power of two, as it must be.
        whole = (half.view(np.uint16).astype(np.uint32) + (1 << (drop - 1))) >> drop << drop
        half = whole.astype(np.uint16).view(np.float16)
    return half


# ---- scores ----------------------------------------------------------------------------------------------------------


def check_scores(loaded: LoadedAgent) -> list[float]:
    """Return the points of three short episodes, which are the same on every machine.

    The network computes in float64, in which rounding, which differs between processors, does not change what it does.
    """
    protocol = dataclasses.replace(PROTOCOLS["nature"], max_frames=CHECK_FRAMES)
    wide = {name: array.astype(np.float64) for name, array in loaded.weights.items()}
    network = NumpyNetwork(loaded.config, len(loaded.action_meanings), wide)
    tasks = episode_tasks(protocol, CHECK_EPISODES, CHECK_SEED)
    return list(play_episodes(loaded.config, loaded.action_meanings, network, protocol, tasks))


def better_weights(source: RunFolder, jobs: int = 1, episodes: int = CHOOSING_EPISODES) -> str:
    """Return "best" or "last": the weights of a run that score more in episodes that the card does not use."""
    if not source.best.is_file():
        return "last"
    if source.newest_checkpoint() is None:
        return "best"
    library = Library(source.path.parent.parent)
    if library.run_folder(source.name) != source.path:
        raise CoachError(f"{source.path} is not in a library's folder of runs; use --weights best or last.")
    means = {}
    for weights in ("best", "last"):
        with progress_counter(f"Evaluating the {weights} weights", "episodes") as on_progress:
            chosen = (episodes, "nature", jobs, CHOOSING_SEED, on_progress, weights)
            means[weights] = evaluate(library, source.name, *chosen).mean
    return max(means, key=means.__getitem__)


# ---- the package -----------------------------------------------------------------------------------------------------


def package(
    run_folder: Path,
    weights: str = "better",
    episodes: int = 100,
    jobs: int = 1,
    machine: str | None = None,
    supplied: Path = SUPPLIED_RUNS,
    page: Path = PAGE,
    pictures: Path = PICTURES,
) -> Path:
    """Replace the supplied run of a game by the agent of a run, and its page; return its folder.

    weights: "best", "last", or "better", which is what is better of these in other episodes. episodes: of the
    evaluation under the protocol ``nature``. machine: on what it was trained. Raises CoachError if the run has no such
    weights.
    """
    source = RunFolder(run_folder.resolve())
    if weights == "better":
        weights = better_weights(source, jobs)
    loaded = load_agent_weights(source, weights)
    name = run_name(loaded.config.game)
    content, bits = packed(loaded.weights)
    with tempfile.TemporaryDirectory(prefix="replay-coach-") as temporary:
        library = Library(temporary)
        made = RunFolder(library.run_folder(name))
        _write_run(made, source, loaded, content)
        with progress_counter(f"Evaluating {name}", "episodes") as on_progress:
            found = evaluate(library, name, episodes, "nature", jobs, on_progress=on_progress)
        half = load_agent_weights(made)
        card = _card(source, loaded, weights, content, bits, found, machine) | {"check": _check(half)}
        _write_curves(made, source, loaded, found)
        state = {"step": loaded.step, "recent_scores": list(found.scores)}
        (made.checkpoints / "00000001" / "state.json").write_text(json.dumps(state) + "\n", encoding="utf-8")
        (made.path / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        for empty in (made.memory, made.tensorboard):
            empty.rmdir()
        target = supplied / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made.path, target)
    print(
        f"{name}: mean {found.mean:.1f} points ({found.low:.1f} to {found.high:.1f}), {len(content):,} bytes: {target}"
    )
    if name == run_name("SpaceInvaders"):
        write_page(RunFolder(target), page, pictures)
    return target


def _write_run(made: RunFolder, source: RunFolder, loaded: LoadedAgent, content: bytes) -> None:
    """Write what is needed to evaluate the stored weights."""
    info = source.read()
    made.create(dataclasses.asdict(loaded.config), info.action_meanings)
    checkpoint = made.checkpoints / "00000001"
    checkpoint.mkdir()
    (checkpoint / ACTING).write_bytes(content)
    (checkpoint / "state.json").write_text(json.dumps({"step": loaded.step}), encoding="utf-8")


def _write_curves(made: RunFolder, source: RunFolder, loaded: LoadedAgent, found: Evaluation) -> None:
    """Write the learning curve up to these weights, which ends with their evaluation, and the trace."""
    rows = [
        {name: row[name] for name in ("protocol", "step", "episodes", "mean", "low", "high")}
        for row in read_evaluations(source)
        if row.get("step", math.inf) <= loaded.step
    ]
    last = {name: getattr(found, name) for name in ("protocol", "step", "episodes", "mean", "low", "high")}
    made.evaluations.write_text("".join(json.dumps(row) + "\n" for row in [*rows, last]), encoding="utf-8")
    trace = read_curves(source).trace
    lines = [",".join(TRACE_COLUMNS)]
    for cells in zip(*(trace[name] for name in TRACE_COLUMNS), strict=True):
        if cells[0] <= loaded.step:
            lines.append(",".join("" if math.isnan(cell) else f"{cell:.6g}" for cell in cells))
    made.trace.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _card(
    source: RunFolder,
    loaded: LoadedAgent,
    weights: str,
    content: bytes,
    bits: int,
    found: Evaluation,
    machine: str | None,
) -> dict[str, Any]:
    config, newest = loaded.config, source.newest_state()
    trained = newest[1] if newest is not None else {}
    defaults = TrainConfig()
    changed = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(TrainConfig)
        if getattr(config, field.name) != getattr(defaults, field.name)
    }
    learning = max(0, loaded.step - config.learn_from_step)
    return {
        "name": run_name(config.game),
        "game": config.game,
        "how": "trained by Replay Coach alone, from scratch, without demonstrations: python -m benchmarks.teacher"
        if all(getattr(config, name) == value for name, value in SETTINGS.items())
        else "trained by Replay Coach alone, with the settings below",
        "weights": weights,
        "steps": loaded.step,
        "updates": learning // config.train_every,
        "hours": round(float(trained.get("seconds", 0.0)) / 3600, 1),
        "trained_steps": int(trained.get("step", loaded.step)),
        "machine": machine or this_machine(),
        "evaluation": {
            "protocol": found.protocol,
            "episodes": found.episodes,
            "mean": round(found.mean, 1),
            "low": round(found.low, 1),
            "high": round(found.high, 1),
            "median": found.median,
            "scores": list(found.scores),
        },
        "file": f"checkpoints/00000001/{ACTING}",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "arrays": f"float16 with {bits} bits of mantissa, compressed, no pickled objects",
        "parameters": int(sum(array.size for array in loaded.weights.values())),
        "licence": LICENCE,
        "settings": changed,
    }


def _check(loaded: LoadedAgent) -> dict[str, Any]:
    return {"seed": CHECK_SEED, "frames": CHECK_FRAMES, "scores": check_scores(loaded)}


def this_machine() -> str:
    """Return the processor and system in words."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {platform.python_version()}"
