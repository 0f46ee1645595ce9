"""Verdicts that are given while a training runs: the training finds them, and they enter it as an addition."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from agent.addition_requests import JudgedEpisode, judged_episodes, publish_verdicts
from data.clip import Verdict
from data.errors import CoachError
from data.label_database import LabelDatabase
from data.library import Library
from data.runs import RunFolder

if TYPE_CHECKING:
    from agent.additions import Additions
    from agent.seeding_fill import Source
    from agent.trainer import Trainer

LOOK_SECONDS = 5.0
"""Between two looks at the label database."""
RETRY_SECONDS = 60.0
"""After a look that failed."""


class LaterVerdicts:
    """Looks at the label database while a run is trained, and requests that new verdicts take effect.

    It reads on another thread. A request is published only where it changes a decision in the memory, and is then
    recorded and taken like any other addition, so it is part of the exact resume.
    """

    def __init__(self, library: Library, folder: RunFolder, labels: Path | str) -> None:
        self._library, self._folder, self._labels = library, folder, labels
        self.note = ""
        """Why verdicts cannot be read, in one sentence."""
        self._reader = ThreadPoolExecutor(1, "verdicts")
        self._looking: Future[list[JudgedEpisode]] | None = None
        self._publishing: Future[str] | None = None
        self._next_look = 0.0
        self._taken_before = 0
        """Number of additions in the memory when the database was last looked at."""
        self._state: tuple[int, int] | None = None
        """Of the label database at the last look."""
        self._known: dict[str, bytes] = {}
        """Digest of the verdicts on each episode that were looked at last."""

    def poll(self, additions: Additions, trainer: Trainer, seeded: list[Source]) -> None:
        """Look again if it is time, and request what has changed; only between updates."""
        if self._publishing is not None and self._publishing.done():
            self._note_problem(self._publishing)
            self._publishing = None
        if self._looking is not None and self._looking.done():
            looking, self._looking = self._looking, None
            if self._note_problem(looking):
                self._request(looking.result(), additions, trainer, seeded)
        now = time.monotonic()
        if now < self._next_look or self._looking is not None or self._publishing is not None:
            return
        # What was requested before takes effect first, so that older verdicts do not replace newer ones.
        is_over = trainer.pretraining_ended or trainer.step > 0  # without pretraining it never ends
        if is_over and not additions.are_waiting:
            self._next_look, self._taken_before = now + LOOK_SECONDS, len(additions.state())
            self._looking = self._reader.submit(self._look)
        else:
            self._next_look = now + min(LOOK_SECONDS, 1.0)

    def _request(
        self, found: list[JudgedEpisode], additions: Additions, trainer: Trainer, seeded: list[Source]
    ) -> None:
        if len(additions.state()) != self._taken_before:  # perhaps newer verdicts than those that were found
            self._state, self._known, self._next_look = None, {}, 0.0
            return
        changed = [episode for episode in found if additions.would_change(episode, trainer, seeded)]
        if changed:
            self._publishing = self._reader.submit(publish_verdicts, self._folder, changed)

    def _note_problem(self, done: Future[list[JudgedEpisode]] | Future[str]) -> bool:
        """Return whether the work succeeded; otherwise keep the reason, and look at everything again later."""
        problem = done.exception()
        if problem is not None and not isinstance(problem, CoachError | OSError):
            raise problem
        self.note = "" if problem is None else str(problem)
        if problem is not None:
            self._state, self._known = None, {}
            self._next_look = time.monotonic() + RETRY_SECONDS
        return problem is None

    def _look(self) -> list[JudgedEpisode]:
        """Return the episodes on which verdicts have changed since the last look."""
        database = LabelDatabase.open_existing(self._labels)
        if database is None:
            return []
        with database:
            state = database.state()
            if state == self._state:
                return []

            def verdicts(episode_id: str) -> Iterable[Verdict]:
                return given[episode_id]

            given: dict[str, list[Verdict]] = {}
            digests: dict[str, bytes] = {}

            def is_new(episode_id: str) -> bool:
                given[episode_id] = database.verdicts(episode_id=episode_id)
                digests[episode_id] = hashlib.sha256(repr(given[episode_id]).encode()).digest()
                return self._known.get(episode_id) != digests[episode_id]

            found = judged_episodes(self._folder, self._library, verdicts, is_new)
        self._state = state
        self._known |= digests
        return found
