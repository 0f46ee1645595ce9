"""Additions: recorded play that enters the replay memory of a training that runs or is stopped.

``request_episode`` does the slow part in the process that adds: it selects and preprocesses the decisions and publishes
them as a request in the run's folder. The training (``Additions``) only copies them, between two updates.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.added_memory import AddedMemory
from agent.array_file import read_arrays, write_arrays
from agent.config import TrainConfig, run_config
from agent.preprocessing import OBSERVATION_BYTES
from agent.replay_memory import COLUMNS, MemoryRules, ReplayMemory
from agent.sampling import Sampler, UniformSampler
from agent.seeding import SeedEpisode, SeedPlan, Spec, Tally, Verdicts, parse_spec, select_decisions
from agent.seeding_fill import Source, fill_episode
from data.additions import Addition, AdditionsFolder
from data.episode import DEMONSTRATOR_KINDS, utc_now
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile
from data.runs import RunFolder

if TYPE_CHECKING:
    from agent.trainer import Trainer

COACHED = "coached"
"""Name of the additions in the account of a run's seeding."""
POLL_SECONDS = 0.5
FRESH_SECONDS = 2.0
"""A folder changed so recently is listed again: file systems round the time of a change."""
RETRY_SECONDS = 5.0
"""Before another attempt to record an addition, after the disk refused one."""
COMPRESSION = 1
RULES = ("stack", "n_steps", "discount", "reward", "frame_skip", "preprocessing", "life_loss_ends", "game")
"""Settings on which the transitions of a request depend."""


# ---- making a request ------------------------------------------------------------------------------------------------


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
        "started_from": None if replay.origin.started_from is None else replay.origin.started_from.to_json(),
        "action_meanings": list(meanings),
        "rules": rules_of(config),
    }
    observations, columns = transitions(config, episode)
    return Requested(replay.episode_id, tally.kept, write_request(additions, about, observations, columns), tally)


def request_verdicts(folder: RunFolder, library: Library, verdicts: Verdicts) -> str:
    """Publish the present verdicts on a run's seeding and additions as a request; return its name.

    Raises CoachError if the run has no recorded episodes that are still in the library, or the request
    cannot be written.
    """
    config, meanings = run_config(folder), folder.read().action_meanings
    additions = AdditionsFolder(folder.path)
    seeded = _seeded_decisions(folder)
    added = [line.episode for line in additions.taken() if line.kind == "episode"]
    summaries = {summary.episode_id: summary for summary in library.episodes(config.game)}
    specs = [parse_spec(text) for text in config.seed_from]
    arrays: dict[str, np.ndarray] = {}
    names: list[str] = []
    for name in dict.fromkeys([*seeded, *added]):
        if name not in summaries:
            continue
        with ReplayFile(summaries[name].path) as replay:
            if name in seeded:
                spec = next((spec for spec in specs if spec.selects(summaries[name])), None)
                rules = config
            else:
                spec, rules = Spec("", chooser_of(replay)), _without_good_only(config)
            if spec is None:
                continue
            episode = select_decisions(rules, spec, replay, meanings, verdicts, Tally())
        number = len(names)
        names.append(name)
        arrays[f"{number}/first_frame"] = episode.decisions.first_frame.astype(np.int64)
        arrays[f"{number}/kept"], arrays[f"{number}/imitate"] = episode.kept, episode.imitate
    if not names:
        raise CoachError(f"{folder.name} has no recorded episodes in {library.folder} that verdicts could affect.")
    about = {"kind": "verdicts", "episodes": names}
    return _publish(additions, {"about": _text(about), **arrays})


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
    return {name: getattr(config, name) for name in RULES}


def transitions(config: TrainConfig, episode: SeedEpisode) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return an episode's selected decisions as slots of a replay memory: observations (N, 7056) and columns (N,)."""
    plan = SeedPlan((episode,), (), Tally())
    slots = plan.slots(config)
    memory = ReplayMemory(_rules(config), lambda _: UniformSampler(), own_slots=slots + 1)
    fill_episode(memory, config, episode, 0)
    return memory.observations[: memory.written], memory.columns_used()


def _rules(config: TrainConfig) -> MemoryRules:
    return MemoryRules(config.stack, config.n_steps, config.discount, config.reward, evict_seed=False)


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


# ---- taking requests -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Request:
    """The content of a request's file."""

    about: dict[str, Any]
    observations: np.ndarray
    columns: dict[str, np.ndarray]
    verdicts: tuple[_Judged, ...] = ()


@dataclass(frozen=True)
class _Judged:
    """The verdicts on one episode: columns of its D decisions."""

    episode: str
    first_frame: np.ndarray
    kept: np.ndarray
    imitate: np.ndarray


def _read_request(path: Path, config: TrainConfig, meanings: tuple[str, ...]) -> _Request:
    """Read a request; raises CoachError if it is damaged or does not fit the run."""
    arrays = read_arrays(path)
    try:
        about: dict[str, Any] = json.loads(arrays["about"].tobytes())
        if about["kind"] == "verdicts":
            return _Request(about, np.zeros((0, OBSERVATION_BYTES), np.uint8), {}, _judged(about, arrays))
        columns = {name: arrays[f"columns/{name}"] for name in COLUMNS}
        raw = zlib.decompress(arrays["observations"].tobytes())
        observations = np.frombuffer(raw, np.uint8).reshape(-1, OBSERVATION_BYTES)
        if about["kind"] != "episode" or not len(observations):
            raise ValueError("nothing to add")
        for name, column in columns.items():
            if column.shape != (len(observations),) or column.dtype != COLUMNS[name]:
                raise ValueError(f"the column {name} has the wrong shape or type")
        str(about["episode"]), str(about["digest"]), int(about["decisions"]), str(about["selection"])
        fits = about["rules"] == rules_of(config) and tuple(about["action_meanings"]) == meanings
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise CoachError(f"{path} is incomplete or damaged ({error}).") from error
    if not fits or int(columns["action"].max()) >= len(meanings):
        raise CoachError(f"{path} was made for another run: its game, actions or settings differ.")
    return _Request(about, observations, columns)


def _judged(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[_Judged, ...]:
    """Return the verdicts of a request; raises KeyError or ValueError if it is damaged."""
    found = []
    for number, episode in enumerate(about["episodes"]):
        first, kept, imitate = (arrays[f"{number}/{name}"] for name in ("first_frame", "kept", "imitate"))
        if not (first.shape == kept.shape == imitate.shape) or first.ndim != 1 or kept.dtype != np.bool_:
            raise ValueError(f"the verdicts on {episode} have the wrong shape or type")
        found.append(_Judged(str(episode), first, kept, imitate))
    return tuple(found)


class Additions:
    """The additions of one training: those that it has taken, and those that wait."""

    def __init__(
        self, folder: RunFolder, config: TrainConfig, meanings: tuple[str, ...], sampler: Callable[[int], Sampler]
    ) -> None:
        self._folder = AdditionsFolder(folder.path)
        self._config, self._meanings, self._sampler = config, meanings, sampler
        self.memory: AddedMemory | None = None
        """None until something is added."""
        self.sources: list[Source] = []
        """The added episodes, by source number."""
        self.note = ""
        """Why an addition could not be recorded, in one sentence."""
        self._applied: list[str] = []
        """Names of the requests in the memory, in order."""
        self._scheduled: list[Addition] = []
        """Taken before a kill, after the checkpoint from which the training continues."""
        self._known: set[str] = set()
        self._next_poll = 0.0
        self._listed_ns = 0

    def open(self, applied: list[str] | None = None, changes: dict[str, np.ndarray] | None = None) -> None:
        """Read the record; applied, changes: of the checkpoint from which the training continues.

        Raises CoachError if a request that belongs to the training is missing or damaged.
        """
        self._folder.mend()
        lines = self._folder.taken()
        self._known = {line.request for line in lines}
        by_name = {line.request: line for line in lines}
        for name in applied or []:
            if name not in by_name:
                raise CoachError(f"{self._folder.log} lacks {name}, which the checkpoint holds.")
            if by_name[name].kind == "verdicts":
                self._applied.append(name)  # what they changed is in the checkpoint
            else:
                self._apply(by_name[name], self._read(name))
        if changes is not None and self.memory is not None:
            self.memory.restore_changes(changes)
        taken = set(self._applied)
        self._scheduled = sorted(
            (line for line in lines if line.request not in taken and line.kind != "refused"),
            key=lambda line: line.moment,
        )

    def take(self, trainer: Trainer, seeded: list[Source]) -> list[Addition]:
        """Apply what is due or newly requested, between two updates. Return the additions, refused ones included.

        seeded: the sources of the trainer's own memory.
        """
        now = trainer.pretrained, trainer.step
        found: list[Addition] = []
        while self._scheduled and self._scheduled[0].moment <= now:
            line = self._scheduled.pop(0)
            self._use(line, self._read(line.request), trainer.memory, seeded)
            found.append(line)
        for name in self._new_requests():
            try:
                line, request = self._record(name, *now, trainer.memory, seeded)
            except CoachError as error:
                self.note = f"{error} {name} waits until it can be recorded."
                self._next_poll, self._listed_ns = time.monotonic() + RETRY_SECONDS, 0
                break
            self._known.add(name)
            found.append(line)
            if request is not None:
                self._use(line, request, trainer.memory, seeded)
        trainer.added = self.memory
        return found

    def _new_requests(self) -> list[str]:
        if time.monotonic() < self._next_poll:
            return []
        self._next_poll = time.monotonic() + POLL_SECONDS
        changed = self._folder.changed_ns()
        if changed == self._listed_ns:
            return []
        if time.time() - changed / 1e9 > FRESH_SECONDS:
            self._listed_ns = changed
        return [name for name in self._folder.request_names() if name not in self._known]

    def _read(self, name: str) -> _Request:
        return _read_request(self._folder.requests / name, self._config, self._meanings)

    def _record(
        self, name: str, pretrained: int, step: int, memory: ReplayMemory, seeded: list[Source]
    ) -> tuple[Addition, _Request | None]:
        """Record a request, which then belongs to the training. Return its line, and None if it is refused."""
        given = utc_now().isoformat()
        request = None
        try:
            request = self._read(name)
            if self.memory is not None:
                self.memory.require_room(len(request.observations))
            about = request.about
            if request.verdicts:
                touched = sum(len(slots) for _, slots, _, _ in self._judged_slots(request, memory, seeded))
                line = Addition(name, "verdicts", touched, step, pretrained, given=given)
            else:
                line = Addition(
                    request=name,
                    kind="episode",
                    decisions=int(about["decisions"]),
                    step=step,
                    pretrained=pretrained,
                    episode=str(about["episode"]),
                    digest=str(about["digest"]),
                    selection=str(about["selection"]),
                    given=given,
                )
        except CoachError as error:
            request = None
            line = Addition(name, "refused", 0, step, pretrained, given=given, reason=str(error))
        self._folder.record(line)
        self.note = ""
        return line, request

    def _use(self, line: Addition, request: _Request, memory: ReplayMemory, seeded: list[Source]) -> None:
        if not request.verdicts:
            self._apply(line, request)
            return
        for judged, slots, kept, imitate in self._judged_slots(request, memory, seeded):
            judged.judge(slots, kept, imitate)
        self._applied.append(line.request)

    def _judged_slots(
        self, request: _Request, memory: ReplayMemory, seeded: list[Source]
    ) -> list[tuple[ReplayMemory, np.ndarray, np.ndarray, np.ndarray]]:
        """Return (memory, slots, kept, imitate) of the decisions on which a request's verdicts change something."""
        found = []
        memories = [(memory, seeded)] if self.memory is None else [(memory, seeded), (self.memory, self.sources)]
        for held, sources in memories:
            columns = held.columns_used()
            for judged in request.verdicts:
                numbers = [number for number, source in enumerate(sources) if source.name == judged.episode]
                slots = np.flatnonzero(np.isin(columns["source"], numbers) & columns["decided"])
                if not len(slots) or not len(judged.first_frame):
                    continue
                rows = np.searchsorted(judged.first_frame, columns["frame"][slots])
                rows = np.minimum(rows, len(judged.first_frame) - 1)
                kept, imitate = judged.kept[rows], judged.imitate[rows]
                change = held.would_change(slots, kept, imitate)
                found.append((held, slots[change], kept[change], imitate[change]))
        return found

    def _apply(self, line: Addition, request: _Request) -> None:
        if self.memory is None:
            self.memory = AddedMemory(_rules(self._config), self._sampler)
        self.memory.append(request.observations, request.columns, len(self.sources), line.step)
        self.sources.append(Source(line.episode, line.decisions, COACHED))
        self._applied.append(line.request)

    # ---- saving ------------------------------------------------------------------------------------------------------

    def state(self) -> list[str]:
        """Return the names of the requests in the memory; with ``changes`` and their files they restore it."""
        return list(self._applied)

    def changes(self) -> dict[str, np.ndarray] | None:
        """Return the part of the memory that the requests' files lack, or None if nothing was added."""
        return None if self.memory is None else self.memory.changing_arrays()
