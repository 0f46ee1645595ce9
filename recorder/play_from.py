"""Play on from a moment inside another episode, attempt after attempt, in a window."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from data.episode import EmulatorSettings
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.library import Library
from recorder.controls import KeyMap, read_key_map
from recorder.play_window import RecorderWindow, opened_window
from recorder.session import Session
from screen.window import Window

FINISH_SECONDS = 60.0
"""Longest wait at the end for episodes that are being added."""


class PlayFromSession(Session):
    """Each attempt starts at the same moment. With ``give``, what is saved is added to a training."""

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        key_map: KeyMap,
        player: str,
        started_from: StartedFrom,
        give: Callable[[Path], str] | None = None,
    ) -> None:
        super().__init__(library, game, settings, key_map, player, sound=True, started_from=started_from)
        self._give = give
        self._worker = ThreadPoolExecutor(1, "coaching")
        self._given: list[Future[str]] = []
        self._submitted = 0
        self.notify(f"You start at {started_from}")

    @property
    def is_still(self) -> bool:
        return super().is_still and not self._given

    def save(self, folder: Path | None = None) -> None:
        super().save(folder)
        self._submit()

    def _submit(self) -> None:
        """Add what was saved since."""
        if self._give is not None:
            for path in self.paths[self._submitted :]:
                self._given.append(self._worker.submit(self._give, path))
        self._submitted = len(self.paths)

    def tick(self) -> None:
        super().tick()
        self._collect()

    def _collect(self) -> None:
        while self._given and self._given[0].done():
            try:
                self.notify(self._given.pop(0).result())
            except CoachError as error:
                self.notify(str(error))

    def close(self) -> None:
        super().close()
        self._submit()
        for future in self._given:
            future.exception(FINISH_SECONDS)
        self._collect()
        self._worker.shutdown(wait=False)


def play_from(
    library: Library,
    game: str,
    settings: EmulatorSettings,
    started_from: StartedFrom,
    player: str = "",
    window: Window | None = None,
    give: Callable[[Path], str] | None = None,
    on_ready: Callable[[Window, Session], None] | None = None,
) -> list[Path]:
    """Let a person play from where the settings' actions lead; return the replay files that were saved.

    The first game key starts. ``give``: called on another thread with each saved file; returns the result in one
    sentence. Raises CoachError if there is no display, and if the library is not writable.
    """
    library.prepare()
    session = PlayFromSession(library, game, settings, read_key_map(), player, started_from, give)
    with opened_window(window, session.title) as shown:
        RecorderWindow(shown, session).run(on_ready)
    return session.paths
