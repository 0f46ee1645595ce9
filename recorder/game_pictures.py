"""Pictures of games, made by another process so that no window waits for them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from data.errors import CoachError
from data.game_picture import GamePicture, cache_folder, cached_picture, make_and_save

AHEAD = 2
"""Pictures requested at a time: few, so that newly visible ones are made next."""


def _start_worker() -> None:
    """Run at low priority, and end with the window's process: a pool's worker would wait for work indefinitely."""
    if hasattr(os, "nice"):
        os.nice(10)
    parent = multiprocessing.parent_process()

    def end_with_parent() -> None:
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()


class GamePictures:
    """Pictures by game: at once from the cache, otherwise made in the background and available a moment later."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_folder()
        self._found: dict[str, GamePicture] = {}
        self._making: dict[str, Future[GamePicture]] = {}
        self._refused: set[str] = set()
        self._looked_up: set[str] = set()
        self._pool: ProcessPoolExecutor | None = None

    def of(self, game: str) -> GamePicture | None:
        """Return the picture if there is one by now. Reads the cache at most once for each game."""
        if game not in self._found and game not in self._looked_up:
            self._looked_up.add(game)
            cached = cached_picture(game, self._folder)
            if cached is not None:
                self._found[game] = cached
        return self._found.get(game)

    @property
    def is_making(self) -> bool:
        """Whether pictures are being made."""
        return bool(self._making)

    def work(self, wanted: Iterable[str]) -> bool:
        """Collect finished pictures and request the next of ``wanted``, in order; return whether there are new ones."""
        new = False
        for game, future in list(self._making.items()):
            if future.done():
                del self._making[game]
                new = True
                try:
                    self._found[game] = future.result()
                except (OSError, RuntimeError, ValueError, CoachError):
                    self._refused.add(game)  # a picture is only decoration: its game can still be chosen
        for game in wanted:
            if len(self._making) >= AHEAD:
                break
            if game not in self._making and game not in self._refused and self.of(game) is None:
                self._request(game)
        return new

    def _request(self, game: str) -> None:
        if self._pool is None:
            # A fresh process, not a fork: this one has a window and threads.
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _start_worker)
        try:
            self._making[game] = self._pool.submit(make_and_save, game, self._folder)
        except (BrokenProcessPool, OSError):
            self._refused.add(game)

    def close(self) -> None:
        """Request no more; a picture that is being made is finished and cached."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
