"""What was added to a training while it ran or was stopped: the requests in a run's folder, and the record of them.

A request is one file ``additions/<UTC time>-<8 hex>.npz``, published atomically and never changed. The training takes
requests in order of their names and appends a line for each to ``additions.jsonl`` before it uses one. A request that
no line names is still waiting. So a kill at any time loses none and uses none twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from data.counted import counted
from data.episode import utc_now
from data.errors import CoachError
from data.files import BINARY, sync_folder, write_all

SUFFIX = ".npz"


@dataclass(frozen=True)
class Addition:
    """One line of ``additions.jsonl``: a request that a training took or refused."""

    request: str
    """Name of its file."""
    kind: str
    """"episode", "verdicts", or "refused"."""
    decisions: int
    """Decisions added, or whose verdict changed."""
    step: int
    """Own step at which the training took it."""
    pretrained: int
    """Updates of pretraining done by then."""
    episode: str = ""
    digest: str = ""
    """Of the episode."""
    selection: str = ""
    """SHA-256 of which decisions of the episode were added."""
    given: str = ""
    """When the training took it, ISO 8601, UTC."""
    reason: str = ""
    """Why it was refused, in one sentence."""

    @property
    def moment(self) -> tuple[int, int]:
        """Updates of pretraining and own steps at which it was taken: ascending during a training."""
        return self.pretrained, self.step

    def sentence(self) -> str:
        """Return what happened, in one sentence."""
        if self.kind == "refused":
            return self.reason
        when = f"at step {self.step:,}" if self.step else f"after {self.pretrained:,} updates of pretraining"
        if self.kind == "verdicts":
            return f"Verdicts on {counted(self.decisions, 'decision')} took effect {when}."
        return f"{counted(self.decisions, 'decision')} added {when}."


@dataclass(frozen=True)
class AdditionsFolder:
    """Where a run keeps its requests and the record of them."""

    run: Path

    @property
    def requests(self) -> Path:
        return self.run / "additions"

    @property
    def log(self) -> Path:
        return self.run / "additions.jsonl"

    def new_request(self) -> Path:
        """Return the path of a new request, which sorts after those made before; makes the folder. Raises OSError."""
        self.requests.mkdir(exist_ok=True)
        return self.requests / f"{utc_now():%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}{SUFFIX}"

    def changed_ns(self) -> int:
        """Return when a request was last published or removed, in ns since the epoch; 0 if there never was one."""
        try:
            return self.requests.stat().st_mtime_ns
        except OSError:
            return 0

    def request_names(self) -> list[str]:
        """Return the names of all requests, in the order in which a training takes them."""
        with contextlib.suppress(OSError):
            names = os.listdir(self.requests)
            return sorted(name for name in names if name.endswith(SUFFIX) and not name.startswith("."))
        return []

    def taken(self) -> list[Addition]:
        """Return the record, oldest first. An incomplete last line, which a kill can leave, is ignored."""
        return self._lines()[0]

    def waiting(self) -> list[str]:
        """Return the names of the requests that no training has taken yet."""
        named = {addition.request for addition in self.taken()}
        return [name for name in self.request_names() if name not in named]

    def _lines(self) -> tuple[list[Addition], int]:
        """Return the record, and how many bytes of the file it takes."""
        try:
            content = self.log.read_bytes()
        except OSError:
            return [], 0
        known = {field.name for field in fields(Addition)}
        found, size = [], 0
        for line in content.split(b"\n")[:-1]:
            try:
                values = json.loads(line)
                found.append(Addition(**{name: value for name, value in values.items() if name in known}))
            except (ValueError, TypeError, AttributeError):
                break
            size += len(line) + 1
        return found, size

    def mend(self) -> None:
        """Remove an incomplete last line, which a kill can leave; only for the process that trains the run."""
        size = self._lines()[1]
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > size:
                os.truncate(self.log, size)

    def record(self, addition: Addition) -> None:
        """Append a line durably; raises CoachError, and leaves the record unchanged, if that fails."""
        is_new = not self.log.exists()
        try:
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | BINARY, 0o644)
            try:
                before = os.fstat(descriptor).st_size
                try:
                    write_all(descriptor, json.dumps(asdict(addition)).encode() + b"\n")
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, before)
                    raise
            finally:
                os.close(descriptor)
        except OSError as error:
            raise CoachError(f"Cannot write {self.log} ({error.strerror or error}).") from error
        if is_new:
            sync_folder(self.run)
