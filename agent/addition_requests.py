"""Requests to add recorded play, or new verdicts, to a training that runs or is stopped.

The slow part runs in the process that adds: it selects and preprocesses the decisions and publishes them as a request
in the run's folder. ``agent.additions`` takes requests into the training.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.array_file import write_arrays
from agent.config import TrainConfig, run_config
from agent.equivalent_actions import equivalent_actions
from agent.memory_of_config import memory_rules
from agent.replay_memory import ReplayMemory
from agent.sampling import UniformSampler
from agent.seeding import SeedEpisode, SeedPlan, Spec, Tally, Verdicts, parse_spec, select_decisions
from agent.seeding_fill import fill_episode
from data.additions import AdditionsFolder
from data.episode import DEMONSTRATOR_KINDS
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunFolder

COMPRESSION = 1
RULES = (
    "stack",
    "older_observations",
    "n_steps",
    "discount",
    "reward",
    "frame_skip",
    "preprocessing",
    "life_loss_ends",
    "game",
)
"""Settings on which the transitions of a request depend."""


@dataclass(frozen=True)
class Requested:
    """A request that was published, or found to be there already."""

    episode: str
    decisions: int
    request: str
    """Name of its file."""
    tally: Tally
    already_here: bool = False


def chooser_of(replay: ReplayFile) -> str:
    """Return whose decisions of an episode are added by default: a person's, a planner's, or all."""
    kinds = replay.summary().frames_by_demonstrator
    return next((kind for kind in ("human", "planner", "imported") if kind in kinds), "file")


def request_episode(
    folder: RunFolder,
    replay: ReplayFile,
    verdicts: Verdicts | None = None,
    by: str | None = None,
    dry_run: bool = False,
) -> Requested:
    """Publish the decisions of one episode as a request; the same decisions are never requested twice.

    by: the demonstrator kind whose decisions are added (with random ones among them, which are not imitated), or
    "all"; None: a person's where there are any, else a planner's, else all. Clips judged bad are left out.
    dry_run: only check, publish nothing.

    Raises CoachError if the episode is of another game, nothing of it can be added, or the request cannot be written.
    """
    config, meanings = run_config(folder), folder.read().action_meanings
    if replay.origin.game != config.game:
        raise CoachError(
            f"{replay.episode_id} is an episode of {replay.origin.game}, and {folder.name} plays {config.game}."
        )
    chosen = by or chooser_of(replay)
    if chosen not in (*DEMONSTRATOR_KINDS, "all", "file"):
        raise CoachError(f"--by must be one of {', '.join(DEMONSTRATOR_KINDS)} or all, not {chosen!r}.")
    tally = Tally()
    episode = select_decisions(_without_good_only(config), Spec(chosen, chosen), replay, meanings, verdicts, tally)
    if not tally.kept:
        raise CoachError(f"Nothing of {replay.episode_id} can be added to {folder.name}: {tally.sentence()}.")
    additions = AdditionsFolder(folder.path)
    selection = hashlib.sha256(episode.kept.tobytes() + episode.imitate.tobytes()).hexdigest()
    for name, about in _abouts(additions):
        if (about.get("digest"), about.get("selection")) == (replay.digest, selection):
            return Requested(replay.episode_id, tally.kept, name, tally, already_here=True)
    if _seeded_decisions(folder).get(replay.episode_id, 0) >= tally.kept:
        return Requested(replay.episode_id, tally.kept, "", tally, already_here=True)
    if dry_run:
        return Requested(replay.episode_id, tally.kept, "", tally)
    about = {
        "kind": "episode",
        "episode": replay.episode_id,
        "digest": replay.digest,
        "selection": selection,
        "decisions": tally.kept,
        "by": chosen,
        "started_from": None if replay.origin.started_from is None else replay.origin.started_from.to_json(),
        "action_meanings": list(meanings),
        "rules": rules_of(config),
    }
    observations, columns = transitions(config, episode, meanings)
    return Requested(replay.episode_id, tally.kept, write_request(additions, about, observations, columns), tally)


def request_verdicts(folder: RunFolder, library: Library, verdicts: Verdicts) -> str:
    """Publish the present verdicts on a run's seeding and additions as a request; return its name.

    Raises CoachError if the run has no recorded episodes that are still in the library, or the request
    cannot be written.
    """
    judged = judged_episodes(folder, library, verdicts)
    if not judged:
        raise CoachError(f"{folder.name} has no recorded episodes in {library.folder} that verdicts could affect.")
    return publish_verdicts(folder, judged)


@dataclass(frozen=True)
class JudgedEpisode:
    """What the present verdicts say of an episode's D decisions."""

    episode: str
    by: str | None
    """Whose decisions of it were added; None: it is one of the seeding."""
    first_frame: np.ndarray
    """(D,) int64."""
    kept: np.ndarray
    """(D,) bool: whether it may be sampled."""
    imitate: np.ndarray
    """(D,) int8: 1 to imitate the action, -1 to avoid it."""


def judged_episodes(
    folder: RunFolder, library: Library, verdicts: Verdicts, is_wanted: Callable[[str], bool] = lambda _: True
) -> list[JudgedEpisode]:
    """Apply the present verdicts to the episodes in a run's memory that are still in the library.

    is_wanted: called with each episode's id; the others are left out.
    """
    config, meanings = run_config(folder), folder.read().action_meanings
    additions = AdditionsFolder(folder.path)
    taken = {line.request for line in additions.taken() if line.kind == "episode"}
    added = [(str(about["episode"]), str(about.get("by", ""))) for name, about in _abouts(additions) if name in taken]
    seeded = [(name, None) for name in _seeded_decisions(folder)]
    wanted = {name: is_wanted(name) for name in dict.fromkeys(name for name, _ in [*seeded, *added])}
    summaries = {summary.episode_id: summary for summary in library.episodes(config.game)}
    specs = [parse_spec(text) for text in config.seed_from]
    found = []
    for name, by in dict.fromkeys([*seeded, *added]):
        if name not in summaries or not wanted[name]:
            continue
        with ReplayFile(summaries[name].path) as replay:
            if by is None:
                spec, rules = next((spec for spec in specs if spec.selects(summaries[name])), None), config
            else:
                spec, rules = Spec("", by or chooser_of(replay)), _without_good_only(config)
            if spec is None:
                continue
            episode = select_decisions(rules, spec, replay, meanings, verdicts, Tally())
        first = episode.decisions.first_frame.astype(np.int64)
        found.append(JudgedEpisode(name, by, first, episode.kept, episode.imitate))
    return found


def publish_verdicts(folder: RunFolder, judged: Sequence[JudgedEpisode]) -> str:
    """Publish what verdicts say of these episodes as a request; return its name. Raises CoachError."""
    about = {"kind": "verdicts", "episodes": [one.episode for one in judged], "by": [one.by for one in judged]}
    arrays = {"about": _text(about)}
    for number, one in enumerate(judged):
        arrays |= {f"{number}/{name}": getattr(one, name) for name in ("first_frame", "kept", "imitate")}
    return _publish(AdditionsFolder(folder.path), arrays)


def _seeded_decisions(folder: RunFolder) -> dict[str, int]:
    """Return the number of decisions of each episode of a run's seeding."""
    found = folder.newest_state()
    sources = found[1].get("sources", []) if found is not None else []
    return {str(source["name"]): int(source["decisions"]) for source in sources}


def _without_good_only(config: TrainConfig) -> TrainConfig:
    """Unjudged play is added even if the run keeps only approved decisions: adding it is an approval."""
    return dataclasses.replace(config, keep="not-bad") if config.keep == "good" else config


def _text(about: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(about).encode(), np.uint8)


def rules_of(config: TrainConfig) -> dict[str, Any]:
    """Return the settings on which the transitions of a request depend."""
    return {name: getattr(config, name) for name in RULES} | {"n_steps": config.most_n_steps}


def transitions(
    config: TrainConfig, episode: SeedEpisode, action_meanings: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return an episode's selected decisions as slots of a replay memory: observations (N, 7056) and columns (N,)."""
    plan = SeedPlan((episode,), (), Tally())
    slots = plan.slots(config)
    memory = ReplayMemory(memory_rules(config), lambda _: UniformSampler(), own_slots=slots + 1)
    equivalent = equivalent_actions(episode, action_meanings) if config.equivalent_actions else None
    fill_episode(memory, config, episode, 0, equivalent)
    return memory.observations[: memory.written], memory.columns_used()


def write_request(
    additions: AdditionsFolder, about: dict[str, Any], observations: np.ndarray, columns: dict[str, np.ndarray]
) -> str:
    """Publish a request and return its name; raises CoachError, and leaves no file, if the disk refuses."""
    packed = zlib.compress(np.ascontiguousarray(observations).tobytes(), COMPRESSION)
    arrays = {
        "about": _text(about),
        "observations": np.frombuffer(packed, np.uint8),
        **{f"columns/{name}": column for name, column in columns.items()},
    }
    return _publish(additions, arrays)


def _publish(additions: AdditionsFolder, arrays: dict[str, np.ndarray]) -> str:
    try:
        path = additions.new_request()
        write_arrays(path, arrays)
    except OSError as error:
        raise CoachError(
            f"Cannot write the request to {additions.requests} ({error.strerror or error}); nothing was added."
        ) from error
    return path.name


def corrected_moments(additions: AdditionsFolder) -> set[StartedFrom]:
    """Return where the requested episodes start, for those that start inside another one."""
    found = (StartedFrom.from_json(about.get("started_from")) for _, about in _abouts(additions))
    return {start for start in found if start is not None}


def _abouts(additions: AdditionsFolder) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield (name, facts) of each request that is not refused."""
    refused = {line.request for line in additions.taken() if line.kind == "refused"}
    for name in additions.request_names():
        if name not in refused:
            try:
                with np.load(additions.requests / name, allow_pickle=False) as arrays:
                    yield name, json.loads(arrays["about"].tobytes())
            except (OSError, ValueError, KeyError, EOFError):
                continue
