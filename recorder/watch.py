"""Watch a demonstrator play, take the controls from it, and give them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.library import Library
from recorder.controls import read_key_map
from recorder.play_window import RecorderWindow, opened_window
from recorder.session import Session
from recorder.watch_session import Coaching, Newest, Watched, WatchSession
from recorder.watch_view import WatchView
from screen.window import Window


def watch(
    library: Library,
    demonstrator: Demonstrator,
    game: str,
    player: str = "",
    seed: int | None = None,
    take_over: bool = False,
    settings: EmulatorSettings | None = None,
    speed: float = 1.0,
    window: Window | None = None,
    on_ready: Callable[[Window, Session], None] | None = None,
    watched: Watched | None = None,
    newest: Newest | None = None,
    coaching: Coaching | None = None,
) -> list[Path]:
    """Show ``demonstrator`` playing game after game until the person quits; return the replay files that were saved.

    ``T`` takes the controls and hands them back; a replay file's ``demonstrator`` column says who chose each frame, and
    ``players`` the names. Nothing is saved unless the person took over; then the window asks. With ``coaching``, each
    stretch that the person played is saved as an episode of its own and added to a training, without a question.

    ``take_over``: the person starts. ``settings`` must have the frame skip that the demonstrator expects; ``seed``
    replaces its seed. ``watched``: facts about the demonstrator; ``newest``: gives a newer one between two games.
    A demonstrator that shows its values (``recorder.agent_values``) has them drawn beside the game.
    Raises CoachError if there is no display, for an unknown game, and if the library is not writable.
    """
    library.prepare()
    chosen = settings or EmulatorSettings()
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    about = watched or Watched(f"the {demonstrator.kind}", is_run=False)
    keys = read_key_map()
    session = WatchSession(library, game, chosen, keys, player, speed, demonstrator, about, newest, coaching)
    session.over.person_plays = take_over
    with opened_window(window, session.title) as shown:
        recorder_window = RecorderWindow(shown, session, WatchView(session))
        if not take_over:
            session.start()
        recorder_window.run(on_ready)
    return session.paths
