"""What lies behind the doors of the home window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from commands.exchange import recover_before_play
from data.errors import CoachError
from data.library import Library
from home.home_window import TITLE

if TYPE_CHECKING:
    from home.overview import Door
    from screen.window import Window


class Home:
    """What lies behind the doors of the home window."""

    def __init__(self, window: Window, library: Library, game: str) -> None:
        from commands.background_training import Training

        library.prepare()
        recover_before_play(library)
        self._window = window
        self._library = library
        self._game = game
        self._training: Training | None = None

    def run(self) -> None:
        """Open one door after another until the person leaves; a training goes on by itself."""
        from commands.overview import look_at, picture_of
        from home.home_window import HomeWindow

        doors: dict[Door, Callable[[], str]] = {
            "play": self._play,
            "curate": self._curate,
            "train": self._train,
            "watch": self._watch,
            "compare": self._compare,
            "library": self._browse,
            "settings": self._settings,
        }
        home = HomeWindow(
            self._window, lambda: look_at(self._library, self._game), picture_of(self._library, self._game)
        )
        while True:
            self._window.title = TITLE
            door = home.choose()
            if door is None:
                return
            try:
                home.message = doors[door]()
            except CoachError as error:
                home.message = str(error)
            if self._window.closing:
                return
            if self._training is not None and self._training.complaint:
                home.message = self._training.complaint
                self._training = None

    def _play(self) -> str:
        from commands.playing import default_player
        from recorder.play_window import play

        play(self._library, self._game, default_player(), window=self._window)
        return ""

    def _curate(self) -> str:
        from commands.playing import default_player
        from curator.curator_window import curate
        from data.label_database import LabelDatabase

        with LabelDatabase(self._library.labels) as labels:
            curate(self._library, labels, default_player() or "me", window=self._window)
        return ""

    def _train(self) -> str:
        from commands.background_training import Training, stop_training
        from commands.overview import training_now, training_to_begin

        running = training_now(self._library)
        if running is not None:
            stop_training(self._library.run_folder(running))
            return f"{running} is asked to stop; it writes a checkpoint first, and T goes on with it later."
        if self._training is not None and self._training.is_running:
            return f"{self._training.run} is starting."
        run, arguments = training_to_begin(self._library, self._game)
        self._training = Training(self._library, run, arguments)
        return f"{run} has begun; it goes on when this window is closed. T stops it."

    def _watch(self) -> str:
        from commands.overview import newest_run

        run = newest_run(self._library)
        if run is None:
            return "There is no agent to watch yet: press T to train one."
        from agent.player import load_player
        from commands.seeing import settings_of
        from recorder.watch_window import watch

        player = load_player(self._library, run, 0.01)
        config = player.config
        watch(self._library, player, config.game, settings=settings_of(config), window=self._window)
        return ""

    def _compare(self) -> str:
        return "Comparisons of seedings are run with `coach compare` for now."

    def _browse(self) -> str:
        return "The library is listed by `coach library` for now."

    def _settings(self) -> str:
        return "Settings are given on the command line for now."
