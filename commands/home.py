"""``coach`` without a command: the home window and what its actions do."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commands.chosen_settings import apply_to_windows, chosen_settings, login_name, person
from commands.output import progress_console
from data.counted import counted
from data.episode import EmulatorSettings
from data.errors import CoachError
from data.library import Library
from data.runs import list_runs, open_own_run
from home.settings import Settings, write_settings

if TYPE_CHECKING:
    from data.moments import Moment
    from data.verification import Verification
    from home.home_notice import HomeNotice
    from home.overview import HomeAction
    from home.playback import ValueCurve
    from screen.window import Window


def give_memory_back() -> None:
    """Return to the system what a closed window used: objects in reference cycles, and free pages (glibc only)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def open_home(options: argparse.Namespace) -> int:
    """Open the home window; without a display, say so and run ``coach tour`` instead."""
    from commands.tour import TOUR_GAME, run_tour
    from home.home_window import TITLE
    from screen.window import NoDisplayError, Window

    settings = chosen_settings()
    try:
        window = Window(TITLE)
    except NoDisplayError:
        progress_console().print(
            "There is no display, so no window can be opened. The tour runs instead: a planner plays, rules judge and "
            "two agents train, which takes about five minutes.",
            soft_wrap=True,
        )
        return run_tour(argparse.Namespace(library=options.library, game=TOUR_GAME, jobs=2, json=False))
    with window:
        HomeActions(window, Library(options.library), settings).run()
    return 0


class HomeActions:
    """Runs the action that is chosen in the home window, and saves the settings when they change."""

    def __init__(self, window: Window, library: Library, settings: Settings) -> None:
        if not library.is_read_only:
            library.prepare()
        self._window = window
        self._library = library
        self._settings = settings
        self._verified: dict[str, Verification] = {}
        self._target = ""
        """The episode, run or comparison that was clicked in the home window, which the action shows first."""

    @property
    def _game(self) -> str:
        return self._settings.game

    def run(self) -> None:
        """Run one action after another until the person quits. Trainings continue in processes of their own."""
        from commands.overview import head_picture, read_overview
        from home.home_window import HomeWindow

        actions: dict[HomeAction, Callable[[], str | HomeNotice]] = {
            "play": self._play,
            "curate": self._curate,
            "train": self.train,
            "watch": self._watch,
            "compare": self._compare,
            "library": self._browse,
            "settings": self._change_settings,
            "game": self._choose_game,
        }
        home = HomeWindow(
            self._window,
            read_overview=lambda: read_overview(self._library, self._game, person(self._settings)),
            picture=lambda: head_picture(self._library, self._game),
            rebuild=self._rebuild,
            tour=not self._settings.seen_tour,
            on_tour_over=self._note_tour,
        )
        if self._library.is_read_only:
            home.say("This library is read-only: you can browse it, play episodes back, verify and export them.")
        while True:
            action = home.choose()
            if action is None:
                return
            self._target = home.target
            try:
                answer = actions[action]()
                home.say(answer if isinstance(answer, str) else "")
                if not isinstance(answer, str):
                    home.show(answer)
            except CoachError as error:
                home.say(str(error), is_error=True)
            if self._window.closing:
                return
            give_memory_back()

    def _save(self, settings: Settings) -> None:
        """Use and save new settings; raises CoachError if they cannot be saved."""
        self._settings = settings
        apply_to_windows(settings)
        write_settings(settings)

    def _note_tour(self) -> None:
        if not self._settings.seen_tour:
            with contextlib.suppress(CoachError):  # If it cannot be saved, the tour is shown again next time.
                self._save(replace(self._settings, seen_tour=True))

    def _rebuild(self, on_progress: Callable[[int, int], None]) -> str:
        from data.recovery import recover

        number = len(recover(self._library, on_progress=on_progress))
        return f"{counted(number, 'episode')} rebuilt." if number else "There are no unfinished episodes."

    def _play(self) -> str:
        from recorder.play_window import play

        settings = EmulatorSettings(
            seed=secrets.randbelow(2**31),
            frame_skip=self._settings.frame_skip,
            repeat_action_probability=self._settings.sticky,
        )
        sound = self._settings.sound
        play(self._library, self._game, person(self._settings), settings, window=self._window, sound=sound)
        return ""

    def _curate(self) -> str:
        from curator.window import curate
        from data.label_database import LabelDatabase

        self._library.prepare()
        goal = self._settings.goal or None
        with LabelDatabase(self._library.labels) as labels:
            curate(
                self._library,
                labels,
                person(self._settings) or "me",
                game=self._game,
                window=self._window,
                goal=goal,
                train=lambda _: self.train(),
            )
        return ""

    def train(self) -> str:
        """Open the Train window, and watch the run that is chosen there."""
        from commands.training_controller import LibraryTrainingController
        from home.train_window import TrainWindow

        window = TrainWindow(self._window, LibraryTrainingController(self._library, self._game, self._settings.threads))
        window.select(self._target)
        while not self._window.closing:
            run = window.run()
            if run is None:
                break
            if window.view == "moments":
                self._show_moments(run)
            else:
                self._watch_run(run, coach=window.view == "coach")
        return ""

    def _watch(self) -> str | HomeNotice:
        from commands.overview import run_to_watch
        from home.home_notice import no_agent

        run = run_to_watch(self._library, self._game)
        if run is None:
            training = next((summary.name for summary in list_runs(self._library) if summary.is_active), "")
            return no_agent(any(self._library.replays.glob("*.h5")), training)
        self._watch_run(run)
        return ""

    def _watch_run(self, run: str, coach: bool = False) -> None:
        from commands.watch import watch_run

        watch_run(self._library, run, person(self._settings), coach=coach, window=self._window)

    def _show_moments(self, run: str) -> None:
        from commands.corrections import play_moment
        from home.moments_window import MomentsWindow

        folder = open_own_run(self._library, run)

        def play(moment: Moment) -> None:
            play_moment(self._library, folder, moment, person(self._settings), self._window)

        MomentsWindow(self._window, folder, play).run()

    def _compare(self) -> str:
        from commands.comparison_controller import LibraryComparisonController
        from home.comparison_window import ComparisonWindow

        window = ComparisonWindow(self._window, LibraryComparisonController(self._library, self._game))
        window.select(self._target)
        window.run()
        return ""

    def _browse(self) -> str:
        from commands.add import add_in_one_sentence, trainings_of
        from commands.play import play_inside
        from commands.value_curve import value_curve
        from curator.frame_reader import FrameReader
        from home.library_window import LibraryWindow
        from home.training_chooser import Trainings

        curator = person(self._settings) or "me"

        def play(episode: Path, frame: int) -> None:
            play_inside(self._library, episode, frame, person(self._settings), self._window)

        trainings = Trainings(partial(trainings_of, self._library), partial(add_in_one_sentence, self._library))

        def read_values(episode: Path, report: Callable[[int, int], None]) -> ValueCurve | None:
            return value_curve(self._library, episode, report)

        chosen = self._game, curator, self._target, play, trainings, read_values
        LibraryWindow(self._window, self._library, FrameReader, self._verified, *chosen).run()
        return ""

    def _change_settings(self) -> str:
        from home.settings_window import SettingsWindow
        from recorder.game_picker import pick_game
        from recorder.key_editor import edit_keys

        SettingsWindow(
            self._window,
            self._settings,
            save=self._save,
            pick_game=lambda current: pick_game(self._window, current),
            edit_keys=lambda: edit_keys(self._window),
            login_name=login_name(),
            processors=os.cpu_count() or 1,
            labels=self._library.labels,
        ).run()
        return ""

    def _choose_game(self) -> str:
        from recorder.game_picker import pick_game

        game = pick_game(self._window, self._game)
        if game is not None:
            self._save(replace(self._settings, game=game))
        return ""
