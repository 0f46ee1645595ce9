"""Additions: recorded play that enters the replay memory of a training that runs or is stopped.

``agent.addition_requests`` publishes requests in the run's folder. The training (``Additions``) reads them on another
thread while it trains, and takes them between two updates.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agent.added_memory import AddedMemory, Placed
from agent.addition_requests import JudgedEpisode, rules_of
from agent.array_file import read_arrays
from agent.config import TrainConfig
from agent.memory_of_config import memory_rules
from agent.preprocessing import OBSERVATION_BYTES
from agent.replay_memory import ReplayMemory
from agent.sampling import Sampler
from agent.seeding_fill import Source
from data.additions import Addition, AdditionsFolder
from data.episode import utc_now
from data.errors import CoachError
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
READING_SECONDS = 0.02
"""Longest wait for a request that is being read; one that takes longer is taken after a later update."""


@dataclass(frozen=True)
class _Request:
    """The content of a request's file."""

    about: dict[str, Any]
    columns: dict[str, np.ndarray]
    """Of an episode's decisions; none in a request with verdicts."""
    verdicts: tuple[JudgedEpisode, ...] = ()
    placed: Placed | None = None
    """An episode's observations in the memory."""


def _read_request(
    path: Path, config: TrainConfig, meanings: tuple[str, ...], place: Callable[[np.ndarray], Placed]
) -> _Request:
    """Read a request, and place its observations; raises CoachError if it is damaged or does not fit the run."""
    arrays = read_arrays(path)
    try:
        about: dict[str, Any] = json.loads(arrays["about"].tobytes())
        if about["kind"] == "verdicts":
            return _Request(about, {}, _judged(about, arrays))
        kinds = memory_rules(config).columns
        columns = {name: arrays[f"columns/{name}"] for name in kinds}
        raw = zlib.decompress(arrays["observations"].tobytes())
        observations = np.frombuffer(raw, np.uint8).reshape(-1, OBSERVATION_BYTES)
        if about["kind"] != "episode" or not len(observations):
            raise ValueError("nothing to add")
        for name, column in columns.items():
            if column.shape != (len(observations),) or column.dtype != kinds[name]:
                raise ValueError(f"the column {name} has the wrong shape or type")
        str(about["episode"]), str(about["digest"]), int(about["decisions"]), str(about["selection"])
        fits = about["rules"] == rules_of(config) and tuple(about["action_meanings"]) == meanings
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise CoachError(f"{path} is incomplete or damaged ({error}).") from error
    if not fits or int(columns["action"].max()) >= len(meanings):
        raise CoachError(f"{path} was made for another run: its game, actions or settings differ.")
    return _Request(about, columns, placed=place(observations))


def _judged(about: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[JudgedEpisode, ...]:
    """Return the verdicts of a request; raises KeyError or ValueError if it is damaged."""
    found = []
    whose = about.get("by", [None] * len(about["episodes"]))  # older requests are of the seeding alone
    for number, (episode, by) in enumerate(zip(about["episodes"], whose, strict=True)):
        first, kept, imitate = (arrays[f"{number}/{name}"] for name in ("first_frame", "kept", "imitate"))
        if not (first.shape == kept.shape == imitate.shape) or first.ndim != 1 or kept.dtype != np.bool_:
            raise ValueError(f"the verdicts on {episode} have the wrong shape or type")
        found.append(JudgedEpisode(str(episode), by, first, kept, imitate))
    return tuple(found)


def _is_verdicts(reading: Future[_Request]) -> bool:
    return reading.exception() is None and bool(reading.result().verdicts)


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
        self._episodes: list[tuple[str, str | None]] = []
        """Id of each added episode, and whose decisions of it were added, by source number."""
        self.note = ""
        """Why an addition could not be recorded, in one sentence."""
        self._applied: list[str] = []
        """Names of the requests in the memory, in order."""
        self._scheduled: list[Addition] = []
        """Taken before a kill, after the checkpoint from which the training continues."""
        self._known: set[str] = set()
        """Names of the requests that were found or recorded."""
        self._waiting: list[str] = []
        """New requests, in the order in which they are taken."""
        self._reader = ThreadPoolExecutor(1, "additions")
        self._reading: Future[_Request] | None = None
        """The first of those that wait, while it is being read."""
        self._next_poll = self._next_record = 0.0
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

    @property
    def are_waiting(self) -> bool:
        """Whether anything is requested or scheduled that is not in the memory yet."""
        return bool(self._scheduled or self._waiting or self._folder.waiting())

    def take(self, trainer: Trainer, seeded: list[Source]) -> list[Addition]:
        """Apply what is due or newly requested, between two updates. Return the additions, refused ones included.

        seeded: the sources of the trainer's own memory.
        """
        now = trainer.pretrained, trainer.step
        found: list[Addition] = []
        while self._scheduled and self._scheduled[0].moment <= now:
            if self._reading is not None:
                wait([self._reading])  # it would be placed where this one goes, so it is read again later
                self._reading = None
            line = self._scheduled.pop(0)
            self._use(line, self._read(line.request), trainer.memory, seeded)
            found.append(line)
        self._look_for_requests()
        while self._waiting and time.monotonic() >= self._next_record:
            name = self._waiting[0]
            self._reading = self._reading or self._reader.submit(self._read, name)
            if not wait([self._reading], READING_SECONDS).done or (self._scheduled and _is_verdicts(self._reading)):
                break  # verdicts never take effect before older ones that are scheduled
            try:
                line, request = self._record(name, self._reading, *now, trainer.memory, seeded)
            except CoachError as error:
                self.note = f"{error} {name} waits until it can be recorded."
                self._next_record = time.monotonic() + RETRY_SECONDS
                break
            self._waiting.pop(0)
            self._reading = None
            found.append(line)
            if request is not None:
                self._use(line, request, trainer.memory, seeded)
        trainer.batches.added = self.memory
        return found

    def _look_for_requests(self) -> None:
        if time.monotonic() < self._next_poll:
            return
        self._next_poll = time.monotonic() + POLL_SECONDS
        changed = self._folder.changed_ns()
        if changed == self._listed_ns:
            return
        if time.time() - changed / 1e9 > FRESH_SECONDS:
            self._listed_ns = changed
        new = [name for name in self._folder.request_names() if name not in self._known]
        self._waiting += new
        self._known.update(new)

    def _read(self, name: str) -> _Request:
        return _read_request(self._folder.requests / name, self._config, self._meanings, self._place)

    def _place(self, observations: np.ndarray) -> Placed:
        memory = self.memory
        if memory is None:
            memory = AddedMemory(memory_rules(self._config), self._sampler)
        return memory.place(observations)

    def _record(
        self,
        name: str,
        reading: Future[_Request],
        pretrained: int,
        step: int,
        memory: ReplayMemory,
        seeded: list[Source],
    ) -> tuple[Addition, _Request | None]:
        """Record a request, which then belongs to the training. Return its line, and None if it is refused."""
        given = utc_now().isoformat()
        request = None
        try:
            request = reading.result()
            about = request.about
            if request.verdicts:
                found = [self._judged_slots(judged, memory, seeded) for judged in request.verdicts]
                touched = sum(len(slots) for _, slots, _, _ in filter(None, found))
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
        for judged in request.verdicts:
            found = self._judged_slots(judged, memory, seeded)
            if found is not None:
                held, slots, kept, imitate = found
                held.judge(slots, kept, imitate)
        self._applied.append(line.request)

    def _judged_slots(
        self, judged: JudgedEpisode, memory: ReplayMemory, seeded: list[Source]
    ) -> tuple[ReplayMemory, np.ndarray, np.ndarray, np.ndarray] | None:
        """Return (memory, slots, kept, imitate) of the decisions for which verdicts change something."""
        held: ReplayMemory | None = memory if judged.by is None else self.memory
        if held is None:
            return None
        names = self._episodes if judged.by is not None else [(source.name, None) for source in seeded]
        # Own steps, which follow the seeding, have no verdicts.
        used = memory.seeded_end if held is memory else len(held.columns_used()["source"])
        numbers = [number for number, name in enumerate(names) if name == (judged.episode, judged.by)]
        columns = {name: held.columns[name][:used] for name in ("source", "decided", "frame")}
        slots = np.flatnonzero(np.isin(columns["source"], numbers) & columns["decided"])
        if not len(slots) or not len(judged.first_frame):
            return None
        rows = np.searchsorted(judged.first_frame, columns["frame"][slots])
        rows = np.minimum(rows, len(judged.first_frame) - 1)
        kept, imitate = judged.kept[rows], judged.imitate[rows]
        change = held.would_change(slots, kept, imitate)
        return held, slots[change], kept[change], imitate[change]

    def would_change(self, judged: JudgedEpisode, trainer: Trainer, seeded: list[Source]) -> bool:
        """Return whether verdicts on an episode would change any decision in the memory."""
        found = self._judged_slots(judged, trainer.memory, seeded)
        return found is not None and len(found[1]) > 0

    def _apply(self, line: Addition, request: _Request) -> None:
        assert request.placed is not None
        if self.memory is None:
            self.memory = request.placed.memory
        self.memory.append(request.placed, request.columns, len(self.sources), line.step)
        self.sources.append(Source(line.episode, line.decisions, COACHED))
        self._episodes.append((line.episode, str(request.about.get("by", ""))))
        self._applied.append(line.request)

    # ---- saving ------------------------------------------------------------------------------------------------------

    def state(self) -> list[str]:
        """Return the names of the requests in the memory; with ``changes`` and their files they restore it."""
        return list(self._applied)

    def changes(self) -> dict[str, np.ndarray] | None:
        """Return the part of the memory that the requests' files lack, or None if nothing was added."""
        return None if self.memory is None else self.memory.changing_arrays()
